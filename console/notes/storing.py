"""Put packed rows into the log: each once, in one COPY a batch, known to the correlation by its batch."""

import hashlib
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any

from django.db import connection, transaction
from psycopg.errors import UniqueViolation

from console.accounts.keys import keyring
from console.integrations.models import Integration, Source
from console.notes.copy_rows import ENTRY_COLUMNS, LINE_COLUMNS, Entry, entries_of, lines_of, packers
from console.notes.log_lines import EPOCH, micros
from console.notes.models import LogBatch, LogImport
from console.notes.partitions import ensure_days

_DAY = 86_400 * 1_000_000
_BATCH = 5000
_COPY_ENTRIES = f"COPY notes_logentry ({', '.join(ENTRY_COLUMNS)}) FROM STDIN (FORMAT BINARY)"
_COPY_LINES = f"COPY notes_quarantinedline ({', '.join(LINE_COLUMNS)}) FROM STDIN (FORMAT BINARY)"
# A look-up for each row by the primary key: written as a join, a wrong guess of the planner reads whole partitions.
# It names the time from first to last, or every day's partition would be opened.
_KNOWN = """
SELECT asked.id FROM unnest(%s::bigint[], %s::uuid[]) AS asked (micros, id) WHERE EXISTS (
    SELECT FROM notes_logentry AS entry
    WHERE entry.at = timestamptz '2000-01-01 00:00:00+00' + asked.micros * interval '1 microsecond'
      AND entry.id = asked.id AND entry.at >= %s AND entry.at <= %s
    OFFSET 0
)
"""


class Shelf:
    """Where the rows of one log of one source go. One batch at a time enters, also from other processes.

    Rows that stand there already are asked for only where some may: the first batch of an import asks, and as long as
    none was there before, COPY itself finds out by the primary key. After a surprise it asks again for a while.
    """

    def __init__(self, source: Source, log: str) -> None:
        self._source, self._log = source, log
        name = hashlib.blake2b(source.id.bytes + log.encode(), digest_size=8, person=b"notetrace-shelf").digest()
        self._lock = int.from_bytes(name, "big", signed=True)
        self._ask, self._patience = 1, 1

    def put(self, entries: Sequence[Entry], made: LogImport | None) -> int:
        """Store what is not there yet and give how many; call inside a transaction, after `ensure_partitions`.

        `entries` hold no id twice. Until the transaction ends no other import stores rows of this log and source.
        """
        if not entries:
            return 0
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [self._lock])
        if not self._ask:
            try:
                with transaction.atomic():
                    self._copy(entries, made)
            except UniqueViolation:
                self._patience = min(2 * self._patience, 64)
                self._ask = self._patience
            else:
                return len(entries)
        known = _known(entries)
        self._ask = max(self._ask, 4) if known else self._ask - 1
        new = [entry for entry in entries if entry[1] not in known] if known else entries
        if new:
            self._copy(new, made)
        return len(new)

    def _copy(self, entries: Sequence[Entry], made: LogImport | None) -> None:
        source = self._source
        copy_batch(
            entries,
            facility_id=source.facility_id,
            integration_id=source.integration_id,
            log=self._log,
            made=made,
        )


def copy_batch(
    entries: Sequence[Entry],
    *,
    facility_id: uuid.UUID,
    integration_id: uuid.UUID | None,
    log: str,
    made: LogImport | None = None,
) -> None:
    """Write rows, none of which is there, with the batch by which the correlation finds them."""
    ordered = sorted(entries)  # by time: neighbours in the indexes, hence cheap
    batch = LogBatch.objects.create(
        facility_id=facility_id,
        integration_id=integration_id,
        log_import=made,
        log=log,
        first_at=EPOCH + timedelta(microseconds=ordered[0][0]),
        last_at=EPOCH + timedelta(microseconds=ordered[-1][0]),
        rows=len(ordered),
    )
    _copy(_COPY_ENTRIES, entries_of(ordered, batch.id))


def store_rows(
    *, facility_id: uuid.UUID, integration: Integration | None, log: str, rows: Iterable[Mapping[str, Any]]
) -> int:
    """Store rows that are checked already and come only once, such as a case's; give how many."""
    integration_id = integration.pk if integration else None
    _, pack = packers(keyring(facility_id), log, integration=integration_id)
    waiting, count = iter(rows), 0
    while batch := [pack(row, micros(_at(row["at"]))) for row in islice(waiting, _BATCH)]:
        ensure_partitions(batch)
        with transaction.atomic():
            copy_batch(batch, facility_id=facility_id, integration_id=integration_id, log=log)
        count += len(batch)
    return count


def keep_lines(made: LogImport, lines: Sequence[tuple[int, str, bytes]]) -> None:
    """Set lines aside: (number, reason, the line as it came)."""
    if lines:
        _copy(_COPY_LINES, lines_of(keyring(made.facility_id), made.id, lines))


def ensure_partitions(entries: Iterable[Entry]) -> None:
    """Make the days' partitions that rows need; outside the transaction that stores them, where there is a choice.

    Making one waits for every transaction that writes to the log, and they would wait for it.
    """
    days = {entry[0] // _DAY for entry in entries}
    ensure_days(date(2000, 1, 1) + timedelta(days=day) for day in days)


def _known(entries: Sequence[Entry]) -> set[bytes]:
    times = "{" + ",".join([str(entry[0]) for entry in entries]) + "}"
    ids = "{" + ",".join([entry[1].hex() for entry in entries]) + "}"
    ends = [EPOCH + timedelta(microseconds=pick(entry[0] for entry in entries)) for pick in (min, max)]
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, [times, ids, *ends])
        return {found.bytes for (found,) in cursor.fetchall()}


def _copy(statement: str, data: bytes) -> None:
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(data)


def _at(value: Any) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
