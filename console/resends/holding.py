"""What a resend holds of its ticket: nothing joins, leaves or ends in bulk while it goes on; merged, it goes along."""

from console.resends.models import LIVE_STAGES, ResendBatch
from console.tickets.models import Ticket


def why_in_use(ticket: Ticket) -> str:
    """Say that a resend works through the ticket's notes; empty where none does."""
    if not ResendBatch.objects.filter(ticket=ticket, stage__in=LIVE_STAGES).exists():
        return ""
    return "A resend of this ticket's notes is under way. Wait for its end, or stop it, then come back."


def follow_merge(went: Ticket, kept: Ticket) -> None:
    """Let the resends of a ticket that went into another be told there."""
    ResendBatch.objects.filter(ticket=went).update(ticket=kept)
