"""What stands inside a FHIR payload: XHTML, attachments of every kind, the US Core profile."""

from typing import Any

import pytest

from diagnostics.vocabulary import Outcome, Strength
from tests.diagnostics.checks.charts import judged
from tests.diagnostics.checks.step2.payloads import TEXT, US_CORE, attachment, b64, document, fhir_case, issue, sent_and

PASSED, FAILED, WARNING = Outcome.PASSED, Outcome.FAILED, Outcome.WARNING
UNKNOWN, NA = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE
S, M, W = Strength.STRONG, Strength.MODERATE, Strength.WEAK
NS = 'xmlns="http://www.w3.org/1999/xhtml"'
REFUSED = sent_and(422, issue("processing"))


def xhtml(body: str, kind: str = "application/xhtml+xml; charset=utf-8") -> dict[str, Any]:
    """Return a note whose attachment is this XHTML."""
    return attachment(contentType=kind, data=b64(f"<html {NS}><body>{body}</body></html>"))


def told(div: str) -> dict[str, Any]:
    """Return a note with this narrative."""
    return document(text={"status": "generated", "div": f"<div {NS}>{div}</div>"})


DATA = "DocumentReference.content[0].attachment.data"
XHTML: list[tuple[str, Any, Any, Outcome, Strength | None, str]] = [
    ("an open break", xhtml("a<br>b"), REFUSED, FAILED, M, "<br> is not closed"),
    ("an open meta", xhtml("a<meta charset='x'>b"), REFUSED, FAILED, M, "<meta> is not closed"),
    ("an entity of HTML", xhtml("a&nbsp;b"), REFUSED, FAILED, M, "entity"),
    ("an entity without semicolon", xhtml("a&nbsp b"), REFUSED, FAILED, M, "semicolon"),
    ("a script", xhtml("a<script>x()</script>"), REFUSED, FAILED, M, "<script>"),
    ("a style, taken", xhtml("<style>p{}</style>a"), sent_and(201), WARNING, W, "<style>"),
    ("an iframe", xhtml("a<iframe src='x'></iframe>"), REFUSED, FAILED, M, "<iframe>"),
    ("an outside image", xhtml("a<img src='https://x.example/a.png'/>"), REFUSED, FAILED, M, "image"),
    ("named by the EHR", xhtml("a<br>b"), sent_and(422, issue("value", DATA)), FAILED, S, "<br>"),
    ("not well formed, fate open", xhtml("a<br>b"), None, FAILED, M, "<br>"),
    ("a narrative", told("a<br>b"), REFUSED, FAILED, M, "DocumentReference.text.div"),
    ("a form in a narrative", told("a<form></form>"), REFUSED, FAILED, M, "<form>"),
    ("an empty narrative", told(" "), REFUSED, FAILED, M, "no text"),
    ("an event handler in a narrative", told("<p onclick='x'>a</p>"), REFUSED, FAILED, M, "event"),
    ("in good order", xhtml("a<br/>b &amp; <img src='data:image/png;base64,AA=='/>"), REFUSED, PASSED, None, ""),
    ("a good narrative", told("a<br/><b>b</b>"), REFUSED, PASSED, None, ""),
    ("HTML may leave it open", xhtml("a<br>b", "text/html; charset=utf-8"), REFUSED, NA, None, ""),
    ("plain text with angle brackets", attachment(data=b64("a < b & c <br>")), REFUSED, NA, None, ""),
    ("no payload", None, REFUSED, UNKNOWN, None, ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("what", "payload", "rows", "status", "strength", "says"), XHTML, ids=[row[0] for row in XHTML]
)
def test_xhtml_is_strict(what: str, payload: Any, rows: Any, status: Any, strength: Any, says: str) -> None:
    found = judged("fhir.payload.xhtml", fhir_case(payload, rows, vendor="oracle-health"))
    assert (found.status, found.strength) == (status, strength), found.says
    assert says in found.says


def with_data(data: bytes, kind: str) -> dict[str, Any]:
    """Return a note with these bytes under this content type."""
    return attachment(data=b64(data), contentType=kind)


FORMS: list[tuple[str, dict[str, Any], Strength | None]] = [
    ("PDF called HTML", with_data(b"%PDF-1.7\n...", "text/html; charset=utf-8"), Strength.DECISIVE),
    ("text called PDF", with_data(b"Progress note", "application/pdf"), Strength.DECISIVE),
    ("RTF called text", with_data(b"{\\rtf1 note}", "text/plain; charset=utf-8"), Strength.DECISIVE),
    ("text called RTF", with_data(b"Progress note", "text/rtf"), S),
    ("Office called text", with_data(b"PK\x03\x04....", "text/plain; charset=utf-8"), Strength.DECISIVE),
    ("PNG called JPEG", with_data(b"\x89PNG\r\n\x1a\n....", "image/jpeg"), Strength.DECISIVE),
    ("text called XML", with_data(b"Progress note", "application/xml"), S),
    ("zero bytes in text", with_data(b"a\x00b", "text/plain; charset=utf-8"), S),
    ("a hash of another kind", attachment(hash="abcd"), M),
    ("PDF", with_data(b"%PDF-1.7\n...", "application/pdf"), None),
    ("PDF behind a stray line", with_data(b"\n%PDF-1.7\n...", "application/pdf"), None),
    ("RTF", with_data(b"{\\rtf1 note}", "text/rtf"), None),
    ("Office", with_data(b"PK\x03\x04....", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
     None),
    ("anything", with_data(b"\x00\x01", "application/octet-stream"), None),
    ("XML with a byte order mark", with_data(b"\xef\xbb\xbf<a/>", "application/xml"), None),
]  # fmt: skip


@pytest.mark.parametrize(("what", "payload", "strength"), FORMS, ids=[row[0] for row in FORMS])
def test_data_fit_their_stated_type(what: str, payload: dict[str, Any], strength: Strength | None) -> None:
    found = judged("fhir.payload.attachment", fhir_case(payload, sent_and(422, issue("value"))))
    assert (found.status, found.strength) == (FAILED if strength else PASSED, strength), found.says


BAD = {"contentType": "text/plain", "data": "@@"}
SUBJECT = {"subject": {"reference": "Patient/P-1"}}
ELSEWHERE: list[tuple[str, dict[str, Any], str]] = [
    ("a report", {"resourceType": "DiagnosticReport", "status": "final", "code": {"text": "x"}, "presentedForm": [BAD]},
     "DiagnosticReport.presentedForm[0].data"),
    ("a message", {"resourceType": "Communication", "status": "completed", "payload": [{"contentAttachment": BAD}]},
     "Communication.payload[0].contentAttachment.data"),
    ("a medium", {"resourceType": "Media", "status": "completed", "content": BAD}, "Media.content.data"),
    ("a binary", {"resourceType": "Binary"} | BAD, "Binary.data"),
    ("a contained binary", document(contained=[{"resourceType": "Binary", "id": "b"} | BAD]),
     "DocumentReference.contained[0].data"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "payload", "path"), ELSEWHERE, ids=[row[0] for row in ELSEWHERE])
def test_an_attachment_is_found_wherever_it_stands(what: str, payload: dict[str, Any], path: str) -> None:
    found = judged("fhir.payload.attachment", fhir_case(payload))
    assert found.status is FAILED
    assert path in found.facts["places"]


def test_every_fault_of_an_attachment_is_listed() -> None:
    held = attachment(size=1, hash=b64(b"\0" * 20), contentType="application/pdf")
    found = judged("fhir.payload.attachment", fhir_case(held))
    assert found.facts["count"] == 3
    assert len(found.facts["faults"]) == 3


TWO = {"encounter": [{"reference": "Encounter/E-1"}, {"reference": "Encounter/E-2"}]}
OTHER = [{"coding": [{"system": "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category",
                      "code": "note"}]}]  # fmt: skip
PROFILE: list[tuple[str, str, Any, Any, dict[str, Any], Outcome, Strength | None]] = [
    ("structure.us_core", "two encounters", document(context=TWO), REFUSED, {"profile": US_CORE}, FAILED, M),
    ("structure.us_core", "two encounters, named", document(context=TWO),
     sent_and(422, issue("structure", "DocumentReference.context.encounter")), {"profile": US_CORE}, FAILED, S),
    ("structure.us_core", "a subject that is no patient", document(subject={"reference": "Group/1"}), REFUSED,
     {"profile": US_CORE}, FAILED, M),
    ("structure.us_core", "a category nobody knows", document(category=OTHER), REFUSED, {"profile": US_CORE},
     FAILED, M),
    ("structure.us_core", "by its own word", document(context=TWO, meta={"profile": [US_CORE]}), REFUSED, {},
     FAILED, M),
    ("structure.us_core", "taken", document(context=TWO), sent_and(201), {"profile": US_CORE}, WARNING, W),
    ("structure.us_core", "sound", document(), REFUSED, {"profile": US_CORE}, PASSED, None),
    ("structure.us_core", "not claimed", document(context=TWO), REFUSED, {}, NA, None),
    ("structure.us_core", "no payload", None, REFUSED, {"profile": US_CORE}, UNKNOWN, None),
    ("type_code.loinc", "a wrong check digit", document(type={"coding": [{"system": "http://loinc.org",
     "code": "11506-4"}]}), sent_and(422, issue("code-invalid")), {}, FAILED, S),
    ("type_code.loinc", "no LOINC, US Core", document(type={"coding": [{"system": "urn:x", "code": "9"}]}), REFUSED,
     {"profile": US_CORE}, FAILED, M),
    ("type_code.loinc", "no LOINC, nobody asked", document(type={"coding": [{"system": "urn:x", "code": "9"}]}),
     REFUSED, {}, PASSED, None),
    ("type_code.loinc", "LOINC", document(), REFUSED, {"profile": US_CORE}, PASSED, None),
    ("type_code.loinc", "no type", document(type=None), REFUSED, {}, NA, None),
    ("type_code.loinc", "no payload", None, REFUSED, {}, UNKNOWN, None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("check", "what", "payload", "rows", "setting", "status", "strength"),
    PROFILE,
    ids=[f"{row[0]}-{row[1]}" for row in PROFILE],
)
def test_the_profile_is_kept(
    check: str, what: str, payload: Any, rows: Any, setting: Any, status: Any, strength: Any
) -> None:
    found = judged(f"fhir.payload.{check}", fhir_case(payload, rows, **setting))
    assert (found.status, found.strength) == (status, strength), found.says


def test_every_fault_of_structure_is_listed_and_a_lenient_one_alone_is_no_proof() -> None:
    three = document(mood="calm", date="today", custodian={"reference": "Patient/P-1"})
    found = judged("fhir.payload.structure", fhir_case(three))
    assert (found.facts["count"], found.strength) == (3, Strength.DECISIVE)
    assert set(found.facts["places"]) == {f"DocumentReference.{name}" for name in ("mood", "date", "custodian")}
    lenient = document(contained=[{"resourceType": "Device", "id": "unused"}])
    assert judged("fhir.payload.structure", fhir_case(lenient)).strength is S


def test_the_text_of_a_note_never_reaches_a_finding() -> None:
    words = "Zebulon Quartermain"
    payload = xhtml(f"{words}<br>{words}<script>{words}</script>")
    for check in ("xhtml", "attachment", "structure", "structure.us_core", "type_code.loinc"):
        found = judged(f"fhir.payload.{check}", fhir_case(payload, REFUSED, profile=US_CORE))
        assert words not in found.says + str(found.facts)
        assert TEXT not in found.says
