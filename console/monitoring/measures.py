"""What the alert rules look at: the last hours of every integration, counted in one query."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from console.monitoring.rules import QUIET_5XX, WINDOW, Window
from console.monitoring.traces import FATES, fetch

LOOK_BACK = timedelta(hours=6)
MOST_NOTES = 50

_MEASURES = (
    FATES
    + """
, decided AS (
    SELECT integration_id,
           count(*) FILTER (WHERE decided_at < %(edge)s AND decided_at >= %(start)s) AS older,
           count(*) FILTER (WHERE decided_at < %(edge)s AND decided_at >= %(start)s AND state = 'delivered')
               AS older_delivered,
           count(*) FILTER (WHERE decided_at >= %(edge)s) AS newer,
           count(*) FILTER (WHERE decided_at >= %(edge)s AND state = 'delivered') AS newer_delivered,
           max(decided_at) AS newest,
           (array_agg(state = 'delivered' ORDER BY decided_at DESC, note_hash))[1:3] AS latest,
           (array_agg(note_hash ORDER BY decided_at DESC, note_hash) FILTER (WHERE state <> 'delivered'))[1:%(most)s]
               AS failing,
           array_agg(decided_at) FILTER (WHERE state <> 'delivered') AS failed_times
      FROM note WHERE decided_at IS NOT NULL GROUP BY integration_id
), five AS (
    SELECT integration_id, array_agg(at) AS times FROM (
        SELECT t.integration_id, t.at FROM turn t LEFT JOIN token k ON k.id = t.id
         WHERE t.event IN ('acked', 'failed') AND t.status BETWEEN 500 AND 599 AND t.at >= %(quiet)s
           AND k.refused IS NOT TRUE
        UNION ALL
        SELECT e.integration_id, e.at FROM ehr e
         WHERE e.event = 'rejected' AND e.status BETWEEN 500 AND 599 AND e.at >= %(quiet)s
           AND NOT EXISTS (SELECT FROM scribe s WHERE s.integration_id = e.integration_id
                              AND s.transaction_hash = e.transaction_hash)
    ) one GROUP BY integration_id
), grant_ AS (
    SELECT integration_id, max(at) FILTER (WHERE granted) AS granted_at FROM token GROUP BY integration_id
), refusal AS (
    SELECT k.integration_id, g.granted_at IS NOT NULL AS granted,
           array_agg(k.at) FILTER (WHERE k.refused AND (g.granted_at IS NULL OR k.at > g.granted_at)) AS times
      FROM token k JOIN grant_ g USING (integration_id) GROUP BY k.integration_id, g.granted_at
)
SELECT i.id, d.older, d.older_delivered, d.newer, d.newer_delivered, d.newest, d.latest, d.failing, d.failed_times,
       v.times, r.times, r.granted
  FROM unnest(%(ids)s) AS i (id)
  LEFT JOIN decided d ON d.integration_id = i.id
  LEFT JOIN five v ON v.integration_id = i.id
  LEFT JOIN refusal r ON r.integration_id = i.id
"""
)


@dataclass(frozen=True)
class Measure:
    """What the last hours of one integration say; times are those of failures, for counting occurrences."""

    older: Window
    newer: Window
    newest_at: datetime | None
    latest: tuple[bool, ...]
    failing: tuple[bytes, ...]
    failed_times: tuple[datetime, ...]
    server_error_times: tuple[datetime, ...]
    refused_times: tuple[datetime, ...]
    granted: bool


def measure(integrations: Collection[uuid.UUID], now: datetime) -> dict[uuid.UUID, Measure]:
    """Count for each integration as of `now`: later rows count as not there yet."""
    asked = {
        "ids": list(integrations),
        "scan": now - LOOK_BACK,
        "now": now,
        "edge": now - WINDOW,
        "start": now - 2 * WINDOW,
        "quiet": now - QUIET_5XX,
        "most": MOST_NOTES,
    }
    if not integrations:
        return {}
    return {row[0]: _measure(*row[1:]) for row in fetch(_MEASURES, asked)}


def _measure(
    older: int | None,
    older_delivered: int | None,
    newer: int | None,
    newer_delivered: int | None,
    newest_at: datetime | None,
    *lists: Any,
) -> Measure:
    latest, failing, failed, errors, refused, granted = lists
    return Measure(
        older=Window(older or 0, older_delivered or 0),
        newer=Window(newer or 0, newer_delivered or 0),
        newest_at=newest_at,
        latest=tuple(latest or ()),
        failing=tuple(bytes(each) for each in failing or ()),
        failed_times=tuple(failed or ()),
        server_error_times=tuple(errors or ()),
        refused_times=tuple(refused or ()),
        granted=bool(granted),
    )
