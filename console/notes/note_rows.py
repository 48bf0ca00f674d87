"""Read log rows back for one note: its own, joined by ids, and those logged nearest to it, of both logs alike.

Rows of other notes come along because only they tell whether one note failed, or one provider's, or all. However
many were logged in those hours, those nearest in time are read, and a fixed number of them.
"""

import json
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from console.accounts.keys import keyring
from console.notes.correlation.loading import Keys, by_keys
from console.notes.log_lines import EARLIEST
from console.notes.models import LogEntry, Note
from console.shared.sealing import Address

BEFORE, AFTER = timedelta(hours=12), timedelta(hours=3)  # no row from farther away says anything of this failure
NEAREST = 1000  # rows of one log before the note, as many after it began, and after its last row
MOST_OWN = 3000
DAY, FAR, ENCOUNTER = timedelta(days=1), timedelta(days=14), timedelta(hours=72)
Ref = tuple[datetime, uuid.UUID]

# The newest batch of each log, one index probe a log however many batches there are.
NEWEST = """
SELECT asked.log, newest.first_at, newest.last_at FROM unnest(%s::text[]) AS asked(log), LATERAL (
    SELECT first_at, last_at FROM notes_logbatch
     WHERE integration_id = %s AND log = asked.log ORDER BY last_at DESC LIMIT 1
) AS newest
"""
# Whether rows of a log are still kept where none is near: its newest batch began with one.
KEPT = """
SELECT EXISTS (SELECT FROM notes_logentry WHERE integration_id = %s AND at = %s AND log = %s)
"""
TRACED = "SELECT born_at, last_at FROM notes_trace WHERE note_id = %s"
_NEAR = """
SELECT at, id FROM notes_logentry
 WHERE integration_id = %s AND log = %s AND at >= %s AND at < %s
 ORDER BY at {order}, position {order}, id {order} LIMIT %s
"""
NEAR_BEFORE, NEAR_AFTER = _NEAR.format(order="DESC"), _NEAR.format(order="ASC")
OPEN = """
SELECT entry.at, entry.position, entry.id, entry.log, entry.sealed
  FROM unnest(%s::timestamptz[], %s::uuid[]) AS wanted(at, id), LATERAL (
    SELECT * FROM notes_logentry
     WHERE at = wanted.at AND id = wanted.id AND at >= %s AND at <= %s OFFSET 0
) AS entry
"""


def logs_of(note: Note) -> dict[str, tuple[dict[str, Any], ...] | None]:
    """Give each log around a note, in its order; None for a log of which the integration has no row at all."""
    with connection.cursor() as cursor:
        cursor.execute(NEWEST, (LogEntry.Log.values, note.integration_id))
        newest = {log: (first, last) for log, first, last in cursor.fetchall()}
        cursor.execute(TRACED, (note.pk,))
        traced = cursor.fetchone()
    own = _own(note, traced, newest)
    first = min((at for at, _ in own), default=note.generated_at or note.created_at)
    last = max((at for at, _ in own), default=first)
    found: dict[str, tuple[dict[str, Any], ...] | None] = {}
    rows = _opened(note.facility_id, {*own, *_near(note, newest, first, last)})
    for log in LogEntry.Log.values:
        mine = tuple(row for name, row in rows if name == log)
        found[log] = mine if mine or (log in newest and _is_kept(note, log, newest[log][0])) else None
    return found


def rows_of(note: Note, log: str) -> tuple[dict[str, Any], ...] | None:
    """Give one log around a note; who needs several asks for all at once."""
    return logs_of(note)[log]


def _is_kept(note: Note, log: str, at: datetime) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(KEPT, (note.integration_id, at, log))
        return bool(cursor.fetchone()[0])


def _own(note: Note, traced: tuple[datetime, datetime] | None, newest: dict[str, Any]) -> set[Ref]:
    """Find the note's rows of both logs: by its ids, by the ids those rows name, and those of its encounter."""
    ends = [newest[log][1] for log in ("scribe", "ehr") if log in newest]
    if not ends:
        return set()
    first, last = EARLIEST, max(ends) + timedelta(seconds=1)
    begun, ended = traced or (note.generated_at, note.generated_at)
    if begun is not None and ended is not None:
        first, last = max(first, begun - DAY), min(last, ended + FAR)
    asked = Keys()
    keys = Keys(note={bytes(note.external_hash)})
    if note.transaction_hash:
        keys.transaction.add(bytes(note.transaction_hash))
    rows = []
    for _ in range(3):
        found = list(by_keys(note.integration_id, keys.without(asked), first, last))
        asked.merge(keys)
        rows += found
        keys = Keys().take(found)
    if note.encounter_hash:
        near = [row[0] for row in rows] or [moment for moment in (begun, ended) if moment is not None]
        low = min(near) - BEFORE if near else first
        high = max(near) + ENCOUNTER if near else last
        rows += by_keys(note.integration_id, Keys(encounter={bytes(note.encounter_hash)}), low, high)
    return {(row[0], uuid.UUID(bytes=row[13])) for row in rows[:MOST_OWN]}


def _near(note: Note, newest: dict[str, Any], first: datetime, last: datetime) -> set[Ref]:
    """Find the rows of each log nearest before the note, after it began and after its last row."""
    found: set[Ref] = set()
    for log, (_, high) in newest.items():
        if high < first - BEFORE:
            continue
        stretches = [(NEAR_BEFORE, first - BEFORE, first), (NEAR_AFTER, first, last + AFTER)]
        if last - first > DAY / 24:
            stretches += [(NEAR_BEFORE, first, last), (NEAR_AFTER, last, last + AFTER)]
        with connection.cursor() as cursor:
            for sql, from_, to in stretches:
                cursor.execute(sql, (note.integration_id, log, from_, to, NEAREST))
                found.update(cursor.fetchall())
    return found


def _opened(facility: uuid.UUID, refs: Iterable[Ref]) -> list[tuple[str, dict[str, Any]]]:
    """Open rows, in the order of their logs."""
    wanted = sorted(refs)
    if not wanted:
        return []
    ring = keyring(facility)
    times, ids = [at for at, _ in wanted], [entry_id for _, entry_id in wanted]
    with connection.cursor() as cursor:
        cursor.execute(OPEN, (times, ids, times[0], times[-1]))
        rows = cursor.fetchall()
    rows.sort(key=lambda row: row[:3])
    return [
        (log, json.loads(ring.open(sealed, Address("notes_logentry", "sealed", entry_id, facility))))
        for _, _, entry_id, log, sealed in rows
    ]
