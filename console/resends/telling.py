"""Tell what happens to a resend: on its ticket in words, in the audit trail by ids."""

import uuid
from typing import Any

from console.accounts.models import User
from console.accounts.services import record
from console.resends.models import ResendBatch
from console.tickets.models import TicketEvent
from console.tickets.moves import write_event


def tell(
    batch: ResendBatch, action: str, words: str, by: User | None, *, reference: uuid.UUID | None = None, **detail: Any
) -> None:
    """Write the event and the audit entry in the caller's transaction; `words` hold no patient data."""
    write_event(batch.ticket, TicketEvent.Kind.RESEND, by, before=action, after=words, reference=reference or batch.id)
    detail = {"ticket": batch.ticket.number, **detail}
    record(by=by, action=f"resend.{action}", subject=batch, facility=batch.facility_id, detail=detail)


def notes_words(count: int) -> str:
    """Count notes in words."""
    return f"{count} note" if count == 1 else f"{count} notes"
