"""Take log rows in from outside: check each line, store what is new, keep what cannot be read, make the notes known."""

import hashlib
import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from console.accounts.keys import keyring
from console.accounts.models import User
from console.integrations.models import Source
from console.notes.log_lines import BadLine, read_line
from console.notes.log_notes import keep_notes
from console.notes.log_rows import entry_of
from console.notes.models import LogEntry, LogImport, QuarantinedLine
from console.notes.partitions import ensure_days

BATCH_LINES = 1000
KEPT_LINES = 1000
AHEAD = timedelta(days=1)
_COLUMNS = {
    "id": "uuid", "at": "timestamptz", "facility_id": "uuid", "integration_id": "uuid", "log": "text", "event": "text",
    "status": "int2", "ack": "text", "signature": "text", "note_hash": "bytea", "transaction_hash": "bytea",
    "request_hash": "bytea", "encounter_hash": "bytea", "position": "int4", "sealed": "bytea",
}  # fmt: skip
# One statement a batch, whatever its size; the primary key decides what was there before, also between two senders.
_INSERT = (
    f"INSERT INTO notes_logentry ({', '.join(_COLUMNS)}) SELECT * FROM unnest("
    f"{', '.join(f'%s::{kind}[]' for kind in _COLUMNS.values())}) ON CONFLICT (at, id) DO NOTHING RETURNING id"
)


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
    *, source: Source, log: str, body: bytes, via: str, by: User | None = None, request_key: str = ""
) -> Receipt:
    """Take the lines of a body; the same `request_key` with the same body gives the first receipt again.

    Raise KeyReused where the key came before with something else.
    """
    lines = body.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    if not request_key:
        return take_rows(source=source, log=log, lines=lines, by=by, via=via)
    key, digest = _keyed(source, request_key.encode()), _keyed(source, log.encode() + b"\0" + body)
    first = _answered(source, key, digest)
    if first is not None:
        return first
    try:
        return take_rows(source=source, log=log, lines=lines, by=by, via=via, request=(key, digest))
    except IntegrityError:  # the same request came twice at once, and the other was faster
        first = _answered(source, key, digest)
        if first is None:
            raise
        return first


@transaction.atomic
def take_rows(
    *,
    source: Source,
    log: str,
    lines: Iterable[bytes | str],
    by: User | None = None,
    via: str = LogImport.Via.COMMAND,
    request: tuple[bytes, bytes] | None = None,
) -> Receipt:
    """Take NDJSON lines of one log, all or none; no line, however odd, raises.

    rows = stored + duplicate + quarantined. The same row is stored once however often it comes. Blank lines count
    as nothing. A fixed number of queries for every thousand lines.
    """
    key, digest = request or (None, None)
    made = LogImport.objects.create(
        facility_id=source.facility_id, source=source, log=log, via=via, by=by, request_key=key, body_digest=digest
    )
    receipt = Receipt(import_id=made.id)
    zone, latest = _zone(source), timezone.now() + AHEAD
    numbered = ((number, line) for number, line in enumerate(lines, 1) if line.strip())
    while batch := list(islice(numbered, BATCH_LINES)):
        _take_batch(made, source, batch, zone, latest, receipt)
    LogImport.objects.filter(pk=made.pk).update(
        rows=receipt.rows, stored=receipt.stored, duplicate=receipt.duplicate, quarantined=receipt.quarantined
    )
    return receipt


def _take_batch(
    made: LogImport,
    source: Source,
    batch: Sequence[tuple[int, bytes | str]],
    zone: ZoneInfo | None,
    latest: datetime,
    receipt: Receipt,
) -> None:
    rows: list[tuple[int, dict[str, Any]]] = []
    bad: list[QuarantinedLine] = []
    for number, line in batch:
        try:
            rows += ((number, row) for row in read_line(line, log=made.log, zone=zone, latest=latest))
        except BadLine as problem:
            receipt.quarantined += 1
            if len(receipt.problems) < KEPT_LINES:
                receipt.problems.append((number, str(problem)))
                raw = line.encode("utf-8", "surrogatepass") if isinstance(line, str) else bytes(line)
                bad.append(_quarantined(made, number, str(problem), raw))
    QuarantinedLine.objects.bulk_create(bad)
    entries: dict[uuid.UUID, tuple[LogEntry, dict[str, Any]]] = {}
    for number, row in rows:
        entry = _entry(source, made.log, row, number)
        entries.setdefault(entry.id, (entry, row))
    new = _insert([entry for entry, _ in entries.values()])
    receipt.stored += len(new)
    receipt.duplicate += len(rows) - len(new)
    receipt.rows = receipt.stored + receipt.duplicate + receipt.quarantined
    if made.log == LogEntry.Log.SCRIBE and source.integration is not None:
        keep_notes(source.integration, [row for entry_id, (_, row) in entries.items() if entry_id in new])


def _quarantined(made: LogImport, number: int, reason: str, line: bytes) -> QuarantinedLine:
    return QuarantinedLine(facility_id=made.facility_id, log_import=made, number=number, reason=reason, line=line)


def _entry(source: Source, log: str, row: dict[str, Any], position: int) -> LogEntry:
    """Give the entry under the id that this very row always gets; keyed, because rows hold what may be guessed."""
    moment = datetime.fromisoformat(row["at"]).astimezone(UTC).isoformat()
    canonical = json.dumps({**row, "at": moment}, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    digest = hashlib.blake2b(
        source.id.bytes + log.encode() + b"\0" + canonical.encode(),
        key=keyring(source.facility_id).hash_key, digest_size=16, person=b"notetrace-row",
    ).digest()  # fmt: skip
    number = int.from_bytes(digest) & ~(0xF << 76) & ~(0x3 << 62) | 0x8 << 76 | 0x2 << 62  # RFC 9562, version 8
    entry_id = uuid.UUID(int=number)
    return entry_of(source.facility_id, source.integration, log, row, entry_id=entry_id, position=position)


def _insert(entries: list[LogEntry]) -> set[uuid.UUID]:
    """Store what is not there yet and give its ids; in one order, so that two senders of the same rows never lock."""
    if not entries:
        return set()
    entries.sort(key=lambda entry: (entry.at, entry.id))
    ensure_days({entry.at.astimezone(UTC).date() for entry in entries})
    sealed = LogEntry._meta.get_field("sealed")
    rows = [
        [bytes(sealed.pre_save(entry, True)) if name == "sealed" else getattr(entry, name) for name in _COLUMNS]
        for entry in entries
    ]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [list(column) for column in zip(*rows, strict=True)])
        return {found for (found,) in cursor.fetchall()}


def _zone(source: Source) -> ZoneInfo | None:
    try:
        return ZoneInfo(source.time_zone) if source.time_zone else None
    except (ZoneInfoNotFoundError, ValueError):
        return None


def _keyed(source: Source, value: bytes) -> bytes:
    key = keyring(source.facility_id).hash_key
    return hashlib.blake2b(value, key=key, digest_size=32, person=b"notetrace-req").digest()


def _answered(source: Source, key: bytes, digest: bytes) -> Receipt | None:
    row = LogImport.objects.filter(source=source, request_key=key).first()
    if row is None:
        return None
    if bytes(row.body_digest or b"") != digest:
        raise KeyReused
    problems = list(row.quarantined_lines.order_by("number", "id").values_list("number", "reason")[:KEPT_LINES])
    return Receipt(row.rows, row.stored, row.duplicate, row.quarantined, problems, row.id)
