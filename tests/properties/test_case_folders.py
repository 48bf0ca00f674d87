"""Damaged case folders: every one is diagnosed, or refused with the file and the key; nothing raises or runs on.

A case of the outside judge is taken and its files are damaged: rows dropped, doubled, shuffled, with other times,
values and types; snapshots with keys gone or of another type; payloads cut or with other bytes.
"""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diagnostics import engine, serialize
from diagnostics.case_folder import load
from diagnostics.errors import CaseError
from diagnostics.vocabulary import Outcome
from tests.cases.expected import cases

FOLDERS = [case.folder for case in cases()]
ODD: list[Any] = [
    None, True, -1, 10**12, 1.5, "", " ", "x" * 5000, "\x00", "\ud7ff￿", "2026-11-22T17:00:05", "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59+14:00", [], {}, ["a"], {"a": {"b": []}}, "Encounter/E-100", "<html>", "MSH|^~\\&|", "{", "401",
]  # fmt: skip
CALLS = 10_000_000  # far above what any case needs; a check that loops is stopped here


class Work:
    """Count the calls of Python functions while it is used, and stop what runs on."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, frame: Any, event: str, _: Any) -> None:
        self.calls += event == "call"
        if self.calls > CALLS:
            raise AssertionError(f"still at work after {CALLS} calls, in {frame.f_code.co_qualname}")


def damaged(folder: Path, seed: int, into: Path) -> Path:
    """Write a copy of a case with a few things wrong, decided by the seed alone."""
    chance = random.Random(seed)
    for file in folder.iterdir():
        if file.name == "expected.json":
            continue
        raw = file.read_bytes()
        if chance.random() < 0.5:
            raw = _ndjson(raw, chance) if file.suffix == ".ndjson" else _other(file, raw, chance)
        (into / file.name).write_bytes(raw)
    return into


def _ndjson(raw: bytes, chance: random.Random) -> bytes:
    rows = raw.split(b"\n")
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(rows))
        match chance.randrange(5):
            case 0:
                rows.pop(at)
            case 1:
                rows.insert(at, rows[chance.randrange(len(rows))])
            case 2:
                chance.shuffle(rows)
            case 3:
                rows[at] = rows[at][: chance.randrange(len(rows[at]) + 1)]
            case _:
                rows[at] = _json(rows[at], chance)
        rows = rows or [b""]
    return b"\n".join(rows)


def _other(file: Path, raw: bytes, chance: random.Random) -> bytes:
    if file.suffix == ".json" and chance.random() < 0.7:
        return _json(raw, chance)
    cut = chance.randrange(len(raw) + 1)
    return chance.choice([raw[:cut], raw[:cut] + bytes([chance.randrange(256)]) + raw[cut:], raw + raw, b""])


def _json(raw: bytes, chance: random.Random) -> bytes:
    try:
        data = json.loads(raw)
    except ValueError:
        return raw
    holder = data
    for _ in range(chance.randint(0, 4)):
        inner = [
            v for v in (holder.values() if isinstance(holder, dict) else holder) if v and isinstance(v, dict | list)
        ]
        if not inner:
            break
        holder = chance.choice(inner)
    if isinstance(holder, dict) and holder:
        key = chance.choice(list(holder))
        if chance.random() < 0.3:
            del holder[key]
        else:
            holder[key] = chance.choice(ODD)
    elif isinstance(holder, list) and holder:
        holder[chance.randrange(len(holder))] = chance.choice(ODD)
    return json.dumps(data, ensure_ascii=False).encode("utf-8", "surrogatepass")


@settings(max_examples=1000, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(which=st.integers(0, len(FOLDERS) - 1), seed=st.integers(0, 2**32))
def test_a_damaged_case_is_diagnosed_or_refused_by_name(
    which: int, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    import sys

    into = damaged(FOLDERS[which], seed, tmp_path_factory.mktemp("case"))
    work, before = Work(), sys.getprofile()
    sys.setprofile(work)
    try:
        case = load(into, offline=True)
        document = serialize.to_json(engine.run(case), case)
    except CaseError as refused:
        assert refused.file and refused.expected
        return
    finally:
        sys.setprofile(before)
    json.dumps(document)
    statuses = [check["status"] for step in document["steps"] for check in step["checks"]]
    assert Outcome.ERROR.value not in statuses
    root = document["root_cause"]
    assert root is None or root["because"]
    assert (
        root is not None or document["failure_mode"] == "delivered" or document["missing"] or "failed" not in statuses
    )
