"""Resend notes while the answer is cut, the worker is killed with -9, or the button is pressed twice; count documents.

    python -m tests.benchmarks.resend_faults [runs]

One run is one note whose resend was disturbed. The worker is a process of its own; the practice EHR writes down every
document it stores, and half of its tenants heed no conditional create, so that only the console keeps a note from
being written twice.
"""

import os
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

TENANTS = ("north", "south", "west", "east")
NO_GUARD = ("resend-no-conditional-create",)  # of every second tenant
SLOW_S = 0.4  # how long the EHR takes for the answer to a write: time to be killed in
SEED = 20261123


@dataclass
class Told:
    """What became of the notes of one kind of disturbance."""

    kind: str
    runs: int = 0
    most_documents: int = 0
    twice: int = 0
    states: Counter[str] = field(default_factory=Counter)
    uncertain: int = 0  # whose answer was lost: read back, and told
    untold: int = 0  # of these, those that nobody was told of
    wrong: list[str] = field(default_factory=list)

    def line(self) -> str:
        """Give the figures of one kind in a line."""
        states = ", ".join(f"{count} {state}" for state, count in sorted(self.states.items()))
        return (
            f"{self.kind:<14} {self.runs:>4} runs   most documents a note {self.most_documents}   twice {self.twice}   "
            f"answer lost {self.uncertain}, not told {self.untold}   {states}"
        )


def run(ehr: Any, folder: Path, *, cut: int, killed: int, pressed: int) -> Iterator[Told]:
    """Disturb so many resends of each kind; give what became of them, kind by kind. Needs a sweeper running."""
    from tests.console.resends.stage import a_stage

    stages = []
    for number, tenant in enumerate(TENANTS):
        stages.append(a_stage(ehr, folder / tenant, seed=number + 1, tenant=tenant))
        _ail(ehr, stages[-1])
    yield _cut(stages, folder, cut)
    yield _pressed(stages, folder, pressed)
    yield _killed(stages, folder, killed)


def _ail(ehr: Any, stage: Any, *faults: str, slow_s: float = 0.0) -> None:
    guard = NO_GUARD if TENANTS.index(stage.tenant) % 2 else ()
    ehr.set_faults(stage.tenant, {*guard, *faults})
    tenant = ehr.tenant(stage.tenant)
    tenant.behaviour = replace(tenant.behaviour, answer_delay_s=slow_s)


def _ended(batches: list[Any]) -> Callable[[], bool]:
    from console.resends.models import ENDED_STAGES, ResendBatch

    wanted = [batch.pk for batch in batches]
    return lambda: ResendBatch.objects.filter(pk__in=wanted, stage__in=ENDED_STAGES).count() == len(wanted)


def _prepare(stages: list[Any], count: int) -> list[Any]:
    """Open a ticket at each stage, so many notes in all, and let the worker prepare their resends."""
    from console.resends import services
    from console.resends.models import ResendBatch
    from tests.faults.stack import wait_for

    shares = [count // len(stages) + (place < count % len(stages)) for place in range(len(stages))]
    batches = [
        services.prepare(ticket=stage.a_ticket(share), by=stage.desk, key=os.urandom(16).hex())
        for stage, share in zip(stages, shares, strict=True)
        if share
    ]
    keys = [batch.pk for batch in batches]
    wait_for(
        "the dry runs",
        lambda: ResendBatch.objects.filter(pk__in=keys, stage="ready").count() == len(keys),
        60 + count * 3,
    )
    return list(ResendBatch.objects.filter(pk__in=keys).select_related("ticket"))


def _start(stages: list[Any], batches: list[Any]) -> None:
    from console.resends import services

    by = {stage.integration.pk: stage.desk for stage in stages}
    for batch in batches:
        services.start(batch=batch, by=by[batch.integration_id], stop_at_first_problem=False)


def _cut(stages: list[Any], folder: Path, count: int) -> Told:
    """Cut the connection after the document is stored, or, at the last tenant, before."""
    from tests.faults.stack import wait_for, worker

    told = Told("answer cut")
    if not count:
        return told
    with worker(folder, concurrency=len(stages)):
        batches = _prepare(stages, count)
        for stage in stages:
            _ail(stage.ehr, stage, "resend-request-cut" if stage is stages[-1] else "resend-answer-cut")
        _start(stages, batches)
        wait_for("the end of the resends", _ended(batches), 60 + count * 15)
    for stage in stages:
        _ail(stage.ehr, stage)
    return _judge(told, stages, batches)


def _pressed(stages: list[Any], folder: Path, count: int) -> Told:
    """Press the button twice at once for every note, and ring the worker's bell twice as well."""
    from django.db import connection
    from django.test import Client
    from django.urls import reverse

    from console.resends.models import ResendPass
    from console.shared.work import ring
    from tests.faults.stack import wait_for, worker

    told = Told("pressed twice")
    all_batches: list[Any] = []

    def press(batch: Any, client: Client, gate: threading.Barrier) -> None:
        gate.wait()
        try:
            answer = client.post(reverse("resends:start", args=[batch.pk]), {"go_on_after_problems": "yes"})
            assert answer.status_code == 302, answer.status_code
            for row in ResendPass.objects.filter(batch=batch, kind="send"):
                ring(row)
        except Exception as problem:
            told.wrong.append(f"{type(problem).__name__}: {problem}")
        finally:
            connection.close()

    with worker(folder, concurrency=len(stages)):
        while sum(batch.items.count() for batch in all_batches) < count:
            batches = _prepare(stages, len(stages))
            gate = threading.Barrier(2 * len(batches))
            threads = []
            for batch in batches:
                desk = next(stage.desk for stage in stages if stage.integration.pk == batch.integration_id)
                for _ in range(2):
                    client = Client(SERVER_NAME="localhost")
                    client.force_login(desk)
                    threads.append(threading.Thread(target=press, args=(batch, client, gate)))
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            wait_for("the end of the resends", _ended(batches), 60)
            all_batches += batches
    return _judge(told, stages, all_batches)


def _killed(stages: list[Any], folder: Path, count: int) -> Told:
    """Kill the worker at random moments of a note's turn; each note under way is one run."""
    from console.resends.models import ResendAct, ResendItem, ResendPass
    from tests.faults.stack import wait_for, worker

    told, source = Told("worker killed"), random.Random(SEED)
    disturbed: dict[Any, str] = {}
    all_batches: list[Any] = []
    for stage in stages:
        _ail(stage.ehr, stage, slow_s=SLOW_S)
    with ExitStack() as alive:
        doomed = alive.enter_context(worker(folder, concurrency=len(stages)))
        while len(disturbed) < count:
            batches = _prepare(stages, min(24, max(len(stages), count - len(disturbed))))
            all_batches += batches
            _start(stages, batches)
            over = _ended(batches)
            while len(disturbed) < count and not over():
                begun = ResendAct.objects.count()
                wait_for(
                    "a write",
                    lambda: ResendAct.objects.count() > begun or _go_on(stages, batches) or over(),  # noqa: B023
                    120,
                )
                time.sleep(source.uniform(0.0, SLOW_S))
                doomed.kill()
                _go_on(stages, batches)
                under_way = ResendItem.objects.filter(batch__in=batches, state="sending").select_related("act")
                for item in under_way:
                    disturbed[item.pk] = "after its intent" if hasattr(item, "act") else "before its intent"
                doomed = alive.enter_context(worker(folder, concurrency=len(stages)))
            wait_for("the end of the resends", lambda: _go_on(stages, batches) or over(), 300)  # noqa: B023
        wait_for("the last looks", lambda: not ResendPass.objects.filter(state__in=("queued", "running")).exists(), 120)
    for stage in stages:
        _ail(stage.ehr, stage)
    told.states.update(f"killed {when}" for when in disturbed.values())
    return _judge(told, stages, all_batches, only=set(disturbed))


def _go_on(stages: list[Any], batches: list[Any]) -> bool:
    """Do what a person does with a resend that paused because its worker died five times in a row; give False."""
    from console.resends import services
    from console.resends.models import ResendBatch

    by = {stage.integration.pk: stage.desk for stage in stages}
    for batch in ResendBatch.objects.filter(pk__in=[batch.pk for batch in batches], stage="paused"):
        services.go_on(batch=batch, by=by[batch.integration_id])
    return False


def _judge(told: Told, stages: list[Any], batches: list[Any], *, only: set[Any] | None = None) -> Told:
    """Hold what the console says of each note to what the EHR stored."""
    from console.resends.models import HELD_BY_EHR, UNCERTAIN_ITEMS, ResendItem
    from console.tickets.models import TicketEvent

    by = {stage.integration.pk: stage for stage in stages}
    items = ResendItem.objects.filter(batch__in=batches).select_related("note", "batch").order_by("batch", "position")
    for item in items:
        stage = by[item.batch.integration_id]
        written, held = stage.documents(item.note), stage.held(item.note)
        told.most_documents = max(told.most_documents, written, held)
        told.twice += max(written, held) > 1
        if only is not None and item.pk not in only:
            continue  # its turn went undisturbed; its documents count all the same
        told.runs += 1
        told.states[item.state] += 1
        if item.state not in (*HELD_BY_EHR, *UNCERTAIN_ITEMS):
            told.wrong.append(f"a note ended {item.state}: {(item.answer or {}).get('says')}")
        if item.state in HELD_BY_EHR and held != 1:
            told.wrong.append(f"a note is said to be there ({item.state}) and is not")
        if item.state in ("found", *UNCERTAIN_ITEMS):
            told.uncertain += 1
            events = TicketEvent.objects.filter(ticket=item.batch.ticket_id, reference=item.note_id)
            said = bool((item.answer or {}).get("says")) and events.filter(kind__in=("resend", "note_ended")).exists()
            told.untold += not said
    return told


def main(runs: int = 500) -> bool:
    """Run all three kinds, print the figures, and tell whether the promise held."""
    os.environ |= {"WORK_LEASE_S": "2", "WORK_RING_AGAIN_S": "2", "WORK_SWEEP_S": "0.5"}
    from diagnostics.practice import running_practice
    from tests.benchmarks.ticket_to_conclusion import console

    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="nt-", ignore_cleanup_errors=True) as name, console(Path(name)):
        from tests.faults.stack import sweeper

        with running_practice(TENANTS) as ehr, sweeper(Path(name)):
            third = runs // 3
            told = []
            for one in run(ehr, Path(name), cut=runs - 2 * third, killed=third, pressed=third):
                print(one.line(), *one.wrong[:10], sep="\n", flush=True)
                told.append(one)
    print(f"{sum(one.runs for one in told)} runs in {time.monotonic() - began:.0f} s")
    return not any(one.wrong or one.twice or one.untold for one in told)


if __name__ == "__main__":
    sys.exit(0 if main(*map(int, sys.argv[1:])) else 1)
