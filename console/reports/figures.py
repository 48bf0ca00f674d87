"""From lives to figures: mean, median, 90th percentile, shares, and groups of tickets. Pure, in whole seconds."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from console.reports.lives import Life

SMALL = 5
"""Below this many tickets a group's figures are shown with a mark: they tell of tickets, not of a way of working."""

_MICROSECOND = timedelta(microseconds=1)


class Clock(StrEnum):
    """Which time counts."""

    WALL = "wall"
    ACTIVE = "active"


class Facet(StrEnum):
    """By what tickets are grouped."""

    CATEGORY = "category"
    CAUSE = "cause"
    VENDOR = "vendor"
    FACILITY = "facility"
    INTEGRATION = "integration"
    SEVERITY = "severity"
    MONTH = "month"


class Only(StrEnum):
    """Which of a group's tickets a number is about."""

    DIAGNOSED = "diagnosed"
    TAKEN = "taken"
    ON_TARGET = "on_target"
    LATE = "late"
    REOPENED = "reopened"


@dataclass(frozen=True, slots=True)
class Counted:
    """Be a ticket as a report counts it: its life, its target, and its key in every grouping."""

    number: int
    title: str
    life: Life
    target_at: datetime
    keys: dict[Facet, str]

    @property
    def on_target(self) -> bool:
        """Tell whether it was resolved by its target, on the wall clock."""
        return self.life.resolved_at is not None and self.life.resolved_at <= self.target_at

    def lasted(self, clock: Clock) -> timedelta:
        """Give its time to resolution on a clock."""
        return self.life.wall if clock is Clock.WALL else self.life.active

    def fits(self, only: Only) -> bool:
        """Tell whether a number of this kind counts it."""
        match only:
            case Only.DIAGNOSED:
                return self.life.to_verdict is not None
            case Only.TAKEN:
                return self.life.to_acknowledgement is not None
            case Only.ON_TARGET:
                return self.on_target
            case Only.LATE:
                return not self.on_target
            case Only.REOPENED:
                return self.life.reopened > 0


@dataclass(frozen=True)
class Spread:
    """Be mean, median and 90th percentile of `n` lengths, in whole seconds; None of none."""

    n: int
    mean: int | None
    median: int | None
    p90: int | None


@dataclass(frozen=True)
class Figures:
    """Be the figures of some resolved tickets. `resolution` is on the clock that was asked for."""

    n: int
    resolution: Spread
    diagnosis: Spread
    acknowledgement: Spread
    on_target: int
    reopened: int

    @property
    def is_small(self) -> bool:
        """Tell whether these are too few tickets to conclude from."""
        return 0 < self.n < SMALL

    @property
    def on_target_share(self) -> float | None:
        """Give the share resolved within target, from 0 to 1."""
        return self.on_target / self.n if self.n else None

    @property
    def reopened_share(self) -> float | None:
        """Give the share that came back at least once, from 0 to 1."""
        return self.reopened / self.n if self.n else None


def spread(lengths: Iterable[timedelta]) -> Spread:
    """Work out mean, median and nearest-rank 90th percentile exactly; round only the results, half up."""
    ordered = sorted(length // _MICROSECOND for length in lengths)
    n = len(ordered)
    if not n:
        return Spread(0, None, None, None)
    middle = ordered[(n - 1) // 2] + ordered[n // 2]
    rank = -(-9 * n // 10)  # the smallest value that at least 90 % of all do not exceed
    return Spread(n, _seconds(sum(ordered), n), _seconds(middle, 2), _seconds(ordered[rank - 1], 1))


def _seconds(microseconds: int, parts: int) -> int:
    whole = parts * 1_000_000
    return (2 * microseconds + whole) // (2 * whole)


def figures(tickets: Sequence[Counted], clock: Clock) -> Figures:
    """Work out everything about some resolved tickets."""
    lives = [ticket.life for ticket in tickets]
    return Figures(
        n=len(tickets),
        resolution=spread(ticket.lasted(clock) for ticket in tickets),
        diagnosis=spread(length for life in lives if (length := life.to_verdict) is not None),
        acknowledgement=spread(length for life in lives if (length := life.to_acknowledgement) is not None),
        on_target=sum(ticket.on_target for ticket in tickets),
        reopened=sum(life.reopened > 0 for life in lives),
    )


def grouped(tickets: Iterable[Counted], facet: Facet, clock: Clock) -> dict[str, Figures]:
    """Work out the same for each group of one kind."""
    groups: defaultdict[str, list[Counted]] = defaultdict(list)
    for ticket in tickets:
        groups[ticket.keys[facet]].append(ticket)
    return {key: figures(group, clock) for key, group in groups.items()}
