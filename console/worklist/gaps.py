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
_CACHE_KEY = "worklist.gaps"

_NEWEST = """
SELECT i.id, l.log, d.back, found.last_at
  FROM unnest(%(integrations)s::uuid[]) AS i (id)
 CROSS JOIN unnest(%(logs)s::text[]) AS l (log)
 CROSS JOIN unnest(%(days)s::int[]) AS d (back)
 CROSS JOIN LATERAL (
      SELECT b.last_at FROM notes_logbatch b
       WHERE b.integration_id = i.id AND b.log = l.log
         AND b.last_at <= %(now)s - d.back * interval '1 day' + interval '1 hour'
         AND b.stored_at <= %(now)s - d.back * interval '1 day'
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


def is_quiet(now: datetime, newest: datetime, known: Mapping[int, datetime]) -> bool:
    """Judge one log. `known` gives, for so many days ago, the newest row that was known at this hour of that day."""
    pauses = {
        back: max(timedelta(), now - timedelta(days=back) - last)
        for back, last in known.items()
        if now - timedelta(days=back) < newest
    }
    if len(pauses) < FEWEST_DAYS:
        return False
    near = [pauses[back] for back in NEAR_DAYS if back in pauses]
    weekday = [pauses[back] for back in SAME_WEEKDAY if back in pauses]
    usual = max(3 * median(near or [timedelta()]), 2 * median(weekday or [timedelta()]), SHORTEST)
    return now - newest > usual


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
    known: dict[tuple[uuid.UUID, str], dict[int, datetime]] = {}
    days = sorted({0, *NEAR_DAYS, *SAME_WEEKDAY})
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST, {"integrations": list(named), "logs": list(LOGS), "days": days, "now": now})
        for integration_id, log, back, last_at in cursor.fetchall():
            if back == 0:
                newest[integration_id, log] = last_at
            else:
                known.setdefault((integration_id, log), {})[back] = last_at
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
