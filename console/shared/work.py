"""Background work that survives anything: the row is the job, Celery only rings the bell.

Every piece of work is a row of a model derived from WorkRow. A task carries the row's id, claims it by
compare-and-set, works under a lease, and finishes it with the fencing token it got; whoever comes late finds the
token changed and his result refused. A lost message or a dead worker costs a lease, never the work: the sweeper
(`manage.py sweeper`) rings again for whatever is due and held by nobody.
"""

import contextlib
import logging
import threading
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, ClassVar, TypeVar

from django.apps import apps
from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from console.shared.identifiers import new_id

log = logging.getLogger(__name__)
MOST_PATIENCE_S = 60.0  # however long a queue is, a bell that was lost is missed no longer than this


class WorkState(models.TextChoices):
    """Where a piece of work stands."""

    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    GAVE_UP = "gave_up", "Gave up"


OPEN_STATES = (WorkState.QUEUED, WorkState.RUNNING)
ENDED_STATES = (WorkState.DONE, WorkState.FAILED, WorkState.GAVE_UP)


class WorkRow(models.Model):
    """The frame's columns. A derived model names its task in `task_name`."""

    task_name: ClassVar[str] = ""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    state = models.CharField(max_length=8, choices=WorkState, default=WorkState.QUEUED)
    queue = models.CharField(max_length=40, default="default")
    attempt = models.PositiveSmallIntegerField(default=0)
    max_attempts = models.PositiveSmallIntegerField(default=5)
    fence = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField(null=True, blank=True)
    rung_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=200, blank=True, help_text="The kind of failure, no text of it.")

    class Meta:
        abstract = True

    @classmethod
    def gave_up(cls, row_id: uuid.UUID) -> None:
        """Tell the rest of the model that the frame gave up on a row; called in the giving-up transaction."""


Row = TypeVar("Row", bound=WorkRow)


class LeaseLost(Exception):
    """Another worker holds the row now: stop, write nothing."""


def ring(row: WorkRow) -> None:
    """Enqueue a row when the current transaction commits. A broker that is down costs nothing but time."""
    model, row_id = type(row), row.pk
    transaction.on_commit(lambda: _send(model, row_id, row.queue))


def _send(model: type[WorkRow], row_id: uuid.UUID, queue: str) -> None:
    from console.celery import app

    try:
        app.send_task(model.task_name, args=[str(row_id)], queue=queue, retry=False, ignore_result=True)
        model.objects.filter(pk=row_id).update(rung_at=Now())  # type: ignore[attr-defined]
    except Exception as problem:  # the broker's client raises its own kinds; the sweeper rings again
        log.warning("the bell for %s %s could not be rung: %s", model.__name__, row_id, type(problem).__name__)


def claim(model: type[Row], row_id: uuid.UUID | str) -> Row | None:
    """Take a row by compare-and-set, or nothing: it is done, not due, or in another worker's hands.

    The attempt counts before the work begins, so that work which kills its worker cannot go on for ever.
    """
    now = timezone.now()
    taken = (
        model.objects.filter(pk=row_id, state__in=OPEN_STATES, due_at__lte=now, attempt__lt=F("max_attempts"))  # type: ignore[attr-defined]
        .filter(Q(lease_until=None) | Q(lease_until__lt=now))
        .update(
            state=WorkState.RUNNING,
            attempt=F("attempt") + 1,
            fence=F("fence") + 1,
            lease_until=now + timedelta(seconds=settings.WORK_LEASE_S),
            started_at=models.functions.Coalesce(F("started_at"), now),
        )
    )
    if not taken:
        return None
    # Only the claimer runs between here and the lease's end, so this reads its own fence.
    row: Row = model.objects.get(pk=row_id)  # type: ignore[attr-defined]
    return row


def held(row: WorkRow) -> bool:
    """Tell whether the row is still ours, and lock it so until the transaction ends: use before storing a part."""
    return bool(
        type(row)
        .objects.select_for_update(no_key=True)  # type: ignore[attr-defined]
        .filter(pk=row.pk, fence=row.fence, state=WorkState.RUNNING)
        .exists()
    )


def finish(row: WorkRow, state: WorkState, *, error: str = "", **fields: Any) -> bool:
    """End a row, unless a later claimer has it; tell whether it counted."""
    changed = (
        type(row)
        .objects.filter(pk=row.pk, fence=row.fence, state=WorkState.RUNNING)  # type: ignore[attr-defined]
        .update(state=state, lease_until=None, finished_at=timezone.now(), error=error[:200], **fields)
    )
    return bool(changed)


def try_again(row: WorkRow, *, after_s: float, error: str) -> bool:
    """Give a row back for a later attempt; the sweeper ends it when no attempt is left."""
    due = timezone.now() + timedelta(seconds=after_s)
    changed = (
        type(row)
        .objects.filter(pk=row.pk, fence=row.fence, state=WorkState.RUNNING)  # type: ignore[attr-defined]
        .update(state=WorkState.QUEUED, lease_until=None, due_at=due, error=error[:200])
    )
    return bool(changed)


@contextlib.contextmanager
def lease(row: WorkRow, *, budget_s: float) -> Iterator[threading.Event]:
    """Renew the lease from a side thread while the work goes on, up to its budget.

    Yield an event that is set once the lease is lost; a hung worker stops renewing at the budget, so its row is freed.
    """
    lost, over = threading.Event(), threading.Event()
    every = settings.WORK_LEASE_S / 4

    def renew() -> None:
        rounds = max(1, int(budget_s / every))
        for _ in range(rounds):
            if over.wait(every):
                break
            try:
                until = timezone.now() + timedelta(seconds=settings.WORK_LEASE_S)
                kept = (
                    type(row)
                    .objects.filter(pk=row.pk, fence=row.fence, state=WorkState.RUNNING)  # type: ignore[attr-defined]
                    .update(lease_until=until)
                )
            except Exception as problem:  # a database that is away for a moment; the lease still runs
                log.warning("lease of %s %s not renewed: %s", type(row).__name__, row.pk, type(problem).__name__)
                connection.close()
                continue
            if not kept:
                lost.set()
                break
        connection.close()

    thread = threading.Thread(target=renew, name=f"lease-{row.pk}", daemon=True)
    thread.start()
    try:
        yield lost
    finally:
        over.set()
        thread.join(timeout=5)


def work_models() -> list[type[WorkRow]]:
    """Give every model that the frame serves."""
    return [model for model in apps.get_models() if issubclass(model, WorkRow) and model.task_name]


def _silent_for_long(now: datetime) -> Q:
    """Match rows whose last bell seems lost.

    A row that was held before lost its worker: its bell is rung as soon as the interval allows. One that nobody ever
    took may only stand in a long queue, which further bells make longer: it waits as long again as it has waited.
    """
    interval = Q(rung_at__lt=now - timedelta(seconds=settings.WORK_RING_AGAIN_S))
    left_behind = Q(lease_until__isnull=False)
    waited_again = Q(rung_at__lte=(models.Value(now) - F("rung_at")) + F("due_at"))
    return interval & (left_behind | waited_again | Q(rung_at__lt=now - timedelta(seconds=MOST_PATIENCE_S)))


def sweep() -> dict[str, int]:
    """Ring for whatever is due and unheld, and end what has used up its attempts."""
    rung = ended = 0
    for model in work_models():
        now = timezone.now()
        free = model.objects.filter(state__in=OPEN_STATES, due_at__lte=now).filter(  # type: ignore[attr-defined]
            Q(lease_until=None) | Q(lease_until__lt=now)
        )
        for row_id in list(free.filter(attempt__gte=F("max_attempts")).values_list("pk", flat=True)[:200]):
            with transaction.atomic():
                changed = free.filter(pk=row_id, attempt__gte=F("max_attempts")).update(
                    state=WorkState.GAVE_UP, finished_at=now, lease_until=None, error="attempts used up"
                )
                if changed:
                    model.gave_up(row_id)
                    ended += 1
        due = free.filter(attempt__lt=F("max_attempts")).filter(
            Q(rung_at=None, created_at__lt=now - timedelta(seconds=1)) | _silent_for_long(now)
        )
        for row_id, queue in list(due.order_by("due_at", "id").values_list("pk", "queue")[:200]):
            _send(model, row_id, queue)
            rung += 1
    return {"rung": rung, "gave_up": ended}
