"""From a proven cause to a confirmed fix: what the remedy's buttons do to the practice EHR, and what they say."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from console.accounts.models import AuditEntry
from console.diagnoses.services import execute
from console.shared.work import WorkState
from console.tickets import acting
from console.tickets.acting import start
from console.tickets.models import Confirmation, Ticket, TicketAction, TicketNote, TicketState
from console.tickets.moves import TicketError
from console.tickets.services import change_state, end_note, resolve
from diagnostics import case_folder
from diagnostics.practice import build_case, running_practice
from diagnostics.practice.server import PracticeEhr
from tests.journeys.stage import Place, a_place, open_for

pytestmark = pytest.mark.django_db(transaction=True)
Kind, Outcome = TicketAction.Kind, TicketAction.Outcome


def a_broken_one(ehr: PracticeEhr, fault: str, folder: Path, place: Place) -> Ticket:
    build_case(ehr, "north", fault, folder)
    ticket = open_for(place, case_folder.load(folder), "North")
    assert execute(ticket.run_id)
    ticket.refresh_from_db()
    return ticket


def do(ticket: Ticket, kind: str, place: Place) -> TicketAction:
    made = start(ticket=ticket, kind=kind, by=place.desk)
    assert execute(made.run_id)
    made.refresh_from_db()
    ticket.refresh_from_db()
    return made


def creates(ehr: PracticeEhr) -> int:
    """Count the writes that the practice EHR saw, in its own ledger."""
    return sum(e.method == "POST" and "DocumentReference" in (e.target or "") for e in ehr.ledger.entries("north"))


def test_a_token_is_asked_for_and_its_answer_told_before_and_after_the_fix(tmp_path: Path) -> None:
    place = a_place()
    with running_practice(("north",)) as ehr:
        ticket = a_broken_one(ehr, "auth-key-not-published", tmp_path, place)
        written, verdict = creates(ehr), ticket.cause
        bad = do(ticket, Kind.TOKEN, place)
        assert (bad.outcome, "gave no token" in bad.says) == (Outcome.BAD, True)
        ehr.set_faults("north", set())
        good = do(ticket, Kind.TOKEN, place)
        assert (good.outcome, good.says.startswith("The token server gave a token")) == (Outcome.GOOD, True)
        assert creates(ehr) == written, "asking for a token must write nothing"
    assert ticket.cause == verdict, "trying one thing changes no verdict"
    assert ticket.confirmation == "", "a token alone confirms no fix"


def test_a_fix_is_refuted_while_it_fails_and_confirmed_once_it_works(tmp_path: Path) -> None:
    place = a_place()
    with running_practice(("north",)) as ehr:
        ticket = a_broken_one(ehr, "auth-key-not-published", tmp_path, place)
        change_state(ticket=ticket, to="in_progress", by=place.desk)
        bad = do(ticket, Kind.CONFIRM, place)
        assert bad.outcome == Outcome.BAD, bad.says
        assert bad.says.startswith("Not fixed: ")
        assert ticket.state == TicketState.IN_PROGRESS, "what is refuted is not called fixed"
        change_state(ticket=ticket, to="fixed", by=place.desk)
        assert do(ticket, Kind.CONFIRM, place).outcome == Outcome.BAD
        assert ticket.state == TicketState.IN_PROGRESS, "somebody's word that it is fixed was refuted"
        note = ticket.ticket_notes.get().note
        end_note(ticket=ticket, note=note, end=TicketNote.End.BY_HAND, by=place.desk)
        with pytest.raises(TicketError, match="Nothing confirms the fix yet"):
            resolve(ticket=ticket, by=place.desk, category=ticket.category, cause=ticket.cause)

        ehr.set_faults("north", set())
        before = creates(ehr)
        good = do(ticket, Kind.CONFIRM, place)
        assert good.outcome == Outcome.GOOD, good.says
        assert creates(ehr) == before + 1, "one test document"
    assert (ticket.confirmation, ticket.confirming_run_id) == (Confirmation.RUN, good.run_id)
    assert ticket.state == TicketState.FIXED
    assert AuditEntry.objects.filter(action="canary.asked").count() == 3
    page = looked_at(place, ticket)
    assert "Confirmed." in page
    assert "Fixed, confirmed" in page
    assert good.says in page.replace("&quot;", '"')
    resolve(ticket=ticket, by=place.desk, category=ticket.category, cause=ticket.cause)
    assert (ticket.state, ticket.confirmation) == (TicketState.RESOLVED, Confirmation.RUN)

    client = Client()
    client.force_login(place.desk)
    text = client.get(reverse("tickets:before_and_after", args=[ticket.number])).content.decode()
    assert good.says in text
    assert text.count(" passed</td>") >= 1


def test_the_test_document_is_written_once_and_its_refusal_is_told(tmp_path: Path) -> None:
    place = a_place()
    with running_practice(("north",)) as ehr:
        ticket = a_broken_one(ehr, "perm-write-denied", tmp_path, place)
        refused = do(ticket, Kind.CANARY, place)
        assert refused.outcome == Outcome.BAD, refused.says
        assert "refused the test document" in refused.says
        ehr.set_faults("north", set())
        before = creates(ehr)
        written = do(ticket, Kind.CANARY, place)
        assert written.outcome == Outcome.GOOD, written.says
        assert creates(ehr) == before + 1


def test_only_one_thing_is_under_way_however_many_press_at_once(tmp_path: Path) -> None:
    place = a_place()
    with running_practice(("north",)) as ehr:
        ticket = a_broken_one(ehr, "auth-key-not-published", tmp_path, place)
        gate, said = threading.Barrier(6), []

        def press() -> None:
            try:
                gate.wait()
                said.append(start(ticket=ticket, kind=Kind.TOKEN, by=place.desk))
            except TicketError as refusal:
                said.append(refusal)
            finally:
                connection.close()

        threads = [threading.Thread(target=press) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sum(isinstance(each, TicketAction) for each in said) == 1
    assert {str(each) for each in said if isinstance(each, TicketError)} == {
        "“Ask for a token” is still under way. Wait for its outcome."
    }
    assert TicketAction.objects.count() == 1


def test_a_run_that_never_ends_leaves_an_outcome_and_the_way_free(tmp_path: Path) -> None:
    place = a_place()
    with running_practice(("north",)) as ehr:
        ticket = a_broken_one(ehr, "auth-key-not-published", tmp_path, place)
        made = start(ticket=ticket, kind=Kind.TOKEN, by=place.desk)
        made.run.state = WorkState.GAVE_UP
        made.run.save(update_fields=["state"])
        with transaction.atomic():
            acting.conclude(made.run)
        made.refresh_from_db()
        assert (made.outcome, "did not come to an end" in made.says) == (Outcome.OPEN, True)
        ehr.set_faults("north", set())
        assert do(ticket, Kind.TOKEN, place).outcome == Outcome.GOOD


@pytest.mark.parametrize(
    ("kind", "says"),
    [("segment", "no such segment"), ("steps", "cannot do that"), ("nonsense", "cannot do that")],
)
def test_what_the_console_cannot_do_is_refused_in_words(
    kind: str, says: str, tmp_path: Path, quiet_ticket: Callable[[], tuple[Ticket, Place]]
) -> None:
    ticket, place = quiet_ticket()
    client = Client()
    client.force_login(place.desk)
    where = reverse("tickets:act", args=[ticket.number])
    answer = client.post(where, {"kind": kind, "segment": "nowhere"}, follow=True)
    assert says in answer.content.decode()
    assert not TicketAction.objects.exists()


@pytest.fixture
def quiet_ticket() -> Callable[[], tuple[Ticket, Place]]:
    from tests.console.builders import an_integration
    from tests.console.pages.documents import a_diagnosed_ticket

    def make() -> tuple[Ticket, Place]:
        place = a_place()
        an_integration(place.facility)
        return a_diagnosed_ticket(place.facility), place

    return make


def looked_at(place: Place, ticket: Ticket) -> str:
    client = Client()
    client.force_login(place.desk)
    return client.get(reverse("tickets:ticket", args=[ticket.number])).content.decode()
