"""Undo: what was is put back for two minutes, unless somebody changed it since; some things are never offered."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from console.diagnoses.models import ChecklistItemState
from console.tickets.bulk import freeze
from console.tickets.models import Severity, Ticket, TicketEvent, TicketNote, Undoable, Watcher
from console.tickets.services import assign, set_severity, take
from tests.console.builders import a_facility, a_note, a_person, a_ticket, an_integration
from tests.console.pages.documents import logged_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def facility():
    return a_facility()


@pytest.fixture
def desk(facility):
    return a_person(facility)


@pytest.fixture
def ticket(facility):
    integration = an_integration(facility)
    return a_ticket(integration, a_note(integration))


def post(who, where: str, **data: object) -> str:
    return logged_in(who).post(where, data, follow=True).content.decode()


def offered(text: str) -> str:
    found = re.search(r'name="undo" value="([0-9a-f-]{36})"', text)
    assert found is not None, "no undo was offered"
    return found[1]


def undo(person, text: str) -> str:
    return post(person, "/tickets/undo/", undo=offered(text), next="/tickets/")


def test_taking_a_ticket_is_taken_back(desk, ticket) -> None:
    said = post(desk, f"/tickets/{ticket.number}/take/")
    assert f"You have taken ticket {ticket.number}." in said
    assert f"Undone: Ticket {ticket.number} is as before." in undo(desk, said)
    ticket.refresh_from_db()
    assert ticket.owner is None
    assert ticket.events.filter(kind=TicketEvent.Kind.UNDONE, by=desk).exists()


def test_giving_it_to_somebody_goes_back_to_whoever_had_it(facility, desk, ticket) -> None:
    had, gets = a_person(facility), a_person(facility)
    assign(ticket=ticket, owner=had, by=had)
    said = post(desk, f"/tickets/{ticket.number}/assign/", owner=str(gets.pk))
    undo(desk, said)
    ticket.refresh_from_db()
    assert ticket.owner == had


def test_severity_goes_back_with_its_target(desk, ticket) -> None:
    due = ticket.target_at
    said = post(desk, f"/tickets/{ticket.number}/severity/", severity="a_wrong_patient")
    ticket.refresh_from_db()
    assert ticket.target_at < due
    undo(desk, said)
    ticket.refresh_from_db()
    assert (ticket.severity, ticket.target_at) == (Severity.UNDOCUMENTED, due)


def test_a_checklist_item_is_as_it_was_with_what_was_written_beside_it(desk, ticket) -> None:
    where = f"/tickets/{ticket.number}/checklist/"
    said = post(desk, where, item="TOKEN.2", state="not_applicable", note="No tokens here.")
    first = said
    again = post(desk, where, item="TOKEN.2", state="open")
    undo(desk, again)
    row = ChecklistItemState.objects.get(ticket_id=ticket.id, item="TOKEN.2")
    assert (row.state, row.note, row.by) == ("not_applicable", "No tokens here.", desk)
    undo(desk, first)
    row = ChecklistItemState.objects.filter(ticket_id=ticket.id, item="TOKEN.2").first()
    assert row is None or (row.state, row.by, row.note) == ("open", None, None)


def test_how_a_note_ended_is_taken_back_wherever_it_is_shown(desk, ticket) -> None:
    row = ticket.ticket_notes.get()
    said = post(desk, f"/tickets/{ticket.number}/notes/{row.note_id}/end/", end="by_hand")
    assert TicketNote.objects.get(pk=row.pk).end == "by_hand"
    undo(desk, said)
    assert TicketNote.objects.get(pk=row.pk).end == "waiting"


def test_what_was_done_to_several_is_taken_back_except_what_somebody_changed_since(facility, desk, ticket) -> None:
    other, colleague = a_ticket(ticket.integration), a_person(facility)
    picked = [f"{number}.{mark}" for number, mark in freeze([ticket, other]).items()]
    said = post(desk, "/tickets/several/", act="take", ticket=picked, confirm="yes")
    assign(ticket=other, owner=colleague, by=colleague)
    told = undo(desk, said)
    assert f"Undone: Ticket {ticket.number} is as before." in told
    assert f"so they stay as they are now: #{other.number}." in told
    owners = dict(Ticket.objects.values_list("number", "owner"))
    assert owners == {ticket.number: None, other.number: colleague.pk}


def test_watchers_added_to_several_are_removed(facility, desk, ticket) -> None:
    picked = [f"{number}.{mark}" for number, mark in freeze([ticket]).items()]
    said = post(desk, "/tickets/several/", act="watch", person=str(desk.pk), ticket=picked, confirm="yes")
    assert Watcher.objects.filter(user=desk).exists()
    undo(desk, said)
    assert not Watcher.objects.exists()


def test_it_is_refused_with_words_once_somebody_changed_the_ticket(facility, desk, ticket) -> None:
    said = post(desk, f"/tickets/{ticket.number}/take/")
    set_severity(ticket=ticket, severity=Severity.DELAYED, by=a_person(facility))
    assert "Somebody changed this since" in undo(desk, said)
    ticket.refresh_from_db()
    assert ticket.owner == desk


def test_it_works_once_for_two_minutes_and_for_nobody_else(facility, desk, ticket) -> None:
    said = post(desk, f"/tickets/{ticket.number}/take/")
    assert "There is nothing to undo." in undo(a_person(facility), said)
    undo(desk, said)
    assert "This was undone already." in undo(desk, said)
    said = post(desk, f"/tickets/{ticket.number}/take/")
    Undoable.objects.filter(pk=offered(said)).update(at=timezone.now() - timedelta(minutes=3))
    assert "Two minutes are over" in undo(desk, said)
    ticket.refresh_from_db()
    assert ticket.owner == desk


def test_waiting_is_not_offered_to_be_undone_because_watchers_were_told(desk, ticket) -> None:
    picked = [f"{number}.{mark}" for number, mark in freeze([ticket]).items()]
    said = post(desk, "/tickets/several/", act="waiting:vendor", ticket=picked, confirm="yes")
    assert 'name="undo"' not in said
    assert not Undoable.objects.exists()


def test_nothing_of_a_note_stands_in_what_is_kept_for_undo(desk, ticket) -> None:
    post(desk, f"/tickets/{ticket.number}/checklist/", item="TOKEN.2", state="not_applicable", note="MRN 123456")
    take(ticket=ticket, by=desk)
    assert "MRN" not in str(list(Undoable.objects.values_list("before", flat=True)))
