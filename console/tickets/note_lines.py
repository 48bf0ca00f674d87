"""The notes of a ticket as its page shows them: fifty at a time, with exact counts of all."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import BooleanField, Count, ExpressionWrapper, Max, Q

from console.tickets.models import Ticket, TicketNote

PAGE_SIZE = 50


@dataclass(frozen=True)
class NoteLine:
    """Be one note of the ticket with the ids a person needs to find it."""

    row: TicketNote
    external_id: str
    encounter_id: str
    transaction_id: str
    department: str
    has_content: bool

    @property
    def waits(self) -> bool:
        """Tell whether nobody has said yet how it ended."""
        return self.row.end == TicketNote.End.WAITING


@dataclass(frozen=True)
class NoteLines:
    """Be one page of notes. `until` is when the newest one came that waits: what an end for all of them covers."""

    lines: tuple[NoteLine, ...]
    total: int
    waiting: int
    until: datetime | None
    number: int

    @property
    def pages(self) -> int:
        """Count the pages."""
        return max(1, -(-self.total // PAGE_SIZE))

    @property
    def first(self) -> int:
        """Give the number of the first note shown, from 1."""
        return (self.number - 1) * PAGE_SIZE + 1

    @property
    def last(self) -> int:
        """Give the number of the last note shown."""
        return min(self.total, self.number * PAGE_SIZE)


def note_lines(ticket: Ticket, asked: str = "") -> NoteLines:
    """Read a page of the ticket's notes in the order they were added; two statements, however many there are.

    `asked` is the page's number as an address says it; what is no such page shows the nearest.
    """
    waits = Q(end=TicketNote.End.WAITING)
    counted = ticket.ticket_notes.aggregate(
        total=Count("id"), waiting=Count("id", filter=waits), until=Max("added_at", filter=waits)
    )
    most = max(1, -(-counted["total"] // PAGE_SIZE))
    number = min(max(int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 7 else 1, 1), most)
    rows = ticket.ticket_notes.select_related("note", "department", "ended_by").annotate(
        told=ExpressionWrapper(Q(note__narrative__isnull=False), output_field=BooleanField())
    )
    rows = rows.defer("note__payload", "note__narrative")  # two megabytes each, and none of it is shown here
    start = (number - 1) * PAGE_SIZE
    page = rows.order_by("added_at", "id")[start : start + PAGE_SIZE] if counted["total"] else ()
    return NoteLines(tuple(_line(row) for row in page), number=number, **counted)


def _line(row: TicketNote) -> NoteLine:
    ids = row.note.identifiers or {}
    return NoteLine(
        row=row,
        external_id=row.note.external_id,
        encounter_id=str(ids.get("encounter_id") or ""),
        transaction_id=str(ids.get("transaction_id") or ""),
        department=row.department.name if row.department else "",
        has_content=bool(row.note.payload_name) or getattr(row, "told", False),
    )
