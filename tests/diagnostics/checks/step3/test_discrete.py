"""Test discrete data left in the text, and its guards."""

import json

import pytest

from diagnostics.vocabulary import Outcome
from tests.diagnostics.checks.charts import a_case, chart, judged, mapping, narrative, refused, template

BOTH = ["narrative", "discrete"]
VITALS = narrative(Vitals="BP 142/88, HR 78, Temp 98.6 F.")
CODED = narrative(Assessment="Type 2 diabetes (E11.9) and hypertension (I10), both stable on treatment.")
LAST_VISIT = narrative(HPI="At the last visit BP 142/88 was read.")
RULED_OUT = narrative(Plan="Rule out E11.9 next time; family history of I21.3.")
LOOK_ALIKES = narrative(Exam="Vitamin B12 low, T4 normal, tender at L4 and C5, A1c 7.2.")
BP = {"kind": "observation", "code": "85354-9", "value": "142/88"}
HR = {"kind": "observation", "code": "8867-4", "value": "78"}
TEMP = {"kind": "observation", "code": "8310-5", "value": "98.6"}

CASES = [
    ("vitals_narrative", VITALS, mapping(output=BOTH), [], Outcome.FAILED),
    ("vitals_narrative", VITALS, mapping(output=BOTH), [BP, HR, TEMP], Outcome.PASSED),
    ("vitals_narrative", VITALS, mapping(output=BOTH), [BP], Outcome.WARNING),
    ("vitals_narrative", VITALS, mapping(), [], Outcome.NOT_APPLICABLE),
    ("vitals_narrative", VITALS, mapping(output=BOTH), None, Outcome.UNKNOWN),
    ("vitals_narrative", LAST_VISIT, mapping(output=BOTH), [], Outcome.NOT_APPLICABLE),
    ("icd_in_text", CODED, mapping(output=BOTH), [], Outcome.FAILED),
    ("icd_in_text", CODED, mapping(output=BOTH), [{"kind": "condition", "code": "E119"}], Outcome.WARNING),
    (
        "icd_in_text",
        CODED,
        mapping(output=BOTH),
        [{"kind": "condition", "code": "E11.9"}, {"kind": "condition", "code": "I10"}],
        Outcome.PASSED,
    ),
    ("icd_in_text", RULED_OUT, mapping(output=BOTH), [], Outcome.NOT_APPLICABLE),
    ("icd_in_text", LOOK_ALIKES, mapping(output=BOTH), [], Outcome.NOT_APPLICABLE),
]  # fmt: skip


@pytest.mark.parametrize(("check", "text", "rules", "discrete", "status"), CASES)
def test_discrete_data(
    check: str, text: str, rules: dict[str, object], discrete: list[dict[str, str]] | None, status: Outcome
) -> None:
    case = a_case(text, mapping=rules, template=template(), filed=chart(discrete=discrete))
    assert judged(f"map.discrete.{check}", case).status is status


def test_a_bundle_with_observations_needs_no_read_back() -> None:
    observation = {
        "resourceType": "Observation",
        "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]},
    }
    others = [{"resourceType": "Observation", "code": {"coding": [{"code": code}]}} for code in ("8867-4", "8310-5")]
    entries = [{"resource": r} for r in (observation, *others)]
    for entry, status in ((entries, Outcome.PASSED), ([], Outcome.FAILED)):
        payload = json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entry}).encode()
        case = a_case(VITALS, mapping=mapping(output=BOTH), note={"payload": payload})
        assert judged("map.discrete.vitals_narrative", case).status is status


def test_text_output_under_a_discrete_rule_is_proven() -> None:
    dx = template(more=({"id": "DX", "label": "Diagnoses", "kind": "discrete"},))
    rules = mapping(more=({"section": "assessment", "field": "DX"},))
    assert judged("map.output.narrative_only", a_case(mapping=rules, template=dx)).status is Outcome.FAILED
    assert (
        judged("map.output.narrative_only", a_case(mapping=rules | {"output": BOTH}, template=dx)).status
        is Outcome.PASSED
    )
    assert judged("map.output.narrative_only", a_case(mapping=mapping(), template=template())).status is Outcome.PASSED
    early = a_case(rows=refused(401), mapping=rules, template=dx)
    assert judged("map.output.narrative_only", early).status is Outcome.WARNING


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("Type 2 diabetes, well-controlled (E11.65).", Outcome.WARNING),
        ("Type 2 diabetes with hyperglycemia (E11.65).", Outcome.PASSED),
        ("Pain in the left knee (M25.561).", Outcome.WARNING),
        ("Pain in the right knee (M25.561).", Outcome.PASSED),
    ],
)
def test_a_code_against_its_words_only_warns(words: str, status: Outcome) -> None:
    assert judged("map.discrete.icd_incongruent", a_case(narrative(Assessment=words))).status is status
