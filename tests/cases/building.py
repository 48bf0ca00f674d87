"""Tell a case in code: a story of rows, payload and snapshots. For live trials, and to draft a new case folder."""

import base64
import copy
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from tests.cases.expected import Expected

DAY = "2026-11-22"
NOW = f"{DAY}T17:45:00+00:00"
BASE = "https://fhir.northcampus.example/r4"
TOKEN_URL = "https://login.northcampus.example/oauth2/token"
MLLP = "mllp://10.20.30.40:2575"


@dataclass(frozen=True, kw_only=True)
class Trial(Expected):
    """One case told in code, with its judge."""

    files: Mapping[str, Any]

    def write(self, folder: Path) -> Path:
        """Lay the case down as a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in self.files.items():
            (folder / name).write_bytes(as_bytes(content))
        return folder


def as_bytes(content: Any) -> bytes:
    """Bytes stay, text is UTF-8, a tuple of rows becomes NDJSON, anything else JSON."""
    if isinstance(content, bytes):
        return content
    if isinstance(content, str):
        return content.encode()
    if isinstance(content, tuple):
        return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in content)
    return json.dumps(content, ensure_ascii=False, indent=1).encode()


def at(time: str, day: str = DAY) -> str:
    """`17:00:05` on the day of the story, UTC; a full instant stays as it is."""
    return time if "T" in time else f"{day}T{time}+00:00"


def outcome(code: str, text: str = "", *, severity: str = "error", coding: str = "", expression: str = "") -> str:
    """An OperationOutcome as JSON text."""
    issue: dict[str, Any] = {"severity": severity, "code": code}
    if text:
        issue["diagnostics"] = text
    if coding:
        issue["details"] = {"coding": [{"system": "urn:oid:1.2.840.113883.19.5", "code": coding}], "text": text}
    if expression:
        issue["expression"] = [expression]
    return json.dumps({"resourceType": "OperationOutcome", "issue": [issue]})


NARRATIVE = (
    "Chief Complaint: Sore throat for three days.\n\n"
    "HPI: The patient reports a sore throat since Thursday, worse when swallowing. No cough was noted at home.\n\n"
    "Physical Exam: The pharynx is red without exudate and the neck is supple.\n\n"
    "Assessment: Viral pharyngitis without complication.\n\n"
    "Plan: Rest and fluids, return if the fever persists beyond the weekend.\n"
)


def document(text: str = NARRATIVE, **changes: Any) -> dict[str, Any]:
    """A DocumentReference that meets US Core and needs no apology; a value of None removes the element."""
    resource: dict[str, Any] = {
        "resourceType": "DocumentReference",
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": "T-100"}],
        "status": "current",
        "docStatus": "final",
        "type": {"coding": [{"system": "http://loinc.org", "code": "11506-3", "display": "Progress note"}]},
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
        "subject": {"reference": "Patient/P-100"},
        "date": "2026-11-22T17:00:00Z",
        "author": [{"reference": "Practitioner/prov-7"}],
        "content": [
            {
                "attachment": {
                    "contentType": "text/plain; charset=utf-8",
                    "data": base64.b64encode(text.encode()).decode(),
                }
            }
        ],
        "context": {
            "encounter": [{"reference": "Encounter/E-100"}],
            "period": {"start": "2026-11-22T16:30:00Z", "end": "2026-11-22T16:55:00Z"},
        },
    }
    resource.update(changes)
    return {key: value for key, value in resource.items() if value is not None}


MSH = "MSH|^~\\&|SCRIBE|NORTH|EHR|NORTH|20261122170002+0000||MDM^T02^MDM_T02|T-100|P|2.5.1"
EVN = "EVN||20261122170002+0000"
PID = "PID|1||P-100^^^NORTH^MR||Sample^Ada||19700101|F"
PV1 = "PV1|1|O|CLINIC^^^NORTH||||prov-7^Doe^Jo||||||||||||E-100"
TXA = "TXA|1|PN|TX|20261122165500+0000|prov-7^Doe^Jo|||||||T-100^SCRIBE|||||AU||AV"
OBX = (
    "OBX|1|TX|11506-3^Progress note^LN||HPI: sore throat since Thursday||||||F",
    "OBX|2|TX|11506-3^Progress note^LN||Assessment: viral pharyngitis||||||F",
    "OBX|3|TX|11506-3^Progress note^LN||Plan: rest and fluids||||||F",
)


def mdm(*segments: str, end: str = "\r") -> bytes:
    """An HL7 message of these segments; without any, a correct MDM^T02."""
    return (end.join(segments or (MSH, EVN, PID, PV1, TXA, *OBX)) + end).encode()


def ack(code: str, control: str = "T-100", err: str = "", text: str = "") -> str:
    """A raw acknowledgement, with ERR when given."""
    lines = [
        f"MSH|^~\\&|EHR|NORTH|SCRIBE|NORTH|20261122170006+0000||ACK^T02^ACK|A{control}|P|2.5.1",
        f"MSA|{code}|{control}" + (f"|{text}" if text else ""),
    ]
    if err:
        lines.append(err)
    return "\r".join(lines) + "\r"


@dataclass
class Story:
    """A case in the making; every method returns the story, so that it reads as a sequence."""

    vendor: str = "generic"
    protocol: str = "fhir"
    integration: dict[str, Any] = field(default_factory=dict)
    note: dict[str, Any] = field(default_factory=dict)
    scribe: list[dict[str, Any]] = field(default_factory=list)
    ehr: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, Any] = field(default_factory=dict)
    top: dict[str, Any] = field(default_factory=dict)
    base: str = BASE

    def __post_init__(self) -> None:
        wanted = self.integration
        self.integration = {"name": "North Campus", "vendor": self.vendor, "environment": "production"}
        self.integration["protocol"] = self.protocol
        if self.protocol == "fhir":
            self.integration["fhir_base_url"] = self.base
            self.integration["auth"] = {
                "flow": "backend-services",
                "token_url": TOKEN_URL,
                "client_id": "scribe-writer",
                "scopes": ["system/DocumentReference.write", "system/Encounter.read"],
            }
        else:
            self.integration["hl7"] = {"host": "10.20.30.40", "port": 2575, "version": "2.5.1", "message": "MDM^T02"}
        for key, value in wanted.items():
            if isinstance(value, dict) and isinstance(self.integration.get(key), dict):
                self.integration[key].update(value)
            else:
                self.integration[key] = value
        self.note = {
            "id": "N-100",
            "transaction_id": "T-100",
            "encounter_id": "E-100",
            "patient_id": "P-100",
            "provider_id": "prov-7",
            "generated_at": at("17:00:00"),
        } | self.note

    @property
    def route(self) -> str:
        return f"{self.base}/DocumentReference" if self.protocol == "fhir" else MLLP

    def s(self, time: str, event: str, **row: Any) -> Self:
        """Add a row of the scribe's log about this note; None removes a default."""
        full = {"at": at(time), "event": event, "note_id": self.note["id"]}
        if event in ("packaged", "sent", "acked", "failed"):
            full["transaction_id"] = self.note["transaction_id"]
        if event in ("sent", "acked", "failed"):
            full |= {"method": "POST" if self.protocol == "fhir" else "MLLP", "url": self.route}
        self.scribe.append({k: v for k, v in (full | row).items() if v is not None})
        return self

    def e(self, time: str, event: str, **row: Any) -> Self:
        """Add a row of the EHR's log about this note."""
        full = {"at": at(time), "event": event, "transaction_id": self.note["transaction_id"]}
        full |= {"client_id": "scribe-writer"} if event != "change" else {"transaction_id": None, "client_id": None}
        self.ehr.append({k: v for k, v in (full | row).items() if v is not None})
        return self

    def change(self, time: str, kind: str, what: str, before: str, after: str) -> Self:
        """Add a change event of the EHR's log."""
        return self.e(time, "change", change={"kind": kind, "what": what, "from": before, "to": after})

    def made(self) -> Self:
        """The note was generated and packaged."""
        return self.s("17:00:00", "generated", encounter_id="E-100", patient_id="P-100").s("17:00:02", "packaged")

    def token(self, time: str = "17:00:03", **row: Any) -> Self:
        """A token was obtained; the row carries no note id, as of a shared token cache."""
        given = {
            "note_id": None,
            "method": "POST",
            "url": TOKEN_URL,
            "status": 200,
            "expires_in": 300,
            "scope": "system/DocumentReference.write system/Encounter.read",
            "token_id": "tk-a1",
        }
        return self.s(time, "token", **(given | row))

    def token_refused(self, status: int | None, error: Any, time: str = "17:00:03", **row: Any) -> Self:
        """A token request failed: `token`, then `failed`."""
        body = error if isinstance(error, str) else json.dumps(error)
        ask = {"method": "POST", "url": TOKEN_URL}
        self.s(time, "token", **ask, **{k: v for k, v in row.items() if k in ("content_type", "url")})
        told = {"transaction_id": None, **ask, "status": status, "error": body} | row
        return self.s(_later(time), "failed", **told)

    def sent(self, time: str = "17:00:05", **row: Any) -> Self:
        known = {"content_type": "application/fhir+json", "token_id": "tk-a1"} if self.protocol == "fhir" else {}
        return self.s(time, "sent", **(known | row))

    def refused(self, status: int | None, error: Any = None, time: str = "17:00:06", **row: Any) -> Self:
        """The answer to the write was not good, or there was none."""
        body = error if error is None or isinstance(error, str) else json.dumps(error)
        return self.s(time, "failed", status=status, error=body, **row)

    def accepted(self, time: str = "17:00:06", **row: Any) -> Self:
        """The write was answered well."""
        if self.protocol == "fhir":
            location = {"location": f"{self.base}/DocumentReference/D-900"}
            return self.s(time, "acked", **({"status": 201, "response_headers": location} | row))
        return self.s(time, "acked", **({"ack": "AA", "ack_id": self.note["transaction_id"]} | row))

    def ehr_filed(self, **row: Any) -> Self:
        """The EHR's audit says received and filed."""
        common = {"resource": "DocumentReference/D-900", "encounter_id": "E-100", "patient_id": "P-100"}
        common |= {"author_id": "prov-7", "status": 201} if self.protocol == "fhir" else {"author_id": "prov-7"}
        return self.e("17:00:05", "received").e("17:00:06", "filed", **(common | row))

    def delivered(self) -> Self:
        """All went well up to the EHR's own word."""
        self.made()
        if self.protocol == "fhir":
            self.token()
        return self.sent().accepted().ehr_filed()

    def payload(self, content: Any = None, name: str = "") -> Self:
        name = name or ("note.json" if self.protocol == "fhir" else "note.hl7")
        if content is None:
            content = document() if self.protocol == "fhir" else mdm()
        self.files[name] = content
        self.note["payload"] = name
        return self

    def narrative(self, text: str = NARRATIVE) -> Self:
        self.files["note.txt"] = text
        self.note["narrative"] = "note.txt"
        return self

    def chart(self, **filed: Any) -> Self:
        """What the chart holds now; None removes a default."""
        known = {
            "found": True,
            "at": at("17:00:06"),
            "resource": "DocumentReference",
            "status": "current",
            "document_type": "11506-3",
            "patient_id": "P-100",
            "encounter_id": "E-100",
            "author_id": "prov-7",
        }
        return self.file("filed", {k: v for k, v in (known | filed).items() if v is not None})

    def file(self, key: str, content: Any) -> Self:
        """A snapshot file: template, mapping, roles, encounter, filed or baseline."""
        self.files[f"{key}.json"] = content
        self.top[key] = f"{key}.json"
        return self

    def log(self, key: str, rows: Iterable[Mapping[str, Any]]) -> Self:
        self.files[f"{key}.ndjson"] = tuple(rows)
        self.top.setdefault("logs", {})[key] = f"{key}.ndjson"
        return self

    def folder(self) -> dict[str, Any]:
        """All files of the case."""
        files = copy.deepcopy(self.files)
        case = {"schema": 1, "now": NOW, "integration": self.integration, "note": self.note} | self.top
        logs = dict(case.pop("logs", {}))
        for key, rows in (("scribe", self.scribe), ("ehr", self.ehr)):
            if rows and key not in logs:
                files[f"{key}.ndjson"] = tuple(sorted(rows, key=lambda row: row["at"]))
                logs[key] = f"{key}.ndjson"
        if logs:
            case["logs"] = logs
        files["case.json"] = case
        return files

    def expect(self, name: str, cause: Any, mode: Any, why: str, **judge: Any) -> Trial:
        """Close the story with its judge; the exit code follows unless given."""
        if "exit" not in judge:
            judge["exit"] = 1 if cause is not None else (0 if mode == "delivered" else 3)
        if judge.pop("sure", True) is False:
            judge["arguable"] = True
        return Trial(name=name, files=self.folder(), cause=cause, mode=mode, why=why, **judge)


def _later(time: str, seconds: int = 1) -> str:
    if "T" in time:
        return time
    hours, minutes, rest = (int(part) for part in time.split(":"))
    total = hours * 3600 + minutes * 60 + rest + seconds
    return f"{total // 3600:02}:{total // 60 % 60:02}:{total % 60:02}"
