"""One failure upstream is one cause: whatever lies behind it is blocked and names it, and nothing else is accused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from diagnostics import case_folder, engine, serialize
from diagnostics.practice import FAULTS, PracticeEhr, build_case, running_practice
from diagnostics.probes.vantage import door_for

FHIR_BEHIND = {"fhir.base.not_fhir", "fhir.capability.create_missing", "fhir.readback.absent", "fhir.canary"}
TOKEN_BEHIND = {"fhir.readback.absent", "fhir.canary", "perm.read_ok_write_denied"}
SIGN_IN_BEHIND = {"auth.discovery.unreachable", "auth.assertion.clock_skew"}

# fault → what must be blocked by it, at least: what stands further along the same way
CASCADES = {
    "net-dns-nxdomain": FHIR_BEHIND | {"perm.read_ok_write_denied"},
    "net-tls-expired-token-host": TOKEN_BEHIND | SIGN_IN_BEHIND,
    "net-tcp-refused": FHIR_BEHIND | {"perm.read_ok_write_denied"},
    "auth-key-not-published": TOKEN_BEHIND,
    "net-proxy-407": FHIR_BEHIND | TOKEN_BEHIND | SIGN_IN_BEHIND | {"auth.jwks.unreachable"},
}


@pytest.fixture(scope="module", params=[None, 8128], ids=["plain", "randomised"])
def practice(request: pytest.FixtureRequest) -> Iterator[PracticeEhr]:
    with running_practice(randomize=request.param) as ehr:
        yield ehr


def checks_of(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {check["id"]: check for step in document["steps"] for check in step["checks"]}


@pytest.mark.parametrize("name", CASCADES)
def test_an_upstream_fault_is_one_root_cause_and_names_what_it_blocks(
    practice: PracticeEhr, tmp_path: Path, name: str
) -> None:
    build_case(practice, "north", name, tmp_path)
    case = case_folder.load(tmp_path)
    document = serialize.to_json(engine.run(case, door=door_for(case)), case)
    checks, root = checks_of(document), FAULTS[name].cause

    assert document["root_cause"]["cause"] == root
    assert document["contributing"] == []
    blocked = {id: check["blocked_by"] for id, check in checks.items() if check["status"] == "blocked"}
    assert CASCADES[name] <= blocked.keys(), "what lies behind the fault must be blocked, not judged"
    for id, by in blocked.items():
        assert by == root, f"{id} is blocked by {by}"
        assert checks[by]["says"] in checks[id]["says"], f"{id} does not say what closed the way"
    # Whatever failed speaks of the root or of a symptom that the root explains; nothing broke.
    failed = {id for id, check in checks.items() if check["status"] == "failed"}
    symptoms = {"auth.client.invalid"} if root.startswith("auth.assertion.") else set()
    assert {id for id in failed if not id.startswith(root)} <= symptoms
    assert not [id for id, check in checks.items() if check["status"] == "error"]
    # A step in which the way was closed never shows as passed.
    for step in document["steps"]:
        if any(check["status"] == "blocked" for check in step["checks"]):
            assert step["status"] != "passed", step["name"]
