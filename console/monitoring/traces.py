"""The fate of the last hours' notes, read from log rows alone, as of any moment: what the alert rules count.

The pages count traces (`metrics`); an alert must not wait for correlation, nor may its silence hide an outage.

Expects the parameters `ids` (integrations), `scan` and `now`: rows before the one and from the other on are not
looked at, so that only the partitions of those days are. Yields `note`, one row a note:
state is delivered, failed (an answer or an attempt failed and nothing came after), overdue (nothing for the time of
grace) or pending; decided_at is when that became so.

Delivered is what the EHR filed, or accepted where it never writes `filed`. The scribe's own positive answer counts
only where the EHR's log does not reach to its time: a log that comes late must not look like an outage.
"""

from collections.abc import Mapping
from typing import Any

from django.db import connection, transaction

GRACE = "30 minutes"

FATES = """
WITH scribe AS MATERIALIZED (
    SELECT integration_id, id, at, position, event, status, ack, note_hash, transaction_hash, request_hash,
           encounter_hash,
           CASE WHEN event = 'token' THEN status >= 400
                WHEN event = 'failed' THEN true
                WHEN event = 'acked' THEN status >= 400 OR ack IN ('AE', 'AR', 'CE', 'CR') END AS bad
      FROM notes_logentry
     WHERE integration_id = ANY(%(ids)s) AND at >= %(scan)s AND at < %(now)s AND log = 'scribe'
), ehr AS MATERIALIZED (
    SELECT integration_id, at, event, status, ack, transaction_hash, encounter_hash
      FROM notes_logentry
     WHERE integration_id = ANY(%(ids)s) AND at >= %(scan)s AND at < %(now)s AND log = 'ehr'
), reach AS (
    SELECT integration_id, max(at) AS last_at FROM ehr GROUP BY integration_id
), filing AS MATERIALIZED (
    SELECT id AS integration_id,
           EXISTS (SELECT FROM notes_logentry l
                    WHERE l.integration_id = i.id AND l.at >= %(now)s - interval '7 days' AND l.at < %(now)s
                      AND l.log = 'ehr' AND l.event = 'filed') AS files
      FROM unnest(%(ids)s) AS i (id)
), turn AS (
    SELECT s.*,
           lag(event) OVER own AS own_event, lag(status) OVER own AS own_status, lead(event) OVER own AS next_event,
           lag(event) OVER line AS line_event, lag(status) OVER line AS line_status,
           lag(note_hash) OVER line AS line_note, lag(at) OVER line AS line_at,
           lead(event) OVER line AS line_next
      FROM scribe s
     WHERE event IN ('token', 'sent', 'acked', 'failed')
    WINDOW own AS (PARTITION BY integration_id, coalesce(request_hash, note_hash, ''::bytea) ORDER BY at, position, id),
           line AS (PARTITION BY integration_id ORDER BY at, position, id)
), token AS (
    -- A token request that failed is `token` then `failed`; without ids, the row just before decides.
    SELECT integration_id, at,
           CASE WHEN event = 'token'
                THEN status < 400 OR (status IS NULL AND coalesce(next_event, line_next) = 'sent') END AS granted,
           coalesce(
               (event = 'token' AND status >= 400 AND next_event IS DISTINCT FROM 'failed')
               OR (event = 'failed' AND own_event = 'token' AND coalesce(own_status, 400) >= 400)
               OR (event = 'failed' AND own_event IS NULL AND line_event = 'token' AND line_note IS NULL
                   AND coalesce(line_status, 400) >= 400 AND at - line_at < interval '1 minute'),
               false) AS refused,
           id
      FROM turn
     WHERE event IN ('token', 'failed')
), own AS (
    SELECT integration_id, note_hash,
           coalesce(min(at) FILTER (WHERE event = 'generated'), min(at)) AS born_at,
           min(at) FILTER (WHERE bad) AS failed_at,
           min(at) FILTER (WHERE event = 'acked' AND bad IS NOT TRUE) AS acked_at,
           (array_agg(encounter_hash ORDER BY at DESC) FILTER (WHERE encounter_hash IS NOT NULL))[1] AS encounter_hash
      FROM scribe
     WHERE note_hash IS NOT NULL
     GROUP BY integration_id, note_hash
), way AS (
    SELECT DISTINCT integration_id, note_hash, transaction_hash
      FROM scribe WHERE note_hash IS NOT NULL AND transaction_hash IS NOT NULL
), answer AS (
    SELECT w.integration_id, w.note_hash,
           min(e.at) FILTER (WHERE e.event = 'filed') AS filed_at,
           min(e.at) FILTER (WHERE e.event = 'accepted') AS accepted_at,
           min(e.at) FILTER (WHERE e.event = 'rejected') AS rejected_at,
           (array_agg(e.encounter_hash ORDER BY e.at)
               FILTER (WHERE e.event = 'filed' AND e.encounter_hash IS NOT NULL))[1] AS filed_in
      FROM way w JOIN ehr e USING (integration_id, transaction_hash)
     GROUP BY w.integration_id, w.note_hash
), told AS (
    SELECT o.integration_id, o.note_hash, o.born_at, o.encounter_hash, a.filed_at, a.filed_in,
           least(o.failed_at, a.rejected_at) AS failed_at,
           coalesce(CASE WHEN f.files THEN a.filed_at ELSE a.accepted_at END,
                    CASE WHEN r.last_at IS NULL OR r.last_at < o.acked_at THEN o.acked_at END) AS delivered_at
      FROM own o
      LEFT JOIN answer a USING (integration_id, note_hash)
      LEFT JOIN reach r USING (integration_id)
      LEFT JOIN filing f USING (integration_id)
), note AS MATERIALIZED (
    SELECT *,
           CASE WHEN delivered_at IS NOT NULL THEN 'delivered' WHEN failed_at IS NOT NULL THEN 'failed'
                WHEN born_at <= %(now)s - interval '{grace}' THEN 'overdue' ELSE 'pending' END AS state,
           coalesce(delivered_at, failed_at,
                    CASE WHEN born_at <= %(now)s - interval '{grace}' THEN born_at + interval '{grace}' END)
               AS decided_at
      FROM told
)
""".replace("{grace}", GRACE)


def fetch(sql: str, asked: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run a query over notes' fates.

    The newest partition has no statistics yet: the planner takes it for empty and would join thousands of rows in
    nested loops. Without them it hashes, which is right at any size.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_nestloop = off")
        cursor.execute(sql, asked)
        rows = cursor.fetchall()
        cursor.execute("SET LOCAL enable_nestloop = on")
    return rows
