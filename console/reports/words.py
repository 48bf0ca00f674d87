"""How a report says lengths, shares and changes: the same words on the page, in the CSV and in the PDF."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from console.reports.figures import SMALL

NONE = "–"
_MINUS = "−"


@dataclass(frozen=True)
class Change:
    """Be how a figure differs from the period before; `tone` says whether that is good."""

    text: str
    tone: str = ""
    says: str = ""


def length(seconds: int | None) -> str:
    """Say a length: `4 s`, `52 min`, `3 h 46 m`, `2 d 5 h`."""
    if seconds is None:
        return NONE
    if seconds < 60:
        return f"{seconds} s"
    minutes = (seconds + 30) // 60
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 24 * 60:
        return f"{minutes // 60} h {minutes % 60:02d} m" if minutes % 60 else f"{minutes // 60} h"
    hours = (minutes + 30) // 60
    return f"{hours // 24} d {hours % 24} h" if hours % 24 else f"{hours // 24} d"


def minutes(seconds: int | None) -> str:
    """Give a length in minutes with one decimal, for machines and spreadsheets."""
    return "" if seconds is None else str(_rounded(Decimal(seconds) / 60, "0.1"))


def share(part: int, n: int) -> str:
    """Say a share in percent; small ones with a decimal."""
    if not n:
        return NONE
    percent = Decimal(100 * part) / n
    return f"{_rounded(percent, '0.1' if 0 < percent < 10 else '1')} %"


def faster(now: int | None, before: int | None, n: int, n_before: int) -> Change | None:
    """Compare two times: less is better. None where one side has too few tickets to compare."""
    if now is None or not before or min(n, n_before) < SMALL:
        return None
    exact = Decimal(100 * (now - before)) / before
    percent = _rounded(exact, "1")
    if percent == -100 and now:  # something is left: do not round it away
        percent = max(_rounded(exact, "0.1"), Decimal("-99.9"))
    if percent == 0:
        return Change("±0 %", "", "as before")
    tone, says = ("better", "faster than before") if percent < 0 else ("worse", "slower than before")
    return Change(f"{_signed(percent)} %", tone, says)


def points(part: int, n: int, part_before: int, n_before: int, *, more_is_better: bool) -> Change | None:
    """Compare two shares in percentage points."""
    if min(n, n_before) < SMALL:
        return None
    difference = _rounded(Decimal(100 * part) / n - Decimal(100 * part_before) / n_before, "0.1")
    if difference == 0:
        return Change("±0 points", "", "as before")
    good = (difference > 0) is more_is_better
    text = _signed(int(difference)) if difference == int(difference) else _signed(difference)
    return Change(
        f"{text} points", "better" if good else "worse", "better than before" if good else "worse than before"
    )


def _signed(value: Decimal | int) -> str:
    return f"+{value}" if value > 0 else f"{_MINUS}{abs(value)}"


def _rounded(value: Decimal, to: str) -> Decimal:
    return value.quantize(Decimal(to), ROUND_HALF_UP)


def tickets(count: int) -> str:
    """Count tickets in words."""
    return "1 ticket" if count == 1 else f"{count:,} tickets"
