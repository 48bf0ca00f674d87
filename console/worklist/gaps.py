"""Tell which logs went quiet: longer than that source is used to at this hour of this day of the week.

What counts is what was known at the time: a source whose rows come once a night is used to being hours late. Days of
the silence itself teach nothing, so a log that has been quiet for a week is still told.
"""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from console.integrations.models import Integration

SHORTEST = timedelta(minutes=30)
LOGS = ("scribe", "ehr")
NEAR_DAYS = tuple(range(1, 15))
SAME_WEEKDAY = (7, 14, 21, 28)
FEWEST_DAYS = 3
# A pause longer than this teaches nothing. Where a whole past was brought in at once, nothing of it was known on those
# days, and without an end each day's look would walk through all of it.
LONGEST = timedelta(days=14)
SHIFTS = (timedelta(), SHORTEST)
_CACHE_KEY = "worklist.gaps"

_NEWEST = """
SELECT i.id, l.log, d.back, s.shift, found.last_at
  FROM unnest(%(integrations)s::uuid[]) AS i (id)
 CROSS JOIN unnest(%(logs)s::text[]) AS l (log)
 CROSS JOIN unnest(%(days)s::int[]) AS d (back)
 CROSS JOIN unnest(%(shifts)s::interval[]) AS s (shift)
 CROSS JOIN LATERAL (
      SELECT b.last_at FROM notes_logbatch b
       WHERE b.integration_id = i.id AND b.log = l.log
         AND b.last_at <= %(now)s - s.shift - d.back * interval '1 day' + interval '1 hour'
         AND b.last_at >= CASE d.back WHEN 0 THEN '-infinity'
                          ELSE %(now)s - s.shift - d.back * interval '1 day' - %(longest)s END
         AND b.stored_at <= %(now)s - s.shift - d.back * interval '1 day'
       ORDER BY b.last_at DESC LIMIT 1) AS found
"""


@dataclass(frozen=True)
class Gap:
    """Be a silence: `logs` are those that are quiet, `since` the newest row of the one that is quiet longest."""

    integration_id: uuid.UUID
    facility_id: uuid.UUID
    name: str
    logs: tuple[str, ...]
    since: datetime

    def leaves_open(self, mode: str, at: datetime) -> bool:
        """Tell whether a note of that time cannot be judged while the silence lasts."""
        wanting = {"unknown", "delayed"} if "ehr" in self.logs else set()
        if "scribe" in self.logs:
            wanting |= {"unknown", "never_sent", "not_generated"}
        return mode in wanting and at >= self.since - SHORTEST


Known = Mapping[tuple[int, timedelta], datetime]


def is_quiet(now: datetime, newest: datetime, known: Known) -> bool:
    """Judge one log by what was known of it at this hour of other days, and half an hour before that.

    `known` gives the newest row at hand by (days ago, zero or half an hour).
    """
    usual = [_usual(now, newest, known, shift) for shift in SHIFTS]
    return all(pause is not None and now - newest > pause for pause in usual)


def _usual(now: datetime, newest: datetime, known: Known, shift: timedelta) -> timedelta | None:
    """Give the longest pause that is nothing special, None where too few days tell of it."""
    pauses = {}
    for (back, shifted), last in known.items():
        then = now - shift - timedelta(days=back)
        if shifted == shift and then < newest:
            pauses[back] = max(timedelta(), then - last)
    if len(pauses) < FEWEST_DAYS:
        return None
    near = [pauses[back] for back in NEAR_DAYS if back in pauses]
    weekday = [pauses[back] for back in SAME_WEEKDAY if back in pauses]
    return max(3 * median(near or [timedelta()]), 2 * median(weekday or [timedelta()]), SHORTEST)


def gaps(now: datetime | None = None) -> list[Gap]:
    """Give the silences of all integrations; known for a minute, because every page asks."""
    if now is not None:
        return read_gaps(now)
    found = cache.get(_CACHE_KEY)
    if found is None:
        found = read_gaps(timezone.now())
        cache.set(_CACHE_KEY, found, settings.LOG_GAPS_KNOWN_S)
    return list(found)


def gaps_in(facilities: Collection[uuid.UUID]) -> dict[uuid.UUID, Gap]:
    """Give the silences of some facilities by integration."""
    return {gap.integration_id: gap for gap in gaps() if gap.facility_id in facilities}


def read_gaps(now: datetime) -> list[Gap]:
    """Read and judge: two statements, however many integrations."""
    named = {one.id: one for one in Integration.objects.filter(active=True).order_by("name", "id")}
    newest: dict[tuple[uuid.UUID, str], datetime] = {}
    known: dict[tuple[uuid.UUID, str], dict[tuple[int, timedelta], datetime]] = {}
    days = sorted({0, *NEAR_DAYS, *SAME_WEEKDAY})
    asked = {"integrations": list(named), "logs": list(LOGS), "days": days, "shifts": list(SHIFTS)}
    asked |= {"now": now, "longest": LONGEST}
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST, asked)
        for integration_id, log, back, shift, last_at in cursor.fetchall():
            if back:
                known.setdefault((integration_id, log), {})[back, shift] = last_at
            elif not shift:
                newest[integration_id, log] = last_at
    found = []
    for integration in named.values():
        quiet = {
            log: newest[integration.id, log]
            for log in LOGS
            if (integration.id, log) in newest
            and is_quiet(now, newest[integration.id, log], known.get((integration.id, log), {}))
        }
        if quiet:
            since = min(quiet.values())
            found.append(Gap(integration.id, integration.facility_id, integration.name, tuple(quiet), since))
    return found
