"""Correlate one note at once, for whoever looks at it now, also where its rows have just come."""

import uuid
from datetime import datetime, timedelta

from django.db import connection, transaction

from console.integrations.models import Integration
from console.notes.correlation import incremental, state
from console.notes.correlation.by_engine import keep_by_engine
from console.notes.correlation.loading import Keys, StoredRow, by_keys, by_log, by_time, in_order
from console.notes.correlation.offsets import Offsets
from console.notes.correlation.state import Scope
from console.notes.correlation.stretch import FAR, HOUR, Stretch
from console.notes.correlation.writing import keep_notes, stored
from console.notes.models import Note, Trace
from diagnostics.tracing.correlate import MARGIN, Joined
from diagnostics.tracing.story import Clocks, Story, hour_of
from diagnostics.tracing.thread import Thread

DAY = timedelta(days=1)
# A trace that no row, no rule and no hour can have changed since: the usual case, and one look-up.
SETTLED = """
SELECT t.*, s.rules = %(rules)s AND s.newest_at IS NOT NULL AND (t.recheck_at IS NULL OR t.recheck_at > s.newest_at)
       AND n.payload IS NULL AND n.narrative IS NULL
       AND NOT EXISTS (SELECT FROM notes_filedsnapshot AS f WHERE f.note_id = n.id)
       AND NOT EXISTS (SELECT FROM notes_logbatch AS b WHERE b.integration_id = %(integration)s
                          AND b.correlated_at IS NULL AND b.log IN ('scribe', 'ehr')) AS settled
  FROM notes_note AS n JOIN notes_trace AS t ON t.note_id = n.id
  JOIN notes_correlationstate AS s ON s.integration_id = n.integration_id
 WHERE n.integration_id = %(integration)s AND n.external_hash = %(key)s
"""
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
    asked = {"integration": integration.pk, "key": note_hash, "rules": state.RULES}
    for trace in Trace.objects.raw(SETTLED, asked):
        if trace.settled:
            return trace
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
    """Tell a note with its neighbours of the hour, as a run over all notes would."""
    begun = _begun(scope, key, first, last)
    if begun is None:
        return None
    hour = hour_of(begun)
    near = by_time(scope.integration, hour - MARGIN, hour + HOUR + MARGIN)
    stretch = Stretch(scope, near, hour, hour + HOUR, guests=[key])
    told = stretch.tell(clocks_now(scope, stretch))
    return next(((story, told.threads[key]) for story in told.stories if story.note == key), None)


def _begun(scope: Scope, key: bytes, first: datetime, last: datetime) -> datetime | None:
    """Give when a note begins: also a row that lost the note's id may be its first, by another id."""
    rows = list(by_keys(scope.integration, Keys(note={key}), first - DAY, last + DAY))
    if not rows:
        return None
    rows = _with_joined(scope, rows, min(row[0] for row in rows))
    thread = Joined(*by_log(rows), now=scope.now).notes.get(key)
    return None if thread is None else thread.begun  # only the EHR's rows may name a note


def clocks_now(scope: Scope, stretch: Stretch) -> Clocks:
    """Give the clocks by which a stretch is told, also where rows have come of which no run has learned yet.

    A note's hour, or the nearest that shows its pair's offset, is looked at anew if rows wait there.
    """
    open_needs = {(thread.site, thread.client, thread.hour) for thread in stretch.joined.notes.values()}
    first, last = stretch.first, stretch.last
    for _, _, hour in open_needs:
        first, last = min(first, hour), max(last, hour + HOUR)
    offsets = Offsets(scope, first, last)
    waiting = incremental.touched(scope.integration)
    learned: set[datetime] = set()
    for away in range(49 if waiting else 0):
        steps = {HOUR * away, -HOUR * away}
        for hour in sorted({hour + step for _, _, hour in open_needs for step in steps} - learned):
            learned.add(hour)
            if any(low <= hour < high for low, high in waiting):
                rows = by_time(scope.integration, hour - MARGIN, hour + HOUR + MARGIN)
                shown = Stretch(scope, rows, hour, hour + HOUR).offsets()
                offsets.learn(hour, hour + HOUR, shown, keep=False)
        known = set(offsets.hours)
        sites = {(site, hour) for site, _, hour in known}
        open_needs = {
            (site, client, hour)
            for site, client, hour in open_needs
            if not any((site, client, hour + step) in known for step in steps)
            and (client or not any((site, hour + step) in sites for step in steps))
        }
        if not open_needs:
            break
    return offsets.clocks(first, last)


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
