"""How notes end: one truth on the worklist and on every ticket."""

from datetime import timedelta
from importlib import import_module

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console.accounts.roles import Role
from console.notes.ends import carry_over, end_notes, ends_of
from console.notes.models import End, NoteEnd, Trace
from console.tickets import services
from console.tickets.models import Ticket, TicketEvent, TicketNote
from tests.console.builders import a_facility, a_note, a_person, a_ticket, an_integration
from tests.console.worklist.traces import a_trace

pytestmark = pytest.mark.django_db


@pytest.fixture
def facility():
    return a_facility()


@pytest.fixture
def integration(facility):
    return an_integration(facility)


@pytest.fixture
def desk(facility):
    return a_person(facility)


def ended(trace: Trace) -> str:
    trace.refresh_from_db()
    return trace.ended


def test_an_end_is_kept_with_who_when_and_why(integration, desk) -> None:
    trace = a_trace(integration)
    assert end_notes(notes=[trace.note], how="not_needed", by=desk, reason="The visit was cancelled.") == [trace.note]
    row = NoteEnd.objects.get()
    assert (row.how, row.by, row.reason) == ("not_needed", desk, "The visit was cancelled.")
    assert ended(trace) == "not_needed"
    with connection.cursor() as cursor:
        cursor.execute("SELECT reason FROM notes_noteend")
        assert b"cancelled" not in bytes(cursor.fetchone()[0])


def test_the_newest_end_counts_and_a_note_can_be_opened_again(integration, desk) -> None:
    trace = a_trace(integration)
    end_notes(notes=[trace.note], how="by_hand", by=desk)
    end_notes(notes=[trace.note], how="open", by=desk)
    assert ended(trace) == ""
    assert ends_of([trace.note_id]) == {trace.note_id: End.OPEN}
    assert end_notes(notes=[trace.note], how="open", by=desk) == []
    end_notes(notes=[trace.note], how="in_chart", by=desk)
    assert ended(trace) == "in_chart"
    assert NoteEnd.objects.count() == 3


def test_what_somebody_else_said_meanwhile_is_not_overwritten_where_only_waiting_notes_were_meant(
    integration, desk
) -> None:
    first, second = a_trace(integration), a_trace(integration)
    end_notes(notes=[first.note], how="by_hand", by=desk)
    fresh = end_notes(notes=[first.note, second.note], how="not_needed", by=desk, only_waiting=True)
    assert fresh == [second.note]
    assert (ended(first), ended(second)) == ("by_hand", "not_needed")


def test_an_unknown_end_and_a_person_without_the_right_change_nothing(facility, integration, desk) -> None:
    trace = a_trace(integration)
    with pytest.raises(ValueError, match="lost"):
        end_notes(notes=[trace.note], how="lost", by=desk)
    with pytest.raises(PermissionDenied):
        end_notes(notes=[trace.note], how="in_chart", by=a_person(facility, Role.MANAGER))
    with pytest.raises(PermissionDenied):
        end_notes(notes=[trace.note], how="in_chart", by=a_person(a_facility()))
    assert not NoteEnd.objects.exists()


def test_open_tickets_follow_with_an_event(integration, desk) -> None:
    trace = a_trace(integration)
    ticket = a_ticket(integration, trace.note)
    end_notes(notes=[trace.note], how="by_hand", by=desk)
    row = ticket.ticket_notes.get()
    assert (row.end, row.ended_by) == ("by_hand", desk)
    assert row.ended_at == NoteEnd.objects.get().at
    event = ticket.events.get(kind=TicketEvent.Kind.NOTE_ENDED)
    assert (event.before, event.after, event.by) == ("waiting", "by_hand", desk)
    end_notes(notes=[trace.note], how="open", by=desk)
    row.refresh_from_db()
    assert (row.end, row.ended_by, row.ended_at) == ("waiting", None, None)


def test_an_end_on_a_ticket_is_the_notes_end_on_the_worklist_and_on_its_other_tickets(integration, desk) -> None:
    trace = a_trace(integration)
    one, other = a_ticket(integration, trace.note), a_ticket(integration, trace.note)
    services.end_note(ticket=one, note=trace.note, end="in_chart", by=desk)
    assert ended(trace) == "in_chart"
    assert [row.end for row in TicketNote.objects.all()] == ["in_chart", "in_chart"]
    assert NoteEnd.objects.count() == 1
    assert TicketEvent.objects.filter(kind=TicketEvent.Kind.NOTE_ENDED).count() == 2
    services.end_note(ticket=other, note=trace.note, end="waiting", by=desk)
    assert ended(trace) == ""
    assert [row.end for row in TicketNote.objects.all()] == ["waiting", "waiting"]


def test_a_resolved_ticket_ends_its_notes_everywhere_and_keeps_what_it_confirmed(integration, desk) -> None:
    trace = a_trace(integration)
    ticket = a_ticket(integration, trace.note)
    services.change_state(ticket=ticket, to="in_progress", by=desk)
    services.resolve(
        ticket=ticket,
        by=desk,
        category="authentication",
        ends={trace.note_id: TicketNote.End.BY_HAND},
        unconfirmed_because="the visit was documented by hand",
    )
    assert ended(trace) == "by_hand"
    end_notes(notes=[trace.note], how="open", by=desk)
    assert ended(trace) == ""
    assert ticket.ticket_notes.get().end == "by_hand"
    assert Ticket.objects.get().state == "resolved"


def test_a_trace_made_after_its_note_ended_is_told_so(integration, desk) -> None:
    known, again = a_note(integration), a_note(integration)
    end_notes(notes=[known, again], how="in_chart", by=desk)
    end_notes(notes=[again], how="open", by=desk)
    for note in (known, again):
        at = note.created_at - timedelta(hours=1)
        Trace.objects.create(facility=note.facility, integration=integration, note=note, born_at=at, last_at=at)
    assert carry_over([known.id, again.id]) == 1
    assert Trace.objects.get(note=known).ended == "in_chart"
    assert Trace.objects.get(note=again).ended == ""
    assert carry_over([known.id, again.id]) == 0


def test_many_notes_end_with_a_fixed_number_of_statements(integration, desk) -> None:
    def cost(count: int) -> int:
        notes = [a_trace(integration).note for _ in range(count)]
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert len(end_notes(notes=notes, how="in_chart", by=desk)) == count
        return len(queries)

    cost(1)  # reads the person's grants
    assert cost(2) == cost(30)


def test_ends_that_only_tickets_knew_are_told_to_the_notes_once(integration, desk) -> None:
    copy = import_module("console.tickets.migrations.0003_ends_known_to_notes").COPY
    ended_one, waiting_one = a_note(integration), a_note(integration)
    ticket = a_ticket(integration, ended_one, waiting_one)
    rows = ticket.ticket_notes.filter(note=ended_one)
    rows.update(end="by_hand", ended_by=desk, ended_at=ended_one.created_at)
    with connection.cursor() as cursor:
        cursor.execute(copy)
        cursor.execute(copy)
    row = NoteEnd.objects.get()
    assert (row.note, row.how, row.by, row.at) == (ended_one, "by_hand", desk, ended_one.created_at)
