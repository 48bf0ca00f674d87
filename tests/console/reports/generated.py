"""Ticket lives by the thousand: every way through the states, in several zones, over changes of daylight saving."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from console.accounts.models import Facility
from console.integrations.models import Integration
from console.tickets.models import OPEN_STATES, Severity, Ticket, TicketEvent, TicketState, WaitingFor
from console.tickets.states import NEXT, target
from diagnostics import catalog
from tests.console.builders import a_facility, an_integration

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
# Lord Howe's clocks change by half an hour, Kolkata's never; the others change on different days, Sydney's the other
# way round.
ZONES = ("America/Chicago", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata", "Australia/Sydney")
# Shortly before clocks change, and shortly before a month ends, on the wall of the facility.
EDGES = (
    ("America/Chicago", datetime(2025, 11, 2, 0, 30)), ("America/Chicago", datetime(2026, 3, 8, 1, 15)),
    ("Europe/Berlin", datetime(2025, 10, 26, 1, 45)), ("Europe/Berlin", datetime(2026, 3, 29, 1, 30)),
    ("Australia/Lord_Howe", datetime(2026, 4, 5, 0, 50)), ("Asia/Kolkata", datetime(2026, 2, 28, 23, 20)),
    ("Australia/Sydney", datetime(2026, 10, 4, 1, 10)), ("America/Chicago", datetime(2026, 2, 28, 23, 10)),
)  # fmt: skip
S, K = TicketState, TicketEvent.Kind


@dataclass
class World:
    """Be what was generated."""

    facilities: list[Facility]
    integrations: list[Integration]
    tickets: list[Ticket]
    events: list[TicketEvent]


def generate(count: int, *, seed: int) -> World:
    """Write that many tickets with their events, the same for the same seed."""
    source = random.Random(seed)
    facilities = [a_facility(time_zone=zone) for zone in ZONES]
    vendors = ("epic", "athenahealth", "oracle-health", "generic")
    integrations = [an_integration(facility) for facility in facilities for _ in range(2)]
    for number, one in enumerate(integrations):
        one.vendor = vendors[number % len(vendors)]
    Integration.objects.bulk_update(integrations, ["vendor"])
    world = World(facilities, integrations, [], [])
    causes = sorted(catalog.causes())
    for number in range(count):
        integration = source.choice(integrations)
        opened_at = NOW - timedelta(seconds=source.uniform(3600, 480 * 86400), microseconds=source.randrange(10**6))
        if source.random() < 0.15:
            zone, wall = source.choice(EDGES)
            integration = integrations[2 * ZONES.index(zone) + source.randrange(2)]
            opened_at = wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) + timedelta(minutes=source.uniform(-90, 90))
        _live(world, 900_000 + number, integration, opened_at, causes, source)
    Ticket.objects.bulk_create(world.tickets, batch_size=1000)
    TicketEvent.objects.bulk_create(world.events, batch_size=2000)
    return world


def _live(
    world: World, number: int, integration: Integration, at: datetime, causes: list[str], source: random.Random
) -> None:
    """Walk from state to state as people do, until it is closed, given up, or the present is reached."""
    severity = source.choice(list(Severity))
    ticket = Ticket(
        number=number, facility_id=integration.facility_id, integration=integration, title=f"Generated {number}",
        severity=severity, opened_at=at, target_at=target(severity, at), idempotency_key=f"generated-{number}",
    )  # fmt: skip
    state, reopened = S.NEW, 0
    rows = [(K.OPENED, at, "", S.NEW)]
    patience, speed = source.randint(3, 12), source.choice((4, 40, 400))
    while patience:
        patience -= 1
        at += timedelta(seconds=source.expovariate(1 / (60 * speed)), microseconds=source.randrange(10**6))
        if at > NOW:
            break
        rows += _asides(at, ticket, causes, source)
        following = source.choice(sorted(NEXT[state]))
        if source.random() < 0.4 and S.RESOLVED in NEXT[state]:
            following = S.RESOLVED
        if state in (S.RESOLVED, S.CLOSED) and source.random() < 0.75:
            break
        if following == S.RESOLVED:
            cause = source.choice(causes)
            category = str(catalog.cause(cause).category)
            rows.append((K.CAUSE_CONFIRMED, at, category, cause if source.random() < 0.9 else ""))
        after = f"{following}:{source.choice(WaitingFor.values)}" if following == S.WAITING else str(following)
        rows.append((K.STATE, at, str(state), after))
        reopened += state in (S.RESOLVED, S.CLOSED) and following in OPEN_STATES
        state = following
    ticket.state, ticket.reopened = state, reopened
    if state == S.WAITING:
        ticket.waiting_since, ticket.waiting_for = at, WaitingFor.VENDOR
    # What is wrong on purpose: no figure may come from these.
    ticket.resolved_at = NOW + timedelta(days=1) if state in (S.RESOLVED, S.CLOSED) else None
    world.tickets.append(ticket)
    world.events += [TicketEvent(ticket=ticket, kind=kind, at=when, before=b, after=a) for kind, when, b, a in rows]


def _asides(at: datetime, ticket: Ticket, causes: list[str], source: random.Random) -> list[tuple]:
    """Let happen what changes no state: runs, owners, severities, comments; a little before the state changes."""
    rows: list[tuple] = []
    earlier = at - timedelta(microseconds=source.randrange(1, 400))
    if source.random() < 0.35:
        done = source.random() < 0.8
        cause = source.choice(causes) if done and source.random() < 0.8 else ""
        rows.append((K.RUN_CONCLUDED, earlier, "done" if done else "gave_up", cause))
    if source.random() < 0.35:
        rows.append((K.OWNER, earlier, "", source.choice(("Somebody", "Somebody else", ""))))
    if source.random() < 0.12:
        severity = source.choice(list(Severity))
        rows.append((K.SEVERITY, earlier, ticket.severity, severity))
        ticket.severity = severity
    if source.random() < 0.1:
        rows.append((K.COMMENT, earlier, "", ""))
    return rows
