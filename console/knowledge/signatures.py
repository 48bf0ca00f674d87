"""The error signature of a ticket: what its log rows, or what was pasted, have in common with other tickets."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import chain

from console.notes.correlation.loading import Keys, by_keys
from console.notes.log_rows import mask
from console.notes.models import Note, Trace
from console.tickets.models import Ticket
from console.tickets.recognise import recognise

MOST_NOTES = 20
NEAR = timedelta(days=14)  # a row of a note that lies farther from it is told as something else
_WORD = re.compile(r"(?<![<\w])[^\W\d_]{2}")


def signature_of(ticket: Ticket) -> str:
    """Give the masked error text that most log rows of the ticket's notes hold, else that of what was pasted."""
    rows = ticket.ticket_notes.select_related("note").order_by("added_at", "id")[:MOST_NOTES]
    found = _from_logs(ticket, [row.note for row in rows])
    return found or signature_of_text(ticket.pasted or "")


def signature_of_text(text: str) -> str:
    """Mask a pasted error; empty where it is no error, or where nothing is left that tells errors apart."""
    pasted = recognise(text) if text.strip() else None
    if pasted is None or pasted.kind != "error":
        return ""
    masked = mask(pasted.error)
    return masked if _WORD.search(masked) else ""


def _from_logs(ticket: Ticket, notes: Sequence[Note]) -> str:
    if not notes:
        return ""
    keys = Keys(
        note={bytes(note.external_hash) for note in notes},
        transaction={bytes(note.transaction_hash) for note in notes if note.transaction_hash},
    )
    first, last = _times(notes)
    rows = {row[13]: row.signature for row in by_keys(ticket.integration_id, keys, first - NEAR, last + NEAR)}
    counted = Counter(signature for signature in rows.values() if signature and _WORD.search(signature))
    return min(counted, key=lambda signature: (-counted[signature], signature), default="")


def _times(notes: Sequence[Note]) -> tuple[datetime, datetime]:
    """Give from when to when the notes' rows are, so that only those days of the log are opened."""
    told = Trace.objects.filter(note__in=notes).values_list("born_at", "last_at")
    moments = [*chain.from_iterable(told), *(note.generated_at or note.created_at for note in notes)]
    return min(moments), max(moments)
