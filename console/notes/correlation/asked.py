"""Tell at once the notes that somebody asks for, where the rows that tell of them have come and wait to be correlated.

Correlation alone makes notes, every minute. Whoever brings a log in and then asks for a note of it finds it here.
Where nothing waits this costs one probe an integration.
"""

import logging
import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import OperationalError, connection, transaction

from console.integrations.models import Integration
from console.notes.correlation.loading import Keys, StoredRow, by_keys, by_log
from console.notes.correlation.one import trace_of
from console.notes.models import Note

log = logging.getLogger(__name__)
MOST = 20  # notes told for one question, the newest
MOST_SEARCHED = 50_000  # waiting rows among which an error is looked for: no index leads to one
PATIENCE_MS = 2000  # a run that correlates the same notes at this moment is not waited for longer

WAITING = """
SELECT place.id, found.first_at, found.last_at, found.rows, found.batches
  FROM integrations_integration AS place CROSS JOIN LATERAL (
    SELECT min(first_at) AS first_at, max(last_at) AS last_at, sum(rows) AS rows, array_agg(id) AS batches
      FROM notes_logbatch WHERE integration_id = place.id AND correlated_at IS NULL AND log = ANY(%(logs)s)
  ) AS found
 WHERE place.facility_id = ANY(%(facilities)s) AND (%(one)s::uuid IS NULL OR place.id = %(one)s)
   AND found.batches IS NOT NULL ORDER BY place.id
"""
WITH_ERROR = """
SELECT note_hash, max(at) FROM notes_logentry
 WHERE batch = ANY(%s) AND at >= %s AND at <= %s AND signature = %s AND note_hash IS NOT NULL
 GROUP BY note_hash ORDER BY max(at) DESC LIMIT %s
"""


@dataclass(frozen=True)
class _Waiting:
    integration: uuid.UUID
    first: datetime
    last: datetime
    rows: int
    batches: frozenset[int]


def tell_asked(facilities: Collection[uuid.UUID], ids: Keys, *, most: int = MOST) -> None:
    """Tell the notes of facilities that bear any of these ids (as hashes) in a row that waits to be correlated."""
    for place in _waiting(facilities):
        found = by_keys(place.integration, ids, place.first, place.last + timedelta(microseconds=1))
        scribe, _ = by_log([row for row in found if row.batch in place.batches])
        _tell(place.integration, _newest(scribe)[:most])


def tell_failed(facilities: Collection[uuid.UUID], signature: str) -> None:
    """Tell the notes of facilities of which a row that waits to be correlated holds this error, masked."""
    for place in _waiting(facilities):
        if place.rows <= MOST_SEARCHED:
            with connection.cursor() as cursor:
                cursor.execute(WITH_ERROR, (sorted(place.batches), place.first, place.last, signature, MOST))
                found = [bytes(note) for note, _ in cursor.fetchall()]
            _tell(place.integration, found)


def tell_again(note: Note) -> bool:
    """Tell a note once more where a row of either log that bears one of its ids waits; tell whether one does."""
    own = {kind: getattr(note, f"{kind}_hash") for kind in ("transaction", "encounter")}
    keys = Keys(note={bytes(note.external_hash)}, **{kind: {bytes(value)} for kind, value in own.items() if value})
    for place in _waiting([note.facility_id], one=note.integration_id, logs=("scribe", "ehr")):
        found = by_keys(place.integration, keys, place.first, place.last + timedelta(microseconds=1))
        if any(row.batch in place.batches for row in found):
            _tell(place.integration, [bytes(note.external_hash)])
            return True
    return False


def _waiting(
    facilities: Collection[uuid.UUID], *, one: uuid.UUID | None = None, logs: Sequence[str] = ("scribe",)
) -> Iterator[_Waiting]:
    """Yield where rows wait; of a scribe, for an EHR's alone make no note."""
    with connection.cursor() as cursor:
        cursor.execute(WAITING, {"facilities": sorted(facilities), "one": one, "logs": list(logs)})
        rows = cursor.fetchall()
    for integration, first, last, count, batches in rows:
        yield _Waiting(integration, first, last, count, frozenset(batches))


def _newest(rows: Iterable[StoredRow]) -> list[bytes]:
    """Give the notes of rows, those with the newest row first."""
    last: dict[bytes, datetime] = {}
    for row in rows:
        if row[2] is not None:
            last[row[2]] = max(row[0], last.get(row[2], row[0]))
    return sorted(last, key=lambda note: (last[note], note), reverse=True)


def _tell(integration_id: uuid.UUID, notes: Collection[bytes]) -> None:
    if not notes:
        return
    integration = Integration.objects.get(pk=integration_id)
    for note in notes:
        try:
            with transaction.atomic():
                _be_patient(PATIENCE_MS)
                trace_of(integration, note)
                _be_patient(None)
        except OperationalError as problem:  # a lock that another run holds: that run tells this note
            log.info("a note asked for was left to another run: %s", type(problem.__cause__).__name__)
            return


def _be_patient(most_ms: int | None) -> None:
    """Wait for a lock at most so long, in this transaction; None: as long as before."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = DEFAULT" if most_ms is None else f"SET LOCAL lock_timeout = {most_ms}")
