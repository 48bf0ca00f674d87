"""Working time holds its laws on any calendar, over changes of summer time and over years."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.tickets.calendar import WorkingHours, between, hours_of, later, minutes

ZONES = ("UTC", "America/New_York", "Europe/Vienna", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Kathmandu")
instants = st.datetimes(datetime(2024, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC))
spans = st.integers(0, 400 * 3600)


@st.composite
def calendars(draw: st.DrawFn) -> WorkingHours:
    day = st.none() | st.tuples(st.integers(0, 1438), st.integers(1, 1440)).filter(lambda d: d[0] < d[1])
    days = draw(st.lists(day, min_size=7, max_size=7).filter(any))
    holidays = draw(st.frozensets(st.dates(date(2024, 1, 1), date(2028, 12, 31)), max_size=20))
    return WorkingHours(ZoneInfo(draw(st.sampled_from(ZONES))), tuple(days), holidays)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(calendars(), instants, spans)
def test_so_much_later_lies_so_much_between(hours, start, seconds) -> None:
    try:
        end = later(hours, start, seconds)
    except ValueError:  # a minute a week, all of them holidays: not so much time in thirty years
        return
    assert end >= start
    assert between(hours, start, end) == pytest.approx(seconds, abs=1e-3)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(calendars(), instants, instants, instants)
def test_time_adds_up_and_is_never_more_than_the_wall_clock(hours, one, two, three) -> None:
    one, two, three = sorted((one, two, three))
    assert between(hours, one, three) == pytest.approx(between(hours, one, two) + between(hours, two, three), abs=1e-3)
    assert 0 <= between(hours, one, three) <= (three - one).total_seconds() + 1e-3
    assert between(hours, three, one) == 0


@settings(derandomize=True, deadline=None, max_examples=60)
@given(calendars(), instants)
def test_counting_minute_by_minute_comes_to_the_same(hours, start) -> None:
    """Recount plainly, from the wall clock of each minute, over a span that may hold a change of summer time."""
    start = start.replace(second=0, microsecond=0)
    end = start + timedelta(hours=30)
    worked = 0
    at = start
    while at < end:
        local = at.astimezone(hours.zone)
        shift = None if local.date() in hours.holidays else hours.days[local.weekday()]
        if shift is not None and shift[0] <= local.hour * 60 + local.minute < shift[1]:
            worked += 60
        at += timedelta(minutes=1)
    # In the hour that a clock goes through twice, and in the one it leaves out, an edge may stand for two instants.
    assert abs(between(hours, start, end) - worked) <= (3600 if _changes(hours.zone, start, end) else 0)


def _changes(zone: ZoneInfo, start: datetime, end: datetime) -> bool:
    day = timedelta(days=1)
    return start.astimezone(zone).utcoffset() != end.astimezone(zone).utcoffset() or (
        (start - day).astimezone(zone).utcoffset() != (end + day).astimezone(zone).utcoffset()
    )


OFFICE = {str(day): ["08:00", "18:00"] for day in range(1, 6)}


@pytest.mark.parametrize(
    ("zone", "opened", "hours", "due"),
    [
        # Friday 17:30, four hours: half an hour on Friday, three and a half on Monday.
        ("America/New_York", "2026-11-20T17:30", 4, "2026-11-23T11:30"),
        ("America/New_York", "2026-11-21T12:00", 1, "2026-11-23T09:00"),
        ("America/New_York", "2026-11-20T08:00", 10, "2026-11-20T18:00"),
        # Over the end of summer time, and over its beginning: a working day is a working day.
        ("America/New_York", "2026-10-30T17:00", 2, "2026-11-02T09:00"),
        ("Europe/Vienna", "2026-03-27T17:00", 2, "2026-03-30T09:00"),
        # A holiday is left out.
        ("Europe/Vienna", "2026-12-24T17:00", 2, "2026-12-28T09:00"),
    ],
)
def test_a_target_falls_where_a_person_would_put_it(zone, opened, hours, due) -> None:
    calendar = hours_of(zone, OFFICE, ["2026-12-25"])
    there = ZoneInfo(zone)
    start = datetime.fromisoformat(opened).replace(tzinfo=there)
    assert later(calendar, start, hours * 3600).astimezone(there) == datetime.fromisoformat(due).replace(tzinfo=there)


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 7), ("2026-10-25", 9), ("2026-10-26", 8)])
def test_a_night_shift_over_the_change_of_summer_time_is_as_long_as_it_really_is(day, hours) -> None:
    zone = ZoneInfo("Europe/Vienna")
    calendar = hours_of("Europe/Vienna", {str(n): ["00:00", "08:00"] for n in range(1, 8)}, [])
    start = datetime.fromisoformat(day).replace(tzinfo=zone)
    assert between(calendar, start, start.replace(hour=8)) == hours * 3600


def test_without_hours_the_clock_runs_day_and_night() -> None:
    start = datetime(2026, 11, 20, 17, 30, tzinfo=UTC)
    assert later(None, start, 4 * 3600) == start + timedelta(hours=4)
    assert hours_of("UTC", {}, []) is None


@pytest.mark.parametrize("text", ["8", "8:5", "24:01", "ab:cd", "-1:00", "", "08:60", "٠٨:٠٠x"])
def test_what_is_no_time_of_day_is_refused(text) -> None:
    with pytest.raises(ValueError, match="no time of day"):
        minutes(text)


def test_hours_by_which_no_time_passes_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one day"):
        WorkingHours(ZoneInfo("UTC"), (None,) * 7)
    with pytest.raises(ValueError, match="Monday: the end"):
        WorkingHours(ZoneInfo("UTC"), ((600, 600), *(None,) * 6))
