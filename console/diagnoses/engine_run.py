"""Run the engine for one claimed run: stored evidence in, new evidence stored as it comes, the conclusion kept."""

import asyncio
import contextlib
import logging
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction

from console.diagnoses.baselines import is_good, keep_baseline
from console.diagnoses.cases import case_of
from console.diagnoses.conclusions import tell
from console.diagnoses.models import ActRow, EvidenceRow, FindingRow, Purpose, Run
from console.diagnoses.probing import open_door
from console.notes.correlation import correlate_note
from console.shared.work import LeaseLost, WorkState, finish, held
from diagnostics import diagnose, gather
from diagnostics.case import Case
from diagnostics.evidence.base import Evidence
from diagnostics.evidence.codec import decode, encode
from diagnostics.gather import kinds_of, read_parts
from diagnostics.serialize import to_document

log = logging.getLogger(__name__)
PROGRESS_EVERY_S = 0.4


def diagnose_run(run: Run, lost: threading.Event) -> bool:
    """Gather, judge, conclude, store; tell whether the result counted."""
    if run.note is not None:
        correlate_note(run.note)  # its rows may have come a moment ago; the pages read what is told here
    case = case_of(run)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="run-rows") as rows:
        keeper = _Keeper(run, case, lost, rows)
        try:
            bag = asyncio.run(
                gather(
                    case,
                    door=None if run.offline else open_door(case, run.segment),
                    vantage=run.segment or "here",
                    have=keeper.stored(),
                    wanted=kinds_of(run.steps) if run.purpose == Purpose.ACTION and run.steps else None,
                    on_evidence=keeper.keep,
                    once=keeper.once,
                    budget_s=settings.RUN_BUDGET_S,
                )
            )
            keeper.settle()
        finally:
            rows.submit(_close_connection).result()
    if lost.is_set():
        raise LeaseLost
    document = to_document(diagnose(case, bag), case)
    return _conclude(run, document)


def _close_connection() -> None:
    """Close the calling thread's own connection: the attribute must be looked up in that thread."""
    connection.close()


class _Keeper:
    """Keep a run's evidence while the engine's event loop runs; rows are written by one thread of its own."""

    def __init__(self, run: Run, case: Case, lost: threading.Event, rows: ThreadPoolExecutor) -> None:
        self.run, self.case, self.lost, self.rows = run, case, lost, rows
        self.shown_at = time.monotonic()
        self.waiting: SimpleQueue[Evidence] = SimpleQueue()
        self.storing: list[Future[None]] = []

    def stored(self) -> list[Evidence]:
        """Give what an earlier attempt had gathered; what no longer fits its class is asked for again.

        A run of some steps only goes on from the last whole answer: what the other steps' probes saw then stands.
        """
        found = []
        for row in self.run.evidence.order_by("created_at", "id"):
            try:
                found.append(decode(row.content))
            except ValueError:
                row.delete()
        return [*found, *self._seen_before()]

    def _seen_before(self) -> list[Evidence]:
        if not self.run.steps or self.run.purpose != Purpose.DIAGNOSIS:
            return []
        before = (
            Run.objects.filter(
                ticket_id=self.run.ticket_id,
                integration=self.run.integration_id,
                note=self.run.note_id,
                segment=self.run.segment,
                state=WorkState.DONE,
                purpose=Purpose.DIAGNOSIS,
            )
            .exclude(pk=self.run.pk)
            .order_by("-created_at", "-id")
            .first()
        )
        again = kinds_of(self.run.steps)
        found = []
        for row in before.evidence.order_by("created_at", "id") if before else ():
            with contextlib.suppress(ValueError):  # a class that has changed since is simply asked for again
                evidence = decode(row.content)
                if type(evidence) not in again:
                    found.append(evidence)
        return found

    async def keep(self, evidence: Evidence) -> None:
        """Store one piece of evidence as it comes, while the probes go on: what a kill loses is asked for again."""
        if self.lost.is_set():
            raise LeaseLost
        self.waiting.put(evidence)
        self.storing.append(self.rows.submit(self._store))

    def settle(self) -> None:
        """Wait until all is stored; raise what went wrong with it."""
        for stored in self.storing:
            stored.result()

    def once(self, act: str) -> bool:
        """Allow an act that must not repeat, by writing its intent first; an intent that stands says no."""
        return self.rows.submit(self._intend, act).result()

    def _store(self) -> None:
        """Store whatever waits, in one transaction; a call that finds nothing was served by the one before."""
        came: list[Evidence] = []
        with contextlib.suppress(Empty):
            while True:
                came.append(self.waiting.get_nowait())
        if not came:
            return
        rows = [
            EvidenceRow(facility_id=self.run.facility_id, run=self.run, key=str(each.key)[:200], content=encode(each))
            for each in came
        ]
        with transaction.atomic():
            if not held(self.run):
                self.lost.set()
                raise LeaseLost
            EvidenceRow.objects.bulk_create(rows, ignore_conflicts=True)  # what an earlier attempt stored stays
        self._show()

    def _show(self) -> None:
        """Let pages see how far the run is: the diagnosis of what is there, at most every PROGRESS_EVERY_S.

        Judging takes the processor from the probes, so a run that is over before any page asks shows nothing between.
        """
        if time.monotonic() - self.shown_at < PROGRESS_EVERY_S:
            return
        self.shown_at = time.monotonic()
        bag = read_parts(self.case)
        for item in self.stored():
            bag.put(item)
        try:
            self.run.progress = to_document(diagnose(self.case, bag), self.case)
        except Exception:  # a look in between is worth no failed run; the same fault in the end is another matter
            log.exception("the progress of run %s could not be shown", self.run.id)
            return
        with transaction.atomic():
            if held(self.run):
                self.run.save(update_fields=["progress"])

    def _intend(self, act: str) -> bool:
        try:
            with transaction.atomic():
                if not held(self.run):
                    self.lost.set()
                    return False
                ActRow.objects.create(run=self.run, act=act[:120])
        except IntegrityError:
            return False
        return True


@transaction.atomic
def _conclude(run: Run, document: dict[str, Any]) -> bool:
    """Store findings and conclusion and tell the ticket, all or nothing, and only while the run is still ours."""
    if not held(run):
        return False
    root = document.get("root_cause") or {}
    run.findings.all().delete()
    FindingRow.objects.bulk_create(_findings(run, document))
    run.document = document
    run.progress = None
    run.save(update_fields=["document", "progress"])
    ended = finish(
        run,
        WorkState.DONE,
        failure_mode=document["failure_mode"],
        category=root.get("category", ""),
        cause=root.get("cause", ""),
        certainty=root.get("certainty", ""),
    )
    run.refresh_from_db()
    if ended and not run.offline and run.purpose != Purpose.ACTION and is_good(document):
        keep_baseline(run, document)
    tell(run)
    return ended


def _findings(run: Run, document: dict[str, Any]) -> list[FindingRow]:
    rows = []
    seen: set[str] = set()
    for step in document["steps"]:
        for position, check in enumerate(step["checks"]):
            if check["id"] in seen:
                continue
            seen.add(check["id"])
            rows.append(
                FindingRow(
                    facility_id=run.facility_id,
                    run=run,
                    step=step["step"],
                    position=position,
                    check_id=check["id"],
                    title=str(check.get("title") or check["id"])[:300],
                    status=check["status"],
                    blocked_by=str(check.get("blocked_by") or "")[:200],
                    checklist=list(check.get("checklist") or ()),
                    content={key: check.get(key) for key in ("says", "evidence", "missing", "seen_from")},
                )
            )
    return rows
