"""What may be typed to find a note, and what it is taken for."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from console.worklist.asking import read

ZONE = ZoneInfo("America/Chicago")
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=ZONE)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("N-5f21c", ("N-5f21c",)),
        ("note id N-5f21c", ("N-5f21c",)),
        ("Encounter: E-88213", ("E-88213",)),
        ("message control id 20261122140500", ("20261122140500",)),
        ("Encounter/E-1", ("Encounter/E-1",)),
        ("E-1, prov-7", ("E-1", "prov-7")),
        ("urn:uuid:0d1f-11", ("urn:uuid:0d1f-11",)),
        ("provider prov-7", ("prov-7",)),
        ("note", ("note",)),
        ("N-1\x00N-2", ("N-1", "N-2")),
        ("a-14:05", ("a-14:05",)),
        ("2026-11-22-77", ("2026-11-22-77",)),
    ],
)
def test_ids_and_providers_are_words_without_their_labels(typed, words) -> None:
    asked = read(typed, now=NOW, zone=ZONE)
    assert (asked.words, asked.start, asked.wrong) == (words, None, "")


@pytest.mark.parametrize(
    ("typed", "start", "end"),
    [
        ("2026-11-22 14:05", "2026-11-22T14:00", "2026-11-22T14:10"),
        ("2026-11-22T14:05", "2026-11-22T14:00", "2026-11-22T14:10"),
        ("yesterday at 14:05", "2026-11-22T14:00", "2026-11-22T14:10"),
        ("today 08:05", "2026-11-23T08:00", "2026-11-23T08:10"),
        ("08:05", "2026-11-23T08:00", "2026-11-23T08:10"),
        ("14:05", "2026-11-22T14:00", "2026-11-22T14:10"),  # not yet today, so it was yesterday
        ("today", "2026-11-23T00:00", "2026-11-24T00:00"),
        ("Yesterday", "2026-11-22T00:00", "2026-11-23T00:00"),
        ("2026-11-20", "2026-11-20T00:00", "2026-11-21T00:00"),
        ("2026-11-22 13:00 to 15:00", "2026-11-22T13:00", "2026-11-22T15:01"),
        ("yesterday 13:00-13:30", "2026-11-22T13:00", "2026-11-22T13:31"),
        ("22:00 – 02:00", "2026-11-22T22:00", "2026-11-23T02:01"),
        ("2026-11-20 to 2026-11-22", "2026-11-20T00:00", "2026-11-23T00:00"),
        ("2026-11-22 to 2026-11-20", "2026-11-20T00:00", "2026-11-23T00:00"),
        ("last 2 hours", "2026-11-23T07:30", "2026-11-23T09:31"),
        ("the last hour", "2026-11-23T08:30", "2026-11-23T09:31"),
    ],
)
def test_times_are_local_and_a_moment_has_some_minutes_around_it(typed, start, end) -> None:
    asked = read(typed, now=NOW, zone=ZONE)
    assert (asked.words, asked.start, asked.end) == ((), at(start), at(end))


def test_a_day_on_which_the_clocks_change_has_its_own_length() -> None:
    asked = read("2026-11-01", now=NOW, zone=ZONE)
    assert asked.start is not None and asked.end is not None
    assert (asked.end.timestamp() - asked.start.timestamp()) / 3600 == 25


def test_an_instant_with_its_zone_is_that_instant() -> None:
    asked = read("2026-11-22T20:05:00Z", now=NOW, zone=ZONE)
    assert (asked.start, asked.end) == (at("2026-11-22T14:00"), at("2026-11-22T14:10"))


def test_words_and_a_time_may_come_together() -> None:
    asked = read("prov-7 yesterday", now=NOW, zone=ZONE)
    assert (asked.words, asked.start) == (("prov-7",), at("2026-11-22T00:00"))
    asked = read("notes of prov-7 on 2026-11-22 from 13:00 to 15:00", now=NOW, zone=ZONE)
    assert "prov-7" in asked.words


@pytest.mark.parametrize("typed", ["2026-13-40", "2026-02-30 10:00", "last 999 weeks of 0001-01-01"])
def test_a_date_that_does_not_exist_is_said_or_taken_for_what_it_says(typed) -> None:
    asked = read(typed, now=NOW, zone=ZONE)
    assert asked.wrong or asked.start


def test_too_much_at_once_is_refused_and_nothing_is_nothing() -> None:
    assert "more than can be looked up" in read("a1 b2 c3 d4 e5", now=NOW, zone=ZONE).wrong
    assert read("  \t ", now=NOW, zone=ZONE).is_empty
    assert len(read("x" * 5000, now=NOW, zone=ZONE).words[0]) <= 400
