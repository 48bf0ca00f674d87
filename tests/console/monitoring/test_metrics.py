"""The figures, against notes counted by hand."""

from datetime import UTC, datetime, timedelta

import pytest

from console.monitoring.metrics import metrics
from console.notes.correlation import correlate_new
from tests.console.builders import a_facility, an_integration
from tests.console.monitoring.rows import a_note_story, take

pytestmark = pytest.mark.django_db
NINE = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
NOW = NINE + timedelta(hours=5)


@pytest.fixture
def integration():
    return an_integration(a_facility())


def figures(integration, *, start=NINE - timedelta(hours=3), now=NOW, unit="hour", zone="UTC"):
    correlate_new(wait=True)
    return metrics([integration.id], start=start, now=now, unit=unit, zone=zone)[integration.id]


def at(minutes: float) -> datetime:
    return NINE + timedelta(minutes=minutes)


def test_every_fate_is_counted_where_it_belongs(integration) -> None:
    take(
        integration,
        *(a_note_story(f"good{n}", at(n), took_s=n + 4) for n in range(10)),
        a_note_story("wrong", at(11), filed_in="E-other", took_s=14),
        a_note_story("refused", at(12), ends="refused", status=422),
        a_note_story("unanswered", at(13), ends="failed"),
        a_note_story("silent", at(14), ends="silent"),
        a_note_story("no-token", at(15), ends="no_token"),
        a_note_story("young", at(295), ends="silent"),
    )
    told = figures(integration)
    whole = told.whole
    assert (whole.notes, whole.delivered, whole.undelivered, whole.pending) == (15, 11, 4, 1)
    assert whole.success == pytest.approx(100 * 11 / 15)
    assert (whole.filed, whole.matched, round(whole.match, 1)) == (11, 10, 90.9)
    assert whole.oldest == at(12)
    # Latencies are 4 to 14 seconds; by nearest rank p50 is the 6th of 11, p95 and p99 the last.
    assert (whole.p50, whole.p95, whole.p99) == (9.0, 14.0, 14.0)
    assert told.attempts == 15
    assert told.codes == {
        ("scribe", "422"): 1, ("ehr", "422"): 1, ("scribe", "no answer"): 1, ("scribe", "401"): 1,
    }  # fmt: skip
    assert told.last_seen.keys() == {"scribe", "ehr"}
    assert {bucket: each.notes for bucket, each in told.buckets.items() if each.notes} == {NINE: 15}


def test_a_note_that_failed_first_and_arrived_later_is_in_the_chart(integration) -> None:
    first = a_note_story("again", NINE, ends="failed")
    second = a_note_story("again", at(50), took_s=6)
    second["scribe"] = [row for row in second["scribe"] if row["event"] not in ("generated", "packaged")]
    take(integration, first)
    assert figures(integration, now=at(40)).whole.success == 0
    take(integration, second)
    whole = figures(integration).whole
    assert (whole.notes, whole.delivered, whole.p50) == (1, 1, 50 * 60 + 6)


def test_a_note_of_before_the_period_is_not_counted_again_for_its_late_rows(integration) -> None:
    take(integration, a_note_story("old", NINE, took_s=3600))
    assert figures(integration, start=at(30)).whole.notes == 0


def test_a_note_on_its_way_is_left_out_until_it_is_due(integration) -> None:
    whole = take(integration, a_note_story("one", NINE, ends="silent")) and figures(integration, now=at(20)).whole
    assert (whole.notes, whole.pending, whole.success) == (0, 1, None)
    assert figures(integration, now=at(31)).whole.success == 0
    take(integration, a_note_story("one", NINE, took_s=3600))
    assert figures(integration, now=at(61)).whole.success == 100


def test_equal_latencies_are_ranked_as_one_list(integration) -> None:
    take(integration, *(a_note_story(f"n{n}", at(n), took_s=5 + n % 3) for n in range(40)), a_note_story("x", at(50)))
    whole = figures(integration).whole
    assert (whole.p50, whole.p95, whole.p99) == (6.0, 7.0, 7.0)


def test_without_an_ehr_log_the_scribes_own_answer_counts_and_an_ehr_that_never_files_accepts(integration) -> None:
    take(integration, a_note_story("acked", NINE, ends="acked"))
    assert figures(integration).whole.success == 100
    assert figures(integration).whole.match is None
    other = an_integration(integration.facility)
    story = a_note_story("accepted", NINE)
    story["ehr"] = [row for row in story["ehr"] if row["event"] == "accepted"]
    take(other, story)
    assert figures(other).whole.success == 100


def test_accepted_but_not_filed_is_not_in_the_chart_where_that_ehr_files(integration) -> None:
    lost = a_note_story("lost", NINE)
    lost["ehr"] = [row for row in lost["ehr"] if row["event"] != "filed"]
    take(integration, a_note_story("good", at(1)), lost)
    assert figures(integration).whole.success == 50


def test_hl7_acknowledgements_are_answers(integration) -> None:
    stories = [a_note_story(name, at(n), ends="acked") for n, name in enumerate(("aa", "ae"))]
    for story, ack in zip(stories, ("AA", "AE"), strict=True):
        story["scribe"][-1] |= {"ack": ack, "status": None}
    take(integration, *stories)
    told = figures(integration)
    assert told.whole.success == 50
    assert told.codes == {("scribe", "AE"): 1}


def test_days_are_those_of_the_reader(integration) -> None:
    late = datetime(2026, 6, 2, 3, 0, tzinfo=UTC)  # still the first of June in Chicago
    take(integration, a_note_story("late", late))
    told = figures(integration, now=late + timedelta(hours=2), unit="day", zone="America/Chicago")
    assert list(told.buckets) == [datetime(2026, 6, 1, 5, tzinfo=UTC)]


def test_integrations_and_facilities_do_not_mix_even_where_ids_are_the_same(integration) -> None:
    elsewhere = an_integration(a_facility())
    beside = an_integration(integration.facility)
    take(integration, a_note_story("same", NINE))
    take(beside, a_note_story("same", NINE, ends="failed"))
    take(elsewhere, a_note_story("same", NINE, ends="silent"))
    correlate_new(wait=True)
    found = metrics([integration.id, beside.id], start=NINE, now=NOW, unit="hour", zone="UTC")
    assert elsewhere.id not in found
    assert [found[one.id].whole.success for one in (integration, beside)] == [100, 0]
