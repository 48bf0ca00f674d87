"""An incremental run leaves the traces that nothing new could change, and tells whatever could be another story."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from console.notes.correlation import correlate_all, correlate_new, state
from console.notes.models import CorrelationState
from tests.console.builders import a_facility, an_integration
from tests.console.monitoring.rows import a_note_story, take
from tests.console.notes.logs import differences, told

pytestmark = pytest.mark.django_db
NINE = datetime(2026, 11, 20, 9, 5, tzinfo=UTC)
LATER = NINE + timedelta(hours=8)


@pytest.fixture
def integration():
    """Give an integration with forty notes of one hour, long ago, all whole and told."""
    made = an_integration(a_facility())
    take(made, *(a_note_story(n, NINE + timedelta(minutes=n)) for n in range(40)), a_note_story("late", LATER))
    correlate_new(integration=made)
    return made


def row(minutes: float, event: str, **said: Any) -> dict[str, Any]:
    return {"at": (NINE + timedelta(minutes=minutes)).isoformat(), "event": event, **said}


def told_after(integration, *, scribe=(), ehr=()) -> int:
    """Give how many notes a run tells for these rows; a run over everything must then find nothing to change."""
    take(integration, {"scribe": list(scribe), "ehr": list(ehr)})
    notes = correlate_new(integration=integration).notes
    before = told(integration)
    correlate_all(integration=integration)
    assert differences(before, told(integration)) == []
    return notes


def test_one_notes_new_row_tells_that_note(integration) -> None:
    assert told_after(integration, scribe=[row(12, "queued", note_id="N-7", transaction_id="TX-7")]) == 1


def test_a_new_note_is_told_and_its_neighbours_are_left(integration) -> None:
    story = a_note_story("new", NINE + timedelta(minutes=20.5))
    assert told_after(integration, **story) == 1


def test_a_row_of_an_encounter_tells_the_encounters_note(integration) -> None:
    assert told_after(integration, ehr=[row(12, "filed", encounter_id="E-9", resource="DocumentReference/9")]) == 1


def test_a_row_of_a_patient_tells_the_patients_notes(integration) -> None:
    assert told_after(integration, ehr=[row(12, "filed", patient_id="P-9", author_id="prov-7")]) == 1


def test_an_answer_without_any_id_tells_those_it_may_be_the_answer_of(integration) -> None:
    bare = [row for row in a_note_story("bare", NINE + timedelta(minutes=20.5))["ehr"] if row["event"] != "accepted"]
    scribe = a_note_story("bare", NINE + timedelta(minutes=20.5))["scribe"]
    assert told_after(integration, scribe=scribe, ehr=bare) == 1
    assert told_after(integration, ehr=[row(20.7, "accepted")]) == 1


def test_by_other_rules_every_note_is_told_anew_though_nothing_came(integration) -> None:
    assert correlate_new(integration=integration).notes == 0
    CorrelationState.objects.update(rules=state.RULES - 1)
    assert correlate_new(integration=integration).notes == 41
    assert correlate_new(integration=integration).notes == 0


def test_where_the_clock_turns_out_to_be_another_the_whole_hour_is_told(integration) -> None:
    ahead = []
    for n in range(50, 100):
        story = a_note_story(n, NINE + timedelta(minutes=n - 50, seconds=30))
        for each in story["ehr"]:
            each["at"] = (datetime.fromisoformat(each["at"]) + timedelta(seconds=9)).isoformat()
        ahead.append(story)
    scribe = [each for story in ahead for each in story["scribe"]]
    assert told_after(integration, scribe=scribe, ehr=[each for story in ahead for each in story["ehr"]]) == 90
