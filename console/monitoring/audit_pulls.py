"""Pull an integration's audit events from its EHR: a standing order, one pull at a time, nothing lost by a kill.

Events and how far they reach are stored in one transaction. What comes late is met again by asking from a little
before; what is met again is recognised, here by its hash and in the intake by its content.
"""

import asyncio
import hashlib
import logging
import threading
import time
import traceback
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from console.accounts.access import require
from console.accounts.keys import keyring
from console.accounts.models import User
from console.accounts.roles import Right
from console.accounts.services import record
from console.diagnoses.probing import open_door
from console.integrations.case_parts import join
from console.integrations.models import Integration, Source
from console.integrations.tokens import source_of
from console.monitoring.models import AuditPull
from console.notes.intake import take_rows
from console.notes.models import LogEntry, LogImport
from console.shared.work import OPEN_STATES, LeaseLost, WorkState, claim, held, lease, ring
from diagnostics import case as engine
from diagnostics.probes.audit_search import COUNT, OTHERWISE, AuditSearch, Page, Trouble

log = logging.getLogger(__name__)
FIRST_LOOK_BACK = timedelta(days=1)
OVERLAP = timedelta(minutes=10)
BUDGET_S = 45.0  # below what a task may take; what is left comes with the next pull, at once
MOST_PAGES = 100
MOST_BYTES = 64 * 1024 * 1024
STORED_AT_ONCE = 2000
STORED_AT_ONCE_BYTES = 8 * 1024 * 1024
REMEMBERED = 4000
LONGEST_PAUSE = timedelta(hours=6)
SHARE_OF_RATE = 0.25  # of the integration's own limit: notes go first
_UNSORTED = Trouble(
    "odd", "The EHR gives its events in no order, and more of them than one pull may fetch.",
    f"Ask more often, so that fewer come at once. Otherwise: {OTHERWISE}",
)  # fmt: skip
_NOT_IN_USE = Trouble("not_set_up", "The integration is not in use.", "Switch the pull off, or the integration on.")
_OWN_FAULT = Trouble("worker", "The pull failed in NoteTrace itself.", "The workers' own log says where.")


@transaction.atomic
def switch_on(*, integration: Integration, every_minutes: int, by: User) -> AuditPull:
    """Ask the EHR by itself from now on, or change how often; what was seen before is not asked for again."""
    require(by, Right.MANAGE_INTEGRATIONS, integration.facility_id)
    now = timezone.now()
    order = {"every_minutes": every_minutes, "changed_by": by, "changed_at": now}
    fresh = {"facility_id": integration.facility_id, "last_seen": now - FIRST_LOOK_BACK, "state": WorkState.DONE}
    row, _ = AuditPull.objects.select_for_update(of=("self",)).get_or_create(
        integration=integration, defaults=order | fresh
    )
    AuditPull.objects.filter(pk=row.pk).update(**order)
    pull_now(pull=row, by=None)
    detail = {"every_minutes": every_minutes}
    record(by=by, action="audit_pull.on", subject=integration, facility=integration.facility_id, detail=detail)
    row.refresh_from_db()
    return row


@transaction.atomic
def switch_off(*, pull: AuditPull, by: User) -> None:
    """Ask no more; a pull that is under way stores nothing further."""
    require(by, Right.MANAGE_INTEGRATIONS, pull.facility_id)
    now = timezone.now()
    changed = AuditPull.objects.filter(pk=pull.pk, state__in=OPEN_STATES).update(
        state=WorkState.DONE, lease_until=None, finished_at=now, changed_by=by, changed_at=now,
        trouble="", says="", remedy="", failures=0, failing_since=None,
    )  # fmt: skip
    if changed:
        record(by=by, action="audit_pull.off", subject=pull.integration, facility=pull.facility_id)


@transaction.atomic
def pull_now(*, pull: AuditPull, by: User | None) -> None:
    """Let the next pull come at once; one that is under way is left to it."""
    if by is not None:
        require(by, Right.MANAGE_INTEGRATIONS, pull.facility_id)
    AuditPull.objects.filter(pk=pull.pk).exclude(state=WorkState.RUNNING).update(
        state=WorkState.QUEUED, attempt=0, due_at=timezone.now(), finished_at=None
    )
    ring(pull)


def execute(pull_id: uuid.UUID | str) -> bool:
    """Carry out one pull unless another worker does; queue the next one."""
    row = claim(AuditPull, pull_id)
    if row is None:
        return False
    try:
        if not row.integration.active:
            return _queue_next(row, _NOT_IN_USE)
        with lease(row, budget_s=BUDGET_S + 2 * settings.WORK_LEASE_S) as lost:
            ended = _Pull(row, lost).run()
    except LeaseLost:
        return False
    except Exception as problem:  # its text may hold an event; where it happened is told without values
        where = "".join(traceback.format_tb(problem.__traceback__))
        log.error(
            "the pull for integration %s failed with %s at\n%s", row.integration_id, type(problem).__name__, where
        )
        ended = _OWN_FAULT
    return _queue_next(row, ended)


class _Pull:
    """One pull: pages are turned, and every so often what came is stored with how far it reaches."""

    def __init__(self, row: AuditPull, lost: threading.Event) -> None:
        self.row, self.lost = row, lost
        self.source: Source = source_of(row.integration)
        self.since: datetime = row.resume_at or row.last_seen - OVERLAP
        self.known = set(_words(bytes(row.recent)))
        self.met: dict[bytes, None] = {}
        self.waiting: list[bytes] = []
        self.bytes_waiting = self.bytes_all = self.pages = self.stored = 0
        self.through: datetime | None = None
        self.newest: datetime | None = None
        self.until = time.monotonic() + BUDGET_S

    def run(self) -> Trouble | timedelta | None:
        """Give what ended it: a trouble, the pause after which the rest comes, or nothing."""
        part = join(self.row.integration)
        limit = part.rate_limit_per_minute
        pause = timedelta(seconds=60 / (limit * SHARE_OF_RATE)) if limit else timedelta()
        door = open_door(engine.Case(integration=part, now=timezone.now()))
        search = AuditSearch(part, door, since=self.since, count=COUNT)
        with asyncio.Runner() as runner:  # one loop for the whole search: the door keeps what it resolved
            while True:
                answer = runner.run(search.next())
                if self.lost.is_set():
                    raise LeaseLost
                if answer is None:
                    self._store(self.newest, resume_at=None)
                    return None
                if isinstance(answer, Page):
                    self._keep(answer)
                through = self.through if search.ascending else None
                if isinstance(answer, Trouble):
                    self._store(through, resume_at=through)
                    return answer
                if self._is_enough(pause):
                    self._store(through, resume_at=through)
                    return pause if through else _UNSORTED
                if len(self.waiting) >= STORED_AT_ONCE or self.bytes_waiting >= STORED_AT_ONCE_BYTES:
                    self._store(through, resume_at=through)
                self.lost.wait(pause.total_seconds())

    def _keep(self, page: Page) -> None:
        key = keyring(self.row.facility_id).hash_key
        for line in page.lines:
            word = hashlib.blake2b(line, key=key, digest_size=8, person=b"notetrace-pull").digest()
            if word not in self.known and word not in self.met:
                self.waiting.append(line)
                self.bytes_waiting += len(line)
            self.met[word] = None
        self.pages += 1
        self.bytes_all += sum(map(len, page.lines))
        self.through = page.through or self.through
        self.newest = max(filter(None, (self.newest, page.newest)), default=None)

    def _is_enough(self, pause: timedelta) -> bool:
        late = time.monotonic() + pause.total_seconds() >= self.until
        return late or self.pages >= MOST_PAGES or self.bytes_all >= MOST_BYTES

    @transaction.atomic
    def _store(self, reached: datetime | None, *, resume_at: datetime | None) -> None:
        """Store what came and how far it reaches, both or neither; the EHR's clock may be ahead of ours."""
        if not held(self.row):
            raise LeaseLost
        if self.waiting:
            receipt = take_rows(source=self.source, log=LogEntry.Log.EHR, lines=self.waiting, via=LogImport.Via.PULL)
            self.stored += receipt.stored
            if not receipt.stored and not receipt.quarantined:  # nothing came in: no receipt among those of imports
                LogImport.objects.filter(pk=receipt.import_id).delete()
        now = timezone.now()
        AuditPull.objects.filter(pk=self.row.pk, fence=self.row.fence).update(
            last_seen=max(self.row.last_seen, min(reached or self.row.last_seen, now)),
            resume_at=resume_at and min(resume_at, now),
            recent=b"".join(list(self.met)[-REMEMBERED:]) or bytes(self.row.recent),
            new_rows=self.stored,
        )
        self.waiting, self.bytes_waiting = [], 0


def _queue_next(row: AuditPull, ended: Trouble | timedelta | None) -> bool:
    """Put the order back into the queue, unless it was switched off or taken over meanwhile."""
    now = timezone.now()
    usual = timedelta(minutes=row.every_minutes)
    if isinstance(ended, Trouble):
        failures = row.failures + 1
        pause = max(min(usual * 2 ** min(failures - 1, 12), LONGEST_PAUSE), usual)
        pause = max(pause, timedelta(seconds=ended.wait_s or 0))
        told = {
            "failures": failures, "failing_since": row.failing_since or now, "trouble": ended.kind,
            "says": ended.says[:300], "remedy": ended.remedy[:500],
        }  # fmt: skip
        log.warning("the pull for integration %s ended with %s", row.integration_id, ended.kind)
    else:
        pause = usual if ended is None else ended
        told = {"failures": 0, "failing_since": None, "trouble": "", "says": "", "remedy": "", "worked_at": now}
    changed = AuditPull.objects.filter(pk=row.pk, fence=row.fence, state=WorkState.RUNNING).update(
        state=WorkState.QUEUED, attempt=0, lease_until=None, due_at=now + pause, tried_at=now, **told
    )
    if changed and isinstance(ended, timedelta) and not ended:
        ring(row)
    return bool(changed)


def _words(joined: bytes) -> Iterator[bytes]:
    return (joined[start : start + 8] for start in range(0, len(joined), 8))
