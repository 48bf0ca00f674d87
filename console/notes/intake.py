"""Take log rows in from outside: check each line, store what is new, keep what cannot be read.

This is the way in for what is at hand as a whole (a request's body, a pasted text); `importing` takes files.
"""

import hashlib
import io
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice

from django.db import IntegrityError, transaction
from django.utils import timezone

from console.accounts.keys import keyring
from console.accounts.models import User
from console.integrations.models import Source
from console.notes.correlation.ringing import ring as ring_correlation
from console.notes.models import LogImport
from console.notes.preparing import Prepared, Preparer, of_chunks, of_lines
from console.notes.storing import Shelf, ensure_partitions, keep_lines
from diagnostics.parsing.log_formats import ndjson_chunks, read

KEPT_PROBLEMS = 1000
AHEAD = timedelta(days=1)
_LINES = 5000


class KeyReused(Exception):
    """The sender's key for one request came again with another body."""


@dataclass
class Receipt:
    """What became of the lines; `problems` are the first ones as (line number, reason), without any content."""

    rows: int = 0
    stored: int = 0
    duplicate: int = 0
    quarantined: int = 0
    problems: list[tuple[int, str]] = field(default_factory=list)
    import_id: uuid.UUID | None = None


def take_body(
    *,
    source: Source,
    log: str,
    body: bytes,
    via: str,
    by: User | None = None,
    request_key: str = "",
    format: str = "ndjson",
) -> Receipt:
    """Take the rows of a body; the same `request_key` with the same body gives the first receipt again.

    Raise KeyReused where the key came before with something else, BadFormat where the body as a whole is not of its
    format.
    """
    if not request_key:
        return _take(source, log, _prepared(source, log, body, format), by=by, via=via, format=format)
    key, digest = _keyed(source, request_key.encode()), _keyed(source, log.encode() + b"\0" + body)
    first = _answered(source, key, digest)
    if first is not None:
        return first
    prepared = _prepared(source, log, body, format)
    try:
        return _take(source, log, prepared, by=by, via=via, format=format, request=(key, digest))
    except IntegrityError:  # the same request came twice at once, and the other was faster
        first = _answered(source, key, digest)
        if first is None:
            raise
        return first


def take_rows(
    *, source: Source, log: str, lines: Iterable[bytes], by: User | None = None, via: str = LogImport.Via.COMMAND
) -> Receipt:
    """Take NDJSON lines of one log, all or none; no line, however odd, raises.

    rows = stored + duplicate + quarantined. The same row is stored once however often it comes. Blank lines count
    as nothing.
    """
    return _take(source, log, list(of_chunks(_preparer(source, log), _chunks(lines))), by=by, via=via)


def receipt_of(made: LogImport) -> Receipt:
    """Give the receipt of an import, as far as it has come."""
    problems = made.quarantined_lines.order_by("number", "id").values_list("number", "reason")[:KEPT_PROBLEMS]
    return Receipt(made.rows, made.stored, made.duplicate, made.quarantined, list(problems), made.id)


def keep_batch(made: LogImport, shelf: Shelf | None, batch: Prepared) -> None:
    """Store one batch and add it to the counts of its import, unsaved; call inside a transaction."""
    stored = shelf.put(list(batch.entries.values()), made) if shelf else 0
    keep_lines(made, batch.bad)
    made.stored += stored
    made.duplicate += batch.rows - stored
    made.quarantined += len(batch.bad)
    made.rows = made.stored + made.duplicate + made.quarantined


def _prepared(source: Source, log: str, body: bytes, format: str) -> list[Prepared]:
    preparer, stream = _preparer(source, log), io.BytesIO(body)
    if format == "ndjson":
        return list(of_chunks(preparer, ndjson_chunks(stream)))
    return list(of_lines(preparer, read(stream, log=log, format=format)))


def _preparer(source: Source, log: str) -> Preparer:
    return Preparer(keyring(source.facility_id), source, log, timezone.now() + AHEAD)


def _chunks(lines: Iterable[bytes]) -> Iterator[tuple[int, list[bytes], int]]:
    number, waiting = 1, iter(lines)
    while some := list(islice(waiting, _LINES)):
        yield number, some, 0
        number += len(some)


def _take(
    source: Source,
    log: str,
    batches: list[Prepared],
    *,
    by: User | None,
    via: str,
    format: str = "ndjson",
    request: tuple[bytes, bytes] | None = None,
) -> Receipt:
    key, digest = request or (None, None)
    ensure_partitions(entry for batch in batches for entry in batch.entries.values())
    shelf = Shelf(source, log)
    with transaction.atomic():
        made = LogImport.objects.create(
            facility_id=source.facility_id, source=source, log=log, via=via, by=by, request_key=key, body_digest=digest,
            format=format, finished_at=timezone.now(),
        )  # fmt: skip
        for batch in batches:
            keep_batch(made, shelf, batch)
        made.save(update_fields=["rows", "stored", "duplicate", "quarantined"])
        if made.stored and via == LogImport.Via.UPLOAD:  # senders over the API come every second: the minute's run
            ring_correlation()
    problems = [(number, reason[:200]) for batch in batches for number, reason, _ in batch.bad][:KEPT_PROBLEMS]
    return Receipt(made.rows, made.stored, made.duplicate, made.quarantined, problems, made.id)


def _keyed(source: Source, value: bytes) -> bytes:
    key = keyring(source.facility_id).hash_key
    return hashlib.blake2b(value, key=key, digest_size=32, person=b"notetrace-req").digest()


def _answered(source: Source, key: bytes, digest: bytes) -> Receipt | None:
    row = LogImport.objects.filter(source=source, request_key=key).first()
    if row is None:
        return None
    if bytes(row.body_digest or b"") != digest:
        raise KeyReused
    return receipt_of(row)
