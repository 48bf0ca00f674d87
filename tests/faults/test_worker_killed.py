"""Kill the worker with -9 in the middle of a run: it ends by itself after restart, with no second write to the EHR."""

import random
import time
from contextlib import ExitStack

import pytest

from console.diagnoses.models import Run
from console.diagnoses.services import request_run
from console.shared.work import WorkState
from diagnostics import case_folder
from diagnostics.practice import PracticeEhr, build_case, running_practice
from diagnostics.practice.ledger import LedgerEntry
from diagnostics.practice.store import Resource
from diagnostics.probes.canary import SYSTEM
from tests.console.builders import a_facility
from tests.faults.stack import sweeper, wait_for, worker
from tests.journeys.stage import take_over

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]

MOMENTS = 20
IN_THE_CANARY = 8
SEED = 20261122
SLOW = "scribe-timeout-short"  # a note's create is answered late, which leaves time between question and answer


def creates(ehr: PracticeEhr) -> list[LedgerEntry]:
    return [e for e in ehr.ledger.entries("north") if e.method == "POST" and "DocumentReference" in e.target]


def canaries(ehr: PracticeEhr) -> list[Resource]:
    documents = ehr.tenant("north").store.all("DocumentReference")
    return [d for d in documents if any(i.get("system") == SYSTEM for i in d["identifier"])]


def told_of_canary(run: Run) -> dict:
    checks = [check for step in run.document["steps"] for check in step["checks"]]
    return next(check for check in checks if check["id"] == "fhir.canary")


def test_twenty_kills_leave_twenty_finished_runs_and_no_second_write(tmp_path, capsys) -> None:
    source = random.Random(SEED)
    told = ["moment                    recovery s  writes  left there  attempt  what the run says of its canary"]
    with running_practice(("north",)) as ehr, sweeper(tmp_path), ExitStack() as alive:
        build_case(ehr, "north", SLOW, tmp_path / "case", seed=3)
        integration, note = take_over(a_facility(), case_folder.load(tmp_path / "case"), "Killed")
        doomed = alive.enter_context(worker(tmp_path))
        for number in range(MOMENTS):
            in_canary = number < IN_THE_CANARY
            before = len(creates(ehr))
            pause = source.uniform(0.05, 0.55) if in_canary else source.uniform(0.0, 1.2)
            run = request_run(integration=integration, note=note)
            if in_canary:
                wait_for("the canary", lambda: len(creates(ehr)) > before)  # noqa: B023
            else:
                wait_for("the claim", lambda: Run.objects.get(pk=run.pk).attempt > 0)  # noqa: B023
            time.sleep(pause)
            doomed.kill()
            killed = time.monotonic()
            answered = run.evidence.filter(key__startswith="CanaryWrite").exists()
            if in_canary:
                assert not answered, "the canary was answered before the worker was killed"
            doomed = alive.enter_context(worker(tmp_path))
            wait_for("the end of the run", lambda: Run.objects.get(pk=run.pk).state == WorkState.DONE)  # noqa: B023
            recovery = time.monotonic() - killed
            row = Run.objects.get(pk=run.pk)
            writes = len(creates(ehr)) - before
            left = [document["id"] for document in canaries(ehr) if document["status"] != "entered-in-error"]
            says = told_of_canary(row)
            where = f"{'canary sent' if in_canary else 'claimed'} + {pause:.2f} s"
            told.append(
                f"{where:<24}  {recovery:>10.1f}  {writes:>6}  {len(left):>10}  {row.attempt:>7}  {says['says'][:60]}"
            )
            assert writes <= 1, told[-1]
            assert not left, f"{told[-1]}: {left} stand in the test patient's chart"
            if in_canary:
                # The answer was lost with the worker: the next attempt reads back instead of writing again.
                assert (says["status"], says["evidence"]["state"]) == ("passed", "earlier"), says
    with capsys.disabled():
        print("\n" + "\n".join(told))
