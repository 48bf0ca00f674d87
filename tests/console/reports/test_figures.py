"""Mean, median, 90th percentile, periods and words."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from console.reports import words
from console.reports.figures import spread
from console.reports.periods import Period, month_of, of, today_in


def of_minutes(*minutes: float):
    return spread(timedelta(minutes=each) for each in minutes)


def test_nothing_has_no_figures() -> None:
    one = of_minutes()
    assert (one.n, one.mean, one.median, one.p90) == (0, None, None, None)


def test_the_median_of_an_even_number_lies_between_the_two_in_the_middle() -> None:
    assert of_minutes(10, 40, 20, 90).median == 30 * 60
    assert of_minutes(10, 40, 90).median == 40 * 60


@pytest.mark.parametrize(("n", "rank"), [(1, 1), (2, 2), (9, 9), (10, 9), (11, 10), (20, 18), (100, 90)])
def test_p90_is_the_nearest_rank(n, rank) -> None:
    assert of_minutes(*range(1, n + 1)).p90 == rank * 60


def test_results_are_rounded_half_up_and_only_at_the_end() -> None:
    assert spread([timedelta(seconds=0), timedelta(seconds=1)]).mean == 1
    assert spread([timedelta(microseconds=499_999)] * 3).mean == 0
    assert spread([timedelta(microseconds=500_000)] * 3).mean == 1


def test_a_period_knows_its_months_and_as_many_days_before() -> None:
    year = of("12m", date(2026, 11, 22))
    assert (year.from_on, year.to_on) == (date(2025, 12, 1), date(2026, 11, 22))
    assert len(year.months) == 12
    assert (year.months[0], year.months[-1]) == ("2025-12", "2026-11")
    assert year.before.to_on == date(2025, 11, 30)
    assert year.before.days == year.days == 357
    assert of("30d", date(2026, 3, 1)).from_on == date(2026, 1, 31)
    assert of("3m", date(2026, 1, 15)).from_on == date(2025, 11, 1)


def test_days_and_months_are_those_of_the_facility() -> None:
    at = datetime(2026, 3, 1, 5, 30, tzinfo=UTC)  # 23:30 on 28 February in Chicago, 00:30 on 1 March in New York
    chicago, new_york = ZoneInfo("America/Chicago"), ZoneInfo("America/New_York")
    assert month_of(at, chicago) == "2026-02"
    assert month_of(at, new_york) == "2026-03"
    march = Period("dates", date(2026, 3, 1), date(2026, 3, 31))
    assert not march.holds(at, chicago)
    assert march.holds(at, new_york)
    assert today_in([chicago, new_york], at) == date(2026, 3, 1)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(None, "–"), (4, "4 s"), (59, "59 s"), (60, "1 min"), (52 * 60 + 29, "52 min"), (3599, "1 h"), (6720, "1 h 52 m"),
     (86_400, "1 d"), (190_800, "2 d 5 h")],
)  # fmt: skip
def test_lengths_are_said_in_words(seconds, said) -> None:
    assert words.length(seconds) == said


def test_shares_are_said_in_percent() -> None:
    assert [words.share(*each) for each in ((0, 0), (0, 9), (31, 1000), (91, 100), (7, 7))] == [
        "–", "0 %", "3.1 %", "91 %", "100 %",
    ]  # fmt: skip


def test_a_change_says_in_which_direction_it_is_good() -> None:
    better = words.faster(69, 100, 10, 10)
    assert better is not None
    assert (better.text, better.tone, better.says) == ("−31 %", "better", "faster than before")
    worse = words.points(6, 100, 2, 100, more_is_better=False)
    assert worse is not None
    assert (worse.text, worse.tone) == ("+4 points", "worse")


def test_few_tickets_are_not_compared() -> None:
    assert words.faster(10, 100, 4, 50) is None
    assert words.points(1, 4, 2, 50, more_is_better=True) is None
