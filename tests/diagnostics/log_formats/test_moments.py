"""Times in the ways logs write them; naive stays naive, and a day alone is no time."""

from datetime import UTC, datetime

import pytest

from diagnostics.parsing.log_formats.moments import epoch, hl7, iso, without_year


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("2026-11-22T17:12:00Z", "2026-11-22T17:12:00Z"),
        ("2026-11-22 17:12:00,123", "2026-11-22 17:12:00,123"),
        (" 2026-11-22T17:12 ", "2026-11-22T17:12"),
        ("2026-11-22 17:12:00 UTC", "2026-11-22T17:12:00+00:00"),
        ("2026-11-22 17:12:00 -0500", "2026-11-22T17:12:00-05:00"),
        ("20261122T171200Z", "2026-11-22T17:12:00+00:00"),
        ("2026/11/22 17:12:00", "2026-11-22T17:12:00"),
        ("11/22/2026 17:12", "2026-11-22T17:12:00"),
        ("11/22/2026 5:12:30 PM", "2026-11-22T17:12:30"),
        ("1/2/2026 12:00 AM", "2026-01-02T00:00:00"),
        ("1/2/2026, 12:00:01 p.m.", "2026-01-02T12:00:01"),
        ("11/22/2026 5:12 PM EST", "2026-11-22T17:12:00-05:00"),
        ("22/Nov/2026:17:12:00 +0100", "2026-11-22T17:12:00+01:00"),
        ("22-Nov-2026 17:12:00.5", "2026-11-22T17:12:00.500000"),
        ("Nov 22, 2026 5:12:00 PM", "2026-11-22T17:12:00"),
        ("Sun, 22 Nov 2026 17:12:00 GMT", "2026-11-22T17:12:00+00:00"),
        ("Sun Nov 22 17:12:00 2026", "2026-11-22T17:12:00"),
        ("1779000000", "2026-05-17T06:40:00+00:00"),
        ("1779000000.25", "2026-05-17T06:40:00.250000+00:00"),
        ("1779000000123", "2026-05-17T06:40:00.123000+00:00"),
        ("1779000000123456", "2026-05-17T06:40:00.123456+00:00"),
        ("20261122171200", "2026-11-22T17:12:00"),
        ("20261122171200.1234-0500", "2026-11-22T17:12:00.123400-05:00"),
        ("202611221712+0530", "2026-11-22T17:12:00+05:30"),
    ],
)
def test_a_time(written: str, means: str) -> None:
    assert iso(written) == means
    assert datetime.fromisoformat(means)


@pytest.mark.parametrize(
    "written",
    ["", "yesterday", "2026-11-22", "20261122", "11/22/2026", "13/22/2026 10:00", "02/30/2026 10:00",
     "11/22/2026 25:00",
     "11/22/2026 13:00 PM", "22/Foo/2026:10:00:00", "2026-11-22 10:00 XYZ", "99999999999999", "1779000000 12:00",
     "11/22/26 10:00", "2026-11-22T10:00+99:00", "٢٠٢٦١١٢٢١٧١٢٠٠x"],
)  # fmt: skip
def test_what_is_no_time(written: str) -> None:
    with pytest.raises(ValueError):
        iso(written)


def test_an_hl7_time_may_stop_at_the_hour_but_not_at_the_day() -> None:
    assert hl7("2026112217") == "2026-11-22T17:00:00"
    with pytest.raises(ValueError):
        hl7("20261122")
    with pytest.raises(ValueError):
        hl7("20261322171200")


def test_an_epoch_is_digits() -> None:
    for written in ("", "-1", "1e9", "9" * 17):
        with pytest.raises(ValueError):
            epoch(written)


@pytest.mark.parametrize(
    ("month", "day", "now", "date"),
    [
        ("Nov", "22", datetime(2026, 11, 23, tzinfo=UTC), "2026-11-22"),
        ("Nov", "23", datetime(2026, 11, 22, 20, tzinfo=UTC), "2026-11-23"),
        ("Dec", "31", datetime(2027, 1, 1, 8, tzinfo=UTC), "2026-12-31"),
        ("Jan", "1", datetime(2026, 12, 31, 20, tzinfo=UTC), "2027-01-01"),
        ("Nov", "25", datetime(2026, 11, 22, tzinfo=UTC), "2025-11-25"),
        ("Feb", "29", datetime(2026, 3, 1, tzinfo=UTC), "2024-02-29"),
    ],
)
def test_a_day_without_its_year_is_the_last_one(month: str, day: str, now: datetime, date: str) -> None:
    assert without_year(month, day, now) == date


def test_no_year_has_such_a_day() -> None:
    with pytest.raises(ValueError):
        without_year("Feb", "30", datetime(2026, 3, 1, tzinfo=UTC))
