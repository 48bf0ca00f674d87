"""Many notes at a steady pace into the past, made by SQL: for plans and prices, not for what pages say."""

import os
import uuid
from datetime import timedelta

import psycopg
from django.db import connection
from django.utils import timezone

from console.accounts.keys import keyring
from console.integrations.models import Integration
from console.notes.partitions import ensure_days

PACE_S = 60  # one note a minute, whatever their number: more notes reach further back
LOGGED = 20_000  # only so many notes have log rows; the days they reach stay few

_NOTES = """
INSERT INTO notes_note (id, facility_id, integration_id, external_id, external_hash, transaction_hash, encounter_hash,
                        provider, payload_name, failure_mode, generated_at, created_at)
SELECT md5(%(salt)s || 'n' || g)::uuid, %(facility)s, %(integration)s, '\\x00', sha256(('n' || g)::bytea),
       sha256(('t' || g)::bytea), sha256(('e' || g / 2)::bytea), 'prov-' || g %% 40, '',
       CASE g %% 16 WHEN 0 THEN 'rejected' WHEN 4 THEN 'never_sent' ELSE 'delivered' END,
       %(now)s - g * interval '1 minute', %(now)s
  FROM generate_series(%(first)s, %(last)s) AS g
"""
_TRACES = """
INSERT INTO notes_trace (id, facility_id, integration_id, note_id, failure_mode, broke_at, keys, confidence, ambiguous,
                         born_at, last_at, attempts, status, ack, signature, site, client, provider, weak, changed_at,
                         ended)
SELECT md5(%(salt)s || 'r' || g)::uuid, %(facility)s, %(integration)s, md5(%(salt)s || 'n' || g)::uuid,
       CASE g %% 16 WHEN 0 THEN 'rejected' WHEN 4 THEN 'never_sent' ELSE 'delivered' END,
       CASE g %% 16 WHEN 0 THEN 'accepted' WHEN 4 THEN 'sent' ELSE '' END, 'transaction_id',
       CASE WHEN g %% 97 = 0 THEN 0.5 ELSE 1.0 END, false,
       %(now)s - g * interval '1 minute', %(now)s - g * interval '1 minute', 1,
       CASE g %% 16 WHEN 0 THEN 422 END, '',
       CASE g %% 16 WHEN 0 THEN 'unknown profile ' || g / 16 %% 9 ELSE '' END, 'Site ' || g %% 5, '',
       'prov-' || g %% 40, false, %(now)s,
       CASE WHEN g %% 32 = 0 THEN 'by_hand' ELSE '' END
  FROM generate_series(%(first)s, %(last)s) AS g
"""
_ORPHANS = """
INSERT INTO notes_trace (id, facility_id, integration_id, orphan_hash, failure_mode, broke_at, keys, confidence,
                         ambiguous, born_at, last_at, attempts, ack, signature, site, client, provider, weak,
                         changed_at)
SELECT md5(%(salt)s || 'o' || g)::uuid, %(facility)s, %(integration)s, sha256(('o' || g)::bytea), 'unknown', '', '', 0,
       false, %(now)s - g * interval '1 minute', %(now)s - g * interval '1 minute', 0, '', '', '', '', '', false,
       %(now)s
  FROM generate_series(%(first)s, %(last)s) AS g WHERE g %% 50 = 0
"""
_ENDS = """
INSERT INTO notes_noteend (id, facility_id, note_id, how, at)
SELECT md5(%(salt)s || 'h' || g)::uuid, %(facility)s, md5(%(salt)s || 'n' || g)::uuid, 'by_hand',
       %(now)s - g * interval '1 minute'
  FROM generate_series(%(first)s, %(last)s) AS g WHERE g %% 32 = 0
"""
_ROWS = """
INSERT INTO notes_logentry (id, at, facility_id, integration_id, log, event, ack, signature, note_hash,
                            transaction_hash, request_hash, document_hash, position, sealed)
SELECT md5(%(salt)s || 'l' || log || g)::uuid, %(now)s - g * interval '1 minute', %(facility)s, %(integration)s, log,
       CASE log WHEN 'ehr' THEN 'filed' ELSE 'sent' END, '', '',
       CASE log WHEN 'scribe' THEN sha256(('n' || g)::bytea) END, sha256(('t' || g)::bytea),
       sha256(('q' || g)::bytea), CASE log WHEN 'ehr' THEN sha256(('d' || g)::bytea) END, g, '\\x00'
  FROM generate_series(%(first)s, least(%(last)s, %(logged)s)) AS g CROSS JOIN unnest(ARRAY['scribe', 'ehr']) AS log
"""
_BATCHES = """
INSERT INTO notes_logbatch (facility_id, integration_id, log, first_at, last_at, rows, stored_at, correlated_at)
SELECT %(facility)s, %(integration)s, log, %(now)s - (g + 1) * interval '1 minute', %(now)s - g * interval '1 minute',
       2, %(now)s - g * interval '1 minute', %(now)s
  FROM generate_series(%(first)s, %(last)s) AS g CROSS JOIN unnest(ARRAY['scribe', 'ehr']) AS log
"""


def make(integration: Integration, first: int, last: int) -> None:
    """Make the notes from the `first` minute ago to the `last`, with what logs and people said of them."""
    now = timezone.now().replace(microsecond=0)
    days = {(now - timedelta(minutes=minutes)).date() for minutes in range(0, min(last, LOGGED) + 1, 60)}
    ensure_days({*days, (now - timedelta(minutes=min(last, LOGGED))).date()})
    asked = {
        "salt": str(integration.id), "facility": integration.facility_id, "integration": integration.id, "now": now,
        "first": first, "last": last, "logged": LOGGED,
    }  # fmt: skip
    with connection.cursor() as cursor:
        for statement in (_NOTES, _TRACES, _ORPHANS, _ENDS, _ROWS, _BATCHES):
            cursor.execute(statement, asked)


def bear_ids(integration: Integration, number: int) -> dict[str, str]:
    """Give one note ids that can be typed: its hashes become those of the ids, in the note and in its rows."""
    ring = keyring(integration.facility_id)
    ids = {"note": "N-asked", "transaction": "TX-asked", "encounter": "E-asked"}
    logged = {"request": "req-asked", "document": "DOC-asked"}
    note_id = uuid.UUID(bytes=_md5(f"{integration.id}n{number}"))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE notes_note SET external_hash = %s, transaction_hash = %s, encounter_hash = %s WHERE id = %s",
            [ring.hash(ids["note"], "note"), ring.hash(ids["transaction"], "transaction"),
             ring.hash(ids["encounter"], "encounter"), note_id],
        )  # fmt: skip
        for kind, word in logged.items():
            letter = {"request": "q", "document": "d"}[kind]
            cursor.execute(
                f"UPDATE notes_logentry SET {kind}_hash = %s, note_hash = %s WHERE {kind}_hash = sha256(%s::bytea)",
                [ring.hash(word, kind), ring.hash(ids["note"], "note"), f"{letter}{number}".encode()],
            )
    return {**ids, **logged}


def _md5(text: str) -> bytes:
    import hashlib

    return hashlib.md5(text.encode(), usedforsecurity=False).digest()


def analyze() -> None:
    """Let the planner know the tables, as autovacuum does in life; only their owner may."""
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as owner:
        owner.execute("VACUUM ANALYZE notes_note, notes_trace, notes_noteend, notes_logbatch, notes_logentry")


FORGET = """
SELECT pg_clear_relation_stats('public', t.relname), a.forgotten
  FROM pg_class AS t LEFT JOIN LATERAL (
    SELECT count(pg_clear_attribute_stats('public', s.tablename, s.attname, s.inherited)) AS forgotten
      FROM pg_stats AS s WHERE s.schemaname = 'public' AND s.tablename = t.relname
  ) AS a ON true
 WHERE t.relnamespace = 'public'::regnamespace AND t.relkind IN ('r', 'p')
"""


def forget() -> None:
    """Let the planner know nothing of the tables, whatever it saw of them while other tests had them full or empty.

    To be called before the test's own transaction touches any of them: the owner would wait for its locks.
    """
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as owner:
        owner.execute("SET lock_timeout = '10s'")
        owner.execute(FORGET)
