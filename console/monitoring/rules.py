"""Whether a rule's condition is met: pure functions of numbers, so that every line of theirs can be tried in a table.

Each rule has two lines, one to fire and a safer one to clear; between them, and where nothing is known, an open alert
stays open and a closed one closed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

WINDOW = timedelta(minutes=15)
CLEAR_ABOVE_POINTS = 2.0  # a success rate clears this many percentage points above its threshold
IN_A_ROW = 3  # failures that say as much as a rate does where there are too few notes for one
QUIET_5XX = timedelta(minutes=30)


class State(StrEnum):
    """What a condition says now."""

    FIRING = "firing"
    CLEAR = "clear"
    HOLD = "hold"


@dataclass(frozen=True)
class Verdict:
    """A state with the sentence that says why; `grave` where it is worse than a warning."""

    state: State
    says: str = ""
    grave: bool = False


@dataclass(frozen=True)
class Window:
    """Notes whose fate was decided within a window, and how many of them reached the chart."""

    notes: int
    delivered: int

    @property
    def rate(self) -> float:
        """Give the success rate in percent; only where there are notes."""
        return 100 * self.delivered / self.notes


def success_rate(
    older: Window, newer: Window, latest: Sequence[bool], newest: timedelta | None, *, threshold: float, min_sample: int
) -> Verdict:
    """Judge the share of notes that reached the chart, over the two last windows of 15 minutes.

    `latest` tells of the last decided notes, newest first, whether each was delivered; `newest` is how long ago the
    newest was decided.
    """
    clear_at = min(100.0, threshold + CLEAR_ABOVE_POINTS)
    both = Window(older.notes + newer.notes, older.delivered + newer.delivered)
    if older.notes >= min_sample and newer.notes >= min_sample:
        share = f"{both.delivered} of {both.notes} notes of the last 30 minutes reached the chart ({both.rate:.1f} %)"
        if older.rate < threshold and newer.rate < threshold:
            return Verdict(State.FIRING, f"{share}, below {threshold:g} %.")
        if older.rate >= clear_at and newer.rate >= clear_at:
            return Verdict(State.CLEAR, f"{share}.")
        return Verdict(State.HOLD)
    recent = newest is not None and newest <= 2 * WINDOW
    if len(latest) >= IN_A_ROW and recent and not any(latest[:IN_A_ROW]):
        return Verdict(State.FIRING, f"The last {IN_A_ROW} notes all failed.")
    if len(latest) >= IN_A_ROW and all(latest[:IN_A_ROW]) and both.delivered == both.notes:
        return Verdict(State.CLEAR, f"The last {IN_A_ROW} notes all reached the chart.")
    return Verdict(State.HOLD)


def server_errors(count: int, *, threshold: float) -> Verdict:
    """Judge the EHR's answers with a 5xx status in the last 30 minutes."""
    if count >= threshold:
        answers = "answer" if count == 1 else "answers"
        return Verdict(State.FIRING, f"{count} {answers} of the EHR with a 5xx status in the last 30 minutes.")
    if count == 0:
        return Verdict(State.CLEAR, "No answer with a 5xx status for 30 minutes.")
    return Verdict(State.HOLD)


def token_requests(failed_in_a_row: int, succeeded: bool, *, threshold: float) -> Verdict:
    """Judge the token requests since the last success; nothing is known where there was none of either kind."""
    if failed_in_a_row >= threshold:
        one = "The last token request failed."
        return Verdict(
            State.FIRING, one if failed_in_a_row == 1 else f"The last {failed_in_a_row} token requests failed."
        )
    if failed_in_a_row == 0 and succeeded:
        return Verdict(State.CLEAR, "A token was granted again.")
    return Verdict(State.HOLD)


def certificate(
    host: str, not_before: datetime | None, not_after: datetime, now: datetime, *, threshold: float
) -> Verdict:
    """Judge a certificate's last days: the smaller of `threshold` days and a third of its lifetime."""
    left = not_after - now
    limit = timedelta(days=threshold)
    if not_before is not None:
        limit = min(limit, (not_after - not_before) / 3)
    if left > limit:
        return Verdict(State.CLEAR, f"{host} shows a certificate that lasts until {_day(not_after)}.")
    if left <= timedelta(0):
        return Verdict(State.FIRING, f"The certificate of {host} ended on {_day(not_after)}.", grave=True)
    return Verdict(State.FIRING, f"The certificate of {host} ends in {_lasting(left)}, on {_day(not_after)}.")


def _day(value: datetime) -> str:
    return f"{value.day} {value:%b %Y}"


def _lasting(left: timedelta) -> str:
    if left.days >= 1:
        return "1 day" if left.days == 1 else f"{left.days} days"
    hours = int(left.total_seconds() // 3600)
    return "under an hour" if hours == 0 else "1 hour" if hours == 1 else f"{hours} hours"
