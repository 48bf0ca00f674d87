"""Working time: how much of it lies between two instants, and when so much of it has passed. Pure.

Working time is what really passes between a shift's beginning and its end on the facility's clock: a shift that holds
the change to summer time is an hour shorter, one that holds the change back an hour longer. Shifts of a year are
reckoned once and kept, so that a question costs two look-ups, however far apart the instants lie.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

MINUTES_OF_A_DAY = 24 * 60
MOST_YEARS = 30
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True)
class WorkingHours:
    """Be a facility's hours: for each day from Monday the minutes of its clock from and to, None where it is shut."""

    zone: ZoneInfo
    days: tuple[tuple[int, int] | None, ...]
    holidays: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        """Refuse hours by which no time would ever pass."""
        if len(self.days) != 7 or not any(self.days):
            raise ValueError("Working hours need at least one day of the week.")
        for name, day in zip(_DAYS, self.days, strict=True):
            if day is not None and not 0 <= day[0] < day[1] <= MINUTES_OF_A_DAY:
                raise ValueError(f"{name}: the end must come after the beginning.")


def zone_named(name: str) -> ZoneInfo:
    """Give a time zone; a name that nobody knows counts as UTC."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def minutes(text: str) -> int:
    """Read a time of day as minutes from midnight: `08:30`, and `24:00` for the day's end; raise ValueError."""
    hour, _, minute = text.partition(":")
    if not (hour.isdecimal() and minute.isdecimal() and len(hour) <= 2 and len(minute) == 2 and int(minute) < 60):
        raise ValueError(f"“{text}” is no time of day; write it like 08:30.")
    found = int(hour) * 60 + int(minute)
    if found > MINUTES_OF_A_DAY:
        raise ValueError(f"“{text}” is no time of day; the latest is 24:00.")
    return found


def hours_of(zone: str, hours: Mapping[str, Iterable[str]], holidays: Iterable[str]) -> WorkingHours | None:
    """Read hours as they are stored, `{"1": ["08:00", "18:00"]}` with Monday as 1; None where no day is named."""
    if not hours:
        return None
    days: list[tuple[int, int] | None] = [None] * 7
    for day, (begin, end) in hours.items():
        days[int(day) - 1] = (minutes(begin), minutes(end))
    return WorkingHours(zone_named(zone), tuple(days), frozenset(date.fromisoformat(text) for text in holidays))


def later(hours: WorkingHours | None, start: datetime, seconds: float) -> datetime:
    """Give the instant at which so many seconds of working time have passed since `start`, in UTC.

    None as hours means that the clock runs day and night. Raise ValueError where not so much time is worked within
    thirty years.
    """
    start = start.astimezone(UTC)
    if seconds < 0:
        raise ValueError("Time that has passed cannot be taken back.")
    if hours is None:
        return start + timedelta(seconds=seconds)
    if seconds == 0:
        return start
    year = start.astimezone(hours.zone).year
    at = start.timestamp()
    first = _year(hours, year)
    wanted = first.worked(at) + seconds
    for _ in range(MOST_YEARS):
        shifts = _year(hours, year)
        if wanted <= shifts.total:
            return datetime.fromtimestamp(shifts.when(wanted), UTC)
        wanted -= shifts.total
        year += 1
    raise ValueError(f"The working hours do not give so much time within {MOST_YEARS} years.")


def between(hours: WorkingHours | None, start: datetime, end: datetime) -> float:
    """Give the seconds of working time from `start` to `end`; 0 where the end comes first."""
    if end <= start:
        return 0.0
    if hours is None:
        return (end - start).total_seconds()
    first, last = start.astimezone(hours.zone).year, end.astimezone(hours.zone).year
    whole = sum(_year(hours, year).total for year in range(first, last))
    return whole + _year(hours, last).worked(end.timestamp()) - _year(hours, first).worked(start.timestamp())


@dataclass(frozen=True)
class _Year:
    """Hold a year's shifts as POSIX times, with the seconds worked before each."""

    begins: tuple[float, ...]
    ends: tuple[float, ...]
    before: tuple[float, ...]
    total: float

    def worked(self, at: float) -> float:
        """Give the seconds worked in this year up to an instant."""
        index = bisect_right(self.begins, at) - 1
        if index < 0:
            return 0.0
        return self.before[index] + min(at, self.ends[index]) - self.begins[index]

    def when(self, seconds: float) -> float:
        """Give the first instant at which so many seconds, more than none, were worked in this year."""
        index = bisect_left(self.before, seconds) - 1
        return self.begins[index] + seconds - self.before[index]


@lru_cache(maxsize=256)
def _year(hours: WorkingHours, year: int) -> _Year:
    begins, ends, before, total = [], [], [], 0.0
    day = date(year, 1, 1)
    while day.year == year:
        shift = None if day in hours.holidays else hours.days[day.weekday()]
        if shift is not None:
            begin, end = _instant(hours.zone, day, shift[0]), _instant(hours.zone, day, shift[1])
            if end > begin:  # a shift that lies wholly in the hour that summer time leaves out is none
                begins.append(begin)
                ends.append(end)
                before.append(total)
                total += end - begin
        day += timedelta(days=1)
    return _Year(tuple(begins), tuple(ends), tuple(before), total)


def _instant(zone: ZoneInfo, day: date, minute: int) -> float:
    ahead, left = divmod(minute, MINUTES_OF_A_DAY)
    wall = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(days=ahead, minutes=left)
    return wall.timestamp()
