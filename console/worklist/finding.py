"""Find notes by what was typed: ids by their keyed hashes first, then providers, and time; never by parts of words."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from console.accounts.keys import keyring
from console.notes.correlation.asked import tell_asked
from console.notes.correlation.loading import Keys
from console.worklist.access import Scope
from console.worklist.waiting import Key

MOST_FOUND = 200
MOST_ROWS = 400  # log rows of one id that are looked at for their notes
KINDS = ("note", "transaction", "encounter", "request", "document")
WORDS = {
    "note": "note id", "transaction": "transaction id", "encounter": "encounter", "request": "request id",
    "document": "document id",
}  # fmt: skip

_BY_NOTE = """
SELECT found.id, asked.kind
  FROM unnest(%(places)s::uuid[], %(kinds)s::text[], %(digests)s::bytea[]) AS asked (place, kind, digest)
 CROSS JOIN LATERAL (
      SELECT n.id, n.department_id FROM notes_note n
       WHERE n.facility_id = asked.place AND n.external_hash = asked.digest AND asked.kind = 'note'
       UNION ALL
      SELECT n.id, n.department_id FROM notes_note n
       WHERE n.facility_id = asked.place AND n.transaction_hash = asked.digest AND asked.kind = 'transaction'
       UNION ALL
      SELECT n.id, n.department_id FROM notes_note n
       WHERE n.facility_id = asked.place AND n.encounter_hash = asked.digest AND asked.kind = 'encounter'
       LIMIT %(most)s) AS found
 WHERE found.department_id IS NULL OR found.department_id <> ALL(%(closed)s)
 LIMIT %(most)s
"""

# Each branch is one index of the log, so that an id that no log knows costs one probe a day and index.
_ROWS = """
SELECT kind, facility_id, integration_id, note_hash, transaction_hash, encounter_hash FROM (
 (SELECT 'transaction' AS kind, facility_id, integration_id, note_hash, transaction_hash, encounter_hash
    FROM notes_logentry WHERE transaction_hash = ANY(%(transaction)s) LIMIT %(most)s)
  UNION ALL
 (SELECT 'request', facility_id, integration_id, note_hash, transaction_hash, encounter_hash
    FROM notes_logentry WHERE request_hash = ANY(%(request)s) LIMIT %(most)s)
  UNION ALL
 (SELECT 'document', facility_id, integration_id, note_hash, transaction_hash, encounter_hash
    FROM notes_logentry WHERE document_hash = ANY(%(document)s) LIMIT %(most)s)
) AS found WHERE facility_id = ANY(%(facilities)s)
"""

_ORPHANS = """
SELECT t.id FROM notes_trace t
 WHERE t.integration_id IN (SELECT i.id FROM integrations_integration i WHERE i.facility_id = ANY(%(facilities)s))
   AND t.orphan_hash = ANY(%(digests)s)
 LIMIT %(most)s
"""


@dataclass(frozen=True)
class Found:
    """Be what an id led to: notes and documents without a note, by their internal ids, and what kind of id it was."""

    notes: tuple[uuid.UUID, ...] = ()
    orphans: tuple[uuid.UUID, ...] = ()
    kind: str = ""

    def __bool__(self) -> bool:
        """Tell whether there is anything."""
        return bool(self.notes or self.orphans)


def by_id(scope: Scope, word: str) -> Found:
    """Look an id up: among the notes first, in the logs only where no note bears it.

    Notes whose rows came a moment ago are told first.
    """
    digests = {(place, kind): keyring(place).hash(word, kind) for place in scope.facilities for kind in KINDS}
    if not digests:
        return Found()
    of = {kind: [digest for (_, each), digest in digests.items() if each == kind] for kind in KINDS}
    tell_asked(scope.facilities, Keys(**{kind: set(of[kind]) for kind in KINDS}))
    notes = _notes(scope, [(place, kind, digest) for (place, kind), digest in digests.items()])
    if notes:
        kinds = {kind for _, kind in notes}
        return Found(tuple(dict.fromkeys(note for note, _ in notes)), (), next(k for k in KINDS if k in kinds))
    params = {**scope.params, **{kind: of[kind] for kind in ("transaction", "request", "document")}}
    rows = _fetch(_ROWS, {**params, "most": MOST_ROWS})
    orphans = _fetch(_ORPHANS, {**params, "digests": [*of["document"], *of["transaction"]], "most": MOST_FOUND})
    kind = rows[0][0] if rows else "document"
    if rows:
        tell_asked(scope.facilities, Keys(*(_column(rows, place) for place in (3, 4)), encounter=_column(rows, 5)))
    notes = _notes(scope, _ways(rows, "note", 3) + _ways(rows, "transaction", 4))
    # Only the EHR knows this id and no transaction leads on: the encounter's notes are where to look.
    notes = notes or ([] if orphans else _notes(scope, _ways(rows, "encounter", 5)))
    return Found(tuple(dict.fromkeys(note for note, _ in notes)), tuple(row[0] for row in orphans), kind)


def _column(rows: Sequence[tuple[Any, ...]], place: int) -> set[bytes]:
    return {bytes(row[place]) for row in rows if row[place] is not None}


def _ways(rows: Sequence[tuple[Any, ...]], kind: str, column: int) -> list[tuple[uuid.UUID, str, bytes]]:
    return list({(row[1], kind, bytes(row[column])) for row in rows if row[column] is not None})


def _notes(scope: Scope, asked: Sequence[tuple[uuid.UUID, str, bytes]]) -> list[tuple[uuid.UUID, str]]:
    if not asked:
        return []
    places, kinds, digests = (list(column) for column in zip(*asked, strict=True))
    found = {"places": places, "kinds": kinds, "digests": digests, "closed": list(scope.closed), "most": MOST_FOUND + 1}
    return [(note, kind) for note, kind in _fetch(_BY_NOTE, found)]


def knows_provider(scope: Scope, word: str) -> bool:
    """Tell whether notes of this provider are known: one index probe a facility."""
    sql = """SELECT EXISTS (SELECT FROM unnest(%(facilities)s::uuid[]) AS place (id)
              CROSS JOIN LATERAL (SELECT FROM notes_trace t
                                   WHERE t.facility_id = place.id AND t.provider = %(provider)s LIMIT 1) AS found)"""
    return bool(_fetch(sql, {**scope.params, "provider": word})[0][0])


@dataclass(frozen=True)
class Listed:
    """Be a list without an id: by provider, time, integration or mode, all of which may stand in an address."""

    provider: str = ""
    start: datetime | None = None
    end: datetime | None = None
    integration: uuid.UUID | None = None
    mode: str = ""


def newest(scope: Scope, asked: Listed, after: Key | None, limit: int) -> list[uuid.UUID]:
    """Give traces of notes, newest first, by the index of the provider or else of each integration's time."""
    parts = ["t.note_id IS NOT NULL"]
    if asked.start:
        parts.append("t.born_at >= %(start)s")
    if asked.end:
        parts.append("t.born_at < %(end)s")
    if asked.mode:
        parts.append("t.failure_mode = %(mode)s")
    if after:
        parts.append("(t.born_at, t.id) < (%(after_at)s, %(after_id)s)")
    if scope.closed:
        parts.append("(n.department_id IS NULL OR n.department_id <> ALL(%(closed)s))")
    note = "JOIN notes_note n ON n.id = t.note_id" if scope.closed else ""
    if asked.provider:
        place = "unnest(%(facilities)s::uuid[]) AS place (id)"
        parts.append("t.facility_id = place.id AND t.provider = %(provider)s")
        if asked.integration:
            parts.append("t.integration_id = %(integration)s")
    else:
        place = """(SELECT i.id FROM integrations_integration i WHERE i.facility_id = ANY(%(facilities)s)
                       AND (%(integration)s::uuid IS NULL OR i.id = %(integration)s)) AS place"""
        parts.append("t.integration_id = place.id")
    sql = f"""
        SELECT found.id FROM {place}
         CROSS JOIN LATERAL (
              SELECT t.id, t.born_at FROM notes_trace t {note} WHERE {" AND ".join(parts)}
               ORDER BY t.born_at DESC, t.id DESC LIMIT %(limit)s) AS found
         ORDER BY found.born_at DESC, found.id DESC LIMIT %(limit)s"""
    params = {
        **scope.params, "provider": asked.provider, "start": asked.start, "end": asked.end, "mode": asked.mode,
        "integration": asked.integration, "limit": limit,
        "after_at": after.at if after else None, "after_id": after.id if after else None,
    }  # fmt: skip
    return [row[0] for row in _fetch(sql, params)]


def _fetch(sql: str, params: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())
