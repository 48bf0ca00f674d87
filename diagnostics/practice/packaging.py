"""Package a note as a FHIR DocumentReference or an HL7 v2 MDM message, well or in one of the usual wrong ways."""

from __future__ import annotations

import base64
import datetime
import json
from typing import Any

from diagnostics.practice.capability import US_CORE_DOCUMENT
from diagnostics.practice.fault import Habits
from diagnostics.practice.notes import Note

IDENTIFIER_SYSTEM = "urn:practice-scribe:transaction"
PROGRESS_NOTE = "11506-3"


def document_reference(note: Note, at: datetime.datetime, habits: Habits) -> dict[str, Any]:
    """Write the note as a US Core DocumentReference."""
    data = note.narrative.encode()
    attachment: dict[str, Any] = {
        "contentType": "text/plain; charset=utf-8",
        "data": base64.b64encode(data).decode(),
        "size": len(data),
        "creation": at.isoformat(timespec="seconds"),
    }
    encounter = f"Encounter/{note.encounter_id}"
    resource: dict[str, Any] = {
        "resourceType": "DocumentReference",
        "meta": {"profile": [US_CORE_DOCUMENT]},
        "identifier": [{"system": IDENTIFIER_SYSTEM, "value": note.transaction_id}],
        "status": "current",
        "docStatus": "final",
        "type": {"coding": [{"system": "http://loinc.org", "code": PROGRESS_NOTE, "display": "Progress note"}]},
        "category": [
            {
                "coding": [
                    {
                        "system": "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category",
                        "code": "clinical-note",
                    }
                ]
            }
        ],
        "subject": {"reference": f"Patient/{note.patient_id}"},
        "date": at.isoformat(timespec="seconds"),
        "author": [{"reference": f"Practitioner/{note.provider_id}"}],
        "content": [{"attachment": attachment}],
        "context": {
            "encounter": [{"reference": encounter}],
            "period": {
                "start": (at - datetime.timedelta(minutes=20)).isoformat(timespec="seconds"),
                "end": at.isoformat(timespec="seconds"),
            },
        },
    }
    if habits.payload == "structure":
        resource["category"] = resource["category"][0]
    elif habits.payload == "required":
        del resource["type"]
    elif habits.payload == "attachment":
        attachment["data"] = attachment["data"][:-7] + "*%"
    return resource


def discrete_resources(note: Note, habits: Habits) -> list[dict[str, Any]]:
    """Write the vital signs and diagnoses that travel beside the note."""
    common = {
        "subject": {"reference": f"Patient/{note.patient_id}"},
        "encounter": {"reference": f"Encounter/{note.encounter_id}"},
    }
    found: list[dict[str, Any]] = []
    for code, value in note.vitals if habits.send_vitals else ():
        found.append(
            {
                "resourceType": "Observation",
                "status": "final",
                "category": [{"coding": [{"code": "vital-signs"}]}],
                "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
                "valueString": value,
                **common,
            }
        )
    for code in note.diagnoses if habits.send_diagnoses else ():
        found.append(
            {
                "resourceType": "Condition",
                "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": code}]},
                **common,
            }
        )
    return found


def payload_bytes(resource: dict[str, Any]) -> bytes:
    """Write a resource as the bytes that go over the wire."""
    return json.dumps(resource, ensure_ascii=False).encode()


def mdm_message(note: Note, at: datetime.datetime, habits: Habits, sender: str, receiver: str) -> bytes:
    """Write the note as an MDM^T02 message, one OBX a line; `habits.message` names the way it is wrong."""
    wrong = habits.message
    stamp = at.strftime("%Y%m%d%H%M%S+0000")
    event = "T01" if wrong == "event" else "T02"
    msh = [
        "MSH", "^~\\&", sender, "SCRIBE", receiver, "HOSPITAL", stamp, "",
        f"MDM^{event}^MDM_{event}", note.transaction_id, "T" if wrong == "training" else "P",
        "2.8" if wrong == "version" else "2.5.1",
    ]  # fmt: skip
    if wrong == "unicode_declared":
        msh += ["", "", "", "", "", "UNICODE UTF-8"]
    txa = ["TXA", "1", "" if wrong == "empty_field" else "PN", "TX", stamp, note.provider_id, stamp]
    txa += ["", "", "", "", "", f"D{note.transaction_id}"[:30], "", "", "", "", "AU"]
    lines = _lines(note, wrong)
    kind = "FT" if wrong == "one_line" else "TX"
    obx = [f"OBX|{n}|{kind}|{PROGRESS_NOTE}^Progress note^LN||{line}||||||F" for n, line in enumerate(lines, 1)]
    segments = [
        "|".join(msh),
        f"EVN|{event}|{stamp}",
        f"PID|1||{note.patient_id}^^^PRACTICE^MR||SAMPLE^PATIENT",
        f"PV1|1|O|{note.department}||||{note.provider_id}||||||||||||{note.encounter_id}",
        "|".join(txa),
        *obx,
    ]
    if wrong == "order":
        segments = [*segments[:4], *obx, segments[4]]
    elif wrong == "missing":
        del segments[4]
    elif wrong == "z_segment":
        segments.insert(4, f"ZSC|1|{note.note_id}|ambient")
    message = ("\r".join(segments) + "\r").encode()
    return b"\xef\xbb\xbf" + message if wrong == "bom" else message


def _lines(note: Note, wrong: str) -> list[str]:
    narrative = note.narrative.strip("\n")
    if wrong in ("unicode", "unicode_declared"):
        narrative += " Caf\u00e9 au lait spots \u2013 none."
    if wrong == "one_line":
        return [escape(narrative).replace("\n", "\\.br\\")]
    lines = [escape(line) for line in narrative.split("\n")]
    if wrong == "raw_delimiter":
        lines[-1] += " Heat & rest."
    elif wrong == "raw_linebreak":
        lines[-1] += "\nSecond paragraph without a segment of its own."
    return lines


def escape(text: str) -> str:
    """Escape the delimiters of chapter 2 inside text."""
    text = text.replace("\\", "\\E\\")
    for character, code in (("|", "F"), ("^", "S"), ("~", "R"), ("&", "T")):
        text = text.replace(character, f"\\{code}\\")
    return text


def frame(message: bytes, habits: Habits) -> bytes:
    """Put a message into its MLLP frame, or forget the frame's end."""
    return b"\x0b" + message + (b"" if habits.message == "no_end" else b"\x1c\x0d")
