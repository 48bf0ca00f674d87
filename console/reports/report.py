"""The MTTR report: one object from which the page, the list of tickets, the CSV and the PDF all take their numbers."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import AnonymousUser

from console.accounts.models import Facility, User
from console.diagnoses.words import CATEGORIES, VENDORS
from console.reports.figures import SMALL, Clock, Counted, Facet, Figures, Only, figures, grouped
from console.reports.periods import Period, month_of, zone_of
from console.reports.queries import Told, lives
from console.tickets.models import Severity
from console.tickets.states import target
from diagnostics import catalog

NOT_CONFIRMED = "none"


@dataclass(frozen=True)
class Asked:
    """Be what a report is about. `facilities` are those with the reader's right, narrowed by his choices."""

    period: Period
    clock: Clock
    facilities: tuple[Facility, ...]
    now: datetime

    @property
    def places(self) -> frozenset[uuid.UUID]:
        """Give the facilities' ids."""
        return frozenset(facility.id for facility in self.facilities)

    @property
    def where(self) -> str:
        """Name the facilities; of many only how many they are."""
        names = [facility.name for facility in self.facilities]
        return ", ".join(names) if len(names) <= 3 else f"{len(names)} facilities"


@dataclass(frozen=True)
class Group:
    """Be one row of a table."""

    key: str
    name: str
    figures: Figures
    part_of: str = ""  # the category that a cause belongs to


@dataclass(frozen=True)
class Open:
    """Be the open tickets, as of now: in no average."""

    tickets: tuple[Counted, ...]
    overdue: tuple[Counted, ...]
    oldest: timedelta | None


@dataclass(frozen=True)
class Report:
    """Be every number of the report."""

    asked: Asked
    counted: tuple[Counted, ...]
    total: Figures
    before: Figures
    groups: dict[Facet, tuple[Group, ...]]
    open: Open
    left_out: int

    def pick(self, facet: Facet | None = None, key: str = "", only: Only | None = None) -> tuple[Counted, ...]:
        """Give the very tickets behind a number."""
        return tuple(
            ticket
            for ticket in self.counted
            if (facet is None or ticket.keys[facet] == key) and (only is None or ticket.fits(only))
        )


def make(user: User | AnonymousUser, asked: Asked) -> Report:
    """Compute a report of what a person may see."""
    period, before = asked.period, asked.period.before
    told = lives(user, asked.places, before.outer[0], period.outer[1])
    inside = [row for row in told if _resolved_in(row, period)]
    counted = tuple(_count(row) for row in inside if row.seen)
    earlier = [_count(row) for row in told if row.seen and _resolved_in(row, before)]
    hidden = sum(not row.seen for row in inside)
    names = _names(told)
    return Report(
        asked=asked,
        counted=counted,
        total=figures(counted, asked.clock),
        before=figures(earlier, asked.clock),
        groups={facet: _groups(counted, facet, asked, names) for facet in Facet},
        open=_open((_count(row) for row in told if row.seen and row.life.is_open), asked.now),
        left_out=hidden if hidden >= SMALL else 0,
    )


def _resolved_in(row: Told, period: Period) -> bool:
    return row.life.resolved_at is not None and period.holds(row.life.resolved_at, zone_of(row.time_zone))


def _count(row: Told) -> Counted:
    life = row.life
    zone = zone_of(row.time_zone)
    return Counted(
        number=row.number,
        title=row.title,
        life=life,
        target_at=row.told_target_at or target(life.severity, life.opened_at),
        keys={
            Facet.CATEGORY: life.category or NOT_CONFIRMED,
            Facet.CAUSE: f"{life.category}/{life.cause}" if life.category else NOT_CONFIRMED,
            Facet.VENDOR: row.vendor,
            Facet.FACILITY: str(row.facility_id),
            Facet.INTEGRATION: str(row.integration_id),
            Facet.SEVERITY: life.severity,
            Facet.MONTH: "" if life.resolved_at is None else month_of(life.resolved_at, zone),
        },
    )


def _open(tickets: Iterable[Counted], now: datetime) -> Open:
    ordered = tuple(sorted(tickets, key=lambda ticket: (ticket.life.opened_at, ticket.number)))
    return Open(
        tickets=ordered,
        overdue=tuple(ticket for ticket in ordered if ticket.target_at < now),
        oldest=now - ordered[0].life.opened_at if ordered else None,
    )


def _groups(
    counted: Sequence[Counted], facet: Facet, asked: Asked, names: dict[Facet, dict[str, str]]
) -> tuple[Group, ...]:
    """Name and order the groups: months and severities in their own order, all others by how often they occur."""
    found = grouped(counted, facet, asked.clock)
    if facet is Facet.MONTH:
        empty = figures((), asked.clock)
        return tuple(Group(key, month_words(key), found.get(key, empty)) for key in asked.period.months)
    groups = [Group(key, name_of(facet, key, names), one, _category_of(facet, key)) for key, one in found.items()]
    if facet is Facet.SEVERITY:
        return tuple(sorted(groups, key=lambda group: group.key))
    return tuple(sorted(groups, key=lambda group: (-group.figures.n, group.name, group.key)))


def _names(told: Iterable[Told]) -> dict[Facet, dict[str, str]]:
    names: dict[Facet, dict[str, str]] = {Facet.FACILITY: {}, Facet.INTEGRATION: {}}
    for row in told:
        if row.seen:
            names[Facet.FACILITY][str(row.facility_id)] = row.facility
            names[Facet.INTEGRATION][str(row.integration_id)] = row.integration
    return names


def name_of(facet: Facet, key: str, names: dict[Facet, dict[str, str]]) -> str:
    """Name a group in the words of the console."""
    if key == NOT_CONFIRMED:
        return "No cause confirmed"
    match facet:
        case Facet.CATEGORY:
            return CATEGORIES.get(key, key)
        case Facet.CAUSE:
            cause = key.partition("/")[2]
            declared = catalog.causes().get(cause)
            return declared.title if declared else cause or "No declared cause fits"
        case Facet.VENDOR:
            return VENDORS.get(key, key)
        case Facet.SEVERITY:
            return str(dict(Severity.choices).get(key, key))
        case Facet.MONTH:
            return month_words(key)
        case _:
            return names[facet].get(key, key)


def _category_of(facet: Facet, key: str) -> str:
    return CATEGORIES.get(key.partition("/")[0], "") if facet is Facet.CAUSE else ""


def month_words(key: str) -> str:
    """Say a month: `Mar 2026`."""
    year, _, month = key.partition("-")
    return datetime(int(year), int(month), 1).strftime("%b %Y")
