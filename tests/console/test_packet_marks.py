"""Marks of a patient planted in every place a packet is made of: none of its forms holds one.

The marks are written by chance for each example, so that no list of known words can let them through. What the console
knows of the note (ids, names, payload, narrative) is planted everywhere; what nobody knew is planted in texts.
"""

import io
import json
import re
import zipfile
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.notes.log_rows import store_rows
from console.tickets.packet import as_json, packet
from console.tickets.packet_paper import pdf_of
from console.tickets.packet_sending import file_of
from console.tickets.packet_text import as_text
from console.tickets.packet_words import is_own
from tests.console.builders import a_facility, a_note, a_ticket, an_integration
from tests.console.pages.documents import a_check, a_document, a_run, a_step

pytestmark = pytest.mark.django_db(transaction=False)

AT = datetime(2026, 11, 20, 15, 4, 5, tzinfo=UTC)
CONSONANT, VOWEL = st.sampled_from("bdfgklmnprstvwz"), st.sampled_from("aeiou")


@st.composite
def names(draw: st.DrawFn) -> str:
    """Give a name that is no word of ours."""
    name = "".join(draw(CONSONANT) + draw(VOWEL) for _ in range(draw(st.integers(3, 5)))).capitalize()
    return name if not is_own(name) else f"{name}zq"


digits = st.integers(10**6, 10**9 - 1).map(str)
births = st.dates(min_value=datetime(1920, 1, 1).date(), max_value=datetime(2025, 12, 31).date()).map(str)


def tokens() -> st.SearchStrategy[str]:
    return st.text("abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", min_size=24, max_size=40)


@st.composite
def patients(draw: st.DrawFn) -> dict[str, str]:
    """Give everything about a patient, a provider and a secret that must not leave the house."""
    return {
        "family": draw(names()),
        "given": draw(names()),
        "author": draw(names()),
        "birth": draw(births),
        "mrn": draw(digits),
        "phone": draw(digits),
        "note_id": f"N-{draw(digits)}",
        "encounter_id": f"E-{draw(digits)}",
        "patient_id": f"P-{draw(digits)}",
        "provider_id": f"prov-{draw(digits)}",
        "drug": draw(names()),
        "complaint": draw(names()),
        "token": draw(tokens()),
        "street": draw(names()),
    }


def everything(p: dict[str, str]) -> str:
    """Write all of it in one sentence, as servers and people do."""
    return (
        f"Patient {p['given']} {p['family']} ({p['birth']}, MRN {p['mrn']}, tel {p['phone']}) of {p['street']} in"
        f" Encounter/{p['encounter_id']} Patient/{p['patient_id']} by {p['author']} {p['provider_id']} note"
        f" {p['note_id']}: {p['complaint']}, takes {p['drug']}; Bearer {p['token']}"
        f" https://fhir.ehr.example/r4/Patient/{p['patient_id']}/{p['family']}?name={p['family']}&birthdate={p['birth']}"
    )


def a_resource(p: dict[str, str]) -> bytes:
    resource = {
        "resourceType": "DocumentReference",
        p["family"]: p["given"],  # a key that somebody made up
        "id": p["note_id"],
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": "tx-5581"}],
        "subject": {"reference": f"Patient/{p['patient_id']}", "display": f"{p['given']} {p['family']}"},
        "contained": [
            {
                "resourceType": "Patient",
                "name": [{"family": p["family"], "given": [p["given"]]}],
                "birthDate": p["birth"],
                "identifier": [{"value": p["mrn"]}],
                "telecom": [{"value": p["phone"]}],
                "address": [{"line": [p["street"]]}],
            },
            {"resourceType": "Practitioner", "name": [{"family": p["author"]}]},
        ],
        "content": [{"attachment": {"contentType": "text/plain", "data": "QUJD", "title": p["complaint"]}}],
    }
    return json.dumps(resource).encode()


def a_message(p: dict[str, str]) -> bytes:
    born = p["birth"].replace("-", "")
    lines = [
        "MSH|^~\\&|SCRIBE|A|EHR|B|20261120150405||MDM^T02|tx-5581|P|2.5.1",
        f"PID|1||{p['mrn']}^^^A||{p['family']}^{p['given']}||{born}|||{p['street']}||{p['phone']}",
        f"TXA|1|CN|TX|20261120150405|{p['provider_id']}^{p['author']}|||||||{p['note_id']}",
        f"OBX|1|TX|NOTE||{p['complaint']}: takes {p['drug']}",
        f"Z{p['family'][:2].upper()}|{p['given']}",
    ]
    return "\r".join(lines).encode()


def a_ticket_of(p: dict[str, str], *, hl7: bool) -> Any:
    facility = a_facility()
    integration = an_integration(
        facility,
        settings={
            "fhir_base_url": "https://fhir.ehr.example/r4",
            "auth": {"client_id": "scribe", "token_url": f"https://{p['family'].lower()}:{p['token']}@auth.ehr.example/token"},
            "canary": {"patient": f"Patient/{p['patient_id']}"},
        },
        secrets={"auth.client_secret": p["token"]},
    )  # fmt: skip
    note = a_note(
        integration,
        external_id=p["note_id"],
        transaction_id="tx-5581",
        encounter_id=f"Encounter/{p['encounter_id']}",
        patient_id=p["patient_id"],
        provider_id=p["provider_id"],
        payload=a_message(p) if hl7 else a_resource(p),
        payload_name="note.hl7" if hl7 else "note.json",
        narrative=f"HPI: {p['given']} {p['family']} has {p['complaint']}.\nPlan: continue {p['drug']} twice daily.",
    )
    said = everything(p)
    ids = {"note_id": p["note_id"], "transaction_id": "tx-5581", "encounter_id": p["encounter_id"]}
    ids |= {"patient_id": p["patient_id"], "provider_id": p["provider_id"]}
    url = f"https://fhir.ehr.example/r4/Patient/{p['patient_id']}/{p['family']}/{p['mrn']}?name={p['given']}&t={p['token']}"
    sent = {
        "method": "POST", "url": url, "content_type": f"text/{p['family'].lower()}", "request_id": "rq-31",
        "extra": {"request_headers": {"Authorization": f"Bearer {p['token']}", f"X-{p['family']}": "1", "X-A": said}},
    }  # fmt: skip
    response_headers = {
        "location": url, "server": p["family"], "x-request-id": f"rq-{p['family']}-{p['mrn']}", "etag": p["token"],
        "www-authenticate": f'Bearer realm="{p["family"]}", error="invalid_token", error_description="{said}"',
        "content-type": f"text/html; charset={p['given'].lower()}", "set-cookie": p["token"], "x-patient": p["mrn"],
        "retry-after": "120", f"x-{p['mrn']}": "1", "via": p["street"], "cache-control": p["drug"], "date": p["birth"],
    }  # fmt: skip
    rows = [
        {"at": AT, "event": "generated", **ids},
        {"at": AT, "event": "token", **ids, "url": f"https://auth.ehr.example/token/{p['mrn']}?x={p['token']}"},
        {"at": AT, "event": "failed", "status": 400, "error": said, **ids, "request_id": f"{p['patient_id']}-7"},
        {"at": AT, "event": "sent", **sent, **ids},
        {"at": AT, "event": "failed", "status": 422, "error": said, "response_headers": response_headers, **ids},
    ]
    store_rows(facility_id=facility.id, integration=integration, log="scribe", rows=rows)
    ticket = a_ticket(integration, note)
    evidence = {
        "status": 422, "first": "2026-11-20T15:04:05Z", "birth": p["birth"], "mrn": int(p["mrn"]), "text": said,
        "patients": [p["family"]], p["family"].lower(): 3, "days": 12, "seen": True, "at": f"{p['birth']}T00:00:00Z",
        "count": int(p["patient_id"].removeprefix("P-")), "person": {"name": p["family"]},
    }  # fmt: skip
    checks = [a_check("auth.assertion.kid", "failed", says=said, evidence=evidence),
              a_check("fhir.payload.required", "warning", says=f"{p['family']}: {p['drug']} {p['birth']}")]  # fmt: skip
    document = a_document(steps=[a_step(1, *checks)])
    a_run(ticket, document=document)
    return ticket


def forms_of(ticket: Any) -> dict[str, str]:
    content = as_json(packet(ticket))
    archive = zipfile.ZipFile(io.BytesIO(file_of(content, "zip")))
    assert sorted(name.rpartition(".")[2] for name in archive.namelist()) == ["json", "pdf", "txt"]
    return {
        "text": as_text(packet(ticket)),
        "json": archive.read(next(n for n in archive.namelist() if n.endswith("json"))).decode(),
        # What typst sets from the same content, readable: the PDF's own words are looked at in test_packet_forms.py.
        "pdf": re.sub(r"<[^>]*>", "", pdf_of(content, "html").decode()),
    }


@pytest.mark.parametrize("hl7", [False, True], ids=["fhir", "hl7"])
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(p=patients())
def test_no_form_of_a_packet_holds_a_mark(hl7: bool, p: dict[str, str]) -> None:
    forms = forms_of(a_ticket_of(p, hl7=hl7))
    marks = {*p.values(), p["birth"].replace("-", ""), p["token"][:12], *(f"Patient/{p['patient_id']}",)}
    marks |= {p[key].partition("-")[2] for key in ("note_id", "encounter_id", "patient_id", "provider_id")}
    for form, content in forms.items():
        lowered = content.lower()
        assert [mark for mark in marks if mark.lower() in lowered] == [], form
        # and it is no empty paper: what finds the request stands in each
        assert "rq-31" in content
        assert "2026-11-20T15:04:05.000Z" in content
        assert "fhir.ehr.example" in content
        assert "invalid_token" in content
        assert "120" in content


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(p=patients())
def test_what_nobody_knew_is_left_out_of_texts_by_its_shape(p: dict[str, str]) -> None:
    """The console knows nothing of this note: no payload, no ids. Only words of ours, times and numbers pass."""
    integration = an_integration(a_facility())
    ticket = a_ticket(integration, a_note(integration, external_id="N-1"))
    a_run(ticket, document=a_document(steps=[a_step(1, a_check("auth.assertion.kid", "failed", says=everything(p)))]))
    text = as_text(packet(ticket))
    assert [mark for mark in p.values() if mark.lower() in text.lower()] == []
