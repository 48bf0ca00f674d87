"""Keep how far the EHR's clock was ahead, hour by hour, and find the notes that were told by another offset."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import connection

from console.notes.correlation.state import Scope
from diagnostics.tracing.story import Clocks

Pair = tuple[str, str, datetime]
AROUND = timedelta(hours=49)  # an hour without an offset of its own borrows the nearest within two days
REACH = AROUND + timedelta(hours=73)  # notes of one encounter are looked at together, however far apart they lie

STORED = """
SELECT site, client, hour, seconds, pairs FROM notes_clockoffset
 WHERE integration_id = %s AND hour >= %s AND hour < %s
"""
# A document of nobody's is told with the offset of the hour in which the EHR filed it, by the EHR's clock.
BORROWERS = """
SELECT DISTINCT site, client, offset_s, date_trunc('hour', born_at, 'UTC'),
       date_trunc('hour', CASE WHEN note_id IS NULL THEN filed_at + coalesce(offset_s, 0) * interval '1 second'
                               ELSE born_at END, 'UTC')
  FROM notes_trace WHERE integration_id = %s AND born_at >= %s AND born_at < %s AND sample_s IS NULL
"""
_KEEP = """
INSERT INTO notes_clockoffset (integration_id, site, client, hour, seconds, pairs)
SELECT %s, * FROM unnest(%s::text[], %s::text[], %s::timestamptz[], %s::float8[], %s::int4[])
ON CONFLICT (integration_id, site, client, hour) DO UPDATE SET seconds = EXCLUDED.seconds, pairs = EXCLUDED.pairs
"""
_FORGET = """
DELETE FROM notes_clockoffset AS o USING unnest(%s::text[], %s::text[], %s::timestamptz[]) AS gone(site, client, hour)
 WHERE o.integration_id = %s AND o.site = gone.site AND o.client = gone.client AND o.hour = gone.hour
"""


class Offsets:
    """Hold the stored offsets of a stretch of time, and what a run finds instead."""

    def __init__(self, scope: Scope, first: datetime, last: datetime) -> None:
        self.scope = scope
        with connection.cursor() as cursor:
            cursor.execute(STORED, (scope.integration, first - REACH, last + REACH))
            rows = cursor.fetchall()
        self.hours: dict[Pair, tuple[float, int]] = {
            (site, client, hour): (seconds, pairs) for site, client, hour, seconds, pairs in rows
        }
        self.moved: set[Pair] = set()

    def clocks(self, first: datetime, last: datetime) -> Clocks:
        """Give the clocks for notes of a stretch of time."""
        low, high = first - REACH, last + REACH
        return Clocks({pair: seconds for pair, (seconds, _) in self.hours.items() if low <= pair[2] < high})

    def learn(
        self, first: datetime, last: datetime, found: Mapping[Pair, tuple[float, int]], *, keep: bool = True
    ) -> set[Pair]:
        """Take what the notes of whole hours show in place of what was known; give the pairs that moved.

        Without `keep` only this run knows: another one stores them.
        """
        before = {pair: value for pair, value in self.hours.items() if first <= pair[2] < last}
        gone = [pair for pair in before if pair not in found]
        new = {pair: value for pair, value in found.items() if before.get(pair) != value}
        moved = {pair for pair, value in new.items() if before.get(pair, (None, 0))[0] != value[0]} | set(gone)
        if keep:
            self._store(gone, new)
        for pair in gone:
            del self.hours[pair]
        self.hours |= new
        self.moved |= moved
        return moved

    def _store(self, gone: list[Pair], new: Mapping[Pair, tuple[float, int]]) -> None:
        with connection.cursor() as cursor:
            if gone:
                cursor.execute(_FORGET, (*(list(part) for part in zip(*gone, strict=True)), self.scope.integration))
            if new:
                columns = [(*pair, *value) for pair, value in new.items()]
                cursor.execute(_KEEP, (self.scope.integration, *(list(part) for part in zip(*columns, strict=True))))

    def borrowers(self, first: datetime, last: datetime) -> set[datetime]:
        """Give the hours of which a note was told by an offset that is not the one in force any more.

        Notes with a sample of their own were told with the offset of their own hour; the others borrow.
        """
        with connection.cursor() as cursor:
            cursor.execute(BORROWERS, (self.scope.integration, first, last))
            groups = cursor.fetchall()
        clocks = self.clocks(first, last)
        return {hour for site, client, used, hour, clock in groups if clocks.at(site, client, clock) != used}
