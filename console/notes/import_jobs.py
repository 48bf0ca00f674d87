"""The work of bringing an uploaded file in: in slices, so that no task runs for long, and from where the last ended."""

import logging
import threading
import time
import uuid

from console.notes.importing import ImportStopped, import_stream
from console.notes.models import ImportJob, LogImport
from console.notes.uploads import forget_upload, stream_of
from console.shared.work import LeaseLost, WorkState, claim, finish, lease, ring, try_again
from diagnostics.parsing.log_formats import BadFormat, BadPacking

log = logging.getLogger(__name__)
SLICE_S = 40.0
AGAIN_S = 20.0


class _SliceOver(Exception):
    """The slice's time is used up; what was stored stays."""


def execute(job_id: uuid.UUID | str, *, slice_s: float = SLICE_S) -> bool:
    """Bring a file in, or a further slice of it, unless another worker does; tell whether it is done with."""
    row = claim(ImportJob, job_id)
    if row is None:
        return False
    made = LogImport.objects.select_related("source__integration").get(pk=row.log_import_id)
    if made.state == LogImport.State.DONE or made.upload_key is None:
        return finish(row, WorkState.DONE)
    try:
        with lease(row, budget_s=slice_s + 60) as lost:
            import_stream(
                source=made.source, log=made.log, stream=stream_of(made), via=made.via, resume=made,
                progress=_Step(row, lost, slice_s),
            )  # fmt: skip
    except LeaseLost:
        return False
    except _SliceOver:
        try_again(row, after_s=0.0, error="")
        ring(row)
        return False
    except (BadFormat, BadPacking) as problem:
        forget_upload(LogImport.objects.get(pk=made.pk))
        return finish(row, WorkState.FAILED, error=type(problem).__name__)
    except ImportStopped as problem:
        log.warning("import %s stopped in attempt %s: %s", made.pk, row.attempt, problem)
        if row.attempt < row.max_attempts:
            try_again(row, after_s=AGAIN_S * row.attempt, error=type(problem).__name__)
            return False
        return finish(row, WorkState.GAVE_UP, error=type(problem).__name__)
    forget_upload(LogImport.objects.get(pk=made.pk))
    return finish(row, WorkState.DONE)


class _Step:
    """Look, after each batch, whether to go on."""

    def __init__(self, row: ImportJob, lost: threading.Event, slice_s: float) -> None:
        self._row, self._lost = row, lost
        self._until = time.monotonic() + slice_s

    def __call__(self, made: LogImport) -> None:
        """Raise LeaseLost or _SliceOver; the first batch shows that the file is worth further attempts."""
        if self._lost.is_set():
            raise LeaseLost
        if self._row.attempt:
            self._row.attempt = 0
            ImportJob.objects.filter(pk=self._row.pk, fence=self._row.fence).update(attempt=0)
        if time.monotonic() >= self._until:
            raise _SliceOver
