"""Let a ticket's notes follow what was said of them elsewhere: a note has one end, on every page."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from console.accounts.models import User
from console.notes.models import End, Note
from console.tickets.models import OPEN_STATES, Ticket, TicketEvent, TicketNote
from console.tickets.moves import change, write_event


def follow_ends(notes: Sequence[Note], how: End, by: User | None, at: datetime) -> None:
    """Give the notes the same end on every open ticket; what a resolved ticket said stays as it was confirmed.

    However many notes end at once, each ticket is changed once and tells of it in one event.
    """
    end = TicketNote.End.WAITING if how == End.OPEN else TicketNote.End(how)
    rows = (
        TicketNote.objects.select_for_update(of=("self",))
        .filter(note__in=notes, ticket__state__in=OPEN_STATES)
        .exclude(end=end)
        .select_related("ticket")
        .order_by("id")
    )
    changed: dict[Ticket, list[TicketNote]] = defaultdict(list)
    for row in rows:
        changed[row.ticket].append(row)
    said_by, said_at = (None, None) if end == TicketNote.End.WAITING else (by, at)
    for ticket, mine in changed.items():
        ids = [row.pk for row in mine]
        TicketNote.objects.filter(pk__in=ids).update(end=end, ended_by=said_by, ended_at=said_at)
        change(ticket)
        kind = TicketEvent.Kind.NOTE_ENDED
        if len(mine) == 1:
            write_event(ticket, kind, by, at=at, before=mine[0].end, after=end, reference=mine[0].note_id)
        else:
            write_event(ticket, kind, by, at=at, before=f"{len(mine)} notes", after=end)
