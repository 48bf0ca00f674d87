-- The failure mode of every note over both files ({folder} is put in), joined as a good analyst would: transaction, then
-- request, then the encounter within a window, with the clocks' offset taken out. DuckDB keeps the word "at" for itself.
CREATE TEMP TABLE s AS
SELECT * EXCLUDE ("at", encounter_id), "at" AS moment, replace(encounter_id, 'Encounter/', '') AS encounter_id
FROM read_json('{folder}/scribe.ndjson', format = 'newline_delimited', columns = {
    'at': 'TIMESTAMP', event: 'VARCHAR', note_id: 'VARCHAR', transaction_id: 'VARCHAR', request_id: 'VARCHAR',
    encounter_id: 'VARCHAR', patient_id: 'VARCHAR', status: 'INTEGER', ack: 'VARCHAR', url: 'VARCHAR'});

CREATE TEMP TABLE e AS
SELECT * EXCLUDE ("at", encounter_id), "at" AS moment, replace(encounter_id, 'Encounter/', '') AS encounter_id
FROM read_json('{folder}/ehr.ndjson', format = 'newline_delimited', columns = {
    'at': 'TIMESTAMP', event: 'VARCHAR', transaction_id: 'VARCHAR', request_id: 'VARCHAR', encounter_id: 'VARCHAR',
    patient_id: 'VARCHAR', resource: 'VARCHAR', status: 'INTEGER', ack: 'VARCHAR'});

CREATE TEMP TABLE n AS
SELECT note_id, any_value(encounter_id) AS encounter_id, any_value(patient_id) AS patient_id,
    min(moment) AS began, max(moment) AS ended
FROM s WHERE note_id IS NOT NULL GROUP BY note_id;

CREATE TEMP TABLE t AS
SELECT transaction_id, any_value(note_id) AS note_id
FROM s WHERE note_id IS NOT NULL AND transaction_id IS NOT NULL GROUP BY transaction_id;

CREATE TEMP TABLE r AS
SELECT request_id, any_value(note_id) AS note_id
FROM s WHERE note_id IS NOT NULL AND request_id IS NOT NULL GROUP BY request_id;

CREATE TEMP TABLE skew AS
SELECT coalesce(median(epoch_ms(e.moment) - epoch_ms(s.moment)), 0) AS ms
FROM e JOIN s USING (request_id) WHERE e.event = 'received' AND s.event = 'sent';

-- Scribe rows that lost their note: to the note of the encounter whose span is nearest.
CREATE TEMP TABLE s_near AS
SELECT s.rowid AS place, arg_min(n.note_id,
    greatest(0, epoch_ms(n.began) - epoch_ms(s.moment), epoch_ms(s.moment) - epoch_ms(n.ended))) AS note_id
FROM s JOIN n USING (encounter_id) WHERE s.note_id IS NULL GROUP BY s.rowid;

CREATE TEMP TABLE e_near AS
SELECT e.rowid AS place, arg_min(n.note_id,
    greatest(0, epoch_ms(n.began) - epoch_ms(e.moment) + skew.ms, epoch_ms(e.moment) - skew.ms - epoch_ms(n.ended))
    ) AS note_id
FROM e JOIN n USING (encounter_id), skew
WHERE e.transaction_id IS NULL AND e.request_id IS NULL
    AND e.moment BETWEEN n.began - INTERVAL 12 HOUR AND n.ended + INTERVAL 72 HOUR
GROUP BY e.rowid;

CREATE TEMP TABLE sn AS
SELECT coalesce(s.note_id, t.note_id, r.note_id, near.note_id) AS note_id, s.event, s.moment, s.status, s.ack, s.url
FROM s
LEFT JOIN t ON s.note_id IS NULL AND s.transaction_id = t.transaction_id
LEFT JOIN r ON s.note_id IS NULL AND s.request_id = r.request_id
LEFT JOIN s_near near ON near.place = s.rowid;

CREATE TEMP TABLE en AS
SELECT coalesce(t.note_id, r.note_id, near.note_id) AS note_id, e.event, e.resource, e.encounter_id, e.patient_id
FROM e
LEFT JOIN t ON e.transaction_id = t.transaction_id
LEFT JOIN r ON e.request_id = r.request_id
LEFT JOIN e_near near ON near.place = e.rowid;

CREATE TEMP TABLE scribe AS
SELECT note_id, count(*) FILTER (event = 'sent') AS sent,
    arg_max(coalesce(status, 0), moment)
        FILTER (event IN ('acked', 'failed') AND (url IS NULL OR url NOT LIKE '%token')) AS status,
    arg_max(coalesce(ack, ''), moment) FILTER (event IN ('acked', 'failed')) AS ack,
    bool_or(event = 'failed' AND status IS NULL AND ack IS NULL) AS silent
FROM sn GROUP BY note_id;

CREATE TEMP TABLE ehr AS
SELECT en.note_id, count(*) FILTER (event = 'filed') AS filings,
    count(DISTINCT resource) FILTER (event = 'filed') AS documents,
    bool_or(event = 'filed' AND (en.encounter_id <> n.encounter_id OR en.patient_id <> n.patient_id)) AS elsewhere,
    bool_or(event = 'rejected') AS rejected, bool_or(event IN ('received', 'accepted')) AS seen
FROM en JOIN n USING (note_id) GROUP BY en.note_id;

CREATE TEMP TABLE told AS
SELECT n.note_id, CASE
    WHEN ehr.elsewhere THEN 'misplaced'
    WHEN ehr.documents > 1 THEN 'duplicate'
    WHEN ehr.filings > 0 THEN 'delivered'
    WHEN scribe.status >= 400 OR scribe.ack IN ('AE', 'AR', 'CE', 'CR') OR ehr.rejected THEN 'rejected'
    WHEN scribe.status = 202 OR scribe.ack = 'CA' OR ehr.seen THEN 'delayed'
    WHEN coalesce(scribe.sent, 0) = 0 OR scribe.silent THEN 'never_sent'
    ELSE 'unknown' END AS failure_mode
FROM n LEFT JOIN scribe USING (note_id) LEFT JOIN ehr USING (note_id);
