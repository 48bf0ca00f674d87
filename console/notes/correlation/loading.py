"""Read log rows for correlation: columns only, never the sealed row; by time, or by the ids that join.

Every statement names a stretch of time, so that only its days' partitions are opened, and asks one index. Ids are
asked one by one in a lateral subquery behind OFFSET 0: a partition that was filled a moment ago has no statistics,
and a planner left free would walk a whole day for an array of ids.
"""

import uuid
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from operator import itemgetter
from typing import Any

import psycopg
from django.db import connection

from diagnostics.tracing.compact import CODE, What
from diagnostics.tracing.story import Row

_COLUMNS = (
    "at, what, note_hash, transaction_hash, request_hash, encounter_hash, patient_hash, author_hash, document_hash,"
    " content_hash, origin, attempt, position, uuid_send(id), batch, status, ack, signature"
)
BY_TIME = f"""
SELECT {_COLUMNS} FROM notes_logentry
 WHERE integration_id = %s AND at >= %s AND at < %s AND log IN ('scribe', 'ehr') ORDER BY at, position, id
"""
KEYS = ("note", "transaction", "request", "document", "encounter")
BY_KEY = {
    key: f"""
SELECT {_COLUMNS} FROM unnest(%s::bytea[]) AS wanted(key), LATERAL (
    SELECT * FROM notes_logentry WHERE {key}_hash = wanted.key AND at >= %s AND at < %s OFFSET 0
) AS entry WHERE integration_id = %s AND log IN ('scribe', 'ehr')
"""
    for key in KEYS
}
_PLACE = itemgetter(0, 12, 13)
_EHR = int(What.EHR_RECEIVED)  # the lowest code of an EHR's row


class StoredRow(Row):
    """Be a row of correlation with what is stored beside it: its batch, and what a failing answer said."""

    __slots__ = ()
    batch: Any = property(itemgetter(14))
    status: Any = property(itemgetter(15))
    ack: Any = property(itemgetter(16))
    signature: Any = property(itemgetter(17))


@dataclass(slots=True)
class Keys:
    """Be ids (as hashes) whose rows are wanted."""

    note: set[bytes] = field(default_factory=set)
    transaction: set[bytes] = field(default_factory=set)
    request: set[bytes] = field(default_factory=set)
    document: set[bytes] = field(default_factory=set)
    encounter: set[bytes] = field(default_factory=set)

    def __bool__(self) -> bool:
        return any(getattr(self, kind) for kind in KEYS)

    def take(self, rows: Iterable[Row], kinds: Collection[str] = ("transaction", "request", "document")) -> "Keys":
        """Add the ids that rows carry."""
        for row in rows:
            for kind in kinds:
                value = row[_PLACES[kind]]
                if value is not None:
                    getattr(self, kind).add(value)
        return self

    def without(self, other: "Keys") -> "Keys":
        """Give the ids that the other does not hold."""
        return Keys(*(getattr(self, kind) - getattr(other, kind) for kind in KEYS))

    def merge(self, other: "Keys") -> None:
        """Add the other's ids."""
        for kind in KEYS:
            getattr(self, kind).update(getattr(other, kind))


_PLACES = {kind: Row._fields.index(kind) for kind in KEYS}


def by_time(integration: uuid.UUID, first: datetime, last: datetime) -> list[StoredRow]:
    """Give the rows of both logs with first <= at < last, in their order."""
    return _fetch(BY_TIME, (integration, first, last))


def by_keys(integration: uuid.UUID, keys: Keys, first: datetime, last: datetime) -> Iterator[StoredRow]:
    """Give the rows of a stretch of time that carry any of these ids; a row that carries two comes twice."""
    for kind in KEYS:
        values = getattr(keys, kind)
        if values:
            yield from _fetch(BY_KEY[kind], (sorted(values), first, last, integration))


def by_keys_around(
    integration: uuid.UUID, keys: Keys, first: datetime, last: datetime, loaded: tuple[datetime, datetime]
) -> Iterator[StoredRow]:
    """Give the rows of a stretch of time that carry any of these ids, without those that are loaded by their time."""
    for low, high in ((first, min(last, loaded[0])), (max(first, loaded[1]), last)):
        if low < high:
            yield from by_keys(integration, keys, low, high)


def by_log(rows: Iterable[StoredRow]) -> tuple[list[StoredRow], list[StoredRow]]:
    """Part rows into the scribe's and the EHR's."""
    scribe: list[StoredRow] = []
    ehr: list[StoredRow] = []
    for row in rows:
        (ehr if row[1] & CODE >= _EHR else scribe).append(row)
    return scribe, ehr


def in_order(rows: list[StoredRow]) -> list[StoredRow]:
    """Put rows in the order of their log: by time, then by the line they came in."""
    rows.sort(key=_PLACE)
    return rows


def _fetch(sql: str, values: tuple[Any, ...]) -> list[StoredRow]:
    connection.ensure_connection()
    new = partial(tuple.__new__, StoredRow)
    with psycopg.Cursor(connection.connection) as cursor:
        # never prepared: a plan made for any stretch of time would open every day's partition
        cursor.execute(sql, values, prepare=False, binary=True)
        return list(map(new, cursor.fetchall()))
