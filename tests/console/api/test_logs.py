"""The door for log rows: what it takes, what it refuses and how it says so."""

import gzip
import json
import logging
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from console.accounts.models import AuditEntry
from console.integrations.models import SourceToken
from console.integrations.tokens import make_token, revoke, source_for
from console.notes.models import LogEntry, LogImport
from tests.console.builders import a_facility, a_person, an_integration
from tests.console.monitoring.rows import a_note_story, a_source, body

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@pytest.fixture
def source():
    return a_source(an_integration(a_facility()))


@pytest.fixture
def token(source):
    return make_token(source=source, name="scribe", by=a_person(source.facility))


def send(token: str | None, content: bytes, *, log: str = "scribe", type: str = "application/x-ndjson", **headers: str):
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    client = Client(enforce_csrf_checks=True)
    return client.post(f"/api/v1/logs/{log}", data=content, content_type=type, headers=headers)


def test_rows_are_taken_and_the_receipt_is_answered(source, token) -> None:
    story = a_note_story(1, AT)
    answer = send(token, body(story["scribe"]) + b'\n{"at": "Ada Example"}\n')
    assert answer.status_code == 202
    assert answer.json() == {
        "rows": 6, "stored": 5, "duplicate": 0, "quarantined": 1,
        "problems": [{"line": 6, "reason": "event is missing"}],
    }  # fmt: skip
    assert send(token, body(story["ehr"]), log="ehr").json()["stored"] == 3
    assert {entry.integration_id for entry in LogEntry.objects.all()} == {source.integration_id}
    assert set(LogImport.objects.values_list("via", "log")) == {("api", "scribe"), ("api", "ehr")}
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("type", ["application/x-ndjson; charset=utf-8", "application/json", "text/plain"])
def test_the_usual_content_types_are_taken(token, type) -> None:
    assert send(token, body(a_note_story(1, AT)["scribe"]), type=type).status_code == 202


def test_a_packed_body_is_unpacked(token) -> None:
    rows = body(a_note_story(1, AT)["scribe"])
    packed = gzip.compress(rows[:100]) + gzip.compress(rows[100:])
    assert send(token, packed, **{"content-encoding": "gzip"}).json()["stored"] == 5


@pytest.mark.parametrize("wrong", [None, "", "nt_", "nt_" + "x" * 43, "something", "ütf"])
def test_without_a_valid_token_nothing_is_read(source, wrong) -> None:
    answer = send(wrong, b"{}" if wrong is None else b"{")
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/json"
    assert answer["WWW-Authenticate"] == "Bearer"
    assert not LogImport.objects.exists()


def test_a_session_opens_nothing(source) -> None:
    client = Client()
    client.force_login(a_person(source.facility))
    assert client.post("/api/v1/logs/scribe", data=b"{}", content_type="application/json").status_code == 401


def test_a_revoked_token_is_refused_and_both_acts_are_recorded(source, token) -> None:
    row = SourceToken.objects.get()
    revoke(token=row, by=None)
    revoke(token=row, by=None)
    assert send(token, b"{}").status_code == 401
    acts = AuditEntry.objects.filter(object_id=str(row.id)).values_list("action", flat=True)
    assert sorted(acts) == ["source_token.made", "source_token.revoked"]


def test_only_a_digest_of_the_token_is_kept_and_its_use_is_noted_at_most_once_a_minute(source, token) -> None:
    row = SourceToken.objects.get()
    assert len(token) >= 3 + 43
    assert token.encode() not in bytes(row.digest)
    assert not AuditEntry.objects.filter(detail__icontains=token[:12]).exists()
    source_for(token)
    first = SourceToken.objects.get().last_used_at
    source_for(token)
    assert SourceToken.objects.get().last_used_at == first
    SourceToken.objects.update(last_used_at=timezone.now() - timedelta(minutes=2))
    source_for(token)
    assert SourceToken.objects.get().last_used_at > first


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch", "head", "options"])
def test_other_methods_are_refused(token, method) -> None:
    answer = getattr(Client(), method)("/api/v1/logs/ehr", headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 405
    assert answer["Allow"] == "POST"


@pytest.mark.parametrize("type", ["application/xml", "multipart/form-data; boundary=x", "text/csv", ""])
def test_other_content_types_are_refused(token, type) -> None:
    assert send(token, b"{}", type=type).status_code == 415


def test_an_unknown_coding_is_refused(token) -> None:
    assert send(token, b"{}", **{"content-encoding": "br"}).status_code == 415


@pytest.mark.parametrize("content", [b"", b"\n \r\n"])
def test_an_empty_body_is_refused(token, content) -> None:
    assert send(token, content).status_code == 400


def test_too_much_is_refused_plain_and_packed(token) -> None:
    assert send(token, b"x" * (10 * 1024 * 1024 + 1)).status_code == 413
    bomb = gzip.compress(b"\0" * (64 * 1024 * 1024))
    assert len(bomb) < 100_000
    assert send(token, bomb, **{"content-encoding": "gzip"}).status_code == 413
    assert not LogImport.objects.exists()


@pytest.mark.parametrize(
    "content", [b"not packed", gzip.compress(b"{}")[:-9], gzip.compress(b"{}") + b"rest", gzip.compress(b"") * 70]
)
def test_broken_packing_is_refused(token, content) -> None:
    assert send(token, content, **{"content-encoding": "gzip"}).status_code == 400


def test_a_key_makes_a_request_happen_once(token) -> None:
    rows = body(a_note_story(1, AT)["scribe"])
    first = send(token, rows, **{"idempotency-key": "a1"})
    again = send(token, rows, **{"idempotency-key": "a1"})
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json() == first.json()
    assert send(token, rows + b"\n", **{"idempotency-key": "a1"}).status_code == 422
    assert send(token, rows, **{"idempotency-key": "k" * 201}).status_code == 400


def test_at_most_twenty_problems_are_answered(token) -> None:
    answer = send(token, b"x\n" * 50).json()
    assert answer["quarantined"] == 50
    assert [problem["line"] for problem in answer["problems"]] == list(range(1, 21))


def test_neither_token_nor_content_is_logged_or_answered(token, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    rows = body(a_note_story("secret77", AT)["scribe"]) + b'\n{"patient": "Ada Example"}\nAda Example'
    told = send(token, rows).content.decode() + send(token + "x", rows).content.decode()
    told += send(token, rows, type="application/xml").content.decode() + caplog.text
    assert json.loads(send(token, rows).content)["quarantined"] == 2
    for secret in (token, token[3:20], "secret77", "Ada"):
        assert secret not in told


@pytest.mark.parametrize("log", ["firewall", "proxy"])
def test_the_logs_of_network_devices_are_taken(token, log) -> None:
    row = {"at": AT.isoformat(), "action": "drop", "destination": "203.0.113.7", "port": 443, "method": "CONNECT"}
    wrong = {"at": AT.isoformat(), "action": "maybe", "status": "unknown"}
    answer = send(token, body([row, wrong]), log=log).json()
    assert (answer["stored"], answer["quarantined"]) == (1, 1)
    assert LogEntry.objects.get().log == log


def test_a_receipt_can_be_asked_for_later_by_the_same_source_only(token, source) -> None:
    answer = send(token, body(a_note_story(1, AT)["scribe"]) + b"\nbroken")
    where = answer["Location"]

    def ask(bearer: str | None):
        return Client().get(where, headers={"authorization": f"Bearer {bearer}"} if bearer else {})

    told = ask(token).json()
    assert where == f"/api/v1/imports/{told['id']}"
    assert (told["state"], told["log"], told["reason"]) == ("done", "scribe", "")
    assert {key: told[key] for key in answer.json()} == answer.json()
    elsewhere = make_token(source=a_source(an_integration(source.facility)), name="other", by=None)
    assert ask(elsewhere).status_code == 404
    assert ask(None).status_code == 401
    assert Client().post(where, headers={"authorization": f"Bearer {token}"}).status_code == 405


def test_audit_events_are_taken_as_a_bundle_over_many_lines_and_as_ndjson(token) -> None:
    event = {
        "resourceType": "AuditEvent", "recorded": AT.isoformat(), "action": "C", "outcome": "0",
        "entity": [{"what": {"reference": "DocumentReference/9", "identifier": {"value": "TX-1"}}}],
    }  # fmt: skip
    bundle = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": event}]}
    whole = json.dumps(bundle, indent=2).encode()
    assert send(token, whole, log="ehr", type="application/fhir+json").json()["stored"] == 1
    again = send(token, json.dumps(event).encode(), log="ehr", type="application/fhir+ndjson").json()
    assert again["duplicate"] == 1
    assert send(token, whole, log="scribe", type="application/fhir+json").status_code == 415
    assert send(token, b"<Bundle/>", log="ehr", type="application/fhir+json").json()["quarantined"] == 1
    assert LogEntry.objects.count() == 1
