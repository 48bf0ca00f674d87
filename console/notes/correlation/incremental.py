"""Correlate what has come since: only the hours that new rows bear on, and the notes whose time has come."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from console.notes.correlation.loading import by_time
from console.notes.correlation.running import Done, Run, without_cycles
from console.notes.correlation.slices import MOST_ROWS
from console.notes.correlation.state import Scope
from console.notes.correlation.stretch import HOUR, Stretch
from diagnostics.tracing.correlate import MARGIN
from diagnostics.tracing.story import hour_of

BACKLOG_ROWS = 100_000  # more than this is told in slices, by several workers
DENSE = timedelta(hours=2)  # a batch of rows that lie closer together is looked for by its span alone
WRITTEN = timedelta(minutes=10)

WAITING = """
SELECT id, log, first_at, last_at, rows FROM notes_logbatch
 WHERE integration_id = %s AND correlated_at IS NULL ORDER BY id
"""
MINUTES = """
SELECT DISTINCT date_trunc('minute', at) FROM notes_logentry WHERE batch = ANY(%s) AND at >= %s AND at <= %s
"""
DUE = """
SELECT DISTINCT date_trunc('hour', born_at, 'UTC') FROM notes_trace WHERE integration_id = %s AND recheck_at <= %s
"""


@dataclass(frozen=True)
class Batch:
    """Be rows that were stored together and wait to be correlated."""

    id: int
    log: str
    first: datetime
    last: datetime
    rows: int


def waiting_batches(integration_id: object) -> list[Batch]:
    """Give the batches of an integration that nobody has correlated yet."""
    with connection.cursor() as cursor:
        cursor.execute(WAITING, (integration_id,))
        return [Batch(*row) for row in cursor.fetchall()]


def mark(batches: Iterable[Batch]) -> None:
    """Say that these batches are correlated."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE notes_logbatch SET correlated_at = %s WHERE id = ANY(%s)",
            (timezone.now(), [batch.id for batch in batches]),
        )


def tell_new(scope: Scope, before: Scope, batches: Sequence[Batch]) -> Done:
    """Tell the notes on which these batches bear, all or nothing; the caller marks them in the same transaction."""
    due = _due(scope)
    moments = [*_moments(batches), *((at, at) for at in due), *_reached(scope, before)]
    ranges = _hours(moments)
    if not ranges:
        return Done()
    run = Run(scope, ranges[0][0], ranges[-1][1], fresh={batch.id for batch in batches})
    run.told = {first + number * HOUR for first, last in ranges for number in range((last - first) // HOUR)}
    with transaction.atomic(), without_cycles():
        for first, last in ranges:
            _tell(run, first, last, set(due))
        run.again()
        run.settle(ranges[0][0], ranges[-1][1])
    return run.done


def _tell(run: Run, first: datetime, last: datetime, due: Collection[datetime]) -> None:
    """Tell the hours from `first` to `last`, each slice when the clocks of the next are known.

    Of hours that are not `due` the traces that stand are left.
    """

    def keep(stretch: Stretch) -> None:
        run.keep(stretch, whole=any(stretch.first <= hour < stretch.last for hour in due))

    waiting: Stretch | None = None
    while first < last:
        end, rows = first + HOUR, by_time(run.scope.integration, first - MARGIN, first + HOUR + MARGIN)
        while len(rows) < MOST_ROWS and end < last:
            rows += by_time(run.scope.integration, end + MARGIN, end + HOUR + MARGIN)
            end += HOUR
        stretch = run.stretch(first, end, rows)
        run.offsets.learn(first, end, stretch.offsets())
        if waiting is not None:
            keep(waiting)
        waiting, first = stretch, end
    if waiting is not None:
        keep(waiting)


def _due(scope: Scope) -> list[datetime]:
    """Give when the notes began whose answer was to be looked at again by now."""
    with connection.cursor() as cursor:
        cursor.execute(DUE, (scope.integration, scope.now))
        return [born for (born,) in cursor.fetchall()]


def _moments(batches: Sequence[Batch]) -> list[tuple[datetime, datetime]]:
    """Give from when to when the new rows are: of a batch whose rows lie scattered, minute by minute."""
    scattered = [batch for batch in batches if batch.last - batch.first > DENSE]
    spans = [(batch.first, batch.last) for batch in batches if batch.last - batch.first <= DENSE]
    if scattered:
        with connection.cursor() as cursor:
            first, last = min(batch.first for batch in scattered), max(batch.last for batch in scattered)
            cursor.execute(MINUTES, ([batch.id for batch in scattered], first, last))
            spans += [(at, at + timedelta(minutes=1)) for (at,) in cursor.fetchall()]
    return spans


def touched(integration_id: object) -> list[tuple[datetime, datetime]]:
    """Give the hours, from when to when, in which rows of both logs wait to be correlated."""
    batches = [batch for batch in waiting_batches(integration_id) if batch.log in ("scribe", "ehr")]
    if sum(batch.rows for batch in batches) > BACKLOG_ROWS:
        return _hours((batch.first, batch.last) for batch in batches)  # as many as that lie everywhere between
    return _hours(_moments(batches))


def _reached(scope: Scope, before: Scope) -> list[tuple[datetime, datetime]]:
    """Give the times that the EHR's log spans now and did not before: a note without its rows may be told otherwise."""
    if scope.reach is None or before.reach is None or scope.reach == before.reach:
        return []
    (first, last), (was_first, was_last) = scope.reach, before.reach
    spans = []
    if first < was_first:
        spans.append((first - WRITTEN, was_first + WRITTEN))
    if last > was_last:
        spans.append((was_last - WRITTEN, last + WRITTEN))
    return [(low, min(high, scope.now)) for low, high in spans]


def _hours(moments: Iterable[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """Give the whole hours near these moments, joined where they touch."""
    ranges: list[tuple[datetime, datetime]] = []
    for first, last in sorted((hour_of(a - MARGIN), hour_of(b + MARGIN) + HOUR) for a, b in moments):
        if ranges and first <= ranges[-1][1]:
            ranges[-1] = ranges[-1][0], max(ranges[-1][1], last)
        else:
            ranges.append((first, last))
    return ranges
