"""The peer: the failure mode of every note of two NDJSON files, in one DuckDB program of its own.

    python duckdb_answer.py FOLDER [TRACES]

Needs the package duckdb and nothing of this project, so any environment that has it can run the file. Joins as a good
analyst would: transaction, then request, then the encounter within a window, the clocks' offset taken out first. Prints
{"seconds", "peak_mb", "notes"}; writes the answers as NDJSON where TRACES is named.
"""

import json
import resource
import sys
import time
from pathlib import Path

import duckdb

SCRIBE = """{'at': 'TIMESTAMP', event: 'VARCHAR', note_id: 'VARCHAR', transaction_id: 'VARCHAR', request_id: 'VARCHAR',
  encounter_id: 'VARCHAR', patient_id: 'VARCHAR', status: 'INTEGER', ack: 'VARCHAR', url: 'VARCHAR'}"""
EHR = """{'at': 'TIMESTAMP', event: 'VARCHAR', transaction_id: 'VARCHAR', request_id: 'VARCHAR', encounter_id: 'VARCHAR',
  patient_id: 'VARCHAR', resource: 'VARCHAR', status: 'INTEGER', ack: 'VARCHAR'}"""

# DuckDB keeps the word "at" for itself.
ROW = (
    """SELECT * EXCLUDE ("at", encounter_id), "at" AS moment, replace(encounter_id, 'Encounter/', '') AS encounter_id"""
)

STATEMENTS = (
    "CREATE TEMP TABLE s AS " + ROW + " FROM"
    " read_json('{folder}/scribe.ndjson', format = 'newline_delimited', columns = " + SCRIBE + ")",
    "CREATE TEMP TABLE e AS " + ROW + " FROM"
    " read_json('{folder}/ehr.ndjson', format = 'newline_delimited', columns = " + EHR + ")",
    # What each note is: its visit and the span of its own rows.
    """CREATE TEMP TABLE n AS SELECT note_id, any_value(encounter_id) AS encounter_id, any_value(patient_id) AS patient_id,
         min(moment) AS began, max(moment) AS ended FROM s WHERE note_id IS NOT NULL GROUP BY note_id""",
    """CREATE TEMP TABLE t AS SELECT transaction_id, any_value(note_id) AS note_id FROM s
         WHERE note_id IS NOT NULL AND transaction_id IS NOT NULL GROUP BY transaction_id""",
    """CREATE TEMP TABLE r AS SELECT request_id, any_value(note_id) AS note_id FROM s
         WHERE note_id IS NOT NULL AND request_id IS NOT NULL GROUP BY request_id""",
    """CREATE TEMP TABLE skew AS SELECT coalesce(median(epoch_ms(e.moment) - epoch_ms(s.moment)), 0) / 1000.0 AS seconds
         FROM e JOIN s USING (request_id) WHERE e.event = 'received' AND s.event = 'sent'""",
    # Scribe rows that lost their note: to the note of the encounter whose span is nearest.
    """CREATE TEMP TABLE sn AS
         SELECT coalesce(s.note_id, t.note_id, r.note_id, near.note_id) AS note_id, s.event, s.moment, s.status, s.ack, s.url
         FROM s LEFT JOIN t ON s.note_id IS NULL AND s.transaction_id = t.transaction_id
                LEFT JOIN r ON s.note_id IS NULL AND s.request_id = r.request_id
                LEFT JOIN (SELECT s.rowid AS place, arg_min(n.note_id, greatest(0, epoch_ms(n.began) - epoch_ms(s.moment),
                                  epoch_ms(s.moment) - epoch_ms(n.ended))) AS note_id
                           FROM s JOIN n USING (encounter_id) WHERE s.note_id IS NULL GROUP BY s.rowid) near
                  ON near.place = s.rowid""",
    """CREATE TEMP TABLE en AS
         SELECT coalesce(t.note_id, r.note_id, near.note_id) AS note_id, e.event, e.moment, e.status, e.ack, e.resource,
                e.encounter_id, e.patient_id
         FROM e LEFT JOIN t ON e.transaction_id = t.transaction_id
                LEFT JOIN r ON e.request_id = r.request_id
                LEFT JOIN (SELECT e.rowid AS place, arg_min(n.note_id,
                                  greatest(0, epoch_ms(n.began) - (epoch_ms(e.moment) - 1000 * skew.seconds),
                                              (epoch_ms(e.moment) - 1000 * skew.seconds) - epoch_ms(n.ended))) AS note_id
                           FROM e JOIN n USING (encounter_id), skew
                           WHERE e.transaction_id IS NULL AND e.request_id IS NULL
                             AND e.moment BETWEEN n.began - INTERVAL 12 HOUR AND n.ended + INTERVAL 72 HOUR GROUP BY e.rowid) near
                  ON near.place = e.rowid""",
    """CREATE TEMP TABLE told AS
         WITH scribe AS (
           SELECT note_id, count(*) FILTER (event = 'sent') AS sent,
             max(moment) FILTER (event IN ('acked', 'failed', 'queued')) AS answered,
             arg_max(coalesce(status, 0), moment) FILTER (event IN ('acked', 'failed') AND (url IS NULL OR url NOT LIKE '%token'))
               AS status,
             arg_max(coalesce(ack, ''), moment) FILTER (event IN ('acked', 'failed')) AS ack,
             bool_or(event = 'failed' AND status IS NULL AND ack IS NULL) AS silent
           FROM sn GROUP BY note_id),
         ehr AS (
           SELECT en.note_id, count(*) FILTER (event = 'filed') AS filings,
             count(DISTINCT resource) FILTER (event = 'filed') AS documents,
             bool_or(event = 'filed' AND (en.encounter_id <> n.encounter_id OR en.patient_id <> n.patient_id)) AS elsewhere,
             bool_or(event = 'rejected') AS rejected, bool_or(event IN ('received', 'accepted')) AS seen
           FROM en JOIN n USING (note_id) GROUP BY en.note_id)
         SELECT n.note_id, CASE
             WHEN ehr.elsewhere THEN 'misplaced'
             WHEN ehr.documents > 1 THEN 'duplicate'
             WHEN ehr.filings > 0 THEN 'delivered'
             WHEN scribe.status >= 400 OR scribe.ack IN ('AE', 'AR', 'CE', 'CR') OR ehr.rejected THEN 'rejected'
             WHEN scribe.status = 202 OR scribe.ack = 'CA' OR ehr.seen THEN 'delayed'
             WHEN coalesce(scribe.sent, 0) = 0 OR scribe.silent THEN 'never_sent'
             ELSE 'unknown' END AS failure_mode
         FROM n LEFT JOIN scribe USING (note_id) LEFT JOIN ehr USING (note_id)""",
)


def main(folder: Path, traces: Path | None) -> None:
    began = time.perf_counter()
    connection = duckdb.connect()
    for statement in STATEMENTS:
        connection.execute(statement.replace("{folder}", str(folder)))
    count = connection.execute("SELECT count(*) FROM told").fetchone()
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if traces:
        connection.execute(f"COPY (SELECT *, 0.9 AS confidence FROM told) TO '{traces}' (FORMAT json)")
    print(json.dumps({"seconds": seconds, "peak_mb": peak, "notes": count[0] if count else 0}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
