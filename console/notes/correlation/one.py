"""Correlate one note at once, for whoever looks at it now, also where its rows have just come."""

import uuid
from datetime import datetime, timedelta

from django.db import connection, transaction

from console.integrations.models import Integration
from console.notes.correlation import state
from console.notes.correlation.by_engine import keep_by_engine
from console.notes.correlation.loading import Keys, StoredRow, by_keys, by_log, by_time, in_order
from console.notes.correlation.offsets import Offsets
from console.notes.correlation.state import Scope
from console.notes.correlation.stretch import FAR, HOUR, Stretch
from console.notes.correlation.writing import keep_notes, stored
from console.notes.models import Note, Trace
from diagnostics.tracing.compact import CODE, What
from diagnostics.tracing.correlate import MARGIN, Joined
from diagnostics.tracing.story import Story, hour_of
from diagnostics.tracing.thread import Thread

DAY = timedelta(days=1)
LOOK = """
SELECT n.id, t.id, t.born_at, t.last_at, t.recheck_at,
       n.payload IS NOT NULL OR n.narrative IS NOT NULL
         OR EXISTS (SELECT FROM notes_filedsnapshot AS f WHERE f.note_id = n.id)
  FROM notes_note AS n LEFT JOIN notes_trace AS t ON t.note_id = n.id
 WHERE n.integration_id = %s AND n.external_hash = %s
"""
WAITING = """
SELECT min(first_at), max(last_at) FROM notes_logbatch
 WHERE integration_id = %s AND correlated_at IS NULL AND log IN ('scribe', 'ehr')
"""


def correlate_note(note: Note) -> Trace | None:
    """Give a note's trace, correlated now where rows have come since; None where nothing at all tells of it."""
    return trace_of(note.integration, bytes(note.external_hash))


def trace_of(integration: Integration, note_hash: bytes) -> Trace | None:
    """Give the trace of a note by the hash of its id, correlated now where rows have come; None: nobody knows it."""
    with connection.cursor() as cursor:
        cursor.execute(LOOK, (integration.pk, note_hash))
        note_id, trace_id, born, last, recheck, more = cursor.fetchone() or (None,) * 6
        cursor.execute(WAITING, (integration.pk,))
        first_new, last_new = cursor.fetchone()
    kept, scope = state.known(integration)
    due = recheck is not None and (scope is None or recheck <= scope.now)
    if trace_id is None or first_new is not None or scope is None or due or more:
        if first_new is not None or scope is None:
            scope = state.look(integration, kept)
        if scope is not None:
            bounds = [moment for moment in (born, last, first_new, last_new) if moment is not None]
            _tell(scope, note_hash, note_id if more else None, min(bounds or [scope.now]), max(bounds or [scope.now]))
    return Trace.objects.filter(note__integration=integration, note__external_hash=note_hash).first()


@transaction.atomic
def _tell(scope: Scope, key: bytes, kept: uuid.UUID | None, first: datetime, last: datetime) -> None:
    """Tell a note whose rows lie between two times, a day more or less, and keep its trace."""
    found = _story(scope, key, first, last)
    if kept is not None:
        story, threads = (found[0], {key: found[1]}) if found else (None, {})
        keep_by_engine(scope, {key: (kept, story)}, stored(scope, [key]), threads)
    elif found:
        keep_notes(scope, {key: found[0]}, {key: found[1]}, stored(scope, [key]))


def _story(scope: Scope, key: bytes, first: datetime, last: datetime) -> tuple[Story, Thread] | None:
    """Tell from the note's own rows where they say all, else with its neighbours of the hour."""
    rows = list(by_keys(scope.integration, Keys(note={key}), first - DAY, last + DAY))
    if not rows:
        return None
    begun = min(row[0] for row in rows)
    rows = _with_joined(scope, rows, begun)
    joined = Joined(
        *by_log(rows), now=scope.now,
        has_scribe=scope.has_scribe, has_ehr=scope.has_ehr, logs_filing=scope.logs_filing, shared=scope.shares_ids,
        usual_delay=scope.usual_delay, reach=scope.reach,
    )  # fmt: skip
    if key not in joined.notes:  # only the EHR's rows name it
        return None
    thread, hour = joined.notes[key], hour_of(begun)
    clocks = Offsets(scope, hour, hour + HOUR).clocks(hour, hour + HOUR)
    if not _says_all(thread):
        near = by_time(scope.integration, hour - MARGIN, hour + HOUR + MARGIN)
        joined = Stretch(scope, near, hour, hour + HOUR, guests=[key]).joined
        thread = joined.notes[key]
    joined.samples()
    return next((story, thread) for story in joined.stories(clocks, {key}) if story.note == key)


def _says_all(thread: Thread) -> bool:
    """Tell whether a note's own rows tell its whole story: sent once, answered yes, arrived, taken and filed."""
    codes = [code for _, code in thread.writes()]
    seen = {row[1] & CODE for row in thread.ehr}
    return codes == [What.SENT, What.ACCEPTED] and {What.EHR_RECEIVED, What.EHR_FILED} <= seen


def _with_joined(scope: Scope, rows: list[StoredRow], begun: datetime) -> list[StoredRow]:
    """Add the rows of both logs that the note's own rows name by an id, and those that these name."""
    known, found = Keys().take(rows), {row[13]: row for row in rows}
    asked = Keys()
    until = min(begun + FAR, scope.now + MARGIN)
    for _ in range(2):
        more = list(by_keys(scope.integration, known.without(asked), begun - DAY, until))
        asked.merge(known)
        known = Keys().take(more)
        found |= {row[13]: row for row in more}
    return in_order(list(found.values()))
