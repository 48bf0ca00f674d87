"""No statement of correlation walks a day's rows to find a few: each asks an index, and only the days it names."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection

from console.notes import note_rows
from console.notes.correlation import correlate_new, incremental, loading, new_notes, one, slices, state, writing
from console.notes.models import LogBatch, LogEntry, Note
from console.notes.partitions import ensure_days
from tests.benchmarks.two_logs import easy
from tests.console.builders import a_facility, an_integration
from tests.console.notes.logs import rows_in, store

pytestmark = pytest.mark.django_db
NOTES = 1500


@pytest.fixture
def filled(tmp_path: Path):
    """Give an integration with some thousand rows, beside another as large, and empty days around them."""
    easy.write(NOTES, tmp_path)
    rows = rows_in(tmp_path)
    facility = a_facility()
    for integration in (an_integration(facility), an_integration(a_facility())):
        store(integration, rows)
        correlate_new(integration=integration)
    day = LogEntry.objects.earliest("at").at.astimezone(UTC).date()
    ensure_days(day + timedelta(days=away) for away in range(-20, 21))
    return integration


def statements(integration) -> dict[str, tuple[str, object]]:
    entry = LogEntry.objects.filter(integration=integration).exclude(note_hash=None).first()
    note = Note.objects.get(integration=integration, external_hash=entry.note_hash)
    batch = LogBatch.objects.filter(integration=integration).latest("id")
    key, first, last = [bytes(entry.note_hash)], entry.at - timedelta(minutes=5), entry.at + timedelta(minutes=5)
    found: dict[str, tuple[str, object]] = {
        f"rows by {kind}": (sql, (key, first, last, integration.pk)) for kind, sql in loading.BY_KEY.items()
    }
    return found | {
        "rows by time": (loading.BY_TIME, (integration.pk, first, last)),
        "next row": (slices.NEXT, (integration.pk, first, last)),
        "opened rows": (new_notes.SEALED_ROWS, ([entry.at], [entry.pk], first, last)),
        "rows of a note, opened": (note_rows.OPEN, ([entry.at], [entry.pk], first, last)),
        "rows before": (note_rows.NEAR_BEFORE, (integration.pk, "scribe", first, last, 20)),
        "rows after": (note_rows.NEAR_AFTER, (integration.pk, "ehr", first, last, 20)),
        "minutes of a batch": (incremental.MINUTES, ([batch.pk], first, last)),
        "ids shared": (state.SHARES_IDS, {"id": integration.pk, "first": first, "last": last}),
        "filing told of": (state.TELLS_OF_FILING, (integration.pk, first, last)),
        "note and trace": (writing.BY_NOTE, (key, integration.pk)),
        "one note": (one.LOOK, (integration.pk, key[0])),
        "documents": (writing.BY_ORPHAN, (key, integration.pk)),
        "traces of a time": (writing.IN_TIME, (integration.pk, first, last, True)),
        "notes far apart": (writing.FAR_APART, (integration.pk, first, last, last)),
        "weak of an encounter": (
            writing.WEAK_IN, ([bytes(note.encounter_hash)], note.facility_id, integration.pk, first, last),
        ),
        "due": (incremental.DUE, (integration.pk, datetime(2026, 1, 1, tzinfo=UTC))),
    }  # fmt: skip


def test_every_statement_asks_an_index_of_the_days_it_names(filled) -> None:
    walked, opened = [], []
    for name, (sql, values) in statements(filled).items():
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN (COSTS OFF) " + sql, values)
            plan = "\n".join(line for (line,) in cursor.fetchall())
        if re.search(r"Seq Scan on notes_(logentry|note|trace)", plan):
            walked.append((name, plan))
        days = set(re.findall(r"notes_logentry_\d{8}", plan))
        if len(days) > 2:
            opened.append((name, sorted(days)))
    assert walked == []
    assert opened == []
