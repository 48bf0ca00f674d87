"""Test patient and encounter: stored against meant, and what only looks different."""

from typing import Any

import pytest

from diagnostics.vocabulary import Outcome, Strength
from tests.diagnostics import stories
from tests.diagnostics.checks.charts import a_case, chart, judged

E1 = {"id": "E-1", "patient_id": "P-1"}
SAME_DAY = [
    {"id": "E-1", "period": {"start": stories.at(-3600), "end": stories.at(0)}},
    {"id": "E-2", "period": {"start": stories.at(-7200), "end": stories.at(-3600)}},
]
FILED = stories.ehr(4, "filed", resource="DocumentReference/1")
LATER = stories.ehr(60, "filed", resource="DocumentReference/1")

PATIENT = [
    ({"filed": chart(patient_id="P-2")}, Outcome.FAILED),
    ({"filed": chart(patient_id="Patient/P-1")}, Outcome.PASSED),
    ({"audit": [stories.ehr(4, "filed", patient_id="P-2")]}, Outcome.FAILED),
    ({"encounters": ({"id": "E-1", "patient_id": "P-9"},)}, Outcome.FAILED),
    ({"encounters": (E1,)}, Outcome.PASSED),
    ({}, Outcome.UNKNOWN),
    ({"audit": [FILED | {"patient_id": "P-2"}, LATER]}, Outcome.PASSED),
    ({"audit": [FILED | {"patient_id": "P-2"}, LATER | {"resource": "DocumentReference/2"}]}, Outcome.FAILED),
]
ENCOUNTER = [
    ({"filed": chart(encounter_id="E-2")}, Outcome.FAILED),
    ({"filed": chart(encounter_id="Encounter/E-1")}, Outcome.PASSED),
    ({"encounters": ({"id": "E-7"},), "rows": []}, Outcome.FAILED),
    ({"encounters": (E1,)}, Outcome.PASSED),
    ({}, Outcome.UNKNOWN),
    ({"audit": [FILED | {"encounter_id": "E-2"}, LATER]}, Outcome.PASSED),
    ({"audit": [FILED, LATER | {"encounter_id": "E-2"}]}, Outcome.FAILED),
]


@pytest.mark.parametrize(("parts", "status"), PATIENT)
def test_patient(parts: dict[str, Any], status: Outcome) -> None:
    assert judged("map.patient.mismatch", a_case(**parts)).status is status


@pytest.mark.parametrize(("parts", "status"), ENCOUNTER)
def test_encounter(parts: dict[str, Any], status: Outcome) -> None:
    assert judged("map.encounter.mismatch", a_case(**parts)).status is status


def _matched_by_time(encounters: tuple[dict[str, Any], ...]) -> Any:
    made = stories.note(encounter_id=None, generated_at=stories.START)
    rows = [stories.scribe(0, "generated", encounter_id=None)]
    return stories.case(rows, None, the_note=made, encounters=encounters)


def test_two_visits_that_fit_the_time_are_a_proven_ambiguity() -> None:
    finding = judged("map.encounter.mismatch", _matched_by_time(tuple(SAME_DAY)))
    assert (finding.status, finding.strength) == (Outcome.FAILED, Strength.DECISIVE)
    assert judged("map.encounter.mismatch", _matched_by_time((SAME_DAY[0],))).status is Outcome.NOT_APPLICABLE


def test_leading_zeros_and_assigning_authorities_are_no_other_patient() -> None:
    case = a_case(note={"patient_id": "00123"}, filed=chart(patient_id="123^^^NORTH^MR"))
    assert judged("map.patient.mismatch", case).status is Outcome.PASSED
