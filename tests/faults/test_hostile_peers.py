"""Answers that hurt, met by a real worker: each ends in words, in one attempt, and leaves the worker lean and alive."""

import contextlib
import json
from pathlib import Path

import pytest

from console.shared.work import WorkState
from diagnostics import case_folder
from diagnostics.practice import build_case, running_practice
from diagnostics.practice.hostile import HOSTILITIES
from tests.faults.scripted_peer import AWAY, SCRIPTS, Peer, scripted
from tests.faults.stack import sweeper, worker
from tests.journeys.stage import a_place, ended, open_for

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]

MOST_MEMORY_KB = 400_000  # a worker that kept one 50 MB answer decoded, or a bomb, would be far above


def bare_case(folder: Path, peer: Peer) -> case_folder.Case:
    """Write a case whose FHIR server is the peer."""
    folder.mkdir()
    integration = {
        "name": "Hostile",
        "protocol": "fhir",
        "fhir_base_url": f"http://127.0.0.1:{peer.port}/fhir",
        "auth": {"flow": "none"},
        "timeout_s": 2,
    }
    document = {"schema": 1, "integration": integration, "note": {"id": "N-1"}}
    (folder / "case.json").write_text(json.dumps(document), encoding="utf-8")
    return case_folder.load(folder)


def most_memory_kb(parent: int) -> int:
    """Give the highest memory any child of a process ever had."""
    peaks = [0]
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            told = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
            if int(told["PPid"]) == parent and "VmHWM" in told:
                peaks.append(int(told["VmHWM"].split()[0]))
    return max(peaks)


def test_every_hostile_answer_ends_in_words_and_never_in_a_traceback(tmp_path, capsys) -> None:
    names = [*HOSTILITIES, *SCRIPTS]
    with contextlib.ExitStack() as alive:
        ehr = alive.enter_context(running_practice(HOSTILITIES))
        peers = {name: alive.enter_context(scripted(script)) for name, script in SCRIPTS.items()}
        alive.enter_context(sweeper(tmp_path))
        hand = alive.enter_context(worker(tmp_path, concurrency=2))
        place = a_place()
        tickets = []
        for name in names:
            if name in peers:
                case = bare_case(tmp_path / name, peers[name])
            else:
                build_case(ehr, name, None, tmp_path / name)
                ehr.set_faults(name, {name})
                case = case_folder.load(tmp_path / name)
            tickets.append(open_for(place, case, name))
        runs = dict(zip(names, ended(tickets), strict=True))
        peak = most_memory_kb(hand.process.pid)
        log = hand.log.read_text(encoding="utf-8", errors="replace")

    told = [f"{'peer':<28} attempts      ms  what is said"]
    for name, run in runs.items():
        assert (run.state, run.attempt) == (WorkState.DONE, 1), (name, run.state, run.error)
        checks = {check["id"]: check for step in run.document["steps"] for check in step["checks"]}
        broken = [id for id, check in checks.items() if check["status"] == "error"]
        assert not broken, (name, broken)
        base = checks["fhir.base.not_fhir"]
        assert base["status"] in ("failed", "warning", "unknown"), (name, base)
        assert base["says"].endswith(".") and not base["says"].endswith(".."), base
        told.append(f"{name:<28} {run.attempt:>8}  {run.document['ms']:>6.0f}  {base['status']}: {base['says']}")
    assert "Traceback" not in log
    assert 0 < peak < MOST_MEMORY_KB, f"a worker grew to {peak} KB"
    # A redirect is a finding; nobody goes after it.
    assert AWAY not in {path for peer in peers.values() for path in peer.paths}
    assert all(peer.paths for peer in peers.values()), "every peer was asked"
    with capsys.disabled():
        print("\n" + "\n".join(told) + f"\nhighest memory of a worker: {peak / 1024:.0f} MB")
