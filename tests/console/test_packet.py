"""The packet for the vendor: what it names, what it never names, and where it goes."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from console.accounts.models import AuditEntry, OutgoingMail
from console.accounts.roles import Role
from console.integrations.models import Contact
from console.notes.log_rows import store_rows
from console.tickets.models import Ticket
from console.tickets.packet import packet
from console.tickets.packet_text import as_text
from tests.console.builders import a_facility, a_note, a_person, a_ticket, an_integration
from tests.console.pages.documents import a_document, a_run

pytestmark = pytest.mark.django_db

NEVER = ("N-77120", "E-40012", "P-90031", "prov-55", "Marwood", "hunter2-secret", "1961-03-14")


@pytest.fixture
def facility() -> Any:
    return a_facility()


@pytest.fixture
def ticket(facility) -> Any:
    settings = {"fhir_base_url": "https://fhir.ehr.example/r4", "auth": {"client_id": "scribe"}}
    integration = an_integration(facility, settings=settings, secrets={"auth.client_secret": "hunter2-secret"})
    payload = {
        "resourceType": "DocumentReference",
        "contained": [{"resourceType": "Patient", "name": [{"family": "Marwood"}], "birthDate": "1961-03-14"}],
    }
    note = a_note(
        integration,
        external_id="N-77120",
        transaction_id="tx-5581",
        encounter_id="Encounter/E-40012",
        patient_id="P-90031",
        provider_id="prov-55",
        payload=json.dumps(payload).encode(),
        payload_name="note.json",
    )
    at = datetime(2026, 11, 20, 15, 4, 5, tzinfo=UTC)
    shared = {"note_id": "N-77120", "transaction_id": "tx-5581", "request_id": "rq-31"}
    url = "https://fhir.ehr.example/r4/DocumentReference?patient=P-90031"
    refused = {"status": 422, "error": "Encounter E-40012 of Marwood is not found, author prov-55"}
    rows = [
        {"at": at, "event": "generated", **shared},
        {"at": at, "event": "sent", "method": "POST", "url": url, **shared},
        {"at": at, "event": "failed", "method": "POST", "url": url, **refused, **shared},
    ]
    store_rows(facility_id=facility.id, integration=integration, log="scribe", rows=rows)
    made = a_ticket(integration, note)
    document = a_document()
    document["steps"][0]["checks"][0] |= {"status": "failed", "says": "Encounter E-40012 of P-90031 was refused."}
    a_run(made, document=document)
    return Ticket.objects.get(pk=made.pk)


def client_of(person: Any) -> Client:
    client = Client()
    client.force_login(person)
    return client


def test_it_names_the_request_its_time_in_utc_and_its_answer(ticket) -> None:
    text = as_text(packet(ticket))
    assert "2026-11-20T15:04:05.000Z" in text
    assert "POST fhir.ehr.example/r4/DocumentReference  422" in text
    assert "request id rq-31, transaction id tx-5581" in text
    assert "- failed: Encounter [encounter] of [patient] was refused. (Checked was:" in text


def test_a_note_that_never_left_names_the_token_requests_that_failed(facility) -> None:
    integration = an_integration(facility)
    note = a_note(integration, external_id="N-1")
    at = datetime(2026, 11, 20, 15, 4, 5, tzinfo=UTC)
    asked = {"note_id": "N-1", "method": "POST", "url": "https://auth.ehr.example/token", "request_id": "rq-7"}
    rows = [
        {"at": at, "event": "generated", "note_id": "N-1"},
        {"at": at, "event": "token", **asked},
        {"at": at, "event": "failed", "status": 400, "error": '{"error": "invalid_client"}', **asked},
    ]
    store_rows(facility_id=facility.id, integration=integration, log="scribe", rows=rows)
    text = as_text(packet(a_ticket(integration, note)))
    assert "POST auth.ehr.example/token  400  request id rq-7" in text
    assert "invalid_client" in text


def test_it_names_no_patient_no_note_and_no_secret(ticket, facility) -> None:
    client = client_of(a_person(facility))
    sinks = [as_text(packet(ticket)), client.get(f"/tickets/{ticket.number}/packet/").content.decode()]
    for form in ("text", "json"):  # the three forms with marks everywhere: test_packet_marks.py
        answer = client.post(f"/tickets/{ticket.number}/packet/download/", {"format": form})
        assert "attachment" in answer["Content-Disposition"]
        sinks.append(answer.content.decode())
    for sink in sinks:
        assert [word for word in NEVER if word in sink] == []
    assert json.loads(sinks[-1])["requests"][0]["request_id"] == "rq-31"


def test_taking_it_along_and_mailing_it_are_recorded(ticket, facility) -> None:
    person = a_person(facility)
    contact = Contact.objects.create(integration=ticket.integration, name="Ira Lund", email="ira@vendor.example")
    client = client_of(person)
    client.post(f"/tickets/{ticket.number}/packet/download/", {"format": "text"})
    answer = client.post(f"/tickets/{ticket.number}/packet/mail/", {"contact": str(contact.id)})
    assert answer.status_code == 302
    mail = OutgoingMail.objects.get()
    assert (mail.to, mail.about) == ("ira@vendor.example", "packet")
    assert "rq-31" in mail.body
    assert list(AuditEntry.objects.filter(action__startswith="packet").values_list("action", flat=True)) == [
        "packet.mailed",
        "packet.taken",
    ]
    text = client.get(f"/tickets/{ticket.number}/").content.decode()
    assert "sent the packet for the vendor to Ira Lund" in text
    assert "took the packet for the vendor along" in text


def test_it_goes_to_contacts_of_the_integration_only(ticket, facility) -> None:
    elsewhere = Contact.objects.create(integration=an_integration(facility), name="X", email="x@vendor.example")
    mute = Contact.objects.create(integration=ticket.integration, name="Y")
    client = client_of(a_person(facility))
    for contact in (elsewhere.id, mute.id, "nobody"):
        assert client.post(f"/tickets/{ticket.number}/packet/mail/", {"contact": str(contact)}).status_code == 422
    assert not OutgoingMail.objects.exists()


def test_a_manager_sees_no_way_to_it(ticket, facility) -> None:
    manager = client_of(a_person(facility, Role.MANAGER))
    assert "Escalate to vendor" not in manager.get(f"/tickets/{ticket.number}/").content.decode()
    assert manager.get(f"/tickets/{ticket.number}/packet/").status_code == 403


def test_the_ehr_s_own_request_id_goes_before_ours_where_its_vendor_sends_one(facility, ticket) -> None:
    ticket.integration.vendor = "oracle-health"
    ticket.integration.save(update_fields=["vendor"])
    at = datetime(2026, 11, 20, 15, 9, 5, tzinfo=UTC)
    shared = {"note_id": "N-77120", "transaction_id": "tx-5581", "request_id": "rq-32"}
    url = "https://fhir.ehr.example/r4/DocumentReference"
    answer = {"status": 500, "response_headers": {"opc-request-id": "OPC-7741"}}
    rows = [
        {"at": at, "event": "sent", "method": "POST", "url": url, **shared},
        {"at": at, "event": "failed", "method": "POST", "url": url, **answer, **shared},
    ]
    store_rows(facility_id=facility.id, integration=ticket.integration, log="scribe", rows=rows)
    ids = [request.request_id for request in packet(ticket).requests]
    assert "OPC-7741" in ids
    assert "rq-31" in ids  # an answer without the header keeps the id that was sent
