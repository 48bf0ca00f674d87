"""Every row of the catalogue is shown by a test and refuted by another: 161 causes, warnings and classifiers.

Shown: a check failed or warned with that cause, or a classifier's check reached a verdict. Refuted: a check that can
speak for the row looked, and passed. What counts is what was reached in the case folders, in the practice EHR's
faults played live with every word random, and in the checks' own tables, which run here once more to be counted.
"""

import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from diagnostics import catalog
from diagnostics.causes.model import Kind
from diagnostics.check import Check

ROOT = Path(__file__).resolve().parents[2]
ROWS = (Path(__file__).parent / "guide_rows.txt").read_text(encoding="utf-8").split()
Reached = dict[str, set[tuple[str, str | None]]]


def speaking(row: str) -> list[Check]:
    """Return the checks that can speak for a row: by the cause they name, or by their id."""
    cause = catalog.cause(row)
    return [
        check
        for check in catalog.checks().values()
        if cause in check.causes or check.id == row or check.id.startswith(f"{row}.")
    ]


@pytest.fixture(scope="module")
def reached(played, tmp_path_factory: pytest.TempPathFactory) -> Reached:
    """Return per check the outcomes reached, each with the cause it named."""
    found: Reached = defaultdict(set)
    for diagnosis in played.diagnoses.values():
        for finding in diagnosis.findings:
            found[finding.check].add((finding.status.value, finding.cause.id if finding.cause else None))
    file = tmp_path_factory.mktemp("reached") / "tables.json"
    places = ["tests/diagnostics/checks", "tests/diagnostics/probes/test_introspection.py"]
    tables = [sys.executable, "-m", "pytest", *places, "-q", "-p", "no:cacheprovider"]
    run = subprocess.run(
        tables, cwd=ROOT, env=os.environ | {"NOTETRACE_REACHED": str(file)}, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout[-2000:]
    for check, status, cause in json.loads(file.read_text(encoding="utf-8")):
        found[check].add((status, cause))
    return found


def test_the_catalogue_holds_the_guides_rows_and_no_other() -> None:
    assert len(ROWS) == len(set(ROWS)) == 161
    assert set(catalog.causes()) == set(ROWS)


@pytest.mark.parametrize("row", ROWS)
def test_a_row_is_whole(row: str) -> None:
    cause = catalog.cause(row)
    assert cause.who_acts and cause.title
    if cause.kind is Kind.CAUSE:
        assert len(cause.remedy) >= 2
    assert speaking(row), f"no check speaks for {row}"


@pytest.mark.parametrize("row", ROWS)
def test_a_row_is_shown(row: str, reached: Reached) -> None:
    if catalog.cause(row).kind is Kind.CLASSIFIER:
        told = {status for check in speaking(row) for status, _ in reached[check.id]}
        assert told & {"failed", "warning", "passed"}
        return
    own = {check.id for check in speaking(row)}
    named = [
        check
        for check, outcomes in reached.items()
        for status, cause in outcomes
        if status in ("failed", "warning") and (cause == row or (check in own and cause is None))
    ]
    assert named, f"no test shows {row}"


@pytest.mark.parametrize("row", ROWS)
def test_a_row_is_refuted(row: str, reached: Reached) -> None:
    passed = [check.id for check in speaking(row) if "passed" in {status for status, _ in reached[check.id]}]
    assert passed, f"no test refutes {row}"


# It names what to ask a vendor for, and can never know the answer.
ASKS_ONLY = {"auth.jwks.unreachable.listed"}


def test_every_check_was_seen_to_pass_and_to_speak(reached: Reached) -> None:
    unshown = {}
    for id in catalog.checks():
        statuses = {status for status, _ in reached[id]}
        speaks = {"unknown"} if id in ASKS_ONLY else {"failed", "warning"}
        if not ("passed" in statuses and statuses & speaks):
            unshown[id] = sorted(statuses)
    assert unshown == {}
