"""The minute's run leaves a file's rows alone until the file is in; whoever asks for one note still gets it."""

import io
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from console.notes import preparing
from console.notes.correlation import backlog, correlate_new, correlate_note
from console.notes.import_locks import any_held, hold, let_go, number
from console.notes.importing import import_stream
from console.notes.models import LogBatch, LogImport, Note, Trace
from console.notes.queries import find
from console.notes.tasks import correlate
from console.shared.identifiers import new_id
from tests.console.builders import a_facility, a_person, an_integration
from tests.console.monitoring.rows import a_note_story, a_source, body, take

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
NOTES, BATCHES = 40, 8


class Killed(Exception):
    """What ends an import between two batches."""


@pytest.fixture
def integration():
    return an_integration(a_facility())


def a_file() -> bytes:
    """Give rows of some notes, shuffled over the hour as exports are, so that each batch bears on all of it."""
    stories = [a_note_story(n, AT + timedelta(minutes=n)) for n in range(NOTES)]
    return body([story["scribe"][at] for at in range(5) for story in stories])


def bring_in(integration, monkeypatch, *, after_batch=None) -> LogImport:
    """Import the file in several batches, doing something after each of them."""
    content = a_file()
    monkeypatch.setattr(preparing, "BATCH_ROWS", 1)
    monkeypatch.setattr("diagnostics.parsing.log_formats.lines.BLOCK_BYTES", len(content) // BATCHES)
    source, via = a_source(integration), LogImport.Via.UPLOAD
    import_stream(source=source, log="scribe", stream=io.BytesIO(content), via=via, progress=after_batch)
    return LogImport.objects.get()


def waiting() -> int:
    return LogBatch.objects.filter(correlated_at=None).count()


def stopped(integration, monkeypatch, after: int = 3) -> LogImport:
    """Give an import that was killed after some batches: it still says that it is running."""
    seen = []

    def stop(made: LogImport) -> None:
        seen.append(made.line)
        if len(seen) == after:
            raise Killed

    with pytest.raises(Killed):
        bring_in(integration, monkeypatch, after_batch=stop)
    made = LogImport.objects.get()
    assert (made.state, made.finished_at, waiting()) == ("running", None, after)
    return made


def age(minutes: float) -> None:
    """Let what waits have been stored so long ago."""
    LogBatch.objects.update(stored_at=timezone.now() - timedelta(minutes=minutes))


def test_the_rows_of_a_file_are_told_once_when_it_is_in(integration, monkeypatch) -> None:
    counted = []

    def each_minute(_: LogImport) -> None:
        counted.append((waiting(), correlate_new().rows))

    made = bring_in(integration, monkeypatch, after_batch=each_minute)
    assert counted == [(number, 0) for number in range(1, len(counted) + 1)]
    assert len(counted) >= BATCHES
    assert (made.state, Note.objects.count()) == ("done", 0)
    correlate()
    assert (waiting(), Note.objects.count(), Trace.objects.count()) == (0, NOTES, NOTES)


def test_one_note_is_told_while_its_file_is_coming_in(integration, monkeypatch) -> None:
    person = a_person(integration.facility)
    stopped(integration, monkeypatch)
    assert correlate_new().notes == 0
    assert find(person, "N-7").get().external_id == "N-7"
    assert correlate_note(Note.objects.get()).note.external_id == "N-7"
    assert waiting() == 3


def test_other_integrations_and_who_asks_for_a_run_are_not_kept_waiting(integration, monkeypatch) -> None:
    stopped(integration, monkeypatch)
    beside = an_integration(integration.facility)
    take(beside, a_note_story("b", AT))
    correlate_new()
    assert [note.integration for note in Note.objects.all()] == [beside]
    assert correlate_new(wait=True).notes
    assert waiting() == 0


def test_what_a_dead_import_left_is_told_when_nothing_has_come_for_a_while(integration, monkeypatch) -> None:
    stopped(integration, monkeypatch)
    age(1)
    assert correlate_new().notes == 0
    age(3)
    assert correlate_new().notes == NOTES
    assert waiting() == 0


@pytest.mark.django_db(transaction=True)
def test_a_slow_import_that_lives_is_waited_for_a_quarter_of_an_hour_and_no_longer(monkeypatch) -> None:
    integration = an_integration(a_facility())
    made = stopped(integration, monkeypatch)
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": psycopg.Cursor}) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [number(made.id)])
        other.commit()
        age(14)
        assert correlate_new().notes == 0
        age(16)
        assert correlate_new().notes == NOTES


def test_rows_that_go_on_coming_are_told_every_quarter_of_an_hour(integration, monkeypatch) -> None:
    stopped(integration, monkeypatch)
    oldest = LogBatch.objects.order_by("id").first()
    LogBatch.objects.filter(pk=oldest.pk).update(stored_at=timezone.now() - backlog.MOST)
    assert correlate_new().notes == NOTES


@pytest.mark.parametrize("state", ["done", "failed", "waiting"])
def test_an_import_that_ended_keeps_nobody_waiting(integration, monkeypatch, state) -> None:
    stopped(integration, monkeypatch)
    LogImport.objects.update(state=state)
    assert correlate_new().notes == NOTES


def test_the_lock_of_an_import_is_seen(integration) -> None:
    mine, other = new_id(), new_id()
    assert not any_held([mine, other])
    assert hold(mine)
    try:
        assert any_held([other, mine])
        assert not any_held([other])
    finally:
        let_go(mine)
    assert not any_held([mine])
