"""Correlate everything there is, in slices of bounded size: memory stays flat, however much it is."""

import multiprocessing
import pickle
from bisect import bisect_left
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from operator import itemgetter

from django.db import connection

from console.notes import correlation_process
from console.notes.correlation.loading import StoredRow, by_time
from console.notes.correlation.running import Done, Run, without_cycles
from console.notes.correlation.state import Scope
from console.notes.correlation.stretch import HOUR, Stretch
from console.notes.correlation.writing import remove
from diagnostics.tracing.correlate import MARGIN
from diagnostics.tracing.story import hour_of

MOST_ROWS = 40_000  # of a slice, unless one hour alone holds more
PART = timedelta(days=1)  # what a worker takes at once
NEXT = """
SELECT min(at) FROM notes_logentry WHERE integration_id = %s AND at >= %s AND at <= %s AND log IN ('scribe', 'ehr')
"""
EVER = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
Progress = Callable[[int], None]


def tell_all(
    scope: Scope,
    first: datetime,
    last: datetime,
    *,
    whole: bool = False,
    workers: int = 1,
    progress: Progress | None = None,
) -> Done:
    """Tell every note that begins from `first` to `last`, and those again whose rows lie far apart.

    `whole` says that no row lies outside: what was told of other times is removed.
    """
    parts = list(_parts(scope, hour_of(first), last))
    done = Done()
    for part in _each(scope, parts, workers):
        done.add(part)
        if progress:
            progress(done.notes)
    run = Run(scope, first, last)
    run.done.again, run.done.hours = done.again, done.hours
    with without_cycles():
        run.again()
        run.offsets.moved = set(run.offsets.hours)  # hours after a note's own were not known when it was told
        run.settle(first, last)
    if whole:
        edges = [EVER[0], *(moment for part in parts for moment in part), EVER[1]]
        for gap in zip(edges[::2], edges[1::2], strict=True):
            done.changed += remove(scope, *gap, notes=(), orphans=()) if gap[0] < gap[1] else 0
    done.again, done.hours = {}, set()
    done.add(run.done)
    return done


def tell_part(scope: Scope, first: datetime, last: datetime) -> Done:
    """Tell the notes that begin in first <= time < last (whole hours), slice after slice."""
    run = Run(scope, first, last)
    with without_cycles():
        waiting: Stretch | None = None
        before = by_time(scope.integration, first - HOUR - MARGIN, first + MARGIN)
        earlier = run.stretch(first - HOUR, first, before)
        run.offsets.learn(first - HOUR, first, earlier.offsets(), keep=False)
        for stretch in _stretches(run, first, last + HOUR):
            # the clocks of the hour after a slice bear on its last notes, so it is told when the next one is joined
            if waiting is not None:
                run.keep(waiting)
            if stretch.first >= last:
                run.offsets.learn(stretch.first, stretch.last, stretch.offsets(), keep=False)
                waiting = None
                break
            run.offsets.learn(stretch.first, stretch.last, stretch.offsets())
            waiting = stretch
        if waiting is not None:
            run.keep(waiting)
    return run.done


def _stretches(run: Run, first: datetime, last: datetime) -> Iterator[Stretch]:
    """Yield slices of whole hours; none crosses the last hour, which is another part's."""
    own_end, at = last - HOUR, first
    rows = by_time(run.scope.integration, at - MARGIN, at + MARGIN)
    while at < last:
        end = at + HOUR
        rows += by_time(run.scope.integration, at + MARGIN, end + MARGIN)
        while len(rows) < MOST_ROWS and end < own_end:
            rows += by_time(run.scope.integration, end + MARGIN, end + HOUR + MARGIN)
            end += HOUR
        yield run.stretch(at, end, rows)
        rows = rows[bisect_left(rows, end - MARGIN, key=_at) :]  # what is the next one's too
        at = end


def _parts(scope: Scope, first: datetime, last: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield the days that have rows, jumping over those that have none."""
    while first <= last:
        with connection.cursor() as cursor:
            cursor.execute(NEXT, (scope.integration, first, last))
            found: datetime | None = cursor.fetchone()[0]
        if found is None:
            return
        first = max(first, hour_of(found))
        end = min(first.replace(hour=0) + PART, hour_of(last) + HOUR)
        yield first, end
        first = end


def _each(scope: Scope, parts: list[tuple[datetime, datetime]], workers: int) -> Iterator[Done]:
    workers = min(workers, len(parts))
    if workers < 2 or connection.in_atomic_block:  # other processes do not see what a transaction has not committed
        for first, last in parts:
            yield tell_part(scope, first, last)
        return
    with ProcessPoolExecutor(
        max_workers=workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=correlation_process.set_up,
        initargs=(correlation_process.handed_on(),),
    ) as pool:
        yield from pool.map(correlation_process.tell, [(pickle.dumps(scope), *part) for part in parts])


_at: Callable[[StoredRow], datetime] = itemgetter(0)
