"""Which state of a ticket may follow which, and how long a ticket may take."""

from datetime import datetime, timedelta

from console.tickets.models import Severity, TicketState

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

_TARGET_HOURS = {
    Severity.WRONG_PATIENT: 1,
    Severity.UNDOCUMENTED: 4,
    Severity.MISPLACED: 8,
    Severity.DELAYED: 24,
    Severity.NONE: 72,
}


def choices(state: str) -> list[TicketState]:
    """Give the states that a person may move a ticket to, in their fixed order."""
    return [option for option in TicketState if option in NEXT[state] & CHOSEN_BY_PEOPLE]


def target(severity: str, opened_at: datetime) -> datetime:
    """Give the time by which a ticket should be resolved."""
    return opened_at + timedelta(hours=_TARGET_HOURS[Severity(severity)])
