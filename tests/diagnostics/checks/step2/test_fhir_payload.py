"""The FHIR payload: structure, required elements, attachment, references; and what a fate makes of an offence."""

import hashlib
from typing import Any

import pytest

from diagnostics.vocabulary import Outcome, Strength
from tests.diagnostics.checks.charts import judged
from tests.diagnostics.checks.step2.payloads import (
    TEXT,
    US_CORE,
    attachment,
    b64,
    document,
    fhir_case,
    issue,
    sent_and,
)

CHECKS = ("structure", "required", "attachment", "references")


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("vendor", ["generic", "epic", "oracle-health"])
def test_a_sound_note_offends_no_rule(check: str, vendor: str) -> None:
    found = judged(f"fhir.payload.{check}", fhir_case(document(), vendor=vendor, profile=US_CORE))
    assert found.status is Outcome.PASSED, found.says


STRUCTURE: list[tuple[str, Any, str]] = [
    ("unknown element", document(mood="calm"), "DocumentReference.mood"),
    ("single object for a list", document(category={"text": "x"}), "DocumentReference.category"),
    ("list for a single object", document(subject=[{"reference": "Patient/P-1"}]), "DocumentReference.subject"),
    ("status outside its value set", document(status="finished"), "DocumentReference.status"),
    ("date without zone", document(date="2026-03-02T16:58:00"), "DocumentReference.date"),
    ("reference of the wrong kind", document(custodian={"reference": "Patient/P-1"}), "DocumentReference.custodian"),
    ("no resource type", {"status": "current"}, "resource"),
    ("broken JSON", b'{"resourceType": "DocumentReference", ', "line 1"),
    ("empty", b"", "nothing"),
]


@pytest.mark.parametrize(("what", "payload", "named"), STRUCTURE, ids=[row[0] for row in STRUCTURE])
def test_a_fault_of_structure_is_named_with_its_place(what: str, payload: Any, named: str) -> None:
    found = judged("fhir.payload.structure", fhir_case(payload, sent_and(400, issue("structure"))))
    assert (found.status, found.strength) == (Outcome.FAILED, Strength.DECISIVE)
    assert named in found.says


def test_a_bundle_is_judged_entry_by_entry() -> None:
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [
        {"fullUrl": "urn:uuid:1", "resource": document(status="wrong"), "request": {"method": "POST", "url": "x"}},
    ]}  # fmt: skip
    found = judged("fhir.payload.structure", fhir_case(bundle))
    assert found.status is Outcome.FAILED
    assert "Bundle.entry[0].resource.status" in found.says


def test_an_xml_payload_is_read_as_well() -> None:
    xml = b"""<DocumentReference xmlns="http://hl7.org/fhir"><status value="current"/>
      <content><attachment><contentType value="text/plain"/><data value="aGVsbG8="/></attachment></content>
      </DocumentReference>"""
    assert judged("fhir.payload.structure", fhir_case(xml)).status is Outcome.PASSED


REQUIRED: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("base status", document(status=None), {}, "DocumentReference.status"),
    ("base content", document(content=[]), {}, "DocumentReference.content"),
    ("US Core category", document(category=None), {"profile": US_CORE}, "DocumentReference.category"),
    ("US Core by meta", document(type=None, meta={"profile": [US_CORE]}), {}, "DocumentReference.type"),
    ("neither data nor url", attachment(data=None), {}, "DocumentReference.content[0].attachment.data"),
    ("vendor: encounter", document(context=None), {"vendor": "epic"}, "DocumentReference.context.encounter"),
    ("vendor: period end", document(context={"encounter": [{"reference": "Encounter/E-1"}]}),
     {"vendor": "oracle-health"}, "DocumentReference.context.period.end"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "payload", "setting", "path"), REQUIRED, ids=[row[0] for row in REQUIRED])
def test_a_missing_element_is_named(what: str, payload: dict[str, Any], setting: dict[str, Any], path: str) -> None:
    found = judged("fhir.payload.required", fhir_case(payload, sent_and(422, issue("required", path)), **setting))
    assert (found.status, found.strength) == (Outcome.FAILED, Strength.DECISIVE), found.says
    assert path in found.says


def test_a_list_nobody_verified_is_no_proof_until_the_ehr_names_the_element() -> None:
    payload = document(context=None)
    assert judged("fhir.payload.required", fhir_case(payload, vendor="epic")).strength is Strength.STRONG
    named = sent_and(400, issue("required", "DocumentReference.context.encounter"))
    assert judged("fhir.payload.required", fhir_case(payload, named, vendor="epic")).strength is Strength.DECISIVE


def test_us_core_is_not_held_against_an_ehr_that_never_asked_for_it() -> None:
    assert judged("fhir.payload.required", fhir_case(document(category=None))).status is Outcome.PASSED
    refused = judged("fhir.payload.required", fhir_case(document(category=None), sent_and(422, issue("processing"))))
    assert (refused.status, refused.strength) == (Outcome.FAILED, Strength.MODERATE)


SHA1 = hashlib.sha1(TEXT.encode(), usedforsecurity=False).digest()
ATTACHMENT: list[tuple[str, dict[str, Any], dict[str, Any], bool]] = [
    ("not base64", attachment(data="@@not base64@@"), {}, True),
    ("URL-safe alphabet", attachment(data="_-_-"), {}, True),
    ("only white space", attachment(data=b64(" \n ")), {}, True),
    ("wrong size", attachment(size=3), {}, True),
    ("wrong hash", attachment(hash=b64(b"\0" * 20)), {}, True),
    ("data without content type", attachment(contentType=None), {}, True),
    ("PDF called text", attachment(data=b64(b"%PDF-1.7 ...")), {}, True),
    ("content type not listed", attachment(contentType="image/png"), {"vendor": "oracle-health"}, True),
    ("charset missing", attachment(contentType="text/plain"), {"vendor": "oracle-health"}, True),
    ("address only", attachment(data=None, url="https://files.example.test/1"), {"vendor": "oracle-health"}, True),
    ("Latin-1 called UTF-8", attachment(data=b64("caf\xe9".encode("latin-1"))), {}, True),
    ("white space in base64", attachment(data="\n ".join(b64(TEXT)[i : i + 8] for i in range(0, 400, 8))), {}, False),
    ("right size and hash", attachment(size=len(TEXT.encode()), hash=b64(SHA1)), {}, False),
    ("address only, generic", attachment(data=None, url="https://files.example.test/1"), {}, False),
    ("no charset, generic", attachment(contentType="text/plain"), {}, False),
]  # fmt: skip


@pytest.mark.parametrize(("what", "payload", "setting", "wrong"), ATTACHMENT, ids=[row[0] for row in ATTACHMENT])
def test_an_attachment_is_decoded_as_declared(what: str, payload: Any, setting: Any, wrong: bool) -> None:
    found = judged("fhir.payload.attachment", fhir_case(payload, sent_and(422, issue("value")), **setting))
    assert found.status is (Outcome.FAILED if wrong else Outcome.PASSED), found.says


REFERENCES: list[tuple[str, Any, bool]] = [
    ("another server", document(subject={"reference": "https://other.example.org/fhir/Patient/9"}), True),
    ("contained, and gone", document(author=[{"reference": "#doc"}]), True),
    ("same server, absolute", document(subject={"reference": "https://ehr.example.test/fhir/R4/Patient/P-1"}), False),
    ("contained", document(author=[{"reference": "#d"}], contained=[{"resourceType": "Device", "id": "d"}]), False),
    ("logical reference", document(subject={"identifier": {"value": "P-1"}}, author=None), False),
]  # fmt: skip


@pytest.mark.parametrize(("what", "payload", "wrong"), REFERENCES, ids=[row[0] for row in REFERENCES])
def test_references_stay_within_this_ehr(what: str, payload: Any, wrong: bool) -> None:
    found = judged("fhir.payload.references", fhir_case(payload, sent_and(422, issue("not-found"))))
    assert found.status is (Outcome.FAILED if wrong else Outcome.PASSED), found.says


def test_references_inside_a_bundle_are_not_foreign() -> None:
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [
        {"fullUrl": "urn:uuid:p", "resource": {"resourceType": "Encounter", "status": "planned"}},
        {"resource": document(context={"encounter": [{"reference": "urn:uuid:p"}]})},
    ]}  # fmt: skip
    assert judged("fhir.payload.references", fhir_case(bundle)).status is Outcome.PASSED


FATES: list[tuple[str, Any, Outcome, Strength | None]] = [
    ("taken", sent_and(201), Outcome.WARNING, Strength.WEAK),
    ("no log", None, Outcome.FAILED, Strength.DECISIVE),
    ("refused as invalid", sent_and(400, issue("invalid")), Outcome.FAILED, Strength.DECISIVE),
    ("refused elsewhere in the note", sent_and(400, issue("value", "DocumentReference.subject")),
     Outcome.FAILED, Strength.STRONG),
    ("refused for a closed encounter", sent_and(422, issue("business-rule", text="Encounter is closed")),
     Outcome.FAILED, Strength.MODERATE),
    ("refused for its text only", sent_and(422, issue("processing", text="The encounter is locked")),
     Outcome.FAILED, Strength.MODERATE),
    ("stopped before with 401", sent_and(401, ""), Outcome.FAILED, Strength.DECISIVE),
    ("the EHR broke", sent_and(500, issue("exception")), Outcome.FAILED, Strength.STRONG),
]  # fmt: skip


@pytest.mark.parametrize(("what", "rows", "status", "strength"), FATES, ids=[row[0] for row in FATES])
def test_the_notes_fate_decides_how_heavily_an_offence_weighs(what: str, rows: Any, status: Any, strength: Any) -> None:
    found = judged("fhir.payload.structure", fhir_case(document(docStatus="done"), rows))
    assert (found.status, found.strength) == (status, strength), found.says


def test_without_a_payload_nothing_is_claimed() -> None:
    for check in CHECKS:
        found = judged(f"fhir.payload.{check}", fhir_case(None))
        assert found.status is Outcome.UNKNOWN
        assert found.missing


def test_no_value_of_the_note_reaches_a_finding() -> None:
    secret = "Zebulon Quartermain"
    payload = document(description=[secret], subject={"reference": "Patient/P-1", "display": secret, secret: 1})
    for check in CHECKS:
        found = judged(f"fhir.payload.{check}", fhir_case(payload, sent_and(400, issue("structure"))))
        assert secret not in found.says + str(found.facts)
