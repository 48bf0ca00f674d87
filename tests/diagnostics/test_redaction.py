"""No secret and no clinical text leaves the engine."""

import json
from dataclasses import replace

from diagnostics import engine, serialize
from diagnostics.case import Auth
from diagnostics.redaction import MASK, Redactor, redact_text, secret_name
from tests.diagnostics.stories import case, integration, made, note, scribe

JWT = "eyJhbGciOiJSUzM4NCJ9.eyJpc3MiOiJzY3JpYmUifQ.c2lnbmF0dXJl"
SECRET = "planted-secret-0815"
NAME = "Plantedsurname"
SENTENCE = "The patient says that the planted sentence must never be seen."


def test_secrets_are_found_by_shape() -> None:
    pem = "-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----"
    for text in (
        JWT,
        f"Authorization: Bearer {SECRET}",
        f'"client_secret": "{SECRET}"',
        f"refresh_token={SECRET}",
        pem,
    ):
        assert SECRET not in redact_text(text)
        assert JWT not in redact_text(text)
        assert "MIIEvQ" not in redact_text(text)
        assert MASK in redact_text(text)


def test_what_is_no_secret_stays() -> None:
    for text in (
        "400 invalid_client",
        "token_endpoint https://auth.example.test/token",
        "kid 2026-05",
        "expires_in=300",
    ):
        assert redact_text(text) == text
    assert not secret_name("authorization_server")
    assert not secret_name("client_assertion_type")
    assert secret_name("Authorization")


def test_planted_secrets_and_names_are_in_no_document() -> None:
    payload = {
        "resourceType": "DocumentReference",
        "status": "current",
        "contained": [{"resourceType": "Patient", "name": [{"family": NAME, "given": ["Plantedgiven"]}]}],
    }
    body = json.dumps({"error": "invalid_client", "error_description": f"{NAME} sent {JWT} and {SECRET}: {SENTENCE}"})
    told = case(
        [*made(), scribe(2, "token"), scribe(3, "failed", status=401, error=body, transaction_id=None)],
        [],
        the_note=replace(note(), payload=json.dumps(payload).encode(), narrative=f"Subjective:\n{SENTENCE}\n"),
        integration=integration(auth=Auth(flow="client-secret", client_id="scribe", client_secret=SECRET)),
        filed={"found": True, "fields": {"HPI": SENTENCE}},
    )
    document = json.dumps(serialize.to_json(engine.run(told), told))
    for planted in (SECRET, JWT, NAME, "Plantedgiven", SENTENCE):
        assert planted not in document


def test_a_surname_that_is_an_everyday_word_does_not_blank_the_report() -> None:
    payload = b'{"resourceType":"Patient","name":[{"family":"Field"}]}'
    redactor = Redactor(replace(case([], []), note=note(payload=payload, payload_name="n.json")))
    out = redactor.data({"title": "The Field exists", "says": "Field is named here"})
    assert out == {"title": "The Field exists", "says": f"{MASK} is named here"}


def test_a_case_does_not_print_its_secrets() -> None:
    auth = Auth(
        client_secret=SECRET, refresh_token=SECRET, api_key=SECRET, assertion=SECRET, private_key=SECRET.encode()
    )
    assert SECRET not in repr(case([], [], integration=integration(auth=auth)))
