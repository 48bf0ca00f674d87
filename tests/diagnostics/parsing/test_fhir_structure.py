"""What a FHIR R4 resource must obey: data types, shapes, choices, invariants, references, Bundles; in JSON and XML."""

import json
from typing import Any

import pytest

from diagnostics.parsing.fhir import read_resource
from diagnostics.parsing.fhir_structure import MAX_ISSUES, judge_structure
from diagnostics.parsing.fhir_types import HOLDS
from diagnostics.parsing.us_core import is_loinc
from tests.diagnostics import fhir_samples

TYPES: list[tuple[str, Any, bool]] = [
    ("id", "a-1.B", True), ("id", "x" * 65, False), ("id", "a b", False), ("id", "", False),
    ("code", "final", True), ("code", "text/plain; charset=utf-8", True), ("code", " final", False),
    ("code", "a  b", False), ("uri", "urn:oid:1.2.3", True), ("uri", "http://a b", False), ("uri", "", False),
    ("oid", "urn:oid:2.16.840", True), ("oid", "2.16.840", False), ("oid", "urn:oid:1.02", False),
    ("uuid", "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0", True), ("uuid", "urn:uuid:0C3151BD", False),
    ("instant", "2026-03-02T16:58:00Z", True), ("instant", "2026-03-02T16:58:00.123+14:00", True),
    ("instant", "2026-03-02T16:58:00", False), ("instant", "2026-03-02", False),
    ("instant", "2026-03-02T16:58Z", False), ("instant", "2026-03-02T25:00:00Z", False),
    ("dateTime", "2026", True), ("dateTime", "2026-03", True), ("dateTime", "2026-03-02", True),
    ("dateTime", "2026-03-02T16:58:00", False), ("dateTime", "2026-03T16:58:00Z", False),
    ("dateTime", "2026-02-29", False), ("dateTime", "2024-02-29", True), ("dateTime", "2026-13-01", False),
    ("dateTime", "0000-01-01", False), ("date", "2026-03-02T16:58:00Z", False), ("date", "20260302", False),
    ("time", "16:58:00", True), ("time", "16:58", False), ("time", "24:00:00", False),
    ("boolean", True, True), ("boolean", "true", False), ("boolean", 1, False),
    ("integer", -5, True), ("integer", 5.0, False), ("integer", True, False), ("integer", 2**31, False),
    ("unsignedInt", 0, True), ("unsignedInt", -1, False), ("positiveInt", 0, False), ("positiveInt", 1, True),
    ("decimal", 1, True), ("decimal", 1.5, True), ("decimal", "1.5", False), ("decimal", False, False),
    ("base64Binary", "aGk=", True), ("base64Binary", "aG k=\n", True), ("base64Binary", "aGk", False),
    ("base64Binary", "_-_-", False), ("base64Binary", "é", False),
    ("string", "x", True), ("string", "", False), ("string", "a\ud800", False), ("string", "x" * (2**20 + 1), False),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "value", "right"), TYPES, ids=[f"{k}-{str(v)[:20]!a}" for k, v, _ in TYPES])
def test_a_value_is_held_to_its_data_type(kind: str, value: Any, right: bool) -> None:
    assert HOLDS[kind](value) is right


def note(**changed: Any) -> dict[str, Any]:
    return {name: value for name, value in (fhir_samples.note() | changed).items() if value is not None}


def entry(resource: Any, **more: Any) -> dict[str, Any]:
    return {"resource": resource} | more


def bundle(kind: str, *entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)} | more


POST = {"request": {"method": "POST", "url": "Condition"}}
STATUS = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
WITHDRAWN = {"coding": [{"system": STATUS, "code": "entered-in-error"}]}
CONDITION = fhir_samples.condition()
VITAL = fhir_samples.vital()
UNUSED = {"resourceType": "Device", "id": "other"}
VERSIONED = {"resourceType": "Device", "id": "scribe", "meta": {"versionId": "2"}}
NESTED = {"resourceType": "Device", "id": "scribe", "contained": [UNUSED]}

FAULTS: list[tuple[str, dict[str, Any], str, str]] = [
    # shapes
    ("null", note(description=None) | {"description": None}, "shape", "DocumentReference.description"),
    ("an empty list", note(category=[]), "shape", "DocumentReference.category"),
    ("an empty object", note(custodian={}), "shape", "DocumentReference.custodian"),
    ("two values of one choice", VITAL | {"valueString": "x"}, "shape", "Observation.valueString"),
    ("a plain value for an object", note(type="11506-3"), "shape", "DocumentReference.type"),
    ("null in a list without a companion", note(author=[None]), "shape", "DocumentReference.author[0]"),
    ("a companion of nothing", note(_mood={"id": "x"}), "unknown_element", "DocumentReference._mood"),
    ("an element of FHIR R5", note(attester=[]), "unknown_element", "DocumentReference.attester"),
    ("a code outside its set", note(docStatus="signed"), "code", "DocumentReference.docStatus"),
    ("a code where a list holds codes",
     {"resourceType": "HealthcareService", "availableTime": [{"daysOfWeek": ["monday"]}]},
     "code", "HealthcareService.availableTime[0].daysOfWeek[0]"),
    ("a misspelt resource inside", bundle("transaction", entry({"resourceType": "Conditon"}, **POST)),
     "resource_type", "Bundle.entry[0].resource"),
    ("a resource without a type inside",
     note(contained=[{"id": "x"}]), "resource_type", "DocumentReference.contained[0]"),
    # invariants
    ("att-1", note(content=[{"attachment": {"data": "aGk="}}]), "invariant",
     "DocumentReference.content[0].attachment.contentType"),
    ("per-1", note(context={"period": {"start": "2026-03-02T17:00:00Z", "end": "2026-03-02T17:30:00+02:00"}}),
     "invariant", "DocumentReference.context.period.end"),
    ("ext-1 both",
     note(extension=[{"url": "http://x", "valueCode": "a", "extension": [{"url": "y", "valueCode": "b"}]}]),
     "invariant", "DocumentReference.extension[0]"),
    ("ext-1 none", note(extension=[{"url": "http://x"}]), "invariant", "DocumentReference.extension[0]"),
    ("qty-3", VITAL | {"valueQuantity": {"value": 1, "code": "kg"}}, "invariant", "Observation.valueQuantity.system"),
    ("cpt-2", {"resourceType": "Patient", "telecom": [{"value": "555"}]}, "invariant", "Patient.telecom[0].system"),
    ("a reference to nothing", note(custodian={"type": "Organization"}), "invariant", "DocumentReference.custodian"),
    ("cmp-1", fhir_samples.composition("Patient/1", "Practitioner/1") | {"section": [{"title": "Plan"}]},
     "invariant", "Composition.section[0]"),
    ("cmp-2", fhir_samples.composition("Patient/1", "Practitioner/1")
     | {"section": [{"entry": [{"reference": "Condition/1"}], "emptyReason": {"text": "x"}}]},
     "invariant", "Composition.section[0].emptyReason"),
    ("obs-6", VITAL | {"dataAbsentReason": {"text": "x"}}, "invariant", "Observation.dataAbsentReason"),
    ("obs-7",
     VITAL | {"component": [{"code": VITAL["code"], "valueString": "x"}]}, "invariant", "Observation.valueQuantity"),
    ("obs-3", VITAL | {"referenceRange": [{"type": {"text": "x"}}]}, "invariant", "Observation.referenceRange[0]"),
    ("con-4", CONDITION | {"abatementDateTime": "2026"}, "invariant", "Condition.clinicalStatus"),
    ("con-5", CONDITION | {"verificationStatus": WITHDRAWN}, "invariant", "Condition.clinicalStatus"),
    ("ait-1", {"resourceType": "AllergyIntolerance", "patient": {"reference": "Patient/1"}}, "invariant",
     "AllergyIntolerance.clinicalStatus"),
    ("dom-2", note(contained=[NESTED]), "invariant", "DocumentReference.contained[0].contained"),
    ("dom-3",
     note(contained=[*fhir_samples.note()["contained"], UNUSED]), "invariant", "DocumentReference.contained[1]"),
    ("dom-4", note(contained=[VERSIONED]), "invariant", "DocumentReference.contained[0].meta"),
    # narrative
    ("an open line break",
     note(text={"status": "generated", "div": "<div xmlns='http://www.w3.org/1999/xhtml'>a<br></div>"}),
     "xhtml", "DocumentReference.text.div"),
    # references
    ("a local one without its resource", note(contained=None), "reference", "DocumentReference.author[1]"),
    ("a temporary id outside a Bundle",
     note(subject={"reference": "urn:uuid:1"}), "reference", "DocumentReference.subject"),
    ("an entry that is not there", bundle("transaction", entry(fhir_samples.condition("urn:uuid:1"), **POST)),
     "reference", "Bundle.entry[0].resource.subject"),
    ("a bare id", note(subject={"reference": "P-1"}), "value", "DocumentReference.subject"),
    ("a type in lower case", note(subject={"reference": "patient/P-1"}), "value", "DocumentReference.subject"),
    ("a condition outside a transaction", note(subject={"reference": "Patient?identifier=x"}), "value",
     "DocumentReference.subject"),
    ("another kind", note(subject={"reference": "Medication/1"}), "target", "DocumentReference.subject"),
    ("another kind, absolute", note(custodian={"reference": "https://ehr.example/r4/Patient/1"}), "target",
     "DocumentReference.custodian"),
    ("another kind, contained", note(subject={"reference": "#org"}, contained=[
        *fhir_samples.note()["contained"], {"resourceType": "Organization", "id": "org"}]), "target",
     "DocumentReference.subject"),
    ("another kind, within the Bundle", bundle(
        "transaction",
        entry(fhir_samples.PRACTITIONER, fullUrl="urn:uuid:1", request={"method": "POST", "url": "Practitioner"}),
        entry(fhir_samples.condition("urn:uuid:1"), **POST)), "target", "Bundle.entry[1].resource.subject"),
    # Bundles
    ("bdl-1", bundle("document") | {"total": 1}, "invariant", "Bundle.total"),
    ("bdl-2", bundle("collection", entry(CONDITION, search={"mode": "match"})), "invariant", "Bundle.entry[0].search"),
    ("bdl-3 missing", bundle("transaction", entry(CONDITION)), "invariant", "Bundle.entry[0].request"),
    ("bdl-3 elsewhere", bundle("collection", entry(CONDITION, **POST)), "invariant", "Bundle.entry[0].request"),
    ("bdl-4",
     bundle("collection", entry(CONDITION, response={"status": "201"})), "invariant", "Bundle.entry[0].response"),
    ("bdl-5", bundle("collection", {"fullUrl": "urn:uuid:1"}), "invariant", "Bundle.entry[0].resource"),
    ("bdl-7", bundle("collection", entry(CONDITION, fullUrl="urn:uuid:1"), entry(CONDITION, fullUrl="urn:uuid:1")),
     "invariant", "Bundle.entry[1].fullUrl"),
    ("bdl-8", bundle("collection", entry(CONDITION, fullUrl="http://e/Condition/1/_history/2")), "invariant",
     "Bundle.entry[0].fullUrl"),
    ("bdl-9",
     bundle("document", entry(fhir_samples.composition("Patient/1", "Practitioner/1")),
     timestamp="2026-03-02T16:58:00Z"),
     "invariant", "Bundle.identifier"),
    ("bdl-10", bundle("document"), "invariant", "Bundle.timestamp"),
    ("bdl-11", bundle("document", entry(CONDITION)), "invariant", "Bundle.entry[0].resource"),
    ("bdl-12", bundle("message", entry(CONDITION)), "invariant", "Bundle.entry[0].resource"),
    ("a create without a resource", bundle("transaction", POST), "invariant", "Bundle.entry[0].request"),
    ("a create at another type's address", bundle("transaction", entry(VITAL, **POST)), "invariant",
     "Bundle.entry[0].request.url"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "resource", "kind", "path"), FAULTS, ids=[row[0] for row in FAULTS])
def test_a_fault_is_named_by_its_place(what: str, resource: dict[str, Any], kind: str, path: str) -> None:
    told = {(issue.kind, issue.path) for issue in judge_structure(resource).issues}
    assert (kind, path) in told, told


RIGHT: list[tuple[str, dict[str, Any]]] = [
    ("a primitive with an extension and no value", note(status=None, _status={"extension": [
        {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]})),
    ("a list with gaps told beside it", {"resourceType": "Patient", "name": [
        {"given": ["Sam", None], "_given": [None, {"extension": [{"url": "http://x", "valueString": "y"}]}]}]}),
    ("a logical reference", note(subject={"identifier": {"system": "urn:example", "value": "1"}})),
    ("a contained resource that refers to its holder", note(contained=[
        {"resourceType": "Provenance", "id": "p", "target": [{"reference": "#"}], "recorded": "2026-03-02T16:58:00Z",
         "agent": [{"who": {"display": "scribe"}}]}, *fhir_samples.note()["contained"]])),
    ("a period of days", note(context={"period": {"start": "2026-03-02", "end": "2026-03"}})),
    ("a resource that is not judged inside", {"resourceType": "ValueSet", "whatever": 1}),
    ("a reference to a profile's own kind of address",
     note(custodian={"reference": "https://registry.example/org?id=7"})),
]  # fmt: skip


@pytest.mark.parametrize(("what", "resource"), RIGHT, ids=[row[0] for row in RIGHT])
def test_what_the_standard_allows_is_let_pass(what: str, resource: dict[str, Any]) -> None:
    assert judge_structure(resource).issues == ()


def test_every_fault_is_told_up_to_a_limit() -> None:
    three = note(status="x", date="today", mood=1)
    assert len(judge_structure(three).issues) == 3
    many = bundle("collection", *(entry({"resourceType": "Condition"}) for _ in range(500)))
    assert len(judge_structure(many).issues) == MAX_ISSUES


def test_xml_says_the_same_as_json() -> None:
    xml = b"""<DocumentReference xmlns="http://hl7.org/fhir"><status value="curent"/><mood value="calm"/>
      <date value="2026-03-02T16:58:00"/><author><reference value="#d"/></author>
      <content>
        <attachment><contentType value="text/plain"/><data value="aGk="/><size value="two"/></attachment>
      </content>
      <context>
        <related><reference value="Basic/1"/></related><encounter><reference value="Patient/1"/></encounter>
      </context></DocumentReference>"""
    read = read_resource(xml)
    assert read.resource is not None
    told = {issue.path.partition(".")[2] for issue in judge_structure(read.resource).issues}
    assert told == {"status", "mood", "date", "author[0]", "content[0].attachment.size", "context.encounter[0]"}


def test_a_document_in_xml_is_read_as_in_json() -> None:
    xml = b"""<Bundle xmlns="http://hl7.org/fhir"><type value="collection"/><entry><resource>
      <Patient><active value="true"/><name><given value="Sam"/><given value="J."/></name>
      <birthDate value="1980-02-29"><extension url="http://x"><valueDecimal value="1.50"/></extension></birthDate>
      <multipleBirthInteger value="2"/></Patient></resource></entry></Bundle>"""
    patient = (read_resource(xml).resource or {})["entry"][0]["resource"]
    assert patient == {
        "resourceType": "Patient",
        "active": True,
        "name": [{"given": ["Sam", "J."]}],
        "birthDate": "1980-02-29",
        "_birthDate": {"extension": [{"url": "http://x", "valueDecimal": 1.5}]},
        "multipleBirthInteger": 2,
    }


@pytest.mark.parametrize(("depth", "deep"), [(90, False), (110, True), (100_000, True)])
def test_endless_nesting_is_a_finding(depth: int, deep: bool) -> None:
    data = b'{"resourceType": "Basic", "a": ' + b"[" * depth + b"]" * depth + b"}"
    kinds = [problem.kind for problem in read_resource(data).problems]
    assert kinds == (["too_deep"] if deep else [])


def test_a_key_that_stands_twice_is_named_once() -> None:
    read = read_resource(b'{"resourceType": "Basic", "id": "1", "id": "2", "id": "3"}')
    assert [(problem.kind, problem.place) for problem in read.problems] == [("duplicate_key", "id")]


def test_no_value_stands_in_a_sentence() -> None:
    secret = "Zebulon Quartermain"
    payload = json.loads(json.dumps(fhir_samples.transaction()).replace("Sam", secret))
    payload["entry"][0]["resource"]["name"][0]["family"] = [secret]
    payload["entry"][1]["resource"]["date"] = secret
    payload["entry"][1]["resource"]["subject"] = {"reference": secret}
    issues = judge_structure(payload).issues
    assert len(issues) == 3
    assert all(secret not in issue.says + issue.path for issue in issues)


@pytest.mark.parametrize(
    ("code", "right"),
    [("11506-3", True), ("18842-5", True), ("34117-2", True), ("11506-4", False), ("11506", False), (None, False)],
)
def test_a_loinc_code_has_its_check_digit(code: str | None, right: bool) -> None:
    assert is_loinc(code) is right
