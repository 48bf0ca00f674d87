"""Correlation alone makes notes; whoever asks for one whose rows came a moment ago finds it all the same."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console.accounts.keys import keyring
from console.notes.by_error import with_error
from console.notes.correlation import asked, correlate_new, correlate_note
from console.notes.correlation.loading import Keys
from console.notes.intake import take_body, take_rows
from console.notes.models import LogBatch, Note, Trace
from console.notes.queries import find
from console.notes.services import external_hash
from console.tickets.models import Ticket
from tests.console.builders import a_department, a_facility, a_note, a_person, an_integration
from tests.console.monitoring.rows import a_note_story, a_source, body, lines, take
from tests.console.pages.documents import logged_in

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@pytest.fixture
def facility():
    return a_facility()


@pytest.fixture
def integration(facility):
    return an_integration(facility)


@pytest.fixture
def person(facility):
    return a_person(facility)


def statements(do) -> list[str]:
    with CaptureQueriesContext(connection) as caught:
        do()
    return [one["sql"] for one in caught]


def test_taking_rows_in_makes_no_note_and_correlation_does(integration) -> None:
    source = a_source(integration)
    take_body(source=source, log="scribe", body=body(a_note_story(1, AT)["scribe"]), via="api")
    assert not Note.objects.exists()
    correlate_new(integration=integration)
    assert Note.objects.get().external_id == "N-1"


@pytest.mark.parametrize("pasted", ["N-1", "TX-1", "E-1", "Encounter/E-1"])
def test_a_ticket_is_opened_for_a_note_whose_log_was_pasted_a_moment_ago(integration, person, pasted) -> None:
    client = logged_in(person)
    rows = body(a_note_story(1, AT, ends="refused")["scribe"]).decode()
    client.post("/monitoring/logs/", {"integration": integration.id, "log": "scribe", "pasted": rows})
    answer = client.post("/tickets/open/", {"pasted": pasted, "step": "look"})
    assert "Note <b>N-1</b>" in answer.content.decode()
    client.post("/tickets/open/", {"pasted": pasted, "step": "open"})
    note = Note.objects.get()
    assert [row.note for row in Ticket.objects.get().ticket_notes.all()] == [note]
    assert note.identifiers["encounter_id"] == "E-1"
    assert note.trace.failure_mode == note.failure_mode == "rejected"


def test_an_error_that_was_logged_a_moment_ago_leads_to_its_note(integration, person) -> None:
    take(integration, a_note_story(1, AT, ends="refused"), a_note_story(2, AT))
    assert [note.external_id for note in with_error(person, "unknown profile")] == ["N-1"]
    assert Note.objects.count() == 1, "the others are left to the minute's run"


def test_an_error_is_not_looked_for_in_a_whole_backlog(integration, person, monkeypatch) -> None:
    take(integration, a_note_story(1, AT, ends="refused"))
    monkeypatch.setattr(asked, "MOST_SEARCHED", 2)
    assert not with_error(person, "unknown profile")


@pytest.mark.parametrize("typed", ["N-5", "TX-5", "E-5", "req-5", "DOC-5"])
def test_the_box_finds_a_note_whose_rows_came_a_moment_ago(integration, person, typed) -> None:
    story = a_note_story(5, AT)
    for row in story["ehr"]:
        row["resource"] = "DocumentReference/DOC-5"
    take(integration, story, a_note_story(6, AT))
    answer = logged_in(person).post("/notes/", {"asked": typed})
    assert (answer.status_code, answer.url) == (302, f"/notes/{Note.objects.get().id}/")
    assert Note.objects.get().external_id == "N-5"
    assert LogBatch.objects.filter(correlated_at=None).count() == 2, "one note was told, the batches still wait"


def test_a_later_transaction_of_a_known_note_finds_it_at_once(integration, person) -> None:
    take(integration, a_note_story(1, AT))
    correlate_new(integration=integration)
    again = {"at": (AT + timedelta(minutes=9)).isoformat(), "event": "sent", "note_id": "N-1", "transaction_id": "TX-9"}
    take(integration, {"scribe": [again], "ehr": []})
    assert [note.external_id for note in find(person, "TX-9")] == ["N-1"]


def test_what_is_told_so_the_minutes_run_takes_up(integration, person) -> None:
    take(integration, *(a_note_story(n, AT + timedelta(minutes=n)) for n in range(4)))
    take(integration, a_note_story("lost", AT, ends="refused"))
    find(person, "N-lost")
    told = ("id", "note_id", "failure_mode", "keys", "confidence", "signature")
    first = Trace.objects.values(*told).get()
    correlate_new(integration=integration)
    assert Trace.objects.values(*told).get(pk=first["id"]) == first
    assert Note.objects.count() == 5


def test_a_note_with_a_payload_learns_its_ids_from_the_log(integration, person) -> None:
    known = a_note(integration, external_id="N-1", payload=b"{}", payload_name="note.json")
    take(integration, a_note_story(1, AT))
    assert find(person, "TX-1").get() == known
    known.refresh_from_db()
    assert (known.generated_at, known.provider, known.payload) == (AT, "prov-7", b"{}")
    assert known.identifiers["patient_id"] == "P-1"
    assert known.trace.provider == "prov-7"


def test_a_notes_page_tells_what_came_a_moment_ago(integration, person) -> None:
    story = a_note_story(1, AT)
    take(integration, {"scribe": story["scribe"], "ehr": []}, a_note_story(2, AT))
    correlate_new(integration=integration)
    note = Note.objects.get(external_hash=external_hash(integration, "N-1"))
    page = f"/notes/{note.id}/"
    client = logged_in(person)
    assert note.trace.failure_mode != "delivered"
    take(integration, {"scribe": [], "ehr": story["ehr"]})
    assert client.get(page).status_code == 200
    assert Trace.objects.get(note=note).failure_mode == "delivered"
    assert LogBatch.objects.filter(correlated_at=None).count() == 1


def test_a_notes_page_leaves_other_notes_rows_to_the_minutes_run(integration, person) -> None:
    take(integration, a_note_story(1, AT))
    correlate_new(integration=integration)
    note = Note.objects.get()
    client = logged_in(person)
    client.get(f"/notes/{note.id}/")
    take(integration, a_note_story(2, AT))
    asked_for = statements(lambda: client.get(f"/notes/{note.id}/"))
    assert not any("INSERT INTO notes_" in one or "lock_timeout" in one for one in asked_for)
    assert Note.objects.get() == note


def test_notes_of_other_facilities_and_closed_departments_are_not_found(integration, facility, person) -> None:
    shut = a_department(facility, restricted=True)
    take(integration, a_note_story(1, AT, department=shut.slug))
    elsewhere = an_integration(a_facility())
    take(elsewhere, a_note_story(2, AT))
    assert not find(person, "N-1")
    assert not find(person, "N-2")
    assert not Note.objects.filter(integration=elsewhere).exists()


def test_an_id_in_rows_of_the_ehr_alone_tells_nothing_and_breaks_nothing(integration, person) -> None:
    rows = [{"at": AT.isoformat(), "event": "filed", "note_id": "N-1", "encounter_id": "E-1"}]
    take_rows(source=a_source(integration), log="ehr", lines=lines(rows))
    note = a_note(integration, external_id="N-1")
    assert list(find(person, "N-1")) == [note]
    take(integration, {"scribe": [{"at": AT.isoformat(), "event": "generated", "note_id": "N-2"}], "ehr": []})
    assert list(find(person, "N-1")) == [note]
    assert correlate_note(note) is None


def test_where_nothing_waits_a_search_costs_one_statement_more_however_many_notes(integration, person) -> None:
    take(integration, a_note_story(1, AT))
    correlate_new(integration=integration)
    list(find(person, "N-1"))  # a person's rights are read once
    asking = statements(lambda: list(find(person, "N-1")))
    take(integration, *(a_note_story(n, AT) for n in range(2, 40)))
    correlate_new(integration=integration)
    assert len(statements(lambda: list(find(person, "N-1")))) == len(asking)
    assert sum("notes_logbatch" in one for one in asking) == 1
    assert not any("notes_logentry" in one for one in asking)


def test_no_more_than_some_notes_are_told_for_one_question(integration, facility) -> None:
    take(integration, *(a_note_story(n, AT + timedelta(minutes=n), encounter_id="E-all") for n in range(9)))
    newest = [external_hash(integration, f"N-{n}") for n in (8, 7, 6)]
    asked.tell_asked([facility.id], Keys(encounter={keyring(facility.id).hash("E-all", "encounter")}), most=3)
    assert {bytes(note.external_hash) for note in Note.objects.all()} == set(newest)


@pytest.mark.django_db(transaction=True)
def test_a_note_that_another_run_holds_is_left_to_it_after_a_while(monkeypatch) -> None:
    integration = an_integration(a_facility())
    take(integration, a_note_story(1, AT))
    monkeypatch.setattr(asked, "PATIENCE_MS", 50)
    keys = Keys(note={external_hash(integration, "N-1")})
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": psycopg.Cursor}) as other:
        other.execute("LOCK TABLE notes_note IN EXCLUSIVE MODE")
        asked.tell_asked([integration.facility_id], keys)
        assert not Trace.objects.exists()
    asked.tell_asked([integration.facility_id], keys)
    assert Trace.objects.get().note.external_id == "N-1"
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone()[0] == "0"
