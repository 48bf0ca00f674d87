"""Which days a report is about. Days and months are those of each facility's own time zone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

MONTHS = {"3m": 3, "6m": 6, "12m": 12}
NAMES = {"30d": "30 days", "3m": "3 months", "6m": "6 months", "12m": "12 months"}
USUAL = "12m"
DATES = "dates"


@dataclass(frozen=True)
class Period:
    """Be a stretch of whole days, both ends included."""

    slug: str
    from_on: date
    to_on: date

    def holds(self, at: datetime, zone: ZoneInfo) -> bool:
        """Tell whether an instant falls into it on a clock of that zone."""
        return self.from_on <= at.astimezone(zone).date() <= self.to_on

    @property
    def days(self) -> int:
        """Count its days."""
        return (self.to_on - self.from_on).days + 1

    @property
    def before(self) -> "Period":
        """Give as many days, immediately before it."""
        return Period(DATES, self.from_on - timedelta(days=self.days), self.from_on - timedelta(days=1))

    @property
    def months(self) -> tuple[str, ...]:
        """Give its months as `2026-03`, also those in which nothing happened."""
        first, last = _index(self.from_on), _index(self.to_on)
        return tuple(f"{n // 12:04d}-{n % 12 + 1:02d}" for n in range(first, last + 1))

    @property
    def words(self) -> str:
        """Say it: `1 Dec 2025 to 22 Nov 2026`."""
        return f"{day_words(self.from_on)} to {day_words(self.to_on)}"

    @property
    def outer(self) -> tuple[datetime, datetime]:
        """Give instants that enclose it in every time zone of the world."""
        start = datetime.combine(self.from_on, datetime.min.time(), UTC)
        end = datetime.combine(self.to_on, datetime.min.time(), UTC)
        return start - timedelta(days=1), end + timedelta(days=2)


def of(slug: str, today: date) -> Period:
    """Give a period by its name, ending today: 30 days, or this month and those before it."""
    if slug not in MONTHS:
        return Period("30d", today - timedelta(days=29), today)
    first = _index(today) - MONTHS[slug] + 1
    return Period(slug, date(first // 12, first % 12 + 1, 1), today)


def month_of(at: datetime, zone: ZoneInfo) -> str:
    """Give the month of an instant on a clock of that zone: `2026-03`."""
    return f"{at.astimezone(zone):%Y-%m}"


@cache
def zone_of(name: str) -> ZoneInfo:
    """Give a facility's time zone; one whose name nobody knows counts as UTC."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def today_in(zones: Iterable[ZoneInfo], now: datetime) -> date:
    """Give the latest date that any of the zones shows now, so that what was just resolved is in the report."""
    return max((now.astimezone(zone).date() for zone in zones), default=now.astimezone(UTC).date())


def day_words(day: date) -> str:
    """Say a day: `1 Dec 2025`."""
    return f"{day.day} {day:%b %Y}"


def _index(day: date) -> int:
    return day.year * 12 + day.month - 1
