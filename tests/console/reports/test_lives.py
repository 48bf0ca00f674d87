"""Ten lives worked out by hand. The answers are literals, in minutes."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from console.reports.lives import Event, Life, tell

CHICAGO = ZoneInfo("America/Chicago")


def at(text: str, zone: str | ZoneInfo = UTC, fold: int = 0) -> datetime:
    """Read `2026-03-02 09:00` as the wall clock of a zone says it."""
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(UTC)


def life(*rows: tuple[datetime, str, str, str], severity: str = "b_undocumented") -> Life:
    told = tell([Event(kind, when, before, after) for when, kind, before, after in rows], severity=severity)
    assert told is not None
    return told


def minutes(length: timedelta | None) -> float:
    assert length is not None
    return length.total_seconds() / 60


def moved(when: datetime, before: str, after: str) -> tuple[datetime, str, str, str]:
    return (when, "state", before, after)


# 1. Opened 9:00, resolved 9:50: fifty minutes, none of them waiting.
def test_1_a_ticket_that_is_simply_resolved() -> None:
    one = life(
        (at("2026-03-02 09:00"), "opened", "", "new"),
        moved(at("2026-03-02 09:10"), "new", "in_progress"),
        moved(at("2026-03-02 09:50"), "in_progress", "resolved"),
    )
    assert (minutes(one.wall), minutes(one.active), one.reopened) == (50, 50, 0)


# 2. Opened 9:00, waits from 9:20 to 11:50 on the vendor (150 minutes), resolved 12:00: wall 180, active 30.
def test_2_waiting_on_the_vendor_pauses_the_active_clock_alone() -> None:
    one = life(
        (at("2026-03-02 09:00"), "opened", "", "new"),
        moved(at("2026-03-02 09:20"), "new", "waiting:vendor"),
        moved(at("2026-03-02 11:50"), "waiting", "in_progress"),
        moved(at("2026-03-02 12:00"), "in_progress", "resolved"),
    )
    assert (minutes(one.wall), minutes(one.active)) == (180, 30)


# 3. Waits twice, on two teams: 10 to 10:30 and 11 to 11:45, that is 75 of 9:00 to 12:00's 180 minutes; active 105.
def test_3_every_wait_pauses_on_whomever_it_is() -> None:
    one = life(
        (at("2026-03-02 09:00"), "opened", "", "new"),
        moved(at("2026-03-02 10:00"), "new", "waiting:ehr_team"),
        moved(at("2026-03-02 10:30"), "waiting", "in_progress"),
        moved(at("2026-03-02 11:00"), "in_progress", "waiting:provider"),
        moved(at("2026-03-02 11:45"), "waiting", "fixed"),
        moved(at("2026-03-02 12:00"), "fixed", "resolved"),
    )
    assert (minutes(one.wall), minutes(one.active)) == (180, 105)


# 4. Waits from 9:15 and is resolved out of the waiting at 10:15: wall 75, active 15.
def test_4_a_wait_ends_with_the_resolution() -> None:
    one = life(
        (at("2026-03-02 09:00"), "opened", "", "new"),
        moved(at("2026-03-02 09:15"), "new", "waiting:network_team"),
        moved(at("2026-03-02 10:15"), "waiting", "resolved"),
        moved(at("2026-03-02 18:00"), "resolved", "closed"),
    )
    assert (minutes(one.wall), minutes(one.active)) == (75, 15)


# 5. Resolved after 60 minutes, back two hours later (12:00), resolved again at 12:30: one life of 210 minutes. The two
#    hours in which it passed for resolved count; it never waited.
def test_5_a_reopened_ticket_runs_to_its_last_resolution() -> None:
    one = life(
        (at("2026-03-02 09:00"), "opened", "", "new"),
        moved(at("2026-03-02 10:00"), "new", "resolved"),
        (at("2026-03-02 12:00"), "state", "resolved", "in_progress"),
        moved(at("2026-03-02 12:30"), "in_progress", "resolved"),
    )
    assert (minutes(one.wall), minutes(one.active), one.reopened) == (210, 210, 1)


# 6. Resolved, closed, reopened, waits 45 minutes, resolved, reopened again and still in progress: open, reopened twice,
#    and no time to resolution at all.
def test_6_a_ticket_that_came_back_and_is_not_done_is_open() -> None:
    one = life(
        (at("2026-03-02 09:00"), "opened", "", "new"),
        moved(at("2026-03-02 09:30"), "new", "resolved"),
        moved(at("2026-03-02 15:00"), "resolved", "closed"),
        moved(at("2026-03-03 09:00"), "closed", "in_progress"),
        moved(at("2026-03-03 09:05"), "in_progress", "waiting:vendor"),
        moved(at("2026-03-03 09:50"), "waiting", "resolved"),
        moved(at("2026-03-04 09:00"), "resolved", "in_progress"),
    )
    assert (one.is_open, one.resolved_at, one.reopened) == (True, None, 2)
    assert minutes(one.waited) == 45


# 7. In Chicago clocks jump from 2:00 to 3:00 on 8 March 2026. From 1:30 to 3:30 on the wall is one hour, not two.
def test_7_the_hour_that_spring_takes_away_is_not_counted() -> None:
    one = life(
        (at("2026-03-08 01:30", CHICAGO), "opened", "", "new"),
        moved(at("2026-03-08 03:30", CHICAGO), "new", "resolved"),
    )
    assert (minutes(one.wall), minutes(one.active)) == (60, 60)


# 8. On 1 November 2026 they fall back from 2:00 to 1:00. From 0:30 to 2:30 on the wall are three hours; the wait from
#    the first 1:30 to the second 1:30 is one hour: wall 180, active 120.
def test_8_the_hour_that_autumn_gives_is_counted() -> None:
    one = life(
        (at("2026-11-01 00:30", CHICAGO), "opened", "", "new"),
        moved(at("2026-11-01 01:30", CHICAGO), "new", "waiting:vendor"),
        moved(at("2026-11-01 01:30", CHICAGO, fold=1), "waiting", "in_progress"),
        moved(at("2026-11-01 02:30", CHICAGO), "in_progress", "resolved"),
    )
    assert (minutes(one.wall), minutes(one.active)) == (180, 120)


# 9. Opened 9:00. A diagnosis fails at 9:01, one ends without a cause at 9:03, one names a cause at 9:07: seven minutes.
#    Given back at 9:02 (that is nobody), taken at 9:12: twelve minutes. The later verdict and owner change nothing.
def test_9_diagnosis_and_acknowledgement_count_the_first_time_that_counts() -> None:
    one = life(
        (at("2026-03-02 09:00"), "opened", "", "new"),
        (at("2026-03-02 09:01"), "run_concluded", "gave_up", ""),
        (at("2026-03-02 09:02"), "owner", "Somebody", ""),
        (at("2026-03-02 09:03"), "run_concluded", "done", ""),
        (at("2026-03-02 09:07"), "run_concluded", "done", "auth.token.expired"),
        (at("2026-03-02 09:12"), "owner", "", "Test Person"),
        (at("2026-03-02 09:30"), "run_concluded", "done", "net.tls.expired"),
        (at("2026-03-02 09:40"), "owner", "Test Person", "Another Person"),
        moved(at("2026-03-02 10:00"), "new", "resolved"),
    )
    assert minutes(one.to_verdict) == 7
    assert minutes(one.to_acknowledgement) == 12


# 10. Opened as "delayed", raised to "wrong patient" at 9:30, resolved at 10:30 with authentication as the cause; both
#     changed after that, and count no more. One ticket of 90 minutes: its target is that of "wrong patient".
def test_10_severity_and_cause_are_those_of_the_last_resolution() -> None:
    one = life(
        (at("2026-03-02 09:00"), "opened", "", "new"),
        (at("2026-03-02 09:30"), "severity", "d_delayed", "a_wrong_patient"),
        (at("2026-03-02 10:30"), "cause_confirmed", "authentication", "auth.token.expired"),
        moved(at("2026-03-02 10:30"), "new", "resolved"),
        (at("2026-03-02 11:00"), "severity", "a_wrong_patient", "e_none"),
        (at("2026-03-02 11:30"), "cause_confirmed", "network", "net.tls.expired"),
        severity="e_none",
    )
    assert minutes(one.wall) == 90
    assert (one.severity, one.category, one.cause) == ("a_wrong_patient", "authentication", "auth.token.expired")


def test_a_severity_changed_only_after_the_resolution_is_read_backwards() -> None:
    one = life(
        (at("2026-03-02 09:00"), "opened", "", "new"),
        moved(at("2026-03-02 10:30"), "new", "resolved"),
        (at("2026-03-02 11:00"), "severity", "c_misplaced", "e_none"),
        severity="e_none",
    )
    assert one.severity == "c_misplaced"


def test_without_an_opening_nothing_is_told() -> None:
    assert tell([Event("state", at("2026-03-02 10:30"), "new", "resolved")], severity="e_none") is None


@pytest.mark.parametrize("kind", ["comment", "note_ended", "checklist"])
def test_other_events_change_no_time(kind) -> None:
    opened = (at("2026-03-02 09:00"), "opened", "", "new")
    done = moved(at("2026-03-02 09:50"), "new", "resolved")
    assert life(opened, done, (at("2026-03-09 09:00"), kind, "", "resolved")) == life(opened, done)
