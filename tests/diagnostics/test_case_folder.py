"""A case folder is read exactly, or refused by file, key and what was expected."""

import json
from pathlib import Path
from typing import Any

import pytest

from diagnostics import case_folder
from diagnostics.errors import CaseError

MINIMAL = {"schema": 1, "integration": {"name": "North", "protocol": "fhir"}}


def write(folder: Path, document: Any, **files: bytes | str) -> Path:
    text = document if isinstance(document, str) else json.dumps(document)
    (folder / "case.json").write_text(text, encoding="utf-8")
    for name, content in files.items():
        data = content if isinstance(content, bytes) else content.encode()
        (folder / name.replace("__", ".")).write_bytes(data)
    return folder


def test_a_minimal_case_is_read(tmp_path: Path) -> None:
    case = case_folder.load(write(tmp_path, MINIMAL))
    assert case.note is None
    assert case.logs.scribe is None
    assert case.integration.vendor == "generic"
    assert not case.now_is_fixed


def test_everything_a_case_may_name_is_read(tmp_path: Path) -> None:
    document = {
        **MINIMAL,
        "now": "2026-03-02T17:12:00+00:00",
        "note": {"id": "N-1", "payload": "note.json", "narrative": "note.txt", "generated_at": "2026-03-02T16:58:00Z"},
        "logs": {"scribe": "s.ndjson", "ehr": "e.ndjson"},
        "encounter": "enc.json",
        "template": "t.json",
        "baseline": "b.json",
    }
    row = {"at": "2026-03-02T16:58:00+00:00", "event": "generated", "note_id": "N-1", "odd": "kept"}
    case = case_folder.load(
        write(
            tmp_path,
            document,
            note__json=b"\xff not json at all",
            note__txt="Assessment: fine",
            s__ndjson=json.dumps(row) + "\n\n",
            e__ndjson="",
            enc__json='[{"id": "E-1"}, {"id": "E-2"}]',
            t__json='{"template_id": "PROG-1", "version": 7, "fields": [{"id": "HPI"}]}',
            b__json='{"whatever": {"is": "kept"}}',
        )
    )
    assert case.note is not None
    assert case.note.payload == b"\xff not json at all"
    assert case.logs.scribe == (row,)
    assert case.logs.ehr == ()
    assert len(case.encounters or ()) == 2
    assert case.baseline == {"whatever": {"is": "kept"}}
    assert case.now_is_fixed


BROKEN: list[tuple[Any, dict[str, bytes | str], str, str]] = [
    ("{", {}, "case.json", "not valid JSON"),
    ({**MINIMAL, "schema": 2}, {}, "case.json: schema", "expected 1"),
    ({"schema": 1}, {}, "case.json", "integration"),
    ({**MINIMAL, "colour": "red"}, {}, "case.json: colour", "not a key"),
    ({**MINIMAL, "integration": {**MINIMAL["integration"], "auth": {"flaw": "none"}}}, {},  # type: ignore[dict-item]
     "case.json: integration.auth.flaw", "not a key"),
    ({**MINIMAL, "integration": {"name": "North", "protocol": "soap"}}, {},
     "integration.protocol", "expected fhir or hl7v2, found 'soap'"),
    ({**MINIMAL, "integration": {**MINIMAL["integration"], "fhir_base_url": "ehr.example"}}, {},  # type: ignore[dict-item]
     "integration.fhir_base_url", "absolute"),
    ({**MINIMAL, "now": "2026-03-02T17:12:00"}, {}, "case.json: now", "offset"),
    ({**MINIMAL, "note": {"id": "N-1", "payload": "gone.json"}}, {}, "note.payload", "gone.json"),
    ({**MINIMAL, "template": "t.json"}, {"t__json": '{"felds": []}'}, "t.json: felds", "not a key"),
    ({**MINIMAL, "roles": "r.json"}, {"r__json": "[1]"}, "r.json", "object"),
    ({**MINIMAL, "logs": {"scribe": "s.ndjson"}}, {"s__ndjson": '{"event": "sent"}'},
     "s.ndjson: line 1: at", "ISO 8601"),
    ({**MINIMAL, "logs": {"scribe": "s.ndjson"}}, {"s__ndjson": '\n{"at": "2026-03-02T16:58:00", "event": "sent"}'},
     "s.ndjson: line 2: at", "offset"),
    ({**MINIMAL, "logs": {"ehr": "e.ndjson"}}, {"e__ndjson": "received at noon"}, "e.ndjson: line 1", "JSON object"),
    ({**MINIMAL, "logs": {"ehr": "e.ndjson"}}, {"e__ndjson": b'{"at":"\xff"}'}, "e.ndjson: line 1", "UTF-8"),
    ({**MINIMAL, "logs": {"ehr": "e.ndjson"}}, {"e__ndjson": '{"at": "0001-01-01T00:00:00Z", "event": "filed"}'},
     "e.ndjson: line 1: at", "1970 to 2199"),
    ({**MINIMAL, "integration": {**MINIMAL["integration"], "proxy": "https://proxy.example:3128"}}, {},  # type: ignore[dict-item]
     "integration.proxy", "http URL"),
    ({**MINIMAL, "integration": {**MINIMAL["integration"], "segments": [{"name": "a", "proxy": "proxy:3128"}]}},  # type: ignore[dict-item]
     {}, "integration.segments[0].proxy", "absolute"),
    ({**MINIMAL, "now": "9999-12-31T23:59:59Z"}, {}, "case.json: now", "between 1970 and 2199"),
    ({**MINIMAL, "note": {"id": "N-1", "payload": "x" * 300}}, {}, "note.payload", "relative to the folder"),
    ({**MINIMAL, "note": {"id": "N-1", "payload": "a\x00b"}}, {}, "note.payload", "relative to the folder"),
]  # fmt: skip


@pytest.mark.parametrize(("document", "files", "place", "words"), BROKEN, ids=[row[2] + " " + row[3] for row in BROKEN])
def test_what_cannot_be_read_is_named(
    tmp_path: Path, document: Any, files: dict[str, bytes | str], place: str, words: str
) -> None:
    with pytest.raises(CaseError) as told:
        case_folder.load(write(tmp_path, document, **files))
    assert place in str(told.value)
    assert words in str(told.value)
    assert "\n" not in str(told.value)


def test_a_folder_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="expected a folder"):
        case_folder.load(tmp_path / "nowhere")


def test_audit_events_are_read_as_rows_of_the_ehr(tmp_path: Path) -> None:
    event = {
        "resourceType": "AuditEvent",
        "recorded": "2026-03-02T16:58:03Z",
        "action": "C",
        "outcome": "0",
        "agent": [{"who": {"reference": "Practitioner/dr-1"}}],
        "entity": [
            {"what": {"reference": "DocumentReference/7"}},
            {"what": {"reference": "Patient/P-1"}},
            {"detail": [{"type": "X-Request-Id", "valueString": "r-1"}]},
        ],
    }
    bundle = {"resourceType": "Bundle", "entry": [{"resource": event}]}
    for name, content in (("bundle", json.dumps(bundle, indent=1)), ("lines", json.dumps(event) + "\n")):
        folder = tmp_path / name
        folder.mkdir()
        case = case_folder.load(write(folder, {**MINIMAL, "logs": {"ehr": "e.ndjson"}}, e__ndjson=content))
        assert case.logs.ehr is not None
        (row,) = case.logs.ehr
        assert row["event"] == "filed"
        assert row["resource"] == "DocumentReference/7"
        assert row["request_id"] == "r-1"
        assert row["author_id"] == "Practitioner/dr-1"


def test_a_line_separator_inside_a_text_does_not_end_a_row(tmp_path: Path) -> None:
    row = json.dumps({"at": "2026-03-02T16:58:00Z", "event": "failed", "error": "a\u2028b\x85c\rd"}, ensure_ascii=False)
    case = case_folder.load(write(tmp_path, {**MINIMAL, "logs": {"scribe": "s.ndjson"}}, s__ndjson=row + "\n"))
    assert case.logs.scribe is not None
    assert len(case.logs.scribe) == 1
