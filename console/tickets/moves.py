"""Moving a ticket from state to state, and writing down that it happened: what every change of a ticket ends in."""

import uuid
from datetime import datetime
from typing import Any

from django.utils import timezone

from console.accounts.models import User
from console.tickets.models import Ticket, TicketEvent, TicketState
from console.tickets.states import NEXT

Kind = TicketEvent.Kind


class TicketError(Exception):
    """What was asked is not possible; the message says why in words for the page."""


def move(
    ticket: Ticket, to: TicketState, by: User | None, *, waiting_for: str = "", at: datetime | None = None
) -> None:
    """Change the state by compare-and-set and record it."""
    before = ticket.state
    if to == before:
        return
    if to not in NEXT[before]:
        raise TicketError(f"A ticket cannot go from “{ticket.get_state_display()}” to “{to.label}”.")
    now = at or timezone.now()
    fields: dict[str, Any] = {"state": to, "waiting_for": "", "waiting_since": None}
    if to == TicketState.WAITING:
        fields |= {"waiting_for": waiting_for, "waiting_since": now}
    if to == TicketState.RESOLVED:
        fields["resolved_at"] = now
    if before in (TicketState.RESOLVED, TicketState.CLOSED) and to == TicketState.IN_PROGRESS:
        fields |= {"resolved_at": None, "reopened": ticket.reopened + 1}
    if not Ticket.objects.filter(pk=ticket.pk, state=before).update(**fields):
        raise TicketError("Somebody else changed this ticket just now. Look again, then decide.")
    after = f"{to}:{waiting_for}" if waiting_for else str(to)
    write_event(ticket, Kind.STATE, by, at=now, before=before, after=after)
    for name, value in fields.items():
        setattr(ticket, name, value)


def write_event(
    ticket: Ticket,
    kind: Kind,
    by: User | None,
    *,
    at: datetime | None = None,
    before: str = "",
    after: str = "",
    reference: uuid.UUID | None = None,
) -> TicketEvent:
    """Write one event in the caller's transaction."""
    return TicketEvent.objects.create(
        ticket=ticket,
        kind=kind,
        by=by,
        at=at or timezone.now(),
        before=before[:120],
        after=after[:120],
        reference=reference,
    )
