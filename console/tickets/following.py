"""Let a ticket's notes follow what was said of them elsewhere: a note has one end, on every page."""

from collections.abc import Sequence
from datetime import datetime

from console.accounts.models import User
from console.notes.models import End, Note
from console.tickets.models import OPEN_STATES, TicketEvent, TicketNote
from console.tickets.moves import write_event


def follow_ends(notes: Sequence[Note], how: End, by: User | None, at: datetime) -> None:
    """Give the notes the same end on every open ticket; what a resolved ticket said stays as it was confirmed."""
    end = TicketNote.End.WAITING if how == End.OPEN else TicketNote.End(how)
    rows = (
        TicketNote.objects.select_for_update(of=("self",))
        .filter(note__in=notes, ticket__state__in=OPEN_STATES)
        .exclude(end=end)
        .select_related("ticket")
        .order_by("id")
    )
    for row in rows:
        before, row.end = row.end, end
        row.ended_by, row.ended_at = (None, None) if end == TicketNote.End.WAITING else (by, at)
        row.save(update_fields=["end", "ended_by", "ended_at"])
        write_event(row.ticket, TicketEvent.Kind.NOTE_ENDED, by, at=at, before=before, after=end, reference=row.note_id)
