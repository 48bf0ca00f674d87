"""The figures of the monitoring pages, counted from the notes' traces: by integration, and over time.

What became of a note is told in one place, by correlation; here it is only counted.
"""

import uuid
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from console.monitoring.traces import GRACE

BAD_ACKS = ("AE", "AR", "CE", "CR")
SHARES = (0.5, 0.95, 0.99)
Bucket = tuple[uuid.UUID, datetime]

# Filed is in the chart, wherever; accepted is, where that EHR never logs filing; and where the EHR's log is not at hand
# the scribe's own good answer has to do: a log that comes late must not look like an outage. Latencies are told in
# tenths of a second, above a minute in seconds, so that a million notes are some thousand groups.
FIGURES = f"""
WITH told AS (
    SELECT integration_id, date_trunc(%(unit)s, born_at, %(zone)s) AS bucket, born_at, attempts, failure_mode, filed_at,
           CASE WHEN failure_mode IN ('delivered', 'duplicate', 'misplaced', 'partial')
                  OR (accepted_at IS NOT NULL AND NOT bad
                      AND (failure_mode = 'unknown' OR (failure_mode = 'delayed' AND NOT logs_filing))) THEN 'delivered'
                WHEN failure_mode = 'rejected' OR bad THEN 'failed'
                WHEN born_at <= %(now)s - interval '{GRACE}' THEN 'overdue'
                ELSE 'pending' END AS state,
           greatest(extract(epoch FROM coalesce(filed_at, accepted_at) - born_at), 0) AS seconds
      FROM (SELECT t.*, coalesce(s.logs_filing, false) AS logs_filing,
                   signature <> '' OR coalesce(status, 0) >= 400 OR ack IN ('AE', 'AR', 'CE', 'CR') AS bad
              FROM notes_trace AS t LEFT JOIN notes_correlationstate AS s USING (integration_id)
             WHERE integration_id = ANY(%(ids)s) AND born_at >= %(start)s AND born_at < %(now)s
               AND note_id IS NOT NULL) AS trace
)
SELECT integration_id, bucket, state,
       CASE WHEN state = 'delivered' THEN round(seconds, CASE WHEN seconds < 60 THEN 1 ELSE 0 END) END AS seconds,
       count(*), min(born_at), sum(attempts), count(filed_at),
       count(filed_at) FILTER (WHERE failure_mode <> 'misplaced')
  FROM told GROUP BY 1, 2, 3, 4
"""
CODES = """
SELECT integration_id, log, event, status, ack, count(*)
  FROM notes_logentry
 WHERE integration_id = ANY(%(ids)s) AND at >= %(start)s AND at < %(now)s AND log IN ('scribe', 'ehr')
   AND (event IN ('failed', 'rejected') OR status >= 400 OR ack IN ('AE', 'AR', 'CE', 'CR'))
 GROUP BY integration_id, log, event, status, ack
"""
NEWEST = """
SELECT wanted.id, log.name, newest.last_at
  FROM unnest(%(ids)s) AS wanted (id) CROSS JOIN (VALUES ('scribe'), ('ehr')) AS log (name), LATERAL (
    SELECT last_at FROM notes_logbatch
     WHERE integration_id = wanted.id AND log = log.name ORDER BY last_at DESC LIMIT 1
  ) AS newest
"""


@dataclass(frozen=True)
class Figures:
    """What became of the notes generated in a stretch of time; latencies in seconds, None where there is none."""

    notes: int = 0
    delivered: int = 0
    pending: int = 0
    oldest: datetime | None = None
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    filed: int = 0
    matched: int = 0

    @property
    def undelivered(self) -> int:
        """Give the due notes that are not in the chart."""
        return self.notes - self.delivered

    @property
    def success(self) -> float | None:
        """Give the sync success rate in percent."""
        return 100 * self.delivered / self.notes if self.notes else None

    @property
    def match(self) -> float | None:
        """Give the encounter match rate in percent."""
        return 100 * self.matched / self.filed if self.filed else None


@dataclass
class Metrics:
    """The figures of one integration over a period."""

    whole: Figures = field(default_factory=Figures)
    buckets: dict[datetime, Figures] = field(default_factory=dict)
    attempts: int = 0
    codes: Counter[tuple[str, str]] = field(default_factory=Counter)
    last_seen: dict[str, datetime] = field(default_factory=dict)


@dataclass
class _Sum:
    """Gather the groups of one bucket."""

    states: Counter[str] = field(default_factory=Counter)
    latencies: Counter[float] = field(default_factory=Counter)
    oldest: datetime | None = None
    filed: int = 0
    matched: int = 0

    def add(self, state: str, seconds: float | None, count: int, first: datetime, filed: int, matched: int) -> None:
        self.states[state] += count
        if seconds is not None:
            self.latencies[seconds] += count
        if state in ("failed", "overdue"):
            self.oldest = first if self.oldest is None else min(self.oldest, first)
        self.filed += filed
        self.matched += matched

    def figures(self) -> Figures:
        delivered, pending = self.states["delivered"], self.states["pending"]
        p50, p95, p99 = _nearest_ranks(self.latencies)
        return Figures(
            self.states.total() - pending, delivered, pending, self.oldest, p50, p95, p99, self.filed, self.matched
        )


def metrics(
    integrations: Collection[uuid.UUID], *, start: datetime, now: datetime, unit: str, zone: str
) -> dict[uuid.UUID, Metrics]:
    """Count for each integration; `unit` is hour or day, in `zone`. Three queries, however many integrations."""
    found = {each: Metrics() for each in integrations}
    if not found:
        return found
    asked = {"ids": list(found), "start": start, "now": now, "unit": unit, "zone": zone}
    wholes: dict[uuid.UUID, _Sum] = {}
    buckets: dict[Bucket, _Sum] = {}
    for integration, bucket, state, seconds, count, first, attempts, filed, matched in _rows(FIGURES, asked):
        told = (state, None if seconds is None else float(seconds), count, first, filed, matched)
        wholes.setdefault(integration, _Sum()).add(*told)
        buckets.setdefault((integration, bucket), _Sum()).add(*told)
        found[integration].attempts += attempts
    for integration, whole in wholes.items():
        found[integration].whole = whole.figures()
    for (integration, bucket), part in buckets.items():
        found[integration].buckets[bucket] = part.figures()
    for integration, log, event, status, ack, count in _rows(CODES, asked):
        code = _code(event, status, ack)
        if code:
            found[integration].codes[log, code] += count
    for integration, log, last in _rows(NEWEST, asked):
        found[integration].last_seen[log] = last
    return found


def _rows(sql: str, asked: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Run a query with room to gather in memory: the planner expects as many groups as notes and would sort them."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '256MB'")
        cursor.execute(sql, asked)
        return cursor.fetchall()


def _nearest_ranks(values: Counter[float]) -> Sequence[float | None]:
    """Give for each share the least value that so many are at most, None where there is none."""
    ordered, whole, ranks = sorted(values), values.total(), []
    at, seen = -1, 0
    for share in SHARES:
        while ordered and at < len(ordered) - 1 and (at < 0 or seen < share * whole):
            at += 1
            seen += values[ordered[at]]
        ranks.append(ordered[at] if ordered else None)
    return ranks


def _code(event: str, status: int | None, ack: str) -> str:
    """Name a failing answer; nothing for a row that merely reports another system's number."""
    if event not in ("failed", "rejected", "acked", "token"):
        return ""
    return str(status) if status is not None else ack if ack in BAD_ACKS else "no answer"
