"""What the pages of failures alike show: every group with its trend, and one group with whom it touches."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.http import Http404
from django.utils import timezone

from console.accounts.access import grants
from console.accounts.models import User
from console.accounts.roles import Right
from console.integrations.models import Integration
from console.notes.models import FailureMode
from console.tickets.access import visible
from console.tickets.models import OPEN_STATES, Ticket
from console.worklist import words
from console.worklist.access import Scope
from console.worklist.failures import (
    FAILING,
    MOST_GROUPS,
    MOST_NOTES,
    Group,
    GroupKey,
    Narrowing,
    Span,
    groups,
    note_ids,
    one_group,
    places_of,
    trends,
)
from console.worklist.gaps import gaps_in
from console.worklist.lines import Line, lines, traces
from console.worklist.waiting import in_order
from console.worklist.waiting_page import Chip, Choice

SPARK_WIDTH, SPARK_HEIGHT = 120, 26
PERIODS = {
    "24h": ("24 hours", timedelta(hours=24), 24),
    "7d": ("7 days", timedelta(days=7), 28),
    "30d": ("30 days", timedelta(days=30), 30),
    "90d": ("90 days", timedelta(days=90), 30),
}
USUAL_PERIOD = "7d"
SHOWN_NOTES = 50


@dataclass(frozen=True)
class Bar:
    """Be one column of the small picture."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class GroupLine:
    """Be one group in the list."""

    group: Group
    cause: words.Cause
    mode: str
    tone: str
    integration: str
    facility: str
    bars: tuple[Bar, ...]
    trend: str
    ticket: Ticket | None


@dataclass(frozen=True)
class FailuresPage:
    """Be everything the list shows."""

    groups: tuple[GroupLine, ...]
    more: bool
    notes: int
    periods: tuple[Chip, ...]
    choices: tuple[Choice, ...]
    query: str
    period: str
    narrowed: bool
    shows_facility: bool


@dataclass(frozen=True)
class GroupPage:
    """Be everything the page of one group shows."""

    line: GroupLine
    sites: tuple[tuple[str, int], ...]
    providers: tuple[tuple[str, int], ...]
    notes: tuple[Line, ...]
    query: str
    period_name: str
    since: str
    until: str
    key: str
    may_work: bool
    onto: int  # how many notes would come onto a ticket at once


def read_asked(scope: Scope, said: Mapping[str, str], now: datetime) -> tuple[Narrowing, dict[str, str]]:
    """Read the address; what is unknown narrows nothing."""
    period = said.get("period", USUAL_PERIOD)
    period = period if period in PERIODS else USUAL_PERIOD
    _name, length, columns = PERIODS[period]
    mode = said.get("mode", "")
    mode = mode if mode in FAILING else ""
    try:
        integration = uuid.UUID(said.get("integration", ""))
    except ValueError:
        integration = None
    kept = {"period": period, "mode": mode, "integration": str(integration or "")}
    span = Span(now - length, now + timedelta(minutes=1), columns)
    asked = Narrowing(scope, span, (mode,) if mode else FAILING, integration)
    return asked, {name: value for name, value in kept.items() if value}


def failures_page(user: User, scope: Scope, said: Mapping[str, str]) -> FailuresPage:
    """Read the list; a fixed number of statements, however many notes and groups."""
    asked, kept = read_asked(scope, said, timezone.now())
    found = groups(asked)
    drawn = trends(asked)
    held = {
        one.id: one
        for one in Integration.objects.filter(facility__in=scope.facilities)
        .select_related("facility")
        .order_by("name", "id")
    }
    on_tickets = _tickets(user, found)
    shown = tuple(_line(one, held, drawn.get(one.key, []), on_tickets) for one in found[:MOST_GROUPS])
    modes = tuple((mode, FailureMode(mode).label) for mode in FAILING)
    return FailuresPage(
        groups=shown,
        more=len(found) > MOST_GROUPS,
        notes=sum(sum(columns) for columns in drawn.values()),
        periods=tuple(
            Chip(name, urlencode({**kept, "period": slug}), "", slug == kept["period"])
            for slug, (name, *_) in PERIODS.items()
        ),
        choices=(
            Choice("integration", "Integration", tuple((str(one.id), one.name) for one in held.values()),
                   kept.get("integration", "")),
            Choice("mode", "Failure mode", modes, kept.get("mode", "")),
        ),
        query=urlencode(kept),
        period=kept["period"],
        narrowed=bool(asked.integration or kept.get("mode")),
        shows_facility=len(scope.facilities) > 1,
    )  # fmt: skip


def group_page(user: User, scope: Scope, key: GroupKey, said: Mapping[str, str]) -> GroupPage:
    """Read one group; 404 where nothing of it is to be seen in the period."""
    asked, kept = read_asked(scope, {"period": said.get("period", USUAL_PERIOD)}, timezone.now())
    group = one_group(asked, key)
    if group is None:
        raise Http404("There are no such failures in this period.")
    integration = Integration.objects.select_related("facility").get(pk=key.integration_id)
    narrowed = Narrowing(scope, asked.span, (key.mode,), key.integration_id)
    sites, providers = places_of(asked, key)
    rows = [trace for trace, _ in note_ids(asked, key, only_waiting=False, limit=SHOWN_NOTES)]
    line = _line(group, {integration.id: integration}, trends(narrowed).get(key, []), _tickets(user, [group]))
    return GroupPage(
        line=line,
        sites=tuple(sites),
        providers=tuple(providers),
        notes=tuple(lines(user, in_order(rows, traces(rows)), gaps_in(scope.facilities))),
        query=urlencode(kept),
        period_name=PERIODS[kept["period"]][0],
        since=asked.span.start.isoformat(),
        until=(group.last_at + timedelta(microseconds=1)).isoformat(),
        key=uuid.uuid4().hex,
        may_work=grants(user).has(Right.WORK_TICKETS, integration.facility_id),
        onto=_onto(asked, key, line.ticket),
    )


def _onto(asked: Narrowing, key: GroupKey, ticket: Ticket | None) -> int:
    """Count the waiting notes that the group's ticket does not hold yet, as many as it takes at once."""
    waiting = {note for _, note in note_ids(asked, key, only_waiting=True, limit=MOST_NOTES)}
    if ticket is None:
        return len(waiting)
    return len(waiting - set(ticket.ticket_notes.filter(note__in=waiting).values_list("note_id", flat=True)))


def _tickets(user: User, found: list[Group]) -> dict[GroupKey, Ticket]:
    """Give the newest open ticket that holds a note of each group: one statement for all."""
    wanted = {group.key for group in found}
    rows = (
        visible(user)
        .filter(state__in=OPEN_STATES, integration__in={key.integration_id for key in wanted})
        .filter(ticket_notes__note__trace__failure_mode__in={key.mode for key in wanted})
        .values_list(
            "id", "integration_id", "ticket_notes__note__trace__failure_mode",
            "ticket_notes__note__trace__signature", "ticket_notes__note__trace__status",
            "ticket_notes__note__trace__ack", "ticket_notes__note__trace__broke_at",
        )
        .order_by("opened_at", "id")
        .distinct()
    )  # fmt: skip
    by_cause = {(group.key.integration_id, group.key.mode, *_shared(group)): group.key for group in found}
    holds: dict[GroupKey, uuid.UUID] = {}
    for ticket_id, *shared in rows:
        key = by_cause.get(tuple(shared))
        if key is not None:
            holds[key] = ticket_id
    tickets = {ticket.id: ticket for ticket in Ticket.objects.filter(id__in=set(holds.values()))}
    return {key: tickets[ticket_id] for key, ticket_id in holds.items() if ticket_id in tickets}


def _shared(group: Group) -> tuple[object, ...]:
    return (group.signature, group.status, group.ack, group.broke_at)


def _line(
    group: Group,
    integrations: Mapping[uuid.UUID, Integration],
    columns: list[int],
    tickets: Mapping[GroupKey, Ticket],
) -> GroupLine:
    one = integrations[group.key.integration_id]
    return GroupLine(
        group=group,
        cause=words.cause(group.key.mode, group.status, group.ack, group.signature, group.broke_at),
        mode=str(FailureMode(group.key.mode).label),
        tone=words.pill_tone(group.key.mode, 1.0),
        integration=one.name,
        facility=one.facility.name,
        bars=_spark(columns),
        trend=_trend(columns),
        ticket=tickets.get(group.key),
    )


def _spark(columns: list[int]) -> tuple[Bar, ...]:
    high = max(columns, default=0)
    step = SPARK_WIDTH / max(1, len(columns))
    return tuple(
        Bar(round(step * at, 1), round(SPARK_HEIGHT - tall, 1), round(step * 0.72, 1), round(tall, 1))
        for at, count in enumerate(columns)
        if count and (tall := max(2.0, count / high * (SPARK_HEIGHT - 2)))
    )


def _trend(columns: list[int]) -> str:
    """Say how the last quarter of the time stands to what was usual before it."""
    cut = len(columns) - max(1, len(columns) // 4)
    lately, before = sum(columns[cut:]), sum(columns[:cut]) / 3
    if not lately:
        return "none lately"
    if lately > 2 * before:
        return "growing"
    return "fading" if before > 2 * lately else "steady"
