"""Bring one file of the drop folder in: read when it has come to rest, in slices, from where a killed worker stopped.

The import's own row keeps how far it is; this row keeps where the file lies and what became of it.
"""

import errno
import logging
import os
import threading
import time
import traceback
import uuid
from datetime import timedelta
from typing import BinaryIO

from django.conf import settings
from django.utils import timezone

from console.monitoring import drop_paths
from console.monitoring.models import DropFile
from console.notes.importing import ImportStopped, import_stream
from console.notes.models import LogImport
from console.shared.work import LeaseLost, WorkState, claim, finish, lease, ring
from diagnostics.parsing.log_formats import BadFormat, BadPacking

log = logging.getLogger(__name__)
SLICE_S = 40.0  # below what a task may take; the rest comes with the next ring
ASKED_AGAIN_S = 60.0
_LISTED = (
    "The page Log import lists them with their reasons and hands them out: mend them and put only those here again."
)
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


class _SliceOver(Exception):
    """The slice's time is used up; what was stored stays."""


def execute(file_id: uuid.UUID | str) -> bool:
    """Take a file or a further slice of it, unless another worker does; tell whether it is done with."""
    row = claim(DropFile, file_id)
    if row is None:
        return False
    if not settings.LOG_DROP_FOLDER:  # this worker does not see the folder; another one does
        return not _later(row, after_s=ASKED_AGAIN_S)
    try:
        with lease(row, budget_s=SLICE_S + 2 * settings.WORK_LEASE_S) as lost:
            return _take(row, lost)
    except LeaseLost:
        return False
    except _SliceOver:
        _later(row, after_s=0.0, says="")
        ring(row)
        return False
    except FileNotFoundError:
        if not os.path.isdir(settings.LOG_DROP_FOLDER):  # not mounted where this worker runs
            return not _later(row, after_s=ASKED_AGAIN_S, says="The drop folder cannot be opened.")
        return _gone(row)
    except ImportStopped as problem:
        return not _later(row, after_s=ASKED_AGAIN_S, says=str(problem))
    except OSError as problem:
        return not _later(row, after_s=ASKED_AGAIN_S, says=f"The file cannot be read: {_plain(problem)}.", counts=True)
    except Exception as problem:  # its text may hold a line of the log; where it happened is told without values
        where = "".join(traceback.format_tb(problem.__traceback__))
        log.error("dropped file %s failed with %s at\n%s", row.id, type(problem).__name__, where)
        return not _later(row, after_s=ASKED_AGAIN_S, says="NoteTrace itself failed on this file.", counts=True)


def _take(row: DropFile, lost: threading.Event) -> bool:
    *folders, name = bytes(row.path).split(b"/")
    with drop_paths.opened(settings.LOG_DROP_FOLDER, *folders) as folder:
        try:
            file = drop_paths.open_file(folder, name)
        except drop_paths.Refused as refusal:
            return _put(row, folder, name, None, str(refusal))
        with os.fdopen(file, "rb") as stream:
            found = os.fstat(file)
            if not _rests(row, found) and not drop_paths.has_marker(folder, name):
                return _await_rest(row, found)
            made = row.log_import or _begin(row, name, found)
            problem = "" if made.state == LogImport.State.DONE else _import(row, made, stream, lost)
            now = os.fstat(file)
            if (now.st_size, now.st_mtime_ns) != (found.st_size, found.st_mtime_ns):
                return _await_rest(row, now)  # it was still being written: once more, from its start
        made.refresh_from_db()
        return _put(row, folder, name, found, _reason(made, problem))


def _import(row: DropFile, made: LogImport, stream: BinaryIO, lost: threading.Event) -> str:
    """Bring in what a slice's time allows; give why the file cannot be read to its end, or nothing."""
    until = time.monotonic() + SLICE_S

    def step(_: LogImport) -> None:
        if lost.is_set():
            raise LeaseLost
        if time.monotonic() >= until:
            raise _SliceOver

    try:
        import_stream(source=row.source, log=row.log, stream=stream, via=LogImport.Via.DROP, resume=made, progress=step)
    except (BadFormat, BadPacking) as problem:
        return f"The file cannot be read to its end: {problem}"
    return ""


def _await_rest(row: DropFile, found: os.stat_result) -> bool:
    """Look again later: the file changed since it was seen last."""
    seen = {"size": found.st_size, "changed_ns": found.st_mtime_ns, "log_import": None}
    return not _later(row, after_s=settings.LOG_DROP_STEADY_S, **seen)


def _begin(row: DropFile, name: bytes, found: os.stat_result) -> LogImport:
    """Make the import's row before the first line is read: a kill must find it."""
    made = LogImport.objects.create(
        facility_id=row.facility_id, source=row.source, log=row.log, via=LogImport.Via.DROP,
        state=LogImport.State.WAITING, name=name.decode("utf-8", "backslashreplace"), size=found.st_size,
    )  # fmt: skip
    if not DropFile.objects.filter(pk=row.pk, fence=row.fence).update(log_import=made):
        made.delete()
        raise LeaseLost
    return made


def _reason(made: LogImport, reason: str) -> str:
    if made.quarantined:
        kept = made.stored + made.duplicate
        reason = f"{reason} " if reason else ""
        reason += f"{made.quarantined} of {made.rows} lines cannot be read; the other {kept} are stored. {_LISTED}"
    return reason


def _put(row: DropFile, folder: int, name: bytes, found: os.stat_result | None, reason: str) -> bool:
    """Move the file to where it belongs now; what cannot be moved is told, and tried again with each look."""
    into = drop_paths.SET_ASIDE if reason else drop_paths.TAKEN
    end = DropFile.End.SET_ASIDE if reason else DropFile.End.TAKEN
    try:
        if found is not None and not drop_paths.is_same(folder, name, found):
            end, reason = DropFile.End.TAKEN, ""  # another file took its name meanwhile: the next look meets that one
        else:
            drop_paths.move(folder, name, into, reason=reason, now=timezone.now())
    except OSError as problem:
        said = f"It was brought in, but cannot be moved away: {_plain(problem)}. {reason}".strip()
        return finish(row, WorkState.DONE, end=DropFile.End.STUCK, says=said[:300])
    return finish(row, WorkState.DONE, end=end, says=reason[:300])


def _gone(row: DropFile) -> bool:
    """End a row whose file is away: moved by a worker that was killed right after, or by somebody else."""
    made = row.log_import
    if made is not None and made.state == LogImport.State.DONE:
        end = DropFile.End.SET_ASIDE if made.quarantined else DropFile.End.TAKEN
        return finish(row, WorkState.DONE, end=end, says=_reason(made, "")[:300])
    says = (
        "The file was taken away before it was read to its end."
        if made
        else "The file was taken away before it was read."
    )
    return finish(row, WorkState.DONE, end=DropFile.End.GONE, says=says)


def _later(row: DropFile, *, after_s: float, counts: bool = False, **fields: object) -> bool:
    """Give the row back for a while; only what `counts` uses up attempts, so that a file cannot be tried for ever."""
    changed = DropFile.objects.filter(pk=row.pk, fence=row.fence, state=WorkState.RUNNING).update(
        state=WorkState.QUEUED, lease_until=None, due_at=timezone.now() + timedelta(seconds=after_s),
        attempt=row.attempt if counts else 0, **fields,
    )  # fmt: skip
    return bool(changed)


def _rests(row: DropFile, found: os.stat_result) -> bool:
    return (row.size, row.changed_ns) == (found.st_size, found.st_mtime_ns)


def _plain(problem: OSError) -> str:
    words = os.strerror(problem.errno).lower() if problem.errno else "it failed"
    return f"{words} (the disk)" if problem.errno in _FULL else words
