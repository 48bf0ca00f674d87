"""Keep what correlation told: the notes that are new, and each trace where anything of it changed."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

import psycopg
from django.db import connection
from django.utils import timezone

from console.notes.correlation.new_notes import Known, fill_in, make
from console.notes.correlation.state import Scope
from console.notes.ends import carry_over
from console.shared.identifiers import new_id
from diagnostics.tracing.story import Story
from diagnostics.tracing.thread import Thread

COLUMNS = {
    "failure_mode": "text", "broke_at": "text", "keys": "text", "confidence": "float8", "ambiguous": "bool",
    "born_at": "timestamptz", "generated_at": "timestamptz", "packaged_at": "timestamptz", "sent_at": "timestamptz",
    "accepted_at": "timestamptz", "filed_at": "timestamptz", "last_at": "timestamptz", "attempts": "int2",
    "status": "int2", "ack": "text", "signature": "text", "site": "text", "client": "text", "provider": "text",
    "offset_s": "float8", "sample_s": "float8", "weak": "bool", "recheck_at": "timestamptz",
}  # fmt: skip
_TRACE = ", ".join(f"t.{name}" for name in COLUMNS)
BY_NOTE = f"""
SELECT wanted.key, n.id, n.transaction_hash, n.encounter_hash, n.patient_hash, n.provider, n.generated_at,
       n.identifiers, n.payload IS NOT NULL OR n.narrative IS NOT NULL
         OR EXISTS (SELECT FROM notes_filedsnapshot AS f WHERE f.note_id = n.id), t.id, {_TRACE}
  FROM unnest(%s::bytea[]) AS wanted(key), LATERAL (
    SELECT * FROM notes_note WHERE integration_id = %s AND external_hash = wanted.key OFFSET 0
) AS n LEFT JOIN LATERAL (SELECT * FROM notes_trace WHERE note_id = n.id OFFSET 0) AS t ON true
"""
BY_ORPHAN = f"""
SELECT wanted.key, t.id, {_TRACE} FROM unnest(%s::bytea[]) AS wanted(key), LATERAL (
    SELECT * FROM notes_trace WHERE integration_id = %s AND orphan_hash = wanted.key OFFSET 0
) AS t
"""
_KEPT = {"id": "uuid", "facility_id": "uuid", "integration_id": "uuid", "note_id": "uuid", "orphan_hash": "bytea"}
_ALL = {**_KEPT, **COLUMNS, "changed_at": "timestamptz"}
# The id is of no account: whoever tells the same note at the same time may have made the row a moment ago.
_UPSERT = (
    f"INSERT INTO notes_trace ({', '.join(_ALL)}) SELECT * FROM unnest("
    f"{', '.join(f'%s::{kind}[]' for kind in _ALL.values())}) ON CONFLICT ({{target}}) DO UPDATE SET "
    + ", ".join(f"{name} = EXCLUDED.{name}" for name in (*COLUMNS, "changed_at"))
)
_OF_NOTE, _OF_NOBODY = _UPSERT.format(target="note_id"), _UPSERT.format(target="integration_id, orphan_hash")
FOLLOW = """
UPDATE notes_note AS n SET failure_mode = told.mode
  FROM unnest(%s::uuid[], %s::text[], %s::text[]) AS told(id, mode, before)
 WHERE n.id = told.id AND n.failure_mode IN ('unknown', told.before) AND n.failure_mode <> told.mode
"""
WEAK_IN = """
SELECT t.born_at FROM unnest(%s::bytea[]) AS wanted(key), LATERAL (
    SELECT id FROM notes_note WHERE facility_id = %s AND encounter_hash = wanted.key AND integration_id = %s OFFSET 0
) AS n JOIN notes_trace AS t ON t.note_id = n.id WHERE t.weak AND t.born_at >= %s AND t.born_at < %s
"""
FAR_APART = """
SELECT n.external_hash FROM notes_trace AS t, LATERAL (
    SELECT external_hash FROM notes_note WHERE id = t.note_id OFFSET 0
) AS n WHERE t.integration_id = %s AND t.born_at >= %s AND t.born_at < %s AND t.last_at >= %s
"""
IN_TIME = """
SELECT t.id, n.external_hash, t.orphan_hash FROM notes_trace AS t LEFT JOIN LATERAL (
    SELECT * FROM notes_note WHERE id = t.note_id OFFSET 0
) AS n ON true
 WHERE t.integration_id = %s AND t.born_at >= %s AND t.born_at < %s AND (%s OR t.note_id IS NULL)
   AND (n.id IS NULL OR (n.payload IS NULL AND n.narrative IS NULL
        AND NOT EXISTS (SELECT FROM notes_filedsnapshot AS f WHERE f.note_id = n.id)))
"""
Values = tuple[Any, ...]
CLOCKS = timedelta(hours=1)  # no two clocks differ by more
BORN, LAST = list(COLUMNS).index("born_at"), list(COLUMNS).index("last_at")


@dataclass(slots=True)
class Stored:
    """Be what is stored of a note: the note, and its trace where it has one; `more` tells of payload or chart."""

    note: Known
    more: bool
    trace: uuid.UUID | None
    values: Values


@dataclass(slots=True)
class Written:
    """Count what was written."""

    notes: int = 0
    changed: int = 0
    orphans: int = 0

    def add(self, other: "Written") -> None:
        """Take another part's counts in."""
        self.notes += other.notes
        self.changed += other.changed
        self.orphans += other.orphans


def stored(scope: Scope, keys: Collection[bytes]) -> dict[bytes, Stored]:
    """Give what is stored of notes, by the hash of their ids."""
    return {
        bytes(row[0]): Stored(Known(row[1], *map(_bytes, row[2:5]), row[5], row[6], _bytes(row[7])), row[8], row[9],
                              tuple(row[10:]))
        for row in _fetch(BY_NOTE, (sorted(keys), scope.integration))
    }  # fmt: skip


def values_of(story: Story, provider: str) -> Values:
    """Give the columns of a story's trace, in the order of COLUMNS."""
    answer: Any = story.last_answer
    return (
        str(story.mode), str(story.broke_at or ""), ",".join(story.keys)[:80], story.confidence, story.ambiguous,
        story.born_at, story.generated_at, story.packaged_at, story.sent_at, story.accepted_at, story.filed_at,
        story.last_at, min(story.attempts, 32767), None if answer is None else answer[15],
        "" if answer is None else answer[16], "" if answer is None else answer[17], story.site, story.client,
        provider[:80], story.offset_s, story.sample_s, story.weak, story.recheck_at,
    )  # fmt: skip


def keep_notes(
    scope: Scope, stories: Mapping[bytes, Story], threads: Mapping[bytes, Thread], have: dict[bytes, Stored]
) -> Written:
    """Make the notes that are new, fill in the others, and keep the traces; `have` gains the new notes."""
    new = {key: threads[key] for key in stories if key not in have}
    providers = {key: have[key].note.provider for key in stories if key in have}
    providers |= fill_in(scope, {key: have[key].note for key in stories if key in have}, threads)
    if new:
        providers |= make(scope, new, {key: str(stories[key].mode) for key in new})
        have |= stored(scope, new)
    return keep_traces(
        scope,
        {key: values_of(story, providers.get(key, "")) for key, story in stories.items() if key in have},
        have,
    )


def keep_traces(scope: Scope, told: Mapping[bytes, Values], have: Mapping[bytes, Stored]) -> Written:
    """Insert traces that are new and change those of which anything differs; the note's failure mode follows."""
    now = timezone.now()
    rows, fresh, follow = [], [], []
    for key, values in told.items():
        held = have[key]
        if held.trace is not None and held.values == values:
            continue
        if held.trace is None:
            fresh.append(held.note.id)
        if held.trace is None or held.values[0] != values[0]:
            follow.append((held.note.id, values[0], "unknown" if held.trace is None else held.values[0]))
        rows.append((held.trace or new_id(), scope.facility, scope.integration, held.note.id, None, *values, now))
    _upsert(_OF_NOTE, rows)
    if follow:
        with connection.cursor() as cursor:
            cursor.execute(FOLLOW, [list(column) for column in zip(*follow, strict=True)])
    if fresh:
        carry_over(fresh)
    return Written(notes=len(told), changed=len(rows))


def keep_orphans(scope: Scope, told: Collection[Story], first: datetime, last: datetime) -> Written:
    """Keep the documents that no note explains, of those with one id the latest; told from `first` to `last`."""
    if not told:
        return Written()
    stories = {story.orphan: story for story in sorted(told, key=lambda story: story.born_at)}
    have = {bytes(row[0]): row[1:] for row in _orphans(scope, stories)}
    now = timezone.now()
    rows = []
    for key, story in stories.items():
        values, held = values_of(story, ""), have.get(key)
        if held is not None and held[1 + BORN] > story.born_at and not first <= held[1 + BORN] < last:
            continue
        if held is None or tuple(held[1:]) != values:
            trace_id = new_id() if held is None else held[0]
            rows.append((trace_id, scope.facility, scope.integration, None, key, *values, now))
    _upsert(_OF_NOBODY, rows)
    return Written(orphans=len(stories), changed=len(rows))


def unknown_orphans(scope: Scope, loose: Mapping[bytes, datetime]) -> list[datetime]:
    """Give when those documents were filed that are nobody's and of which no trace is kept."""
    known = {bytes(row[0]) for row in _orphans(scope, loose)}
    return [at for key, at in loose.items() if key not in known]


def known_orphans(scope: Scope, keys: Collection[bytes]) -> list[datetime]:
    """Give when those documents were filed, of these ids, that are kept as nobody's."""
    return [row[2 + BORN] for row in _orphans(scope, keys)]


def weak_in(scope: Scope, encounters: Collection[bytes], first: datetime, last: datetime) -> list[datetime]:
    """Give when notes of encounters began that were told on weak grounds."""
    return [at for (at,) in _fetch(WEAK_IN, (sorted(encounters), scope.facility, scope.integration, first, last))]


def _orphans(scope: Scope, keys: Collection[bytes]) -> list[Any]:
    return _fetch(BY_ORPHAN, (sorted(keys), scope.integration)) if keys else []


def far_apart(scope: Scope, first: datetime, last: datetime, end: datetime) -> list[bytes]:
    """Give the notes that begin from `first` to `last` and whose rows reach beyond `end`, as told before."""
    return [bytes(key) for (key,) in _fetch(FAR_APART, (scope.integration, first, last, end))]


def remove(
    scope: Scope, first: datetime, last: datetime, *, notes: Collection[bytes] | None, orphans: Collection[bytes],
    settled: Mapping[bytes, datetime] = MappingProxyType({}),
) -> int:  # fmt: skip
    """Remove the traces of a stretch of time that nothing stands behind any more.

    `notes` are those that still have rows (None: do not look), `orphans` the documents still nobody's, and `settled`
    ids of documents that have found their note, and when the EHR told of them: their trace may lie elsewhere.
    """
    gone = [
        trace_id
        for trace_id, note, orphan in _fetch(IN_TIME, (scope.integration, first, last, notes is not None))
        if (bytes(orphan) not in orphans if orphan is not None else notes is not None and bytes(note) not in notes)
    ]
    found = [key for key in settled if key not in orphans]
    if found:
        gone += [
            row[1]
            for row in _orphans(scope, found)
            if row[2 + BORN] - CLOCKS <= settled[bytes(row[0])] <= row[2 + LAST] + CLOCKS
        ]
    if gone:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM notes_trace WHERE id = ANY(%s)", [gone])
    return len(gone)


def _upsert(sql: str, rows: list[Values]) -> None:
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(sql, [list(column) for column in zip(*rows, strict=True)])


def _fetch(sql: str, values: tuple[Any, ...]) -> list[Any]:
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(sql, values, prepare=False, binary=True)
        return cursor.fetchall()


def _bytes(value: Any) -> bytes | None:
    return None if value is None else bytes(value)
