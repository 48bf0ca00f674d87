"""The engine finds every fault of the practice EHR over the network, and nothing where the EHR only looks odd."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from diagnostics import case_folder, engine, serialize
from diagnostics.practice import FAULTS, VARIATIONS, PracticeEhr, build_case, running_practice
from diagnostics.probes.vantage import door_for


@pytest.fixture(scope="module")
def practice() -> Iterator[PracticeEhr]:
    with running_practice() as ehr:  # with random strings: tests/architecture/test_random_words.py
        yield ehr


def diagnosed(ehr: PracticeEhr, story: str | None, folder: Path) -> dict:
    build_case(ehr, "north", story, folder)
    case = case_folder.load(folder)
    return serialize.to_json(engine.run(case, door=door_for(case)), case)


@pytest.mark.parametrize("name", FAULTS)
def test_the_fault_is_found(practice: PracticeEhr, tmp_path: Path, name: str) -> None:
    fault = FAULTS[name]
    document = diagnosed(practice, name, tmp_path)
    root = document["root_cause"] or {}
    assert (root.get("cause"), root.get("category")) == (fault.cause, fault.category)
    assert document["failure_mode"] == fault.failure_mode
    assert root["because"] and root["remedy"] and root["who_acts"]


@pytest.mark.parametrize("name", [None, *VARIATIONS], ids=str)
def test_nothing_is_called_a_cause_where_all_is_well(practice: PracticeEhr, tmp_path: Path, name: str | None) -> None:
    document = diagnosed(practice, name, tmp_path)
    assert (document["root_cause"], document["contributing"]) == (None, [])
    assert document["failure_mode"] == "delivered"
