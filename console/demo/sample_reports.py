"""The demo's past: tickets of two years, resolved long ago, told by their events alone, so that reports have a story.

Their diagnoses are no longer kept, as in a console that has run for long. The stories of the last thirty days are told
elsewhere, ticket by ticket; these end where those begin.
"""

import random
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import exp
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from console.accounts.access import grants
from console.accounts.models import User
from console.accounts.roles import Right
from console.diagnoses.words import STAGES
from console.integrations.models import Integration
from console.notes.models import FailureMode
from console.tickets.models import Severity, Ticket, TicketEvent, TicketNote, TicketState, WaitingFor
from console.tickets.states import target
from diagnostics import catalog
from diagnostics.causes.model import Cause, Kind

TICKETS_LAST_YEAR, TICKETS_BEFORE = 240, 110
TOLD_ELSEWHERE_DAYS = 31
EventKind, S = TicketEvent.Kind, TicketState


@dataclass(frozen=True)
class Habit:
    """Be how one kind of cause shows up: how often, how long it takes beside others, where the note stopped."""

    weight: float
    slowness: float
    mode: str
    title: str
    stage: str
    severity: str = Severity.UNDOCUMENTED


HABITS = {
    "authentication": Habit(44, 0.62, FailureMode.NEVER_SENT, "Note never left the scribe", "sent"),
    "permissions": Habit(20, 1.15, FailureMode.REJECTED, "Note rejected by the EHR", "accepted"),
    "endpoint_configuration": Habit(17, 1.4, FailureMode.REJECTED, "Note rejected by the EHR", "accepted"),
    "field_mapping": Habit(
        13, 2.2, FailureMode.MISPLACED, "Note filed in the wrong place", "filed", Severity.MISPLACED
    ),
    "template_conflict": Habit(9, 3.2, FailureMode.PARTIAL, "Part of the note is missing", "filed", Severity.MISPLACED),
    "network": Habit(7, 0.55, FailureMode.NEVER_SENT, "Note never left the scribe", "sent", Severity.DELAYED),
}
_ORDER = tuple(STAGES)


@dataclass
class _Past:
    """Collect the rows of all tickets, to be written at once."""

    tickets: list[Ticket] = field(default_factory=list)
    events: list[TicketEvent] = field(default_factory=list)


def make_past_year(users: dict[str, User], now: datetime) -> int:
    """Make the resolved tickets of the past year, and a thinner year before it to compare with; give how many."""
    source = random.Random(20251122)
    integrations = list(Integration.objects.select_related("facility").order_by("name", "id"))
    owners = {one.id: _owners(one, users) for one in integrations}
    integrations = [one for one in integrations if owners[one.id]]
    causes = {one.id: _causes(one.protocol) for one in integrations}
    if not integrations:
        return 0
    days = sorted(
        [source.uniform(TOLD_ELSEWHERE_DAYS, 364) for _ in range(TICKETS_LAST_YEAR)]
        + [source.uniform(365, 725) for _ in range(TICKETS_BEFORE)],
        reverse=True,
    )
    past = _Past()
    numbers = _numbers(len(days))
    for number, days_ago in zip(numbers, days, strict=True):
        integration = source.choice(integrations)
        opened_at = _working_hour(now - timedelta(days=days_ago), integration.facility.time_zone, source)
        habit, cause = _what_broke(causes[integration.id], source)
        owner = source.choice(owners[integration.id])
        _tell(past, number, integration, owner, habit, cause, opened_at, days_ago / 365, source)
    with transaction.atomic():
        Ticket.objects.bulk_create(past.tickets)
        TicketEvent.objects.bulk_create(past.events, batch_size=1000)
    return len(past.tickets)


def _owners(integration: Integration, users: dict[str, User]) -> list[User]:
    return [user for user in users.values() if grants(user).has(Right.WORK_TICKETS, integration.facility_id)]


def _causes(protocol: str) -> dict[str, list[Cause]]:
    """Give the causes of the catalogue that can befall a protocol, by category; a few of each, so that some recur."""
    other = "fhir." if protocol == Integration.Protocol.HL7V2 else "hl7."
    found: dict[str, list[Cause]] = {}
    for cause in sorted(catalog.causes().values(), key=lambda one: one.id):
        v2 = protocol == Integration.Protocol.HL7V2 and cause.id.startswith(("auth.", "perm.scope"))
        if cause.kind is Kind.CAUSE and cause.category in HABITS and not cause.id.startswith(other) and not v2:
            found.setdefault(str(cause.category), []).append(cause)
    return {category: few[:: max(1, len(few) // 5)][:5] for category, few in found.items()}


def _what_broke(causes: dict[str, list[Cause]], source: random.Random) -> tuple[Habit, Cause]:
    categories = sorted(causes)
    category = source.choices(categories, [HABITS[one].weight for one in categories])[0]
    few = causes[category]
    return HABITS[category], source.choices(few, range(len(few), 0, -1))[0]


def _numbers(count: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('tickets_number') FROM generate_series(1, %s)", [count])
        return [row[0] for row in cursor.fetchall()]


def _working_hour(at: datetime, zone: str, source: random.Random) -> datetime:
    local = at.astimezone(ZoneInfo(zone))
    return local.replace(hour=source.randint(6, 18), minute=source.randint(0, 59), second=source.randint(0, 59))


def _usual(years_ago: float, source: random.Random) -> timedelta:
    """Give how long a ticket takes: about two and a half hours a year ago, under an hour now, with a long tail."""
    middle = 52 * exp(1.05 * min(years_ago, 1.1))
    return timedelta(minutes=max(6.0, source.lognormvariate(0, 0.5) * middle))


def _tell(
    past: _Past,
    number: int,
    integration: Integration,
    owner: User,
    habit: Habit,
    cause: Cause,
    opened_at: datetime,
    years_ago: float,
    source: random.Random,
) -> None:
    """Write one ticket and its events."""
    length = _usual(years_ago, source) * habit.slowness
    steps = _steps(opened_at, length, cause, owner, years_ago, source)
    resolved_at = max(step.at for step in steps if step.after == S.RESOLVED)
    ticket = Ticket(
        number=number,
        facility_id=integration.facility_id,
        integration=integration,
        title=habit.title,
        state=steps[-1].after if steps[-1].kind == EventKind.STATE else S.RESOLVED,
        severity=habit.severity,
        owner=owner,
        opened_by=owner,
        opened_at=opened_at,
        target_at=target(habit.severity, opened_at),
        resolved_at=resolved_at,
        reopened=sum(step.before in (S.RESOLVED, S.CLOSED) and step.after == S.IN_PROGRESS for step in steps),
        failure_mode=habit.mode,
        category=str(cause.category),
        cause=cause.id,
        certainty="proven",
        verdict=cause.title,
        journey=_journey(habit.stage),
        confirmed_category=str(cause.category),
        confirmed_cause=cause.id,
        idempotency_key=f"past-{uuid.UUID(int=source.getrandbits(128))}",
    )
    past.tickets.append(ticket)
    for step in steps:
        step.ticket = ticket
        past.events.append(step)


def _steps(
    opened_at: datetime, length: timedelta, cause: Cause, owner: User, years_ago: float, source: random.Random
) -> list[TicketEvent]:
    """Give what happened, in order: diagnosed by hand in the first year, by the console since."""
    quick = years_ago < 1
    diagnosed_at = opened_at + (timedelta(seconds=source.uniform(2, 9)) if quick else length * source.uniform(0.3, 0.5))
    taken_at = opened_at + min(length * 0.2, timedelta(minutes=source.uniform(2, 25)))
    ends_at = opened_at + length
    steps = [
        _event(EventKind.OPENED, opened_at, owner, "", S.NEW),
        _event(EventKind.OWNER, taken_at, owner, "", str(owner)),
        _event(EventKind.RUN_REQUESTED, diagnosed_at - timedelta(seconds=1), owner),
        _event(EventKind.STATE, diagnosed_at - timedelta(seconds=1), owner, S.NEW, S.DIAGNOSING),
        _event(EventKind.RUN_CONCLUDED, diagnosed_at, None, "done", cause.id),
        _event(EventKind.STATE, diagnosed_at, None, S.DIAGNOSING, S.DIAGNOSED),
        _event(EventKind.STATE, opened_at + length * 0.55, owner, S.DIAGNOSED, S.IN_PROGRESS),
    ]
    if source.random() < 0.12:
        whom = source.choice(WaitingFor.values)
        waits = timedelta(hours=source.uniform(0.5, 5))
        starts_at = opened_at + length * 0.7
        steps += [
            _event(EventKind.STATE, starts_at, owner, S.IN_PROGRESS, f"{S.WAITING}:{whom}"),
            _event(EventKind.STATE, starts_at + waits, owner, S.WAITING, S.IN_PROGRESS),
        ]
        ends_at += waits
    steps += _resolved(ends_at, owner, cause, S.IN_PROGRESS)
    if source.random() < (0.03 if quick else 0.05):
        again_at = ends_at + timedelta(minutes=source.uniform(40, 300))
        steps.append(_event(EventKind.STATE, again_at, owner, S.RESOLVED, S.IN_PROGRESS))
        ends_at = again_at + length * 0.5
        steps += _resolved(ends_at, owner, cause, S.IN_PROGRESS)
    if source.random() < 0.9:
        closed_at = ends_at + timedelta(hours=source.uniform(1, 20))
        steps += [
            _event(EventKind.ARTICLE, closed_at, owner, "", "not_needed"),
            _event(EventKind.STATE, closed_at, owner, S.RESOLVED, S.CLOSED),
        ]
    return sorted(steps, key=lambda step: step.at)


def _resolved(at: datetime, owner: User, cause: Cause, before: str) -> list[TicketEvent]:
    return [
        _event(EventKind.OUTCOME, at, owner, "", TicketNote.End.IN_CHART),
        _event(EventKind.CAUSE_CONFIRMED, at, owner, str(cause.category), cause.id),
        _event(EventKind.STATE, at, owner, before, S.RESOLVED),
    ]


def _event(kind: str, at: datetime, by: User | None, before: str = "", after: str = "") -> TicketEvent:
    return TicketEvent(kind=kind, at=at, by=by, before=before, after=after)


def _journey(stage: str) -> list[dict[str, str]]:
    broke = _ORDER.index(stage)
    states = ["ok"] * broke + ["broken"] + ["not_reached"] * (len(_ORDER) - broke - 1)
    return [{"stage": name, "state": state} for name, state in zip(_ORDER, states, strict=True)]
