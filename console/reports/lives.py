"""A ticket's life, told by its events alone: when it opened, was answered, waited, was resolved.

Pure: plain tuples in, plain values out, no database and no clock. Instants are UTC, so no change of daylight saving can
lengthen or shorten a life. What each value means stands in `definition.py`, in the words that readers see.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

# The kinds of TicketEvent that a life is made of; all others say nothing about time to resolution.
KINDS = ("opened", "state", "owner", "severity", "run_concluded", "cause_confirmed")

RESOLVED = "resolved"
_OVER = frozenset({RESOLVED, "closed"})
_WAITING = "waiting"


class Event(NamedTuple):
    """Be one event of a ticket as it was recorded."""

    kind: str
    at: datetime
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Life:
    """Be what the events say. `resolved_at` is None while the ticket is open, also when it was resolved before."""

    opened_at: datetime
    first_verdict_at: datetime | None
    acknowledged_at: datetime | None
    resolved_at: datetime | None
    waits: tuple[tuple[datetime, datetime], ...]
    reopened: int
    severity: str
    category: str
    cause: str

    @property
    def is_open(self) -> bool:
        """Tell whether it is not resolved, or was reopened since."""
        return self.resolved_at is None

    @property
    def wall(self) -> timedelta:
        """Give the time from opening to the last resolution; of a resolved ticket only."""
        assert self.resolved_at is not None
        return self.resolved_at - self.opened_at

    @property
    def waited(self) -> timedelta:
        """Give how long it waited on somebody else."""
        return sum((end - start for start, end in self.waits), timedelta())

    @property
    def active(self) -> timedelta:
        """Give the wall time without the waiting."""
        return self.wall - self.waited

    @property
    def to_verdict(self) -> timedelta | None:
        """Give the time to the first diagnosis that named a cause."""
        return None if self.first_verdict_at is None else self.first_verdict_at - self.opened_at

    @property
    def to_acknowledgement(self) -> timedelta | None:
        """Give the time until somebody took it."""
        return None if self.acknowledged_at is None else self.acknowledged_at - self.opened_at


def tell(events: Iterable[Event], *, severity: str) -> Life | None:
    """Read a life from a ticket's events in their order; None where nothing says that it was opened.

    `severity` is what the ticket says now: it holds where no event ever changed it, for opening records none.
    """
    rows = tuple(events)
    opened_at = next((row.at for row in rows if row.kind == "opened"), None)
    if opened_at is None:
        return None
    moves = [row for row in rows if row.kind == "state"]
    resolutions = [row.at for row in moves if _state(row.after) == RESOLVED]
    is_over = bool(resolutions) and _state(moves[-1].after) in _OVER
    resolved_at = resolutions[-1] if is_over else None
    confirmed = [
        row for row in rows if row.kind == "cause_confirmed" and (resolved_at is None or row.at <= resolved_at)
    ]
    return Life(
        opened_at=opened_at,
        first_verdict_at=next(
            (row.at for row in rows if row.kind == "run_concluded" and row.before == "done" and row.after), None
        ),
        acknowledged_at=next((row.at for row in rows if row.kind == "owner" and row.after), None),
        resolved_at=resolved_at,
        waits=_waits(moves, resolved_at),
        reopened=sum(_state(row.before) in _OVER and _state(row.after) not in _OVER for row in moves),
        severity=_severity([row for row in rows if row.kind == "severity"], resolved_at, severity),
        category=confirmed[-1].before if confirmed else "",
        cause=confirmed[-1].after if confirmed else "",
    )


def _state(value: str) -> str:
    """Give the state without for whom it waits (`waiting:vendor`)."""
    return value.partition(":")[0]


def _waits(moves: Sequence[Event], resolved_at: datetime | None) -> tuple[tuple[datetime, datetime], ...]:
    """Give when it waited, up to its last resolution; a wait that goes on has no end and no length yet."""
    found: list[tuple[datetime, datetime]] = []
    since: datetime | None = None
    for move in moves:
        if resolved_at is not None and move.at > resolved_at:
            break
        waiting = _state(move.after) == _WAITING
        if waiting and since is None:
            since = move.at
        elif not waiting and since is not None:
            found.append((since, move.at))
            since = None
    return tuple(found)


def _severity(changes: Sequence[Event], resolved_at: datetime | None, now: str) -> str:
    """Give the severity in force when it was resolved; of an open ticket the one in force now."""
    earlier = [row.after for row in changes if resolved_at is None or row.at <= resolved_at]
    if earlier:
        return earlier[-1]
    return changes[0].before if changes else now
