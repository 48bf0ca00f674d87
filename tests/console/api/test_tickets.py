"""Tickets for other systems: one a key, every refusal by its field, no more told than was sent."""

import json
import logging
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from console.accounts.models import AuditEntry
from console.diagnoses.models import Run
from console.integrations.tokens import make_token, revoke
from console.notes.models import Note, Trace
from console.tickets.models import Ticket, TicketEvent, TicketReport
from tests.console.builders import a_department, a_facility, a_note, a_ticket, an_integration
from tests.console.monitoring.rows import a_source

pytestmark = pytest.mark.django_db
WHERE = "/api/v1/tickets"


@pytest.fixture
def source():
    return a_source(an_integration(a_facility()))


@pytest.fixture
def token(source):
    return make_token(source=source, name="help desk", by=None, opens_tickets=True)


def send(token, body, *, key="k-1", type="application/json", **headers):
    if token:
        headers["authorization"] = f"Bearer {token}"
    if key:
        headers["idempotency-key"] = key
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Client(enforce_csrf_checks=True).post(WHERE, data=content, content_type=type, headers=headers)


def ask(token, number):
    return Client().get(f"{WHERE}/{number}", headers={"authorization": f"Bearer {token}"})


def test_a_report_opens_a_ticket_whose_diagnosis_is_asked_for(source, token) -> None:
    answer = send(
        token, {"note_id": "N-77", "encounter_id": "E-5", "severity": "wrong_patient", "reference": "INC-4711"}
    )
    assert answer.status_code == 201
    ticket = Ticket.objects.get()
    assert answer.json() == {
        "number": ticket.number, "state": "diagnosing", "joined": False, "matched": [],
        "url": f"http://127.0.0.1:8000/tickets/{ticket.number}/",
    }  # fmt: skip
    assert answer["Location"] == f"{WHERE}/{ticket.number}"
    assert "no-store" in answer["Cache-Control"]
    assert (ticket.opened_via, ticket.reference, ticket.severity) == ("api", "INC-4711", "a_wrong_patient")
    note = Note.objects.get()
    assert (note.external_id, note.identifiers["encounter_id"]) == ("N-77", "E-5")
    assert Run.objects.get().ticket_id == ticket.id
    assert [event.kind for event in ticket.events.all()][:2] == ["opened", "run_requested"]


def test_the_same_key_answers_the_same_and_opens_nothing_more(source, token) -> None:
    first = send(token, {"error": "unknown kid", "text": "Dr. Example misses a note"})
    again = send(token, b'{"text": "Dr. Example misses a note",\n "error": "unknown kid"}')
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert again["Location"] == first["Location"]
    assert Ticket.objects.count() == TicketReport.objects.count() == 1


def test_the_key_may_stand_in_the_body(token) -> None:
    assert send(token, {"text": "x", "idempotency_key": "a"}, key=None).status_code == 201
    assert send(token, {"text": "x"}, key="a").status_code == 200
    assert send(token, {"text": "x", "idempotency_key": "a"}, key="b").status_code == 400


def test_a_key_with_another_report_is_refused(token) -> None:
    send(token, {"text": "one"})
    answer = send(token, {"text": "two"})
    assert answer.status_code == 422
    assert "another report" in answer.json()["error"]
    assert Ticket.objects.count() == 1


def test_one_key_of_two_sources_is_two_keys(source, token) -> None:
    other = make_token(source=a_source(an_integration(a_facility())), name="x", by=None, opens_tickets=True)
    assert send(token, {"text": "one"}).status_code == send(other, {"text": "two"}).status_code == 201


@pytest.mark.parametrize(
    ("body", "names"),
    [
        (b"", "empty"),
        (b"{", "line 1, column 2"),
        (b"[]", "one JSON object"),
        (b"\xff{}", "UTF-8"),
        (b"[" * 100_000, "no JSON"),
        (b'{"text": "a", "text": "b"}', "twice"),
        ({}, "at least one of note_id"),
        ({"text": "   "}, "at least one of note_id"),
        ({"severity": "delayed", "reference": "INC-1"}, "at least one of note_id"),
        ({"text": "a", "patient_name": "b", "mrn": "c"}, "Unknown field: mrn, patient_name."),
        ({"text": "a", "<b>": "b"}, "Unknown field: one."),
        ({"text": 5}, "text must be a text"),
        ({"text": "a" * 20_001}, "text may have up to 20000 characters"),
        ({"error": "a\0b"}, "error holds a character"),
        (b'{"text": "\\ud800"}', "text holds a character"),
        ({"note_id": "N\n1"}, "note_id holds a character"),
        ({"note_id": "N" * 201}, "note_id may have up to 200"),
        ({"text": "a", "severity": "a_wrong_patient"}, "severity must be one of wrong_patient, undocumented"),
        ({"text": "a", "severity": []}, "severity must be one of"),
        ({"text": "a", "reference": "Ada Example, born 1950"}, "reference is a number"),
        ({"text": "a", "reported_at": "yesterday"}, "reported_at must be an ISO 8601 time"),
        ({"text": "a", "reported_at": "2026-11-22T17:12:00"}, "with its offset"),
        ({"text": "a", "reported_at": "0001-01-01T00:00:00+14:00"}, "reported_at must lie"),
        ({"text": "a", "reported_at": "2999-01-01T00:00:00Z"}, "not in the future"),
        ({"text": "a", "join": "yes"}, "join must be true or false"),
        ({"text": "a", "idempotency_key": "a" * 201}, "idempotency_key may have up to 200"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_made(token, body, names) -> None:
    answer = send(token, body, key="k" if not isinstance(body, dict) or "idempotency_key" not in body else None)
    assert answer.status_code == 400
    assert names in answer.json()["error"]
    assert not Ticket.objects.exists()
    assert not Note.objects.exists()


@pytest.mark.parametrize(
    ("status", "change"),
    [
        (415, {"type": "text/plain"}),
        (415, {"content-encoding": "gzip"}),
        (400, {"key": None}),
        (400, {"key": "k" * 201}),
        (413, {"body": b'{"text": "' + b"a" * 262_144 + b'"}'}),
        (401, {"token": None}),
        (401, {"token": "nt_" + "x" * 43}),
    ],
)
def test_each_refusal_has_its_status_and_a_sentence(token, status, change) -> None:
    asked = {"token": token, "body": {"text": "a"}, **change}
    answer = send(asked.pop("token"), asked.pop("body"), **asked)
    assert answer.status_code == status
    assert len(answer.json()["error"].split()) > 4
    assert not Ticket.objects.exists()


def test_a_token_for_logs_alone_opens_no_ticket_and_that_is_recorded_of_one_that_does(source, token) -> None:
    logs = make_token(source=source, name="logs", by=None)
    answer = send(logs, {"text": "a"})
    assert answer.status_code == 403
    assert ask(logs, 1).status_code == 403
    made = AuditEntry.objects.filter(action="source_token.made").order_by("at")
    assert [entry.detail.get("opens") for entry in made] == ["tickets", None]


def test_a_revoked_token_opens_nothing(source, token) -> None:
    revoke(token=source.tokens.get(), by=None)
    assert send(token, {"text": "a"}).status_code == 401


def test_a_source_without_an_integration_says_so(token, source) -> None:
    source.integration = None
    source.save()
    answer = send(token, {"text": "a"})
    assert answer.status_code == 422
    assert "belongs to no integration" in answer.json()["error"]


def test_a_source_opens_so_many_a_minute_and_repeats_are_free(token, settings) -> None:
    settings.TICKETS_API_PER_MINUTE = 2
    assert [send(token, {"text": "a"}, key=key).status_code for key in ("1", "2", "3", "1")] == [201, 201, 429, 200]
    refused = send(token, {"text": "a"}, key="3")
    assert refused["Retry-After"] == "60"
    TicketReport.objects.update(at=timezone.now() - timedelta(minutes=2))
    assert send(token, {"text": "a"}, key="3").status_code == 201


def test_a_known_note_is_found_by_any_id_and_open_tickets_that_hold_it_are_told(source, token) -> None:
    note = a_note(source.integration, external_id="N-1", transaction_id="TX-1", encounter_id="E-1")
    first = a_ticket(source.integration, note)
    for number, (name, value) in enumerate(
        {"note_id": "N-1", "transaction_id": "TX-1", "encounter_id": "Encounter/E-1"}.items()
    ):
        answer = send(token, {name: value}, key=f"k-{number}").json()
        assert {"number": first.number, "why": "the same note"}.items() <= answer["matched"][-1].items()
    assert Note.objects.get() == note
    assert Ticket.objects.count() == 4


def test_with_join_the_report_goes_onto_the_ticket_that_matches(source, token) -> None:
    ticket = a_ticket(source.integration, a_note(source.integration, external_id="N-1"))
    Ticket.objects.filter(pk=ticket.pk).update(cause="net.tls.expired")
    answer = send(token, {"note_id": "N-2", "error": "certificate has expired", "reference": "INC-9", "join": True})
    assert answer.status_code == 201
    assert answer.json()["joined"] is True
    assert answer.json()["number"] == ticket.number
    assert {row.note.external_id for row in ticket.ticket_notes.all()} == {"N-1", "N-2"}
    assert ticket.reports.get().reference == "INC-9"
    assert Ticket.objects.count() == 1
    kinds = list(ticket.events.values_list("kind", "before").order_by("at", "id"))
    assert kinds.count(("note_added", "")) == 1
    assert ("note_added", "reported") in kinds
    ticket.refresh_from_db()
    assert ticket.run is not None  # it had none


def test_join_never_joins_by_the_integration_alone(source, token) -> None:
    a_ticket(source.integration, a_note(source.integration))
    answer = send(token, {"text": "something else", "join": True}).json()
    assert answer["joined"] is False
    assert [one["why"] for one in answer["matched"]] == ["the same integration"]
    assert Ticket.objects.count() == 2


def test_two_reports_of_one_note_with_join_are_one_ticket(token) -> None:
    numbers = {send(token, {"note_id": "N-1", "join": True}, key=key).json()["number"] for key in "abc"}
    assert len(numbers) == 1


def test_of_a_restricted_department_a_system_hears_of_its_own_note_alone(source, token) -> None:
    shut = a_department(source.facility, restricted=True)
    a_ticket(source.integration, a_note(source.integration, external_id="N-1", department=shut))
    assert send(token, {"text": "x"}, key="1").json()["matched"] == []
    answer = send(token, {"note_id": "N-1"}, key="2").json()
    assert "the same note" in [one["why"] for one in answer["matched"]]


def test_a_ticket_of_another_facility_never_matches(source, token) -> None:
    other = an_integration(a_facility())
    note = a_note(other, external_id="N-1")
    a_ticket(other, note)
    assert send(token, {"note_id": "N-1"}).json()["matched"] == []
    assert Note.objects.count() == 2


def test_the_same_error_of_the_log_matches(source, token) -> None:
    now = timezone.now()
    notes = [a_note(source.integration) for _ in range(2)]
    for note in notes:
        Trace.objects.create(
            facility=source.facility, integration=source.integration, note=note, failure_mode="rejected",
            signature="no such profile <n>", born_at=now, last_at=now,
        )  # fmt: skip
    ticket = a_ticket(source.integration, notes[0])
    answer = send(token, {"note_id": notes[1].external_id}).json()
    assert [(one["number"], one["why"]) for one in answer["matched"]] == [(ticket.number, "the same error")]


def test_a_report_is_kept_sealed_and_not_logged(source, token, caplog) -> None:
    with caplog.at_level(logging.DEBUG):
        send(token, {"text": "Ada Example misses a note", "contact": "Dr. Example, 555", "note_id": "N-secret"})
    row = TicketReport.objects.get()
    assert row.text == "Text: Ada Example misses a note\nContact: Dr. Example, 555"
    assert row.ticket.pasted == "Ada Example misses a note"
    assert "Example" not in caplog.text
    assert "N-secret" not in caplog.text
    assert "N-secret" not in json.dumps(row.answer)


def test_how_a_ticket_stands_is_told_to_whoever_reported_it(source, token) -> None:
    number = send(token, {"note_id": "N-1"}).json()["number"]
    told = ask(token, number).json()
    assert told["state"] == "diagnosing"
    assert told["taken"] is False
    assert told["category"] is None
    assert told["notes"] == {"waiting": 1, "in_chart": 0, "by_hand": 0, "not_needed": 0}
    Ticket.objects.update(category="network", cause="net.tls.expired")
    assert ask(token, number).json()["category"] == "network"
    other = make_token(source=a_source(an_integration(a_facility())), name="x", by=None, opens_tickets=True)
    assert ask(other, number).status_code == 404
    assert ask(token, a_ticket(source.integration).number).status_code == 404
    assert Client().delete(f"{WHERE}/{number}").status_code == 405
    assert TicketEvent.objects.filter(kind="opened").count() == 2
