"""Read what a report is computed from: two queries, however many tickets there are."""

import uuid
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import AnonymousUser
from django.db.models import Case, Exists, F, OuterRef, Q, When

from console.accounts.models import User
from console.accounts.roles import Right
from console.reports.lives import KINDS, RESOLVED, Event, Life, tell
from console.tickets.access import visible
from console.tickets.models import OPEN_STATES, Ticket, TicketEvent


@dataclass(frozen=True, slots=True)
class Told:
    """Be a ticket with its life, and what it is grouped by. `seen` is false where the reader may not enter.

    `told_target_at` is the target that the ticket was told; None where its facility has no calendar of its own, so that
    the severity alone says it.
    """

    number: int
    title: str
    facility_id: uuid.UUID
    facility: str
    time_zone: str
    integration_id: uuid.UUID
    integration: str
    vendor: str
    seen: bool
    told_target_at: datetime | None
    life: Life


def lives(
    user: User | AnonymousUser, places: Collection[uuid.UUID], since: datetime, until: datetime
) -> tuple[Told, ...]:
    """Read the tickets of some facilities that were resolved between two instants, or are open.

    Which tickets to read may follow the state column; how long anything took is computed from events alone. Nothing
    here asks once a ticket: 20,000 tickets with 160,000 events were read in 2 to 3 s, and their whole report made in
    4 to 5 s, on two busy cores.
    """
    resolved = TicketEvent.objects.filter(
        ticket=OuterRef("pk"), kind=TicketEvent.Kind.STATE, after=RESOLVED, at__gte=since, at__lt=until
    )
    counted = Ticket.objects.filter(facility__in=places, merged_into=None)
    tickets = counted.filter(Q(state__in=OPEN_STATES) | Exists(resolved))
    rows = defaultdict(list)
    recorded = TicketEvent.objects.filter(ticket__in=tickets.order_by().values("id"), kind__in=KINDS)
    for ticket_id, *event in recorded.order_by("ticket_id", "at", "id").values_list(
        "ticket_id", "kind", "at", "before", "after"
    ):
        rows[ticket_id].append(Event(*event))
    seen = Exists(visible(user, Right.SEE_REPORTS).filter(pk=OuterRef("pk")))
    told = Case(When(facility__calendar__isnull=False, then=F("target_at")))
    facts = tickets.annotate(seen=seen, told=told).order_by("number", "id")
    found = []
    for ticket_id, severity, *rest in facts.values_list(
        "id", "severity", "number", "title", "facility_id", "facility__name", "facility__time_zone",
        "integration_id", "integration__name", "integration__vendor", "seen", "told",
    ):  # fmt: skip
        life = tell(rows[ticket_id], severity=severity)
        if life is not None:
            found.append(Told(*rest, life))
    return tuple(found)
