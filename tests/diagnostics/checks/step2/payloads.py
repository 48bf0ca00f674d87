"""Build payloads as an AI scribe sends them, healthy unless told otherwise, and cases around them."""

import base64
import copy
import json
from typing import Any

from diagnostics.case import Case, Hl7Interface
from tests.diagnostics import stories

TEXT = (
    "HPI\nDull ache in the left knee for two weeks, worse on stairs.\n\nPLAN\nIce after activity. Return in six weeks."
)
US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-documentreference"


def b64(text: str | bytes) -> str:
    """Return text as an attachment carries it."""
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


def document(**changed: Any) -> dict[str, Any]:
    """Return a sound DocumentReference; a change to None takes an element out."""
    resource: dict[str, Any] = {
        "resourceType": "DocumentReference",
        "identifier": [{"system": "urn:example:notes", "value": "tx-1"}],
        "status": "current",
        "docStatus": "final",
        "type": {"coding": [{"system": "http://loinc.org", "code": "11506-3"}]},
        "category": [{"coding": [{"system": f"{US_CORE}-category", "code": "clinical-note"}]}],
        "subject": {"reference": "Patient/P-1"},
        "date": "2026-03-02T16:58:00Z",
        "author": [{"reference": "Practitioner/prov-7"}],
        "content": [{"attachment": {"contentType": "text/plain; charset=utf-8", "data": b64(TEXT)}}],
        "context": {
            "encounter": [{"reference": "Encounter/E-1"}],
            "period": {"start": "2026-03-02T16:00:00Z", "end": "2026-03-02T16:30:00Z"},
        },
    }
    resource = copy.deepcopy(resource) | changed
    return {name: value for name, value in resource.items() if value is not None}


def attachment(**changed: Any) -> dict[str, Any]:
    """Return a DocumentReference whose attachment is changed; None takes an element out."""
    held = {"contentType": "text/plain; charset=utf-8", "data": b64(TEXT)} | changed
    return document(content=[{"attachment": {name: value for name, value in held.items() if value is not None}}])


def fhir_case(payload: dict[str, Any] | bytes | None, rows: list[stories.Row] | None = None, **more: Any) -> Case:
    """Return an offline FHIR case with this payload and these log rows (None: no log)."""
    raw = json.dumps(payload).encode() if isinstance(payload, dict) else payload
    setting = {"vendor": more.pop("vendor", "generic"), "profile": more.pop("profile", None)}
    setting |= more.pop("setting", {})
    return stories.case(
        rows,
        more.pop("ehr_rows", None),
        the_note=stories.note(payload=raw, payload_name="note.json"),
        integration=stories.integration(**setting),
        **more,
    )


def sent_and(*answer: Any, **more: Any) -> list[stories.Row]:
    """Return the rows of a note that was sent and answered: `sent_and(422, body)` or `sent_and(ack="AE", error=…)`."""
    status, error = (*answer, None, None)[:2]
    event = more.pop(
        "event", "acked" if (status or 0) in range(200, 300) or more.get("ack") in ("AA", "CA") else "failed"
    )
    mllp = {"method": "MLLP", "url": "mllp://ehr.example.test:2575"} if "ack" in more or more.pop("mllp", False) else {}
    ctype = {"content_type": more.pop("content_type")} if "content_type" in more else {}
    return [
        *stories.made(),
        stories.scribe(2, "sent", **mllp, **ctype),
        stories.scribe(3, event, **{"status": status, "error": error, **mllp, **more}),
    ]


def issue(code: str, expression: str | None = None, text: str = "", vendor_code: str | None = None) -> str:
    """Return an OperationOutcome with one error."""
    one: dict[str, Any] = {"severity": "error", "code": code}
    if expression:
        one["expression"] = [expression]
    if text:
        one["diagnostics"] = text
    if vendor_code:
        one["details"] = {"coding": [{"system": "urn:vendor", "code": vendor_code}]}
    return json.dumps({"resourceType": "OperationOutcome", "issue": [one]})


MSH = "MSH|^~\\&|SCRIBE|NORTH|EHR|NORTH|20260302165800+0000||MDM^T02^MDM_T02|MSG-1|P|2.5.1"
EVN = "EVN|T02|20260302165800+0000"
PID = "PID|1||P-1^^^NORTH^MR||ROE^SAM"
PV1 = "PV1|1|O|||||||||||||||||E-1"
TXA = "TXA|1|PN|TX|20260302165800+0000||||||||DOC-1|||||AU"
OBX = "OBX|1|TX|11506-3^Progress note^LN||Dull ache in the left knee for two weeks.||||||F"
OBX2 = "OBX|2|TX|11506-3^Progress note^LN||Ice after activity. Return in six weeks.||||||F"


def message(*lines: str, end: str = "\r", **changed: str) -> bytes:
    """Return an MDM message of these segments (default: a sound T02); `MSH=…` and the like replace one."""
    known = {"MSH": MSH, "EVN": EVN, "PID": PID, "PV1": PV1, "TXA": TXA, "OBX": OBX, "OBX2": OBX2} | changed
    chosen = lines or tuple(known.values())
    return (end.join(chosen) + end).encode()


def hl7_case(payload: bytes | None, rows: list[stories.Row] | None = None, **more: Any) -> Case:
    """Return an offline HL7 v2 case with this payload and these log rows (None: no log)."""
    interface = Hl7Interface(
        **({"host": "ehr.example.test", "port": 2575, "version": "2.5.1", "message": "MDM^T02"} | more.pop("hl7", {}))
    )
    setting = {"protocol": "hl7v2", "hl7": interface, "environment": more.pop("environment", "production")}
    setting |= {"vendor": more.pop("vendor", "generic"), "fhir_base_url": None}
    return stories.case(
        rows,
        more.pop("ehr_rows", None),
        the_note=stories.note(payload=payload, payload_name="note.hl7", narrative=more.pop("narrative", None)),
        integration=stories.integration(**setting),
        **more,
    )


def nack(code: str = "AE", error: str | None = None, place: str = "", sender: str = "EHR") -> list[stories.Row]:
    """Return the rows of a message that was answered with no."""
    where = "^".join([*place.split("-", 1)[:1], "1", *place.split("-", 1)[1:]]) if place else ""
    err = f"\rERR||{where}|{error}^x^HL70357|E" if error else ""
    body = f"MSH|^~\\&|{sender}|NORTH|SCRIBE|NORTH|20260302165801||ACK|A1|P|2.5.1\rMSA|{code}|tx-1{err}\r"
    return sent_and(ack=code, ack_id="tx-1", error=body)
