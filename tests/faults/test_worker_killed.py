"""Kill the worker with -9 in the middle of a run: it ends by itself after restart, with no second write to the EHR."""

import random
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from console.accounts.services import open_facility
from console.diagnoses.models import Run
from console.diagnoses.services import request_run
from console.integrations.models import Integration
from console.notes.case_import import keep_case_note, keep_logs, keep_snapshots, set_integration
from console.shared.work import WorkState
from diagnostics import case_folder
from diagnostics.practice.case_builder import build_case
from diagnostics.practice.server import running_practice
from tests.faults.stack import sweeper, wait_for, worker

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]

MOMENTS = 20
IN_THE_CANARY = 8
SEED = 20261122
SLOW = "scribe-timeout-short"  # a note's create is answered late, which leaves time between question and answer


def stored(ehr, folder: Path) -> Integration:
    build_case(ehr, "north", SLOW, folder, seed=3)
    case = case_folder.load(folder)
    facility = open_facility(slug=f"killed-{random.getrandbits(32):08x}", name="Killed")
    integration = Integration.objects.create(
        facility=facility, name="Killed", vendor=case.integration.vendor, protocol=case.integration.protocol
    )
    set_integration(integration, case)
    keep_snapshots(integration, case)
    keep_logs(integration, case)
    note = keep_case_note(integration, case, department=None)
    integration.note = note
    return integration


def creates(ehr) -> list:
    return [e for e in ehr.ledger.entries("north") if e.method == "POST" and "DocumentReference" in e.target]


def test_twenty_kills_leave_twenty_finished_runs_and_no_second_write(tmp_path, capsys) -> None:
    source = random.Random(SEED)
    told = ["moment                          recovery s  writes  state"]
    with running_practice(("north",)) as ehr, sweeper(tmp_path), ExitStack() as alive:
        integration = stored(ehr, tmp_path / "case")
        doomed = alive.enter_context(worker(tmp_path))
        for number in range(MOMENTS):
            in_canary = number < IN_THE_CANARY
            before = len(creates(ehr))
            pause = source.uniform(0.05, 0.55) if in_canary else source.uniform(0.0, 1.2)
            run = request_run(integration=integration, note=integration.note)
            if in_canary:
                wait_for("the canary", lambda: len(creates(ehr)) > before)  # noqa: B023
            else:
                wait_for("the claim", lambda: Run.objects.get(pk=run.pk).attempt > 0)  # noqa: B023
            time.sleep(pause)
            doomed.kill()
            killed = time.monotonic()
            if in_canary:
                kept = run.evidence.filter(key__startswith="CanaryWrite").exists()
                assert not kept, "the canary was answered before the worker was killed"
            doomed = alive.enter_context(worker(tmp_path))
            wait_for("the end of the run", lambda: Run.objects.get(pk=run.pk).state == WorkState.DONE)  # noqa: B023
            recovery = time.monotonic() - killed
            row = Run.objects.get(pk=run.pk)
            writes = len(creates(ehr)) - before
            where = f"canary sent + {pause:.2f} s" if in_canary else f"claimed + {pause:.2f} s"
            told.append(f"{where:<30}  {recovery:>10.1f}  {writes:>6}  {row.state} (attempt {row.attempt})")
            assert writes <= 1, told[-1]
            assert row.document is not None
    with capsys.disabled():
        print("\n" + "\n".join(told))
