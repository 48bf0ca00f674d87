"""Bring a file of any size in: streaming, batch by batch, each in one transaction with the place it reached.

Whatever ends an import (a kill, a full disk, a database that goes away) leaves whole batches behind and a row that
says how far it came; the next run goes on from there, and the counts are those of one undisturbed run. Two processes
that go on with the same import cannot both count: a batch is written only onto the place from which it was read.
"""

import contextlib
import hashlib
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO, cast

import psycopg
from django.db import Error, connection, transaction
from django.utils import timezone

from console.accounts.keys import keyring
from console.accounts.models import Facility, User
from console.integrations.models import Source
from console.notes.correlation.ringing import ring as ring_correlation
from console.notes.import_locks import hold, let_go
from console.notes.intake import AHEAD, Receipt, keep_batch, receipt_of
from console.notes.models import LogImport
from console.notes.preparing import Prepared, Preparer, ahead, of_chunks, of_lines, set_aside
from console.notes.storing import Shelf, ensure_partitions
from diagnostics.parsing.log_formats import BadFormat, BadPacking, ndjson_chunks, open_stream, peek, read, sniff
from diagnostics.parsing.log_formats.packing import ahead as with_peek

Progress = Callable[[LogImport], None]
HEAD_BYTES = 64 * 1024
_DIGESTED = 1024 * 1024
_QUICK_S = 0.0005
_SAYS = {
    "53100": "The database's disk is full.",
    "53200": "The database is out of memory.",
    "53300": "The database takes no further connection.",
    "57P01": "The database was stopped.",
    "57014": "The database broke a batch off.",
    "40P01": "Another writer was in the way.",
}


class ImportStopped(Exception):
    """An import could not go on; what it had stored stays, and it can be gone on with. The message says why."""


def import_stream(
    *,
    source: Source | None,
    log: str,
    stream: BinaryIO,
    via: str,
    by: User | None = None,
    format: str | None = None,
    mapping: Mapping[str, str] | None = None,
    progress: Progress | None = None,
    resume: LogImport | None = None,
    name: str = "",
    size: int | None = None,
    source_name: str = "",
) -> Receipt:
    """Bring in a file from its first byte (packed or not) and give the receipt of the whole import.

    An unfinished import of the same source, log and beginning is gone on with, as is `resume`. With no `source` every
    line is set aside, because nobody knows whose `source_name` is. `progress` is called after every batch; what it
    raises ends this run and leaves the import unfinished. Raise BadPacking and BadFormat where the file as a whole
    cannot be read (on), ImportStopped where the database cannot go on, OSError where the file cannot be read.
    """
    counted = _Counted(stream)
    packed = with_peek(cast(BinaryIO, counted))
    made = resume
    if made is None:
        head = packed.peek(_DIGESTED)  # type: ignore[attr-defined]
        made = _begun(source, log, via, by, head, size, name, source_name)
    elif not hold(made.id):
        raise ImportStopped("Another process is bringing in this file at this moment.")
    try:
        _run(made, packed, counted, format, mapping, progress)
    except (BadFormat, BadPacking) as problem:
        _failed(made, str(problem))
        raise
    except (Error, psycopg.Error) as problem:
        says = _reason(problem)
        with contextlib.suppress(Error, psycopg.Error):
            connection.close_if_unusable_or_obsolete()
            _failed(made, says)
        raise ImportStopped(says) from problem
    except OSError:
        _failed(made, "The file could not be read further.")
        raise
    finally:
        with contextlib.suppress(Error, psycopg.Error):
            let_go(made.id)
    return receipt_of(made)


def _run(
    made: LogImport,
    packed: BinaryIO,
    counted: "_Counted",
    format: str | None,
    mapping: Mapping[str, str] | None,
    progress: Progress | None,
) -> None:
    unpacked = with_peek(open_stream(packed))
    if not made.format:
        made.format = format or sniff(
            unpacked.peek(HEAD_BYTES),  # type: ignore[attr-defined]
            log=made.log,
            name=made.name or "",
        )
    if made.format == "csv" and made.mapping is None:
        made.mapping = dict(mapping) if mapping is not None else remembered(made, unpacked)
    made.state, made.reason = LogImport.State.RUNNING, ""
    made.save(update_fields=["state", "reason", "format", "mapping"])
    batches = _batches(made, unpacked)
    with contextlib.ExitStack() as running:
        if not connection.in_atomic_block:  # else the rows of the caller's transaction are this connection's alone
            running.enter_context(_quick_switches())
            batches = running.enter_context(contextlib.closing(ahead(batches)))
        shelf = Shelf(made.source, made.log) if made.source else None
        for batch in batches:
            _store(made, shelf, batch, counted.taken)
            if progress:
                progress(made)
    made.state, made.finished_at, made.taken = LogImport.State.DONE, timezone.now(), counted.taken
    made.size = counted.taken if made.size is None else made.size
    made.save(update_fields=["state", "finished_at", "taken", "size"])
    if made.stored and made.via != LogImport.Via.COMMAND:  # a command is often one of several; the next minute will do
        ring_correlation()


def _batches(made: LogImport, unpacked: BinaryIO) -> Iterator[Prepared]:
    if made.source is None:
        reason = f"The source {made.source_name} is not known."
        return set_aside(read(unpacked, log=made.log, format="ndjson", start=made.offset), reason)
    preparer = Preparer(keyring(made.facility_id), made.source, made.log, timezone.now() + AHEAD)
    if made.format == "ndjson":
        return of_chunks(preparer, ndjson_chunks(unpacked, made.offset))
    lines = read(unpacked, log=made.log, format=made.format, mapping=made.mapping, start=made.offset, now=made.at)
    return of_lines(preparer, lines)


def _store(made: LogImport, shelf: Shelf | None, batch: Prepared, taken: int) -> None:
    """Write a batch and the place after it, all or nothing."""
    ensure_partitions(batch.entries.values())
    before = made.offset
    with transaction.atomic():
        keep_batch(made, shelf, batch)
        made.offset, made.line, made.taken = batch.end, batch.line, max(made.taken, taken)
        fields = ("rows", "stored", "duplicate", "quarantined", "offset", "line", "taken")
        mine = LogImport.objects.filter(pk=made.pk, offset=before, state=LogImport.State.RUNNING)
        if not mine.update(**{name: getattr(made, name) for name in fields}):
            raise ImportStopped("Another process went on with this file.")


def remembered(made: LogImport, unpacked: BinaryIO) -> dict[str, str] | None:
    """Give the mapping of this source's last CSV file of the log where this file has its columns, else None."""
    kept = (made.source.mappings if made.source else {}).get(made.log)
    if not kept:
        return None
    headers = peek(unpacked.peek(HEAD_BYTES)).headers  # type: ignore[attr-defined]
    return dict(kept) if {column for column, key in kept.items() if key} <= set(headers) else None


def _begun(
    source: Source | None,
    log: str,
    via: str,
    by: User | None,
    head: bytes,
    size: int | None,
    name: str,
    source_name: str,
) -> LogImport:
    """Find the unfinished import of this very file that nobody works at, or make one; in either case hold it."""
    facility = source.facility if source else Facility.objects.order_by("created_at", "id").first()
    if facility is None:
        raise LookupError("There is no facility yet: open one first.")
    ring = keyring(facility.id)
    # Of the beginning and the size only: reading a file of many GB twice would cost more than it tells.
    digest = hashlib.blake2b(head, key=ring.hash_key, digest_size=32, person=b"notetrace-file")
    digest.update(str(size).encode())
    unfinished = LogImport.objects.exclude(state=LogImport.State.DONE).filter(
        source=source, source_name=source_name, log=log, via=via, content_digest=digest.digest()
    )
    for made in unfinished.select_related("source__integration").order_by("at", "id"):
        if hold(made.id):
            made.refresh_from_db()
            if made.state != LogImport.State.DONE:
                return made
            let_go(made.id)
    made = LogImport.objects.create(
        facility=facility, source=source, source_name=source_name, log=log, via=via, by=by, name=name or None,
        size=size, content_digest=digest.digest(), state=LogImport.State.WAITING,
    )  # fmt: skip
    hold(made.id)
    return made


def _failed(made: LogImport, reason: str) -> None:
    LogImport.objects.filter(pk=made.pk).exclude(state=LogImport.State.DONE).update(
        state=LogImport.State.FAILED, reason=reason[:300]
    )
    made.refresh_from_db()


def _reason(problem: Exception) -> str:
    found = problem if isinstance(problem, psycopg.Error) else problem.__cause__
    code = getattr(found, "sqlstate", None) or ""
    says = _SAYS.get(code) or (
        f"The database refused a batch (SQLSTATE {code})." if code else "The connection to the database broke."
    )
    return f"{says} What was stored before stays; bring the same file in again to go on."


@contextlib.contextmanager
def _quick_switches() -> Iterator[None]:
    """Let the thread that feeds the database have its turn soon: it needs little time, but often."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(_QUICK_S)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


class _Counted:
    """Count the bytes that are read of a stream."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.taken = 0

    def read(self, size: int = -1, /) -> bytes:
        """Read on."""
        data = self._stream.read(size)
        self.taken += len(data)
        return data
