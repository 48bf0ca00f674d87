"""Test structured data left in the text, wrong in the flowsheet, or not possible at all; each with its guards."""

import json
from dataclasses import replace
from typing import Any

import pytest

from diagnostics import vendors
from diagnostics.case import Hl7Interface
from diagnostics.vocabulary import Outcome, Strength
from tests.diagnostics import stories
from tests.diagnostics.checks import seen
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
HIGH, LOW = ({"kind": "observation", "code": code, "value": value} for code, value in (("8480-6", "142"),
                                                                                       ("8462-4", "88")))  # fmt: skip
STARTED = narrative(Plan="Start lisinopril 10 mg daily.")
RETURN = narrative(Plan="Follow-up in 2 weeks.")
F, P, W, U, N = Outcome.FAILED, Outcome.PASSED, Outcome.WARNING, Outcome.UNKNOWN, Outcome.NOT_APPLICABLE


def observed(code: str, value: str) -> dict[str, str]:
    return {"kind": "observation", "code": code, "value": value}


def exam(words: str) -> str:
    return narrative(**{"Physical Exam": words})


CASES = [
    ("vitals_narrative", VITALS, mapping(output=BOTH), [], F),
    ("vitals_narrative", VITALS, mapping(output=BOTH), [BP, HR, TEMP], P),
    ("vitals_narrative", VITALS, mapping(output=BOTH), [BP], W),
    ("vitals_narrative", VITALS, mapping(), [], N),
    ("vitals_narrative", VITALS, mapping(output=BOTH), None, U),
    ("vitals_narrative", LAST_VISIT, mapping(output=BOTH), [], N),
    ("vitals_disagree", exam("BP 142/88."), mapping(output=BOTH), [observed("85354-9", "120/70")], F),
    ("vitals_disagree", exam("BP 142/88."), mapping(output=BOTH), [HIGH, LOW], P),
    ("vitals_disagree", exam("BP 142/88."), mapping(output=BOTH), [observed("85354-9", "140/86")], P),
    ("vitals_disagree", exam("BP 142/88."), mapping(output=BOTH), [observed("85354-9", "139/88")], F),
    ("vitals_disagree", exam("BP 142/88, repeat 128/80."), mapping(output=BOTH), [observed("85354-9", "128/80")], P),
    ("vitals_disagree", exam("Temp 98.6 F."), mapping(output=BOTH), [observed("8310-5", "37.0 Cel")], P),
    ("vitals_disagree", exam("Temp 38.6 C."), mapping(output=BOTH), [observed("8310-5", "37.0 Cel")], F),
    ("vitals_disagree", exam("Weight 180 lbs."), mapping(output=BOTH), [observed("29463-7", "81.6 kg")], P),
    ("vitals_disagree", exam("Weight 82 kg."), mapping(output=BOTH), [observed("29463-7", "82 [lb_av]")], F),
    ("vitals_disagree", exam("Weight 82 kg."), mapping(output=BOTH), [observed("29463-7", "180.8")], P),
    ("vitals_disagree", exam("HR 80."), mapping(output=BOTH), [], N),
    ("vitals_disagree", exam("HR 80."), mapping(output=BOTH), None, U),
    ("vitals_disagree", exam("The calf is soft."), mapping(output=BOTH), [HR], N),
    ("vitals_disagree", LAST_VISIT, mapping(output=BOTH), [observed("85354-9", "120/70")], N),
    ("icd_in_text", CODED, mapping(output=BOTH), [], F),
    ("icd_in_text", CODED, mapping(output=BOTH), [{"kind": "condition", "code": "E119"}], W),
    (
        "icd_in_text",
        CODED,
        mapping(output=BOTH),
        [{"kind": "condition", "code": "E11.9"}, {"kind": "condition", "code": "I10"}],
        P,
    ),
    ("icd_in_text", RULED_OUT, mapping(output=BOTH), [], N),
    ("icd_in_text", LOOK_ALIKES, mapping(output=BOTH), [], N),
    ("med_no_order", STARTED, mapping(output=BOTH), [], F),
    ("med_no_order", STARTED, mapping(output=BOTH), [{"kind": "medication", "value": "Lisinopril 10 mg"}], P),
    ("med_no_order", STARTED, mapping(output=BOTH), [{"kind": "order", "code": "314076", "value": ""}], P),
    ("med_no_order", STARTED, mapping(output=BOTH), [{"kind": "medication", "value": "metformin 500 mg"}], W),
    ("med_no_order", STARTED, mapping(output=BOTH), [{"kind": "condition", "code": "I10"}], F),
    ("med_no_order", STARTED, mapping(), [], N),
    ("med_no_order", STARTED, mapping(output=BOTH), None, U),
    ("med_no_order", narrative(Plan="Continue lisinopril 10 mg daily."), mapping(output=BOTH), [], N),
    ("med_no_order", narrative(Plan="May take ibuprofen 200 mg as needed."), mapping(output=BOTH), [], N),
    ("med_no_order", narrative(Plan="Start OTC ibuprofen 200 mg daily."), mapping(output=BOTH), [], N),
    ("med_no_order", narrative(HPI="Her doctor started lisinopril 10 mg daily."), mapping(output=BOTH), [], N),
    ("followup", RETURN, mapping(output=BOTH), [], F),
    ("followup", narrative(Plan="RTC six months."), mapping(output=BOTH), [], F),
    ("followup", RETURN, mapping(output=BOTH), [{"kind": "appointment", "value": "2026-03-16"}], P),
    ("followup", RETURN, mapping(), [], N),
    ("followup", RETURN, mapping(output=BOTH), None, U),
    ("followup", narrative(Plan="Follow-up as needed."), mapping(output=BOTH), [], N),
    ("followup", narrative(Plan="Return in 2 weeks if it has not settled."), mapping(output=BOTH), [], N),
    ("followup", narrative(Plan="May return to work in 2 days."), mapping(output=BOTH), [], N),
    ("followup", narrative(HPI="Had a follow-up 2 weeks ago."), mapping(output=BOTH), [], N),
]


@pytest.mark.parametrize(("check", "text", "rules", "discrete", "status"), CASES)
def test_discrete_data(
    check: str, text: str, rules: dict[str, object], discrete: list[dict[str, str]] | None, status: Outcome
) -> None:
    case = a_case(text, mapping=rules, template=template(), filed=chart(discrete=discrete))
    assert judged(f"map.discrete.{check}", case).status is status


def _bundle(*resources: dict[str, Any]) -> bytes:
    entries = [{"resource": resource} for resource in resources]
    return json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}).encode()


def test_a_bundle_with_observations_needs_no_read_back() -> None:
    codes = ("85354-9", "8867-4", "8310-5")
    held = [{"resourceType": "Observation", "code": {"coding": [{"code": code}]}} for code in codes]
    for resources, status in ((held, P), ([], F)):
        case = a_case(VITALS, mapping=mapping(output=BOTH), note={"payload": _bundle(*resources)})
        assert judged("map.discrete.vitals_narrative", case).status is status


def test_values_of_the_payload_are_compared_with_its_text() -> None:
    def reading(value: float, unit: str) -> bytes:
        quantity = {"value": value, "code": unit}
        code = {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]}
        return _bundle({"resourceType": "Observation", "code": code, "valueQuantity": quantity})

    for payload, status in ((reading(82, "kg"), P), (reading(180.8, "[lb_av]"), P), (reading(82, "[lb_av]"), F)):
        case = a_case(exam("Weight 82 kg."), mapping=mapping(output=BOTH), note={"payload": payload})
        assert judged("map.discrete.vitals_disagree", case).status is status


def test_differing_values_weigh_moderately_and_a_missing_return_too() -> None:
    for check, text, there in (("vitals_disagree", exam("HR 80."), [HR | {"value": "120"}]), ("followup", RETURN, [])):
        case = a_case(text, mapping=mapping(output=BOTH), filed=chart(discrete=there))
        assert judged(f"map.discrete.{check}", case).strength is Strength.MODERATE


def test_a_medication_request_in_the_payload_is_an_order() -> None:
    payload = _bundle({"resourceType": "MedicationRequest"})
    case = a_case(STARTED, mapping=mapping(output=BOTH), note={"payload": payload})
    assert judged("map.discrete.med_no_order", case).status is P
    case = a_case(STARTED, mapping=mapping(output=BOTH), note={"payload": _bundle()})
    assert judged("map.discrete.med_no_order", case).status is F


def test_an_ehr_that_takes_no_medication_orders_is_no_fault_of_the_interface() -> None:
    case = a_case(STARTED, mapping=mapping(output=BOTH), filed=chart(discrete=[]))
    slug = next(slug for slug in vendors.slugs() if "MedicationRequest" in vendors.profile(slug).no_creates)
    without = replace(case, integration=replace(case.integration, vendor=slug))
    assert judged("map.discrete.med_no_order", without).status is N
    asked = replace(without, integration=replace(without.integration, resources_needed=("MedicationRequest",)))
    assert judged("map.discrete.med_no_order", asked).status is F
    assert judged("map.discrete.med_no_order", case).status is F


DX = {"id": "DX", "label": "Diagnoses", "kind": "discrete", "system": "http://hl7.org/fhir/sid/icd-10-cm"}
TO_DX = mapping(output=BOTH, more=({"section": "assessment", "field": "DX"},))


def test_text_output_under_a_discrete_rule_is_proven() -> None:
    dx = template(more=(DX,))
    rules = TO_DX | {"output": ["narrative"]}
    assert judged("map.output.narrative_only", a_case(mapping=rules, template=dx)).status is F
    assert judged("map.output.narrative_only", a_case(mapping=TO_DX, template=dx)).status is P
    assert judged("map.output.narrative_only", a_case(mapping=mapping(), template=template())).status is P
    early = a_case(rows=refused(401), mapping=rules, template=dx)
    assert judged("map.output.narrative_only", early).status is W


def _interface(creates: tuple[str, ...] | None, **parts: Any) -> Any:
    case = a_case(**({"mapping": TO_DX, "template": template(more=(DX,))} | parts))
    if creates is None:
        return seen.judged("map.interface.no_discrete", of=case)
    listed = tuple(seen.ResourceCapability(name, ("create", "read")) for name in creates)
    return seen.judged("map.interface.no_discrete", seen.capability(resources=listed), of=case)


def test_a_server_that_creates_documents_only_takes_no_diagnoses() -> None:
    finding = _interface(("DocumentReference",))
    assert (finding.status, finding.strength) == (F, Strength.STRONG)
    assert _interface(("DocumentReference", "Condition")).status is P
    assert _interface(None).status is U
    assert _interface(("DocumentReference",), mapping=mapping()).status is N
    came = chart(discrete=[{"kind": "condition", "code": "E11.9"}])
    assert _interface(("DocumentReference",), filed=came).status is P
    assert _interface(("DocumentReference",), rows=refused(401)).status is W
    own = stories.integration(write_url="https://ehr.example.test/notes")
    assert _interface(("DocumentReference",), integration=own).status is W


@pytest.mark.parametrize(("message", "status"), [("MDM^T02", F), ("ORU^R01", P), (None, U)])
def test_a_document_message_carries_no_structured_data(message: str | None, status: Outcome) -> None:
    by_hl7 = stories.integration(protocol="hl7v2", fhir_base_url=None, hl7=Hl7Interface(message=message))
    finding = _interface(None, integration=by_hl7)
    assert finding.status is status
    if status is F:
        assert finding.strength is Strength.MODERATE


WORDS = [
    ("Type 2 diabetes, well-controlled (E11.65).", W),
    ("Type 2 diabetes with hyperglycemia (E11.65).", P),
    ("Type 2 diabetes, not well controlled (E11.65).", P),
    ("Pain in the left knee (M25.561).", W),
    ("Pain in the right knee (M25.561).", P),
    ("Pain in the right knee (M25.561) and in the left knee (M25.562).", P),
    ("M25.561 right knee pain, M25.562 left knee pain", P),
    ("Pain in both knees (M25.561).", P),
    ("Type 1 diabetes (E11.9).", W),
    ("Type 2 diabetes with diabetic neuropathy (E11.9).", W),
    ("Type 2 diabetes without neuropathy or retinopathy (E11.9).", P),
    ("Acute gastritis with bleeding (K29.00).", W),
    ("Acute gastritis without bleeding (K29.01).", W),
    ("Acute gastritis without bleeding (K29.00).", P),
    ("Migraine without aura with status migrainosus (G43.009).", W),
    ("Chronic sinusitis (J01.90).", W),
    ("Mild intermittent asthma with acute exacerbation (J45.20).", W),
    ("Supervision of high risk pregnancy, third trimester (O09.91).", W),
    ("Ankle sprain, subsequent encounter (S93.401A).", W),
    ("Something or other (Q99.99Z).", P),
]


@pytest.mark.parametrize(("words", "status"), WORDS)
def test_a_code_against_its_words_only_warns(words: str, status: Outcome) -> None:
    assert judged("map.discrete.icd_incongruent", a_case(narrative(Assessment=words))).status is status


VALID = [
    ("Sore throat (J02.9).", P),
    ("Sore throat (J02.7).", W),
    ("Type 2 diabetes (E11).", W),
    ("Fracture (S72.001).", W),
    ("Fracture (S72.001A).", P),
    ("COVID-19 (U07.1).", P),
    ("Vitamin B12 and T4 are low.", N),
]


@pytest.mark.parametrize(("words", "status"), VALID)
def test_codes_that_do_not_exist_or_head_a_group_only_warn(words: str, status: Outcome) -> None:
    assert judged("map.discrete.icd_invalid", a_case(narrative(Assessment=words))).status is status


def test_codes_of_the_payload_and_of_the_chart_are_looked_up_as_well() -> None:
    filed = chart(discrete=[{"kind": "condition", "code": "J02.7"}])
    assert judged("map.discrete.icd_invalid", a_case(filed=filed)).status is W
    coding = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "E11"}]}
    payload = _bundle({"resourceType": "Condition", "code": coding})
    assert judged("map.discrete.icd_invalid", a_case(note={"payload": payload})).status is W
