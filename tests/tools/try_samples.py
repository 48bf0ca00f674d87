"""Try the engine on a folder of real samples: `python -m tests.tools.try_samples FOLDER`; not part of the suite.

Each sample is wrapped into a case folder (a payload, a narrative, or an error text) and goes through `diagnose`
offline or `explain`. Prints a table of what was found and fails on the first crash. Reads .hl7, FHIR .json (resources,
bundles, capability statements as recorded answers), .jsonl notes and rows of documented errors.
"""

import json
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diagnostics import case_folder, engine, serialize
from diagnostics.explain import explain

PAYLOADS = {"DocumentReference", "Composition", "DiagnosticReport", "Bundle", "Condition", "Encounter",
            "MedicationRequest", "Observation", "Patient"}  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """Be what came of one sample."""

    sample: str
    kind: str
    found: str
    details: tuple[str, ...] = ()


def main(folder: Path) -> int:
    """Try every sample; return the number of crashes."""
    outcomes: list[Outcome] = []
    crashes = 0
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        try:
            outcomes += list(_try(path))
        except Exception:
            crashes += 1
            print(f"CRASH {path.name}")
            traceback.print_exc()
    for outcome in outcomes:
        print(f"{outcome.sample:<44.44} {outcome.kind:<10} {outcome.found}")
        for detail in outcome.details:
            print(f"{'':<12}{detail[:220]}")
    print()
    for (kind, found), count in sorted(Counter((o.kind, o.found) for o in outcomes).items()):
        print(f"{count:>5}  {kind:<10} {found}")
    print(f"{len(outcomes)} samples, {crashes} crashes")
    return crashes


def _try(path: Path) -> Iterator[Outcome]:
    if path.suffix == ".hl7":
        yield _diagnosed(path.name, "hl7", "hl7v2", "note.hl7", path.read_bytes())
    elif path.suffix == ".jsonl":
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            row = json.loads(line)
            text = str(row.get("note") or row.get("tgt") or "")
            yield _diagnosed(f"{path.stem}:{number}", "note", "fhir", None, None, narrative=text)
    elif path.suffix == ".json":
        yield from _json(path)


def _json(path: Path) -> Iterator[Outcome]:
    data = json.loads(path.read_text(encoding="utf-8"))
    rows = data if isinstance(data, list) else next((v for v in data.values() if isinstance(v, list)), [])
    if path.name.endswith("errors.json"):
        for number, row in enumerate(rows, 1):
            yield _explained(f"{path.stem}:{number}", row)
        return
    if isinstance(data, dict) and data.get("resourceType") in PAYLOADS:
        yield _diagnosed(path.name, str(data["resourceType"]), "fhir", "note.json", path.read_bytes())
    elif isinstance(data, dict) and data.get("resourceType") == "OperationOutcome":
        yield _explained(path.name, {"text": json.dumps(data)})
    elif isinstance(data, dict) and data.get("resourceType") == "AuditEvent":
        yield _diagnosed(path.name, "AuditEvent", "fhir", None, None, ehr=json.dumps(data))
    else:
        yield _diagnosed(path.name, "other", "fhir", "note.json", path.read_bytes())


def _explained(name: str, row: dict[str, Any]) -> Outcome:
    """Explain a text, or a documented row of status, cause and issue code as the OperationOutcome it stands for."""
    status = next((row[k] for k in ("status", "http_status") if k in row), None)
    issue = {"severity": row.get("severity") or "error", "code": row.get("code") or "processing",
             "diagnostics": row.get("cause") or ""}  # fmt: skip
    text = row.get("text") or json.dumps({"resourceType": "OperationOutcome", "issue": [issue]})
    said = explain(text, status=status, protocol="fhir")
    words = f"{status or ''} {row.get('cause') or ''}: {said.says}"
    return Outcome(name, "error", f"{said.category or '-'} {said.cause or '-'} {said.certainty or '-'}", (words,))


def _diagnosed(
    name: str,
    kind: str,
    protocol: str,
    file: str | None,
    payload: bytes | None,
    *,
    narrative: str = "",
    ehr: str = "",
) -> Outcome:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        note: dict[str, Any] = {"id": "N-sample"}
        case: dict[str, Any] = {"schema": 1, "integration": {"name": "Sample", "protocol": protocol}, "note": note}
        if file and payload is not None:
            (folder / file).write_bytes(payload)
            note["payload"] = file
        if narrative:
            (folder / "note.txt").write_text(narrative, encoding="utf-8")
            note["narrative"] = "note.txt"
        if ehr:
            (folder / "ehr.ndjson").write_text(ehr, encoding="utf-8")
            case["logs"] = {"ehr": "ehr.ndjson"}
        (folder / "case.json").write_text(json.dumps(case), encoding="utf-8")
        read = case_folder.load(folder, offline=True)
        document = serialize.to_json(engine.run(read), read)
    checks = [c for step in document["steps"] for c in step["checks"] if c["status"] in ("failed", "warning", "error")]
    root = document["root_cause"]
    found = f"{root['cause']} {root['certainty']}" if root else "-"
    return Outcome(name, kind, found, tuple(f"{c['status']} {c['id']}: {c['says']}" for c in checks))


if __name__ == "__main__":
    sys.exit(1 if main(Path(sys.argv[1])) else 0)
