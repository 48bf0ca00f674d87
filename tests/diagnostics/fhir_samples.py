"""Build sound FHIR R4 payloads as scribes send them: alone, as a document, a transaction, a message. All invented."""

import base64
import copy
from typing import Any

LOINC = "http://loinc.org"
US_CORE_CATEGORY = "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category"
UCUM = "http://unitsofmeasure.org"
_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
_TEXT = "HPI\nDull ache in the left knee for two weeks.\n\nPLAN\nIce after activity."
_DIV = '<div xmlns="http://www.w3.org/1999/xhtml"><p>Dull ache in the left <b>knee</b>.<br/>Ice &amp; rest.</p></div>'
_NARRATIVE = {"status": "generated", "div": _DIV}


def concept(code: str, system: str = LOINC, text: str | None = None) -> dict[str, Any]:
    """Return a CodeableConcept."""
    return {"coding": [{"system": system, "code": code}]} | ({"text": text} if text else {})


def note(size: int = 0) -> dict[str, Any]:
    """Return a DocumentReference whose attachment holds about `size` bytes of text."""
    text = (_TEXT + "\n" + "Knee unchanged. " * (size // 16)).encode()
    return {
        "resourceType": "DocumentReference",
        "id": "note-1",
        "meta": {"lastUpdated": "2026-03-02T16:58:00.123Z", "tag": [{"system": "urn:example:tags", "code": "scribe"}]},
        "text": _NARRATIVE,
        "contained": [
            {"resourceType": "Device", "id": "scribe", "deviceName": [{"name": "AI scribe", "type": "other"}]}
        ],
        "identifier": [{"system": "urn:example:notes", "value": "tx-1"}],
        "status": "current",
        "docStatus": "final",
        "_docStatus": {"extension": [{"url": "https://scribe.example/confidence", "valueDecimal": 0.97}]},
        "type": concept("11506-3", text="Progress note"),
        "category": [concept("clinical-note", US_CORE_CATEGORY)],
        "subject": {"reference": "Patient/P-1", "display": "Sam Roe"},
        "date": "2026-03-02T16:58:00+01:00",
        "author": [{"reference": "Practitioner/prov-7"}, {"reference": "#scribe"}],
        "content": [{
            "attachment": {"contentType": "text/plain; charset=utf-8", "data": base64.b64encode(text).decode(),
                           "size": len(text), "creation": "2026-03-02"},
            "format": {"system": "http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode",
                       "code": "urn:ihe:iti:xds:2017:mimeTypeSufficient"},
        }],
        "context": {
            "encounter": [{"reference": "Encounter/E-1"}],
            "period": {"start": "2026-03-02T16:00:00Z", "end": "2026-03-02T16:30:00Z"},
        },
    }  # fmt: skip


def vital(value: float = 128, subject: str = "Patient/P-1") -> dict[str, Any]:
    """Return an Observation of a blood pressure's upper value."""
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [concept("vital-signs", _CATEGORY)],
        "code": concept("8480-6"),
        "subject": {"reference": subject},
        "effectiveDateTime": "2026-03-02T16:05:00Z",
        "valueQuantity": {"value": value, "unit": "mmHg", "system": UCUM, "code": "mm[Hg]"},
        "referenceRange": [{"high": {"value": 130, "unit": "mmHg"}}],
    }


def condition(subject: str = "Patient/P-1") -> dict[str, Any]:
    """Return a Condition of the visit."""
    return {
        "resourceType": "Condition",
        "clinicalStatus": concept("active", "http://terminology.hl7.org/CodeSystem/condition-clinical"),
        "code": concept("M25.562", "http://hl7.org/fhir/sid/icd-10-cm"),
        "subject": {"reference": subject},
        "onsetDateTime": "2026-02",
        "recordedDate": "2026-03-02",
    }


def report(subject: str = "Patient/P-1") -> dict[str, Any]:
    """Return a DiagnosticReport that carries a note."""
    return {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "code": concept("11502-2"),
        "subject": {"reference": subject},
        "effectivePeriod": {"start": "2026-03-02T16:00:00Z"},
        "issued": "2026-03-02T16:58:00Z",
        "presentedForm": [
            {"contentType": "text/html; charset=utf-8", "data": base64.b64encode(b"<p>Knee</p>").decode()}
        ],
    }  # fmt: skip


def composition(subject: str, author: str) -> dict[str, Any]:
    """Return a Composition with two sections."""
    return {
        "resourceType": "Composition",
        "status": "final",
        "type": concept("11506-3"),
        "subject": {"reference": subject},
        "date": "2026-03-02",
        "author": [{"reference": author}],
        "title": "Progress note",
        "section": [
            {"title": "HPI", "code": concept("10164-2"), "text": _NARRATIVE},
            {"title": "Plan", "section": [{"title": "Home care", "text": _NARRATIVE}]},
        ],
    }


PATIENT = {"resourceType": "Patient", "name": [{"family": "Roe", "given": ["Sam"]}], "birthDate": "1980-02-29"}
PRACTITIONER = {"resourceType": "Practitioner", "name": [{"family": "Vale"}], "active": True}


def document() -> dict[str, Any]:
    """Return a document: a Bundle whose first entry is a Composition."""
    entries = {"urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0": composition(_URN + "1", _URN + "2"),
               _URN + "1": PATIENT, _URN + "2": PRACTITIONER}  # fmt: skip
    return {
        "resourceType": "Bundle",
        "identifier": {"system": "urn:ietf:rfc:3986", "value": "urn:uuid:b4a9d0a4-35d7-4b6e-8a10-0a4b1a8d2f11"},
        "type": "document",
        "timestamp": "2026-03-02T16:58:00Z",
        "entry": [{"fullUrl": url, "resource": copy.deepcopy(each)} for url, each in entries.items()],
    }


_URN = "urn:uuid:7f1c2a52-6a5f-4d0e-9d8b-3f2f6d3e500"


def transaction(observations: int = 2) -> dict[str, Any]:
    """Return a transaction: a patient by condition, a note, a condition and so many observations."""
    entries: list[dict[str, Any]] = [
        {"fullUrl": _URN + "1", "resource": PATIENT, "request": {
            "method": "POST", "url": "Patient", "ifNoneExist": "identifier=urn:example|P-1"}},
        {"fullUrl": _URN + "2", "resource": note() | {"subject": {"reference": _URN + "1"}},
         "request": {"method": "POST", "url": "DocumentReference"}},
        {"resource": condition("Patient?identifier=urn:example|P-1"),
         "request": {"method": "POST", "url": "Condition"}},
    ]  # fmt: skip
    entries += [
        {"resource": vital(100 + index % 60, _URN + "1"), "request": {"method": "POST", "url": "Observation"}}
        for index in range(observations)
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": copy.deepcopy(entries)}


def message() -> dict[str, Any]:
    """Return a message: a Bundle whose first entry is a MessageHeader."""
    header = {
        "resourceType": "MessageHeader",
        "eventUri": "https://scribe.example/events/note",
        "source": {"endpoint": "https://scribe.example/fhir"},
        "focus": [{"reference": _URN + "1"}],
    }
    return {"resourceType": "Bundle", "type": "message", "entry": [
        {"fullUrl": _URN + "9", "resource": header}, {"fullUrl": _URN + "1", "resource": copy.deepcopy(PATIENT)},
    ]}  # fmt: skip


def sound() -> dict[str, dict[str, Any]]:
    """Return every kind of sound payload by name."""
    return {
        "note": note(),
        "report": report(),
        "condition": condition(),
        "vital": vital(),
        "composition": composition("Patient/P-1", "Practitioner/prov-7"),
        "document": document(),
        "transaction": transaction(),
        "message": message(),
    }
