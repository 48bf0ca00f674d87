"""What is older than the log is kept goes in whole days, with what tells of its import, and is recorded."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from console.accounts.models import AuditEntry
from console.notes.intake import take_rows
from console.notes.models import LogBatch, LogEntry, LogImport, QuarantinedLine
from console.notes.retention import keep_retention
from tests.console.builders import a_facility, an_integration
from tests.console.monitoring.rows import a_note_story, a_source, lines

pytestmark = pytest.mark.django_db


@pytest.fixture
def stored():
    """Two notes, one 500 days old, each of an import of its time."""
    facility = a_facility()
    source = a_source(an_integration(facility))
    now = timezone.now()
    for name, at in (("old", now - timedelta(days=500)), ("new", now - timedelta(days=50))):
        story = lines(a_note_story(name, at)["scribe"])
        receipt = take_rows(source=source, log="scribe", lines=[*story, b"broken"])
        LogImport.objects.filter(pk=receipt.import_id).update(at=at)
    return facility


def partitions() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_inherits WHERE inhparent = 'notes_logentry'::regclass")
        return int(cursor.fetchone()[0])


def test_old_days_go_and_the_rest_stays(stored, settings) -> None:
    settings.LOG_RETENTION_DAYS = 400
    before = partitions()
    dropped = keep_retention()
    assert 1 <= len(dropped) <= 2  # a story may cross midnight
    assert partitions() == before - len(dropped)
    assert {entry.sealed["note_id"] for entry in LogEntry.objects.all()} == {"N-new"}
    assert LogImport.objects.count() == QuarantinedLine.objects.count() == LogBatch.objects.count() == 1
    told = AuditEntry.objects.get(action="log.retention", facility=stored)
    assert (told.who, told.detail["days"], told.detail["imports"]) == (None, len(dropped), 1)
    assert keep_retention() == []
    assert AuditEntry.objects.filter(action="log.retention", facility=stored).count() == 1


def test_nothing_goes_where_everything_is_kept_and_nothing_young_ever(stored, settings) -> None:
    settings.LOG_RETENTION_DAYS = 0
    assert keep_retention() == []
    settings.LOG_RETENTION_DAYS = 1
    assert keep_retention(now=datetime.now(UTC) - timedelta(days=30)) != []
    assert {entry.sealed["note_id"] for entry in LogEntry.objects.all()} == {"N-new"}
