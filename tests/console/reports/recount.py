"""An independent recount of the MTTR report: plain SQL over the raw rows, written from the printed definition alone.

It imports nothing of the console, and a test sees to that. Whoever changes what a figure means has to change two
programs that know nothing of each other.
"""

from typing import Any

# One row a ticket that counts: what it is grouped by, and its lengths in microseconds.
_TICKETS = """
WITH moves AS (
    SELECT ticket_id, at, id,
           split_part("before", ':', 1) AS left_state,
           split_part("after", ':', 1) AS new_state,
           lead(at) OVER w AS until,
           row_number() OVER (PARTITION BY ticket_id ORDER BY at DESC, id DESC) AS from_the_end
    FROM tickets_ticketevent WHERE kind = 'state'
    WINDOW w AS (PARTITION BY ticket_id ORDER BY at, id)
), over AS (
    SELECT ticket_id, max(at) FILTER (WHERE new_state = 'resolved') AS resolved_at,
           count(*) FILTER (
               WHERE left_state IN ('resolved', 'closed') AND new_state NOT IN ('resolved', 'closed')
           ) AS came_back
    FROM moves GROUP BY ticket_id
    HAVING bool_or(from_the_end = 1 AND new_state IN ('resolved', 'closed'))
), waited AS (
    SELECT m.ticket_id, sum(m.until - m.at) AS length
    FROM moves m JOIN over o USING (ticket_id)
    WHERE m.new_state = 'waiting' AND m.at < o.resolved_at GROUP BY m.ticket_id
), opened AS (
    SELECT ticket_id, min(at) AS opened_at FROM tickets_ticketevent WHERE kind = 'opened' GROUP BY ticket_id
), verdicts AS (
    SELECT ticket_id, min(at) AS at FROM tickets_ticketevent
    WHERE kind = 'run_concluded' AND "before" = 'done' AND "after" <> '' GROUP BY ticket_id
), taken AS (
    SELECT ticket_id, min(at) AS at FROM tickets_ticketevent WHERE kind = 'owner' AND "after" <> '' GROUP BY ticket_id
), facts AS (
    SELECT t.id, i.vendor, t.facility_id::text AS facility, t.integration_id::text AS integration, f.time_zone,
           o.resolved_at, n.opened_at, o.came_back > 0 AS reopened,
           o.resolved_at - n.opened_at AS wall,
           o.resolved_at - n.opened_at - coalesce(w.length, interval '0') AS active,
           v.at - n.opened_at AS diagnosis, a.at - n.opened_at AS acknowledgement,
           coalesce(s_until.new, s_after.old, t.severity) AS severity,
           coalesce(c.category, '') AS category, coalesce(c.cause, '') AS cause
    FROM tickets_ticket t
    JOIN over o ON o.ticket_id = t.id
    JOIN opened n ON n.ticket_id = t.id
    JOIN accounts_facility f ON f.id = t.facility_id
    JOIN integrations_integration i ON i.id = t.integration_id
    LEFT JOIN waited w ON w.ticket_id = t.id
    LEFT JOIN verdicts v ON v.ticket_id = t.id
    LEFT JOIN taken a ON a.ticket_id = t.id
    LEFT JOIN LATERAL (
        SELECT "after" AS new FROM tickets_ticketevent
        WHERE ticket_id = t.id AND kind = 'severity' AND at <= o.resolved_at ORDER BY at DESC, id DESC LIMIT 1
    ) s_until ON true
    LEFT JOIN LATERAL (
        SELECT "before" AS old FROM tickets_ticketevent
        WHERE ticket_id = t.id AND kind = 'severity' ORDER BY at, id LIMIT 1
    ) s_after ON true
    LEFT JOIN LATERAL (
        SELECT "before" AS category, "after" AS cause FROM tickets_ticketevent
        WHERE ticket_id = t.id AND kind = 'cause_confirmed' AND at <= o.resolved_at ORDER BY at DESC, id DESC LIMIT 1
    ) c ON true
    WHERE t.facility_id = ANY(%(facilities)s)
), counted AS (
    SELECT *, to_char(resolved_at AT TIME ZONE time_zone, 'YYYY-MM') AS month,
           CASE WHEN category = '' THEN 'none' ELSE category || '/' || cause END AS root_cause,
           CASE WHEN category = '' THEN 'none' ELSE category END AS kind_of_cause,
           resolved_at <= opened_at + CASE severity
               WHEN 'a_wrong_patient' THEN interval '1 hour' WHEN 'b_undocumented' THEN interval '4 hours'
               WHEN 'c_misplaced' THEN interval '8 hours' WHEN 'd_delayed' THEN interval '24 hours'
               WHEN 'e_none' THEN interval '72 hours' END AS in_time
    FROM facts
    WHERE (resolved_at AT TIME ZONE time_zone)::date BETWEEN %(first)s AND %(last)s
)
"""

_GROUPS = {
    "all": "''", "category": "kind_of_cause", "cause": "root_cause", "vendor": "vendor", "facility": "facility",
    "integration": "integration", "severity": "severity", "month": "month",
}  # fmt: skip
LENGTHS = ("resolution", "diagnosis", "acknowledgement")


def recount(cursor: Any, *, facilities: list[Any], first: Any, last: Any, clock: str) -> dict[str, dict[str, Any]]:
    """Give, for each way of grouping and each group, the same figures as the report, in whole seconds."""
    asked = {"facilities": facilities, "first": first, "last": last}
    # The rows are of this very transaction, so the planner has no statistics of them and would take minutes.
    cursor.execute("SET LOCAL enable_nestloop = off; SET LOCAL enable_seqscan = off; SET LOCAL jit = off")
    answer: dict[str, dict[str, Any]] = {}
    for name, expression in _GROUPS.items():
        groups = _counts(cursor, expression, asked)
        for length, column in zip(LENGTHS, (clock, "diagnosis", "acknowledgement"), strict=True):
            for key, spread in _spreads(cursor, expression, column, asked).items():
                groups[key][length] = spread
        answer[name] = groups
    return answer


def _counts(cursor: Any, group: str, asked: dict[str, Any]) -> dict[str, Any]:
    cursor.execute(
        f"{_TICKETS} SELECT {group} AS key, count(*), count(*) FILTER (WHERE in_time), "
        "count(*) FILTER (WHERE reopened) FROM counted GROUP BY 1",
        asked,
    )
    nothing = (0, None, None, None)
    return {
        key: {"n": n, "in_time": in_time, "reopened": reopened} | dict.fromkeys(LENGTHS, nothing)
        for key, n, in_time, reopened in cursor.fetchall()
    }


def _spreads(cursor: Any, group: str, column: str, asked: dict[str, Any]) -> dict[str, tuple[int, int, int, int]]:
    """Rank the lengths of each group in whole microseconds and round the results to seconds, halves up."""
    cursor.execute(
        f"""{_TICKETS}, ranked AS (
            SELECT {group} AS key, (extract(epoch FROM {column}) * 1000000)::bigint AS us,
                   row_number() OVER (PARTITION BY {group} ORDER BY {column}) AS place,
                   count(*) OVER (PARTITION BY {group}) AS n
            FROM counted WHERE {column} IS NOT NULL
        )
        SELECT key, max(n), floor(sum(us)::numeric / max(n) / 1000000 + 0.5)::bigint,
               floor(avg(us) FILTER (WHERE 2 * place BETWEEN n AND n + 2) / 1000000 + 0.5)::bigint,
               floor(min(us) FILTER (WHERE 10 * place >= 9 * n)::numeric / 1000000 + 0.5)::bigint
        FROM ranked GROUP BY key""",
        asked,
    )
    return {key: (n, mean, median, p90) for key, n, mean, median, p90 in cursor.fetchall()}


def recount_open(cursor: Any, *, facilities: list[Any]) -> set[int]:
    """Give the numbers of the tickets that are open: never resolved, or reopened since."""
    cursor.execute(
        """
        SELECT number FROM tickets_ticket t WHERE facility_id = ANY(%s) AND coalesce((
            SELECT split_part("after", ':', 1) FROM tickets_ticketevent
            WHERE ticket_id = t.id AND kind = 'state' ORDER BY at DESC, id DESC LIMIT 1
        ), 'new') NOT IN ('resolved', 'closed')
        """,
        [facilities],
    )
    return {number for (number,) in cursor.fetchall()}
