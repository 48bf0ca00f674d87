"""Which state of a ticket may follow which, and how long a ticket may take where its facility says nothing else."""

from datetime import datetime

from console.tickets.models import TicketState
from console.tickets.targets import Rules

S = TicketState

_WORKING = frozenset({S.DIAGNOSING, S.DIAGNOSED, S.IN_PROGRESS, S.WAITING, S.FIXED, S.RESOLVED})

NEXT: dict[str, frozenset[TicketState]] = {
    S.NEW: frozenset({S.DIAGNOSING, S.IN_PROGRESS, S.WAITING, S.RESOLVED}),
    S.DIAGNOSING: frozenset({S.DIAGNOSED, S.IN_PROGRESS, S.WAITING}),
    S.DIAGNOSED: _WORKING - {S.DIAGNOSED},
    S.IN_PROGRESS: _WORKING - {S.IN_PROGRESS},
    S.WAITING: _WORKING - {S.WAITING},
    S.FIXED: _WORKING - {S.FIXED},
    S.RESOLVED: frozenset({S.CLOSED, S.IN_PROGRESS}),
    S.CLOSED: frozenset({S.IN_PROGRESS}),
}

# What a person may simply choose: diagnosing and diagnosed come from runs alone, resolved from a form of its own that
# asks for cause and outcome, and closed from the decision about the article.
CHOSEN_BY_PEOPLE = frozenset({S.IN_PROGRESS, S.WAITING, S.FIXED})
OVER = frozenset({S.RESOLVED, S.CLOSED})


def choices(state: str) -> list[TicketState]:
    """Give the states that a person may move a ticket to, in their fixed order.

    A waiting ticket may go on waiting, for somebody else. One that is over is reopened by a form that asks why.
    """
    if state in OVER:
        return []
    again = {S.WAITING} if state == S.WAITING else set()
    return [option for option in TicketState if option in (NEXT[state] | again) & CHOSEN_BY_PEOPLE]


def target(severity: str, opened_at: datetime) -> datetime:
    """Give the time by which a ticket should be resolved where its facility has no calendar of its own."""
    return Rules().due(severity, opened_at)
