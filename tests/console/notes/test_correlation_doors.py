"""The doors of correlation: by command, one note at once, late rows, rows that went, two at once."""

import io
import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from console.notes.correlation import correlate_all, correlate_new, correlate_note, trace_of
from console.notes.models import LogBatch, Note, Trace
from console.notes.services import external_hash
from tests.benchmarks.two_logs import easy, hard
from tests.console.builders import a_department, a_facility, a_note, an_integration
from tests.console.notes.logs import differences, rows_in, store, told

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def integration():
    return an_integration(a_facility())


def at(seconds: float) -> str:
    return (NOON + timedelta(seconds=seconds)).isoformat()


def sent(note: str, seconds: float = 0, **more: object) -> list[tuple[str, dict]]:
    ids = {"note_id": note, "transaction_id": f"TX-{note}", "encounter_id": f"E-{note}", "site": "main"}
    made = {**ids, "patient_id": f"P-{note}", "provider_id": "prov-1", **more}
    return [
        ("scribe", {"at": at(seconds), "event": "generated", **made}),
        ("scribe", {"at": at(seconds + 2), "event": "sent", "method": "POST", **ids}),
        ("scribe", {"at": at(seconds + 3), "event": "acked", "status": 201, **ids}),
    ]


def filed(note: str, seconds: float) -> list[tuple[str, dict]]:
    ids = {"transaction_id": f"TX-{note}", "encounter_id": f"E-{note}", "client_id": "scribe"}
    return [
        ("ehr", {"at": at(seconds), "event": event, "resource": f"DocumentReference/D-{note}", **ids})
        for event in ("received", "accepted", "filed")
    ]


def test_a_note_is_made_of_its_rows_with_ids_time_and_department(integration) -> None:
    unit = a_department(integration.facility)
    store(integration, sent("N-1", department=unit.slug))
    correlate_new(integration=integration)
    note = Note.objects.get(integration=integration)
    assert note.external_id == "N-1"
    assert note.identifiers == {
        "transaction_id": "TX-N-1", "encounter_id": "E-N-1", "patient_id": "P-N-1", "provider_id": "prov-1",
    }  # fmt: skip
    assert (note.provider, note.department, note.generated_at) == ("prov-1", unit, NOON)
    assert note.failure_mode == note.trace.failure_mode
    assert LogBatch.objects.filter(correlated_at=None).count() == 0


def test_a_filing_three_days_later_is_the_notes_own(integration) -> None:
    store(integration, [*sent("N-1"), *sent("N-2", 60), *filed("N-2", 63)])
    correlate_new(integration=integration)
    assert Trace.objects.get(note__external_hash=external_hash(integration, "N-1")).failure_mode != "delivered"
    store(integration, filed("N-1", 3 * 86_400))
    report = correlate_new(integration=integration)
    late = Trace.objects.get(note__external_hash=external_hash(integration, "N-1"))
    assert (late.failure_mode, late.keys) == ("delivered", "transaction_id")
    assert report.changed <= 2
    assert not Trace.objects.filter(note=None).exists()
    before = told(integration)
    correlate_all(integration=integration)
    assert differences(before, told(integration)) == []


def test_a_document_of_nobodys_is_told_until_its_note_turns_up(integration) -> None:
    store(integration, [*sent("N-2", 60), *filed("N-2", 63), *filed("N-1", 4)])
    correlate_new(integration=integration)
    orphan = Trace.objects.get(note=None)
    assert orphan.failure_mode == "delivered"
    store(integration, sent("N-1"))
    correlate_new(integration=integration)
    assert not Trace.objects.filter(note=None).exists()
    assert Trace.objects.get(note__external_hash=external_hash(integration, "N-1")).failure_mode == "delivered"


def test_one_note_is_told_at_once_though_nothing_was_correlated(integration) -> None:
    store(integration, [*sent("N-1"), *filed("N-1", 3), *sent("N-2", 60)])
    found = trace_of(integration, external_hash(integration, "N-1"))
    assert (found.failure_mode, found.note.external_id) == ("delivered", "N-1")
    assert trace_of(integration, external_hash(integration, "N-9")) is None
    assert Trace.objects.count() == 1
    correlate_new(integration=integration)
    assert Trace.objects.get(note=found.note).id == found.id


@pytest.mark.parametrize("known", [0, 0.9])
def test_one_note_told_at_once_is_told_as_the_full_run_tells_it(integration, known, tmp_path: Path) -> None:
    hard.write(300, tmp_path, seed=0)
    rows = rows_in(tmp_path)
    random.Random(3).shuffle(rows)
    first, waiting = rows[: int(len(rows) * known)], rows[int(len(rows) * known) :]
    if first:
        store(integration, first)
        correlate_new(integration=integration)
    store(integration, waiting)
    notes = {row["note_id"] for log, row in rows if log == "scribe" and row.get("note_id")}
    assert len(notes) > 290
    for note in sorted(notes):
        assert trace_of(integration, external_hash(integration, note)) is not None
    at_once = {key: row for key, row in told(integration).items() if key[0] is not None}
    correlate_all(integration=integration)
    assert len(at_once) == len(notes)
    assert differences(at_once, {key: row for key, row in told(integration).items() if key[0] is not None}) == []


def test_a_note_of_which_no_log_tells_has_no_trace_until_one_does(integration) -> None:
    note = a_note(integration, external_id="N-1")
    assert correlate_note(note) is None
    store(integration, sent("N-1"))
    assert correlate_note(note).note == note


def test_asking_for_a_told_note_costs_as_many_queries_among_many(integration) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as context:
            trace_of(integration, external_hash(integration, "N-1"))
        return len(context)

    store(integration, [*sent("N-1"), *filed("N-1", 3)])
    correlate_new(integration=integration)
    few = queries()
    store(integration, [row for n in range(2, 60) for row in (*sent(f"N-{n}", 30 * n), *filed(f"N-{n}", 30 * n + 3))])
    correlate_new(integration=integration)
    assert queries() == few <= 5


def test_an_integration_that_is_correlated_elsewhere_is_left_to_that(integration) -> None:
    store(integration, sent("N-1"))
    key = int.from_bytes(integration.pk.bytes[-4:], signed=True)
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": psycopg.Cursor}) as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", (0x6E6F7465, key))
        assert correlate_new(integration=integration).notes == 0
        other.execute("SELECT pg_advisory_unlock(%s, %s)", (0x6E6F7465, key))
    assert correlate_new(integration=integration).notes == 1


def test_traces_go_with_their_rows_but_the_notes_stay(integration) -> None:
    store(integration, [*sent("N-1"), *filed("N-1", 3)])
    correlate_new(integration=integration)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM notes_logentry")
    correlate_all(integration=integration)
    assert Note.objects.filter(integration=integration).count() == 1
    assert not Trace.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_breaks_off_is_taken_up_again() -> None:
    integration = an_integration(a_facility())
    store(integration, [*sent("N-1"), *filed("N-1", 3)])
    correlate_new(integration=integration)
    store(integration, [*sent("N-2", 7200), *filed("N-2", 7203)])
    before = told(integration)
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": psycopg.Cursor}) as other:
        other.execute("LOCK TABLE notes_trace IN EXCLUSIVE MODE")
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '100ms'")
        with pytest.raises(OperationalError):
            correlate_new(integration=integration)
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")
    assert differences(before, told(integration)) == []
    assert Note.objects.count() == 1
    assert LogBatch.objects.filter(correlated_at=None).count() == 2
    correlate_new(integration=integration)
    assert len(told(integration)) == 2


def test_a_row_that_does_not_open_stops_no_other_note(integration) -> None:
    store(integration, [*sent("N-1"), *sent("N-2", 60)])
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE notes_logentry SET sealed = '\\x00' WHERE note_hash = %s", [external_hash(integration, "N-1")]
        )
    correlate_new(integration=integration)
    assert [note.external_id for note in Note.objects.filter(integration=integration)] == ["N-2"]


def test_the_commands_print_what_the_contract_says(integration, tmp_path: Path) -> None:
    easy.write(60, tmp_path)
    store(integration, rows_in(tmp_path))
    out = io.StringIO()
    call_command("correlate", "--json", stdout=out)
    counts = json.loads(out.getvalue())
    assert set(counts) == {"notes", "changed", "orphans", "rows", "seconds"}
    out = io.StringIO()
    call_command("traces", stdout=out)
    found = [json.loads(line) for line in out.getvalue().splitlines()]
    truth = [json.loads(line) for line in (tmp_path / "truth.ndjson").read_text().splitlines()]
    assert {row.get("note_id") for row in found} == {fact["note_id"] for fact in truth}
    assert all(
        list(row) == ["note_id", "failure_mode", "broke_at", "match", "confidence", "clock_offset_s"] for row in found
    )
    newest = Trace.objects.latest("born_at")
    out = io.StringIO()
    call_command("traces", "--since", newest.born_at.isoformat(), stdout=out)
    assert [json.loads(line)["note_id"] for line in out.getvalue().splitlines()] == [newest.note.external_id]
    out = io.StringIO()
    call_command("correlate", "--since", newest.born_at.isoformat(), "--json", stdout=out)
    assert json.loads(out.getvalue())["changed"] == 0
    with pytest.raises(CommandError, match="ISO 8601"):
        call_command("correlate", "--since", "yesterday")
