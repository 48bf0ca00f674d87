"""Tickets of the past, told by their events: what tests of reports are about."""

import itertools
from datetime import datetime, timedelta

from django.utils import timezone

from console.integrations.models import Integration
from console.tickets.models import Severity, Ticket, TicketEvent, TicketState
from console.tickets.states import target

K, S = TicketEvent.Kind, TicketState
_numbers = itertools.count(500_000)


def a_past_ticket(
    integration: Integration,
    *,
    minutes: float = 60,
    resolved_at: datetime | None = None,
    waited: float = 0,
    category: str = "authentication",
    cause: str = "auth.token.expired",
    severity: str = Severity.UNDOCUMENTED,
    title: str = "Note never left the scribe",
    reopened: bool = False,
    is_open: bool = False,
) -> Ticket:
    """Make a ticket that took so long and was resolved then; `waited` minutes of it on the vendor."""
    ends = resolved_at or timezone.now() - timedelta(days=1)
    at = ends - timedelta(minutes=minutes)
    number = next(_numbers)
    ticket = Ticket.objects.create(
        number=number, facility_id=integration.facility_id, integration=integration, title=title, severity=severity,
        state=S.IN_PROGRESS if is_open else S.RESOLVED, opened_at=at, target_at=target(severity, at),
        resolved_at=None if is_open else ends, reopened=int(reopened), category=category, cause=cause,
        confirmed_category="" if is_open else category, confirmed_cause="" if is_open else cause,
        idempotency_key=f"past-{number}",
    )  # fmt: skip
    rows = [
        (K.OPENED, at, "", S.NEW),
        (K.OWNER, at + timedelta(minutes=2), "", "Test Person"),
        (K.RUN_CONCLUDED, at + timedelta(seconds=6), "done", cause),
        (K.STATE, at + timedelta(minutes=3), S.NEW, S.IN_PROGRESS),
    ]
    if waited:
        rows += [
            (K.STATE, at + timedelta(minutes=4), S.IN_PROGRESS, f"{S.WAITING}:vendor"),
            (K.STATE, at + timedelta(minutes=4 + waited), S.WAITING, S.IN_PROGRESS),
        ]
    if reopened:
        rows += [
            (K.STATE, ends - timedelta(seconds=40), S.IN_PROGRESS, S.RESOLVED),
            (K.STATE, ends - timedelta(seconds=20), S.RESOLVED, S.IN_PROGRESS),
        ]
    if not is_open:
        rows += [(K.CAUSE_CONFIRMED, ends, category, cause), (K.STATE, ends, S.IN_PROGRESS, S.RESOLVED)]
    TicketEvent.objects.bulk_create(
        [TicketEvent(ticket=ticket, kind=kind, at=when, before=b, after=a) for kind, when, b, a in rows]
    )
    return ticket
