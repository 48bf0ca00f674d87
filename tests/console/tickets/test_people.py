"""People around a ticket: who watches and is told, who looks, handing over, and the words for the provider."""

import itertools
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from guardian.shortcuts import assign_perm

from console.accounts.models import OutgoingMail
from console.accounts.roles import Role
from console.accounts.services import take_role
from console.notes.models import FailureMode
from console.shared.idle import SESSION_KEY
from console.tickets import handover, presence
from console.tickets.models import Presence, TicketEvent, TicketNote, TicketState, WaitingFor, Watcher
from console.tickets.provider_text import provider_text
from console.tickets.services import assign, change_state, comment, set_title
from console.tickets.watching import watch
from tests.console.builders import a_department, a_facility, a_note, a_person, a_ticket, an_integration
from tests.console.pages.documents import a_diagnosed_ticket, logged_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def facility():
    return a_facility()


@pytest.fixture
def ticket(facility):
    return a_diagnosed_ticket(facility)


def a_named(facility, name, role=Role.HELP_DESK):
    person = a_person(facility, role)
    person.name = name
    person.save()
    return person


@pytest.fixture
def amara(facility):
    return a_named(facility, "Amara Diallo")


@pytest.fixture
def ben(facility):
    return a_named(facility, "Ben Okafor")


def post(person, ticket, action, **data):
    return logged_in(person).post(f"/tickets/{ticket.number}/{action}/", data)


def page(person, ticket, action: str = "") -> str:
    return logged_in(person).get(f"/tickets/{ticket.number}/{action}").content.decode()


# -- watching ------------------------------------------------------------------------------------------------------


def test_a_watcher_gets_one_mail_a_change_that_names_neither_title_nor_note(ticket, amara, ben) -> None:
    set_title(ticket=ticket, title="A title that somebody wrote", by=amara)
    assert post(ben, ticket, "watch", watch="yes").status_code == 302
    assert "Watched by Ben Okafor" in page(amara, ticket)
    change_state(ticket=ticket, to="waiting", by=amara, waiting_for="ehr_team")
    mail = OutgoingMail.objects.get()
    assert (mail.to, mail.subject) == (ben.email, f"Ticket {ticket.number}: waiting on EHR team")
    assert "Changed by Amara Diallo." in mail.body
    assert f"/tickets/{ticket.number}/" in mail.body
    note = ticket.ticket_notes.get().note
    for word in ("A title that", note.external_id, str(note.id)):
        assert word not in mail.body + mail.subject


def test_nobody_is_mailed_his_own_change_nor_after_he_switched_mails_off_or_stopped(ticket, amara, ben) -> None:
    for person in (amara, ben):
        watch(ticket=ticket, by=person)
    post(ben, ticket, "watch", watch="yes", mail="no")
    change_state(ticket=ticket, to="in_progress", by=amara)
    assert not OutgoingMail.objects.exists()
    post(ben, ticket, "watch", watch="yes", mail="yes")
    post(amara, ticket, "watch", watch="no")
    assert [row.user for row in Watcher.objects.all()] == [ben]
    change_state(ticket=ticket, to="fixed", by=amara)
    assert [mail.to for mail in OutgoingMail.objects.all()] == [ben.email]


def test_who_may_no_longer_see_a_ticket_hears_no_more_of_it(ticket, facility, amara, ben) -> None:
    watch(ticket=ticket, by=ben)
    take_role(user=ben, facility=facility, role=Role.HELP_DESK, by=None)
    change_state(ticket=ticket, to="in_progress", by=amara)
    assert not OutgoingMail.objects.exists()


def test_a_manager_may_watch_what_he_only_reads(ticket, facility) -> None:
    manager = a_person(facility, Role.MANAGER)
    assert post(manager, ticket, "watch", watch="yes").status_code == 302
    assert "Stop watching" in page(manager, ticket)


# -- who looks -----------------------------------------------------------------------------------------------------


def test_the_page_tells_who_else_is_looking_and_who_is_writing(ticket, amara, ben) -> None:
    page(amara, ticket)
    assert "Amara Diallo is looking" in page(ben, ticket)
    post(amara, ticket, "drafts", place="comment", text="I am on it")
    text = page(amara, ticket, "present/")
    assert "Ben Okafor is looking" in text
    assert "Amara" not in text
    assert "Amara Diallo is writing" in page(ben, ticket, "present/")


def test_a_sign_is_gone_after_a_minute(ticket, amara, ben) -> None:
    page(amara, ticket)
    Presence.objects.update(at=timezone.now() - timedelta(seconds=61))
    assert "Amara" not in page(ben, ticket, "present/")
    page(amara, ticket, "present/")
    assert "Amara Diallo is looking" in page(ben, ticket, "present/")
    assert Presence.objects.count() == 2  # one a person, however often


def test_looking_does_not_keep_a_session_alive(ticket, amara) -> None:
    client = logged_in(amara)
    assert client.get(f"/tickets/{ticket.number}/present/").status_code == 200
    assert SESSION_KEY not in client.session


def test_who_does_not_see_a_ticket_neither_leaves_nor_gets_a_sign(facility, amara) -> None:
    integration = an_integration(facility)
    hidden = a_ticket(integration, a_note(integration, department=a_department(facility, restricted=True)))
    assert logged_in(amara).get(f"/tickets/{hidden.number}/present/").status_code == 404
    assert not Presence.objects.exists()
    assert presence.others(ticket=hidden, user=amara) == ()


# -- handing over --------------------------------------------------------------------------------------------------


def test_the_summary_says_what_the_next_person_needs(ticket, amara) -> None:
    assign(ticket=ticket, owner=amara, by=amara)
    change_state(ticket=ticket, to="waiting", by=amara, waiting_for="vendor")
    comment(ticket=ticket, text="Mrs. Example called twice.", by=amara)
    told = handover.summary(ticket)
    parts = dict(told.parts)
    assert parts["Verdict"] == ("The signing key is not in the published key set",)
    assert parts["Taken by"] == ("Amara Diallo",)
    assert parts["Waiting"][0].startswith("on the vendor since ")
    assert parts["Notes without an end"] == (f"1 of 1: {ticket.ticket_notes.get().note.external_id}",)
    assert "1 comment" in parts["Done so far"]
    assert parts["Next"][:2] == ("Ask whether there is an answer (Vendor).", "Publish the key.")
    assert "Mrs. Example" not in told.text


def test_handing_over_keeps_what_was_said_and_gives_the_ticket_on(ticket, amara, ben) -> None:
    text = page(amara, ticket, "handover/")
    assert "What the next person gets" in text
    answer = post(amara, ticket, "handover", text="They call back at noon.", to=str(ben.pk), seen="")
    assert answer.status_code == 302
    ticket.refresh_from_db()
    assert ticket.owner == ben
    shown = page(ben, ticket)
    assert "handed over to Ben Okafor" in shown
    assert "They call back at noon." in shown
    assert TicketEvent.objects.get(kind="handover").by == amara


def test_a_handover_that_collides_keeps_the_text(ticket, amara, ben) -> None:
    assign(ticket=ticket, owner=amara, by=ben)
    late = post(amara, ticket, "handover", text="They call back at noon.", to=str(ben.pk), seen="")
    assert late.status_code == 409
    assert "They call back at noon." in late.content.decode()
    assert not TicketEvent.objects.filter(kind="handover").exists()
    assert "They call back at noon.</textarea>" in page(amara, ticket, "handover/")


def test_nobody_gets_a_ticket_he_may_not_work_on(ticket, facility, amara) -> None:
    manager = a_person(facility, Role.MANAGER)
    answer = post(amara, ticket, "handover", text="Yours.", to=str(manager.pk))
    assert answer.status_code == 422
    assert "Choose one of the people listed." in answer.content.decode()


def test_a_shift_is_given_to_one_colleague_and_what_cannot_go_is_named(facility, amara, ben) -> None:
    integration = an_integration(facility)
    shut = a_department(facility, restricted=True)
    mine = [a_ticket(integration, a_note(integration)) for _ in range(2)]
    for ticket in mine:
        assign(ticket=ticket, owner=amara, by=amara)
    closed_to_ben = a_ticket(integration, a_note(integration))
    assign(ticket=closed_to_ben, owner=amara, by=amara)
    gone = a_ticket(integration, a_note(integration))
    assign(ticket=gone, owner=amara, by=amara)
    client = logged_in(amara)
    text = client.get("/tickets/handover/").content.decode()
    listed = re.findall(r'name="ticket" value="(\d+)"', text)
    assert sorted(map(int, listed)) == sorted(t.number for t in (*mine, closed_to_ben, gone))
    assert client.post("/tickets/handover/", {"ticket": listed, "to": ""}).status_code == 422
    assign(ticket=gone, owner=ben, by=ben)  # somebody took it meanwhile: it is no longer to be given
    row = closed_to_ben.ticket_notes.get()
    assign_perm("enter_department", amara, shut)
    TicketNote.objects.filter(pk=row.pk).update(department=shut)
    sent = {"ticket": listed, "to": str(ben.pk), "text": "Good night."}
    said = client.post("/tickets/handover/", sent, follow=True).content.decode()
    assert "2 tickets were handed over to Ben Okafor." in said
    assert f"Ticket {closed_to_ben.number} stays with you: Ben Okafor cannot work on this ticket." in said
    for ticket in mine:
        ticket.refresh_from_db()
        assert ticket.owner == ben
    assert TicketEvent.objects.filter(kind="handover", ticket__in=mine).count() == 2
    assert TicketEvent.objects.filter(kind="handover").count() == 2


def test_the_page_of_a_shift_asks_no_more_with_more_tickets(facility, amara) -> None:
    integration = an_integration(facility)

    def count() -> int:
        client = logged_in(amara)
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/tickets/handover/").status_code == 200
        return len(queries)

    assign(ticket=a_ticket(integration, a_note(integration)), owner=amara, by=amara)
    few = count()
    for _ in range(5):
        assign(ticket=a_ticket(integration, a_note(integration), a_note(integration)), owner=amara, by=amara)
    assert count() == few


# -- the provider --------------------------------------------------------------------------------------------------

JARGON = re.compile(r"token|FHIR|HL7|API|certificate|endpoint|40\d|proxy|DNS|TLS|scope|mapping|segment|payload", re.I)


@pytest.mark.parametrize("mode", FailureMode.values)
def test_the_text_for_the_provider_is_whole_and_without_jargon_in_every_case(mode) -> None:
    ends = ((), ("waiting",), ("in_chart",), ("by_hand", "waiting"), ("by_hand", "in_chart"), ("not_needed",))
    for state, waiting_for, held, wrong in itertools.product(
        TicketState.values, ("", *WaitingFor.values), ends, (False, True)
    ):
        text = provider_text(mode=mode, state=state, waiting_for=waiting_for, ends=held, wrong_patient=wrong)
        for said in (text.happened, text.safe, text.to_do):
            assert said.endswith(".")
            assert not JARGON.search(said), said


@pytest.mark.parametrize(
    ("mode", "fields", "to_do"),
    [
        ("not_generated", {"ends": ("waiting",)}, "Please write the note yourself"),
        ("rejected", {"ends": ("waiting",)}, "please do not dictate it again"),
        ("rejected", {"ends": ("waiting",), "state": "fixed"}, "Wait a little longer"),
        ("rejected", {"ends": ("in_chart",), "state": "resolved"}, "Nothing. Please open the chart once"),
        ("misplaced", {"ends": ("waiting",), "wrong_patient": True}, "Do not copy or sign it."),
        ("rejected", {"state": "waiting", "waiting_for": "provider"}, "We are waiting for your answer"),
    ],
)
def test_it_says_what_to_do(mode, fields, to_do) -> None:
    assert to_do in provider_text(mode=mode, **{"state": "in_progress", **fields}).to_do


def test_that_the_provider_was_told_is_kept_with_who_and_when(ticket, amara) -> None:
    assert "Your note was made, but it did not leave the AI scribe." in page(amara, ticket, "provider/")
    assert post(amara, ticket, "provider").status_code == 302
    assert "Amara Diallo told the provider on" in page(amara, ticket, "provider/")
    assert "told the provider" in page(amara, ticket)
