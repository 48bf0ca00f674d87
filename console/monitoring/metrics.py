"""The figures of the monitoring pages, counted from log rows: by integration, and over time."""

import uuid
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection

from console.monitoring.traces import FATES, fetch

BEFORE = timedelta(days=1)  # a note's first row may lie this long before the period
BAD_ACKS = ("AE", "AR", "CE", "CR")

_FIGURES = (
    FATES
    + """
SELECT integration_id, date_trunc(%(unit)s, born_at, %(zone)s) AS bucket,
       count(*) FILTER (WHERE state <> 'pending') AS notes,
       count(*) FILTER (WHERE state = 'delivered') AS delivered,
       count(*) FILTER (WHERE state = 'pending') AS pending,
       min(born_at) FILTER (WHERE state IN ('failed', 'overdue')) AS oldest,
       percentile_disc(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (
           ORDER BY greatest(extract(epoch FROM delivered_at - born_at), 0)) FILTER (WHERE state = 'delivered'),
       count(*) FILTER (WHERE filed_in IS NOT NULL AND encounter_hash IS NOT NULL) AS filed,
       count(*) FILTER (WHERE filed_in = encounter_hash) AS matched
  FROM note
 WHERE born_at >= %(start)s
 GROUP BY GROUPING SETS ((integration_id), (integration_id, bucket))
"""
)
_ROWS = """
SELECT integration_id, log, event, status, ack, count(*), max(at)
  FROM notes_logentry
 WHERE integration_id = ANY(%(ids)s) AND at >= %(start)s AND at < %(now)s AND log IN ('scribe', 'ehr')
 GROUP BY integration_id, log, event, status, ack
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


def metrics(
    integrations: Collection[uuid.UUID], *, start: datetime, now: datetime, unit: str, zone: str
) -> dict[uuid.UUID, Metrics]:
    """Count for each integration; `unit` is hour or day, in `zone`. Two queries, however many integrations."""
    found = {each: Metrics() for each in integrations}
    if not found:
        return found
    asked = {"ids": list(found), "scan": start - BEFORE, "start": start, "now": now, "unit": unit, "zone": zone}
    for integration, bucket, notes, delivered, pending, oldest, latencies, filed, matched in fetch(_FIGURES, asked):
        p50, p95, p99 = (float(each) for each in latencies) if latencies else (None, None, None)
        figures = Figures(notes, delivered, pending, oldest, p50, p95, p99, filed, matched)
        if bucket is None:
            found[integration].whole = figures
        else:
            found[integration].buckets[bucket] = figures
    with connection.cursor() as cursor:
        cursor.execute(_ROWS, asked)
        for integration, log, event, status, ack, count, last in cursor.fetchall():
            _count(found[integration], log, event, status, ack, count, last)
    return found


def _count(into: Metrics, log: str, event: str, status: int | None, ack: str, count: int, last: datetime) -> None:
    into.last_seen[log] = max(last, into.last_seen.get(log, last))
    if log == "scribe" and event == "sent":
        into.attempts += count
    refused = (status is not None and status >= 400) or ack in BAD_ACKS
    if event in ("failed", "rejected") or (event in ("acked", "token") and refused):
        code = str(status) if status is not None else ack if ack in BAD_ACKS else "no answer"
        into.codes[log, code] += count
