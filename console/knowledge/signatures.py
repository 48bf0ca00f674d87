"""The error signature of a ticket: what its log rows, or what was pasted, have in common with other tickets."""

import re
from collections.abc import Sequence

from django.db.models import Count, Q

from console.notes.log_rows import mask
from console.notes.models import LogEntry, Note
from console.tickets.models import Ticket
from console.tickets.recognise import recognise

MOST_NOTES = 20
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
    own = Q(note_hash__in=[bytes(note.external_hash) for note in notes])
    transactions = [bytes(note.transaction_hash) for note in notes if note.transaction_hash]
    if transactions:
        own |= Q(transaction_hash__in=transactions)
    counted = (
        LogEntry.objects.filter(own, facility_id=ticket.facility_id, integration_id=ticket.integration_id)
        .exclude(signature="")
        .order_by()
        .values("signature")
        .annotate(rows=Count("id"))
        .order_by("-rows", "signature")[:10]
    )
    return next((str(row["signature"]) for row in counted if _WORD.search(row["signature"])), "") if notes else ""
