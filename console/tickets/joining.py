"""Bring notes onto a ticket that is open already: several at once, each once, in one event."""

from collections.abc import Sequence

from django.db import transaction

from console.accounts.access import require
from console.accounts.models import User
from console.accounts.roles import Right
from console.notes.models import Note
from console.tickets.busy import refuse_if_busy, why_busy
from console.tickets.models import Ticket, TicketEvent, TicketNote
from console.tickets.moves import TicketError, write_event
from console.tickets.services import request_run

MOST_NOTES = 500  # on one ticket at once
_CLOSED = "Ticket {number} is {state}, so nothing joins it. Reopen it first, or open a new ticket."
_ELSEWHERE = "This note went through another integration; open a ticket of its own for it."
_SHUT = (
    "A note of a restricted department would hide ticket {number} from people who work on its other notes. "
    "Open a ticket of its own for it."
)


@transaction.atomic
def join_notes(*, ticket: Ticket, notes: Sequence[Note], by: User | None) -> list[Note]:
    """Join notes to an open ticket; give those that were not on it. Nobody (`by` None) is another system.

    The diagnosis is asked for only where the ticket has none. Raise TicketError where the ticket is not open, its notes
    are in use, or a note does not belong on it.
    """
    if by is not None:
        require(by, Right.WORK_TICKETS, ticket.facility_id)
    locked = Ticket.objects.select_for_update(of=("self",)).get(pk=ticket.pk)
    held = set(TicketNote.objects.filter(ticket=locked, note__in=[note.pk for note in notes]).values_list("note_id"))
    fresh = [note for note in notes if (note.pk,) not in held]
    if notes and not fresh:
        return []
    says = why_not(locked, fresh)
    if says:
        raise TicketError(says)
    if not fresh:
        return []
    refuse_if_busy(locked)
    TicketNote.objects.bulk_create(
        TicketNote(ticket=locked, note=note, department_id=note.department_id) for note in fresh
    )
    if len(fresh) == 1:
        write_event(locked, TicketEvent.Kind.NOTE_ADDED, by, reference=fresh[0].id)
    else:
        write_event(locked, TicketEvent.Kind.NOTE_ADDED, by, after=str(len(fresh)))
    if locked.run_id is None:
        request_run(ticket=locked, by=by)
    ticket.refresh_from_db()
    return fresh


def why_not(ticket: Ticket, notes: Sequence[Note]) -> str:
    """Say why these notes cannot join the ticket; empty where they can, as far as nothing works through it now."""
    if not ticket.is_open or ticket.merged_into_id:
        return _CLOSED.format(number=ticket.number, state=ticket.get_state_display().lower())
    if any(note.integration_id != ticket.integration_id for note in notes):
        return _ELSEWHERE
    if any(not fits(ticket, note) for note in notes):
        return _SHUT.format(number=ticket.number)
    return ""


def can_join(ticket: Ticket, notes: Sequence[Note]) -> bool:
    """Tell whether these notes could join the ticket at this moment."""
    return not why_not(ticket, notes) and not why_busy(ticket)


def fits(ticket: Ticket, note: Note) -> bool:
    """Tell whether a note's department goes with the ticket's: who sees the ticket sees all of its notes."""
    department = note.department
    held = ticket.ticket_notes
    if department is not None and department.restricted:
        return held.exists() and not held.exclude(department=department).exists()
    return not held.filter(department__restricted=True).exists()
