"""Which silence is a gap: longer than this source is used to at this hour, and never a night or a weekend."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.worklist.gaps import SHIFTS, Gap, gaps, is_quiet, read_gaps
from tests.console.builders import a_facility, a_person, an_integration
from tests.console.pages.documents import logged_in
from tests.console.worklist.traces import a_batch, a_trace

DAY = timedelta(days=1)
WEDNESDAY_NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
DAYS = (*range(1, 15), 21, 28)


def works_at(moment: datetime) -> bool:
    """Give whether the clinic works: weekdays from 8 to 18."""
    return moment.weekday() < 5 and 8 <= moment.hour < 18


def newest_known(moment: datetime, late: timedelta = timedelta(minutes=2)) -> datetime:
    """Give the newest row that a clinic's log holds at a moment, rows coming a little late."""
    while not works_at(moment - late):
        moment -= timedelta(minutes=15)
    return moment - late


def known_at(now: datetime, newest=newest_known, days=DAYS) -> dict:
    return {(back, shift): newest(now - shift - back * DAY) for back in days for shift in SHIFTS}


def judged(now: datetime, newest: datetime) -> bool:
    return is_quiet(now, newest, known_at(now))


def test_silence_at_noon_of_a_working_day_is_a_gap_after_half_an_hour() -> None:
    assert not judged(WEDNESDAY_NOON, WEDNESDAY_NOON - timedelta(minutes=25))
    assert judged(WEDNESDAY_NOON, WEDNESDAY_NOON - timedelta(minutes=35))


@pytest.mark.parametrize(
    "now",
    [
        WEDNESDAY_NOON.replace(hour=3),
        WEDNESDAY_NOON.replace(hour=23),
        WEDNESDAY_NOON + 3 * DAY,  # Saturday
        WEDNESDAY_NOON + 4 * DAY,
        WEDNESDAY_NOON.replace(hour=8, minute=10) + 5 * DAY,  # Monday, before the first note
    ],
)
def test_nights_and_weekends_are_no_gap(now) -> None:
    closed = now if now.hour != 8 else now - timedelta(minutes=15)
    assert not judged(now, newest_known(closed))


def test_a_source_that_comes_once_a_night_is_used_to_being_late() -> None:
    def nightly(moment: datetime) -> datetime:
        return moment.replace(hour=0, minute=0)

    assert not is_quiet(WEDNESDAY_NOON, nightly(WEDNESDAY_NOON), known_at(WEDNESDAY_NOON, nightly))
    later = WEDNESDAY_NOON + 2 * DAY
    known = known_at(later, nightly, [back for back in DAYS if back > 2])
    assert is_quiet(later, nightly(WEDNESDAY_NOON), known)


def test_a_long_silence_stays_a_gap_although_its_own_days_were_silent() -> None:
    stopped = WEDNESDAY_NOON - 10 * DAY
    known = known_at(WEDNESDAY_NOON, lambda moment: min(stopped, newest_known(moment)))
    assert is_quiet(WEDNESDAY_NOON, stopped, known)


def test_too_little_history_judges_nothing() -> None:
    known = known_at(WEDNESDAY_NOON, days=(1, 2))
    assert not is_quiet(WEDNESDAY_NOON, WEDNESDAY_NOON - DAY, known)


def test_what_a_silence_leaves_open_depends_on_whose_log_is_silent() -> None:
    ehr = Gap(None, None, "", ("ehr",), WEDNESDAY_NOON)  # type: ignore[arg-type]
    scribe = Gap(None, None, "", ("scribe",), WEDNESDAY_NOON)  # type: ignore[arg-type]
    after, before = WEDNESDAY_NOON + timedelta(minutes=5), WEDNESDAY_NOON - timedelta(hours=2)
    assert ehr.leaves_open("unknown", after)
    assert not ehr.leaves_open("unknown", before)
    assert not ehr.leaves_open("rejected", after)
    assert not ehr.leaves_open("never_sent", after)
    assert scribe.leaves_open("never_sent", after)


# -- read from the marks of what came in ---------------------------------------------------------------------------


@pytest.fixture
def facility(db):
    return a_facility()


@pytest.fixture
def integration(facility):
    return an_integration(facility)


def history(integration, log: str, now: datetime, *, days: int = 6) -> None:
    for back in range(1, days + 1):
        for minutes in (33, 3):
            a_batch(integration, log, now - back * DAY - timedelta(minutes=minutes))


def test_the_log_that_went_quiet_is_told_from_the_one_that_goes_on(facility, integration) -> None:
    now = timezone.now()
    for log in ("scribe", "ehr"):
        history(integration, log, now)
    a_batch(integration, "scribe", now - timedelta(minutes=2))
    a_batch(integration, "ehr", now - timedelta(hours=2))
    found = read_gaps(now)
    assert [(gap.integration_id, gap.logs) for gap in found] == [(integration.id, ("ehr",))]
    assert found[0].since == now - timedelta(hours=2)


def test_a_past_that_was_brought_in_at_once_teaches_nothing(integration) -> None:
    now = timezone.now()
    for back in range(1, 20):
        a_batch(integration, "ehr", now - back * DAY, stored_at=now - timedelta(minutes=1))
    assert gaps(now) == []


def page(person, where: str) -> str:
    answer = logged_in(person).get(where)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def test_pages_about_notes_say_so_and_the_note_is_not_judged(facility, integration) -> None:
    now = timezone.now()
    for log in ("scribe", "ehr"):
        history(integration, log, now)
    a_batch(integration, "scribe", now)
    a_batch(integration, "ehr", now - timedelta(hours=2))
    trace = a_trace(integration, "unknown", minutes=60)
    refused = a_trace(integration, "rejected", minutes=60)
    desk = a_person(facility)
    for where in ("/notes/worklist/", "/notes/", "/monitoring/", f"/notes/{trace.note_id}/"):
        assert f"The EHR&#x27;s log of {integration.name} has been quiet since" in page(desk, where)
    assert page(desk, "/notes/worklist/").count("not judged: a log is quiet") == 1
    assert "Not judged yet" in page(desk, f"/notes/{trace.note_id}/")
    assert "Not judged yet" not in page(desk, f"/notes/{refused.note_id}/")
    assert "has been quiet" not in page(desk, "/tickets/")
    assert "has been quiet" not in page(a_person(a_facility()), "/notes/worklist/")


def test_many_silences_are_one_line_and_a_fixed_number_of_statements(facility) -> None:
    now = timezone.now()

    def cost(count: int) -> int:
        for _ in range(count):
            one = an_integration(facility)
            history(one, "ehr", now)
            a_batch(one, "ehr", now - timedelta(hours=5))
        with CaptureQueriesContext(connection) as queries:
            read_gaps(now)
        return len(queries)

    assert cost(1) == cost(4)
    assert "Logs of 5 integrations went quiet" in page(a_person(facility), "/notes/worklist/")
