"""Build cases for the resend without any EHR: a refused note, as plain as it can be."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

from diagnostics.case import Auth, Case, Hl7Interface, Integration, Logs, Note
from diagnostics.evidence.bag import Bag
from diagnostics.evidence.base import Evidence
from diagnostics.evidence.fhir import Capability, CapabilityFacts, ResourceCapability
from diagnostics.gather import read_parts
from diagnostics.resend import ResendPlan, plan

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
TEXT = b"Plan:\nRest, fluids, and a visit in two weeks.\n"
SECRETS = {
    "client_secret": "secret-of-the-client-7f3a",
    "refresh_token": "refresh-of-the-client-81c2",
    "api_key": "key-of-the-client-55d0",
    "assertion": "eyJhbGciOiJSUzM4NCJ9.eyJpc3MiOiJhIn0.c2lnbmF0dXJl",
}


def document(**more: Any) -> dict[str, Any]:
    """Return a progress note as a DocumentReference."""
    held = {
        "resourceType": "DocumentReference",
        "identifier": [{"system": "urn:scribe", "value": "TX-1"}],
        "status": "current",
        "type": {"coding": [{"system": "http://loinc.org", "code": "11506-3"}]},
        "subject": {"reference": "Patient/P-1"},
        "date": "2026-03-02T09:00:00Z",
        "content": [{"attachment": {"contentType": "text/plain", "data": base64.b64encode(TEXT).decode()}}],
        "context": {"encounter": [{"reference": "Encounter/E-1"}]},
    } | more
    return {key: value for key, value in held.items() if value is not None}


def message(**more: str) -> bytes:
    """Return a progress note as an MDM^T02; words replace whole segments by their name."""
    segments = {
        "MSH": "MSH|^~\\&|SCRIBE|S|EHR|H|20260302090000||MDM^T02^MDM_T02|TX-1|P|2.5.1",
        "EVN": "EVN|T02|20260302090000",
        "PID": "PID|1||P-1^^^A^MR||SAMPLE^PATIENT",
        "PV1": "PV1|1|O|||||||||||||||||E-1",
        "TXA": "TXA|1|PN|TX|20260302090000||||||||DTX-1|||||AU",
        "OBX": "OBX|1|TX|11506-3^Progress note^LN||Plan: rest, fluids, and a visit in two weeks.||||||F",
    } | more
    return ("\r".join(text for text in segments.values() if text) + "\r").encode()


def case_of(payload: bytes | dict[str, Any] | None, *, hl7: bool = False, **changes: Any) -> Case:
    """Return the case of a note that the EHR refused; words change the integration, `note_…` the note."""
    note = {name.removeprefix("note_"): changes.pop(name) for name in list(changes) if name.startswith("note_")}
    parts = {name: changes.pop(name) for name in list(changes) if name in ("encounters", "filed", "logs")}
    at = "2026-03-02T09:00:00+00:00"
    common = {"note_id": "N-1", "transaction_id": "TX-1", "method": "POST"}
    rows = (
        {**common, "at": at, "event": "generated"},
        {**common, "at": at, "event": "sent", "url": "https://ehr.example/fhir/DocumentReference"},
        {**common, "at": at, "event": "failed", "status": 500, "error": "Something failed inside."},
    )
    settings: dict[str, Any] = {
        "name": "North Campus",
        "protocol": "hl7v2" if hl7 else "fhir",
        "fhir_base_url": None if hl7 else "https://ehr.example/fhir",
        "hl7": Hl7Interface(host="ehr.example", port=2575) if hl7 else Hl7Interface(),
        "auth": Auth(flow="client-secret", client_id="c", token_url="https://ehr.example/token", **SECRETS),
    } | changes
    data = json.dumps(payload).encode() if isinstance(payload, dict) else payload
    facts = {"id": "N-1", "transaction_id": "TX-1", "patient_id": "P-1", "encounter_id": "E-1", "payload": data} | note
    given = {"logs": Logs(scribe=rows)} | parts
    return Case(integration=Integration(**settings), now=NOW, note=Note(**facts), **given)


def offered(**more: Any) -> Capability:
    """Return what a server says of documents; all that a resend likes, unless words say otherwise."""
    facts = {
        "type": "DocumentReference",
        "interactions": ("create", "read", "search-type"),
        "conditional_create": True,
        "search_params": ("identifier", "patient", "encounter", "date"),
    } | more
    return Capability(statement=CapabilityFacts(fhir_version="4.0.1", resources=(ResourceCapability(**facts),)))


def bag_of(case: Case, *evidence: Evidence) -> Bag:
    """Return the case's own parts and more."""
    bag = read_parts(case)
    for item in evidence:
        bag.put(item)
    return bag


def plan_of(case: Case, *evidence: Evidence) -> ResendPlan:
    """Return the plan for a case with this evidence."""
    return plan(case, bag_of(case, *evidence))
