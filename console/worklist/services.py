"""What people do with notes that wait: end them, take that back, open a ticket for those that failed alike."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from console.accounts.models import Facility, User
from console.accounts.roles import Right
from console.accounts.services import record
from console.notes.ends import end_notes
from console.notes.models import End, Note, NoteEnd
from console.notes.queries import visible
from console.tickets.access import visible as visible_tickets
from console.tickets.joining import join_notes
from console.tickets.models import OPEN_STATES, OpenedVia, Ticket
from console.tickets.services import open_ticket
from console.worklist.access import Scope


def end(*, notes: Sequence[Note], how: str, by: User, reason: str = "") -> tuple[list[Note], datetime]:
    """End notes that wait; give those that nobody ended before, and the time by which the act is found again."""
    at = timezone.now()
    return end_notes(notes=notes, how=how, by=by, reason=reason.strip(), at=at, only_waiting=True), at


def ended_at(*, by: User, at: datetime) -> list[NoteEnd]:
    """Give what a person ended in one act, as far as it still stands."""
    rows = list(NoteEnd.objects.filter(by=by, at=at).exclude(how=End.OPEN).select_related("note"))
    newer = set(
        NoteEnd.objects.filter(note__in=[row.note_id for row in rows], at__gt=at).values_list("note_id", flat=True)
    )
    return [row for row in rows if row.note_id not in newer]


@transaction.atomic
def undo(*, by: User, at: datetime) -> list[Note]:
    """Take back one act of a person: what others said since stays."""
    held = visible(by, Right.WORK_TICKETS)
    ids = [row.note_id for row in ended_at(by=by, at=at)]
    return end_notes(notes=list(held.filter(id__in=ids)), how=End.OPEN, by=by)


def ticket_for(user: User, note_ids: Sequence[uuid.UUID], integration_id: uuid.UUID) -> Ticket | None:
    """Give the open ticket that holds one of these notes already; the newest of several."""
    mine = visible_tickets(user, Right.WORK_TICKETS).filter(state__in=OPEN_STATES, integration=integration_id)
    held = mine.filter(ticket_notes__note__in=note_ids).distinct()
    return held.order_by("-opened_at", "-id").first()


@transaction.atomic
def one_ticket(*, notes: Sequence[Note], by: User, key: str, cause: str = "") -> tuple[Ticket, int, int]:
    """Bring notes that failed alike onto one ticket: the open one that holds some of them, else a new one.

    Gives the ticket, how many notes came onto it, and how many were left out: a note of a restricted department would
    hide the ticket from those who work on the others, so it stays out where there are others. Raise TicketError where
    the open ticket takes none now: its notes are in use.
    """
    ordinary = [note for note in notes if note.department is None or not note.department.restricted]
    chosen = ordinary or list(notes)
    ticket = ticket_for(by, [note.id for note in chosen], chosen[0].integration_id)
    if ticket is None:
        many = f": {len(chosen)} notes" if len(chosen) > 1 else ""
        ticket = open_ticket(
            by=by,
            integration=chosen[0].integration,
            notes=chosen,
            idempotency_key=key,
            title=f"{cause[:140]}{many}" if cause else "",
            via=OpenedVia.NOTE,
        )
        return ticket, len(chosen), len(notes) - len(chosen)
    fresh = join_notes(ticket=ticket, notes=chosen, by=by)
    return ticket, len(fresh), len(notes) - len(chosen)


@transaction.atomic
def note_export(*, by: User, scope: Scope, query: str, rows: int) -> None:
    """Record that the worklist left the console, at each facility of which it told."""
    for facility in Facility.objects.filter(id__in=scope.facilities).order_by("name", "id"):
        detail = {"filters": query[:300], "encounters": rows}
        record(by=by, action="worklist.exported", subject=facility, facility=facility, detail=detail)
