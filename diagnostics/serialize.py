"""Write a Diagnosis as the public JSON document (schema 1), redacted at this boundary.

`to_json` is the public document, key by key. `to_document` holds more, for the console's pages and the terminal
report: titles of checks, what each check lacked, its checklist items, where it was seen from, words on the journey.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Any

from diagnostics.case import Case
from diagnostics.findings import Diagnosis, Finding, RootCause
from diagnostics.redaction import Redactor
from diagnostics.vocabulary import Certainty

SCHEMA = 1


def to_json(diagnosis: Diagnosis, case: Case) -> dict[str, Any]:
    """Return the public document as builtin types; secrets and clinical text of the case are removed."""
    document = to_document(diagnosis, case)
    del document["seen_from"], document["questions"]
    for stage in document["journey"]:
        del stage["says"]
    for step in document["steps"]:
        step["checks"] = [{key: check[key] for key in PUBLIC_CHECK} for check in step["checks"]]
    return document


PUBLIC_CHECK = ("id", "status", "says", "blocked_by", "evidence")


def to_document(diagnosis: Diagnosis, case: Case) -> dict[str, Any]:
    """Return the public document and what the console's pages need beside it, redacted alike."""
    document = {
        "schema": SCHEMA,
        "failure_mode": diagnosis.failure_mode.value,
        "root_cause": _root(diagnosis.root_cause),
        "contributing": [_root(cause) for cause in diagnosis.contributing],
        "ruled_out": [{"category": r.category.value, "because": r.because} for r in diagnosis.ruled_out],
        "missing": list(diagnosis.missing),
        "journey": [
            {"stage": s.stage.value, "state": s.state.value, "at": plain(s.at), "says": s.says}
            for s in diagnosis.journey
        ],
        "steps": [
            {
                "step": int(step.step),
                "name": step.step.title,
                "status": step.status.value,
                "ms": round(step.ms),
                "checks": [_check(finding) for finding in step.findings],
            }
            for step in diagnosis.steps
        ],
        "changes": [
            {
                "kind": c.kind,
                "what": c.what,
                "from": c.before,
                "to": c.after,
                "at": plain(c.at),
                "since": plain(c.since),
                "bearing": c.bearing.value,
            }
            for c in diagnosis.changes
        ],
        "facts": plain(diagnosis.facts),
        "questions": [] if _settled(diagnosis) else _questions(diagnosis),
        "seen_from": diagnosis.seen_from,
        "ms": round(diagnosis.ms),
    }
    clean: dict[str, Any] = Redactor(case).data(document)
    return clean


def _settled(diagnosis: Diagnosis) -> bool:
    """Tell whether the cause is proven: then nobody need be asked anything."""
    return diagnosis.root_cause is not None and diagnosis.root_cause.certainty is Certainty.PROVEN


def _questions(diagnosis: Diagnosis) -> list[dict[str, str]]:
    return [{"id": f.ask.id, "text": f.ask.text} for f in diagnosis.findings if f.ask is not None]


def _root(root: RootCause | None) -> dict[str, Any] | None:
    if root is None:
        return None
    return {
        "category": root.category.value,
        "cause": root.cause.id,
        "certainty": root.certainty.value,
        "title": root.cause.title,
        "because": [{"check": reason.check, "says": reason.says} for reason in root.because],
        "remedy": [step.text for step in root.cause.remedy],
        "who_acts": root.who_acts.value,
    }


def _check(finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.check,
        "title": finding.title,
        "status": finding.status.value,
        "says": finding.says,
        "blocked_by": finding.blocked_by,
        "evidence": plain(finding.facts),
        "missing": finding.missing or None,
        "checklist": list(finding.checklist),
        "seen_from": finding.seen_from,
    }


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: times as ISO 8601 in UTC, enums by value, bytes by length only."""
    if value is None or isinstance(value, bool | int | str):
        return value.value if isinstance(value, Enum) else value
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes | bytearray):
        return f"{len(value)} bytes"
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(str(plain(item)) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    return str(value)
