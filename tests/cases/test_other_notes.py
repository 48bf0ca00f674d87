"""Rows of other notes that failed in the same minutes change nothing: every case is concluded as without them."""

import json
import random
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cases.expected import Case, cases
from tests.cases.judging import diagnose, judge

ISSUE = {"severity": "error", "code": "required"}
ANSWERS: list[dict[str, Any]] = [
    {"status": 403, "error": "Forbidden"},
    {"status": 422, "error": json.dumps({"resourceType": "OperationOutcome", "issue": [ISSUE]})},
    {"error": "connect ECONNREFUSED 192.0.2.9:443"},
    {"error": "Read timed out. (read timeout=30)"},
    {"status": 500, "error": ""},
    {"status": 401, "response_headers": {"www-authenticate": 'Bearer error="invalid_token"'}},
]  # fmt: skip
# what other notes' rows show is part of these: that ids are shared, and that the EHR logs writes at all
THEIRS = {"joined_by_encounter", "ehr_log_holds_no_writes_at_all"}
Row = dict[str, Any]


def rows_of(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]


def instant(row: Row) -> datetime:
    return datetime.fromisoformat(row["at"])


def others(kind: str, start: datetime, url: str, chance: random.Random) -> Iterator[Row]:
    """Yield the rows of four notes of other patients, each sent once and refused or lost."""
    for number in range(4):
        began = start + timedelta(seconds=chance.randint(-600, 900))
        answer = chance.choice(ANSWERS)
        ids = {"transaction_id": f"OTHER-{number}", "encounter_id": f"E-O{number}", "patient_id": f"P-O{number}"}
        at = [(began + timedelta(seconds=second)).isoformat() for second in range(4)]
        if kind == "ehr":
            if "status" in answer:
                yield {"at": at[2], "event": "received", "client_id": "scribe-writer", **ids}
                yield {
                    "at": at[3],
                    "event": "rejected",
                    "client_id": "scribe-writer",
                    "status": answer["status"],
                    **ids,
                }
            continue
        note = {"note_id": f"N-OTHER-{number}", **ids}
        yield {"at": at[0], "event": "generated", **note}
        yield {"at": at[2], "event": "sent", "method": "POST", "url": url, "token_id": f"other-{number}", **note}
        yield {"at": at[3], "event": "failed", "method": "POST", "url": url, **note, **answer}


def among_others(case: Case, into: Path) -> Path | None:
    """Copy a case with other notes' rows in its logs; None where it has no log of rows."""
    shutil.copytree(case.folder, into)
    logs = json.loads((into / "case.json").read_text(encoding="utf-8")).get("logs", {})
    held = {kind: rows_of(into / logs[kind]) for kind in ("scribe", "ehr") if str(logs.get(kind)).endswith(".ndjson")}
    if not any(held.values()) or any("resourceType" in row for rows in held.values() for row in rows):
        return None
    start = min(instant(row) for rows in held.values() for row in rows)
    sent = [row.get("url") for row in held.get("scribe", ()) if row["event"] == "sent"]
    url = next(filter(None, sent), "https://fhir.northcampus.example/r4/DocumentReference")
    for kind, rows in held.items():
        rows += others(kind, start, url, random.Random(case.name))
        text = "".join(json.dumps(row) + "\n" for row in sorted(rows, key=instant))
        (into / logs[kind]).write_text(text, encoding="utf-8")
    return into


CASES = [case for case in cases() if case.area != "undecidable" and case.name not in THEIRS]


@pytest.mark.parametrize("area", sorted({case.area for case in CASES}))
def test_other_notes_rows_change_no_conclusion(area: str, tmp_path: Path) -> None:
    wrong: dict[str, list[str]] = {}
    tried = 0
    for case in (case for case in CASES if case.area == area):
        folder = among_others(case, tmp_path / case.name)
        if folder is None:
            continue
        tried += 1
        departures = judge(case, *diagnose(folder))
        if departures:
            wrong[case.name] = departures
    assert tried
    assert wrong == {}
