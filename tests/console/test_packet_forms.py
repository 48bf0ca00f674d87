"""A packet's forms say the same, are addressed, readable and useful; what left the house is kept as it left."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.accounts.models import AuditEntry, OutgoingMail
from console.accounts.roles import Role
from console.diagnoses.checklists import give
from console.diagnoses.models import ChecklistItemState
from console.integrations.models import Contact
from console.notes.log_rows import store_rows
from console.tickets.models import PacketSending, Ticket, VendorAnswer
from console.tickets.moves import TicketError
from console.tickets.packet import as_json, packet
from console.tickets.packet_paper import as_pdf
from console.tickets.packet_sending import content_of, file_of, mail_packet, take_along
from console.tickets.packet_shape import shape_of
from console.tickets.packet_text import as_text
from console.tickets.ticking import tick
from console.tickets.vendor_answers import note_answer
from tests.console.builders import a_facility, a_note, a_person, a_ticket, an_integration
from tests.console.pages.documents import a_check, a_document, a_run, a_step, logged_in
from tests.console.reports.printed import words_of

pytestmark = pytest.mark.django_db

PAGES = Path(__file__).parents[2] / "docs"
AT = datetime(2026, 11, 20, 15, 4, 5, tzinfo=UTC)


@pytest.fixture
def facility() -> Any:
    return a_facility()


@pytest.fixture
def ticket(facility) -> Any:
    settings = {"fhir_base_url": "https://fhir.ehr.example/r4", "auth": {"token_url": "https://auth.ehr.example/token"}}
    integration = an_integration(facility, settings=settings)
    resource = {
        "resourceType": "DocumentReference", "status": "current", "subject": {"reference": "Patient/P-90031"},
        "content": [{"attachment": {"contentType": "text/plain", "data": "QUJD" * 100}}, {"attachment": {}}],
    }  # fmt: skip
    note = a_note(integration, external_id="N-77120", transaction_id="tx-5581",
                  payload=json.dumps(resource).encode(), payload_name="note.json")  # fmt: skip
    ids = {"note_id": "N-77120", "transaction_id": "tx-5581", "request_id": "rq-31"}
    sent = {"method": "POST", "url": "https://fhir.ehr.example/r4/DocumentReference", "content_type": "text/plain"}
    answered = {
        "status": 500,
        "latency_ms": 412.4,
        "response_headers": {
            "server": "nginx/1.25.3",
            "retry-after": "30",
            "set-cookie": "a=b",
            "x-request-id": "EX-77",
        },
    }
    rows = [
        {"at": AT, "event": "generated", **ids},
        {"at": AT, "event": "sent", **sent, **ids},
        {"at": AT, "event": "failed", **sent, **answered, **ids},
        {"at": AT + timedelta(minutes=5), "event": "sent", **sent, **ids},
    ]
    store_rows(facility_id=facility.id, integration=integration, log="scribe", rows=rows)
    made = a_ticket(integration, note)
    evidence = {"status": 500, "bytes": 412, "retry_at": "2026-11-20T15:30:00+01:00", "names": ["a", "b"]}
    a_run(made, document=a_document(steps=[a_step(2, a_check("ehr.server.error", "failed", evidence=evidence))]))
    Ticket.objects.filter(pk=made.pk).update(category="ehr_defect")
    return Ticket.objects.get(pk=made.pk)


@pytest.fixture
def contact(ticket) -> Any:
    return Contact.objects.create(
        integration=ticket.integration, name="Ira Lund", role="Integration engineer", email="ira@vendor.example"
    )


def test_it_is_addressed_and_says_what_is_asked_for(ticket, contact, facility) -> None:
    by = a_person(facility)
    text = as_text(packet(ticket, contact=contact, by=by))
    assert "Dear Ira Lund," in text
    assert text.rstrip().endswith(f"Regards,\n{by}")
    assert "1. Look up the request ids in your logs" in text
    assert "Say what failed on your side at these times, whether it is mended" in text
    assert f"name NoteTrace ticket {ticket.number}" in text
    assert "To the integration engineers of the EHR's vendor," in as_text(packet(ticket))


def test_headers_come_with_their_names_and_only_harmless_values(ticket) -> None:
    request = packet(ticket).requests[0]
    sent = {header.name: header.value for header in request.request_headers}
    answered = {header.name: header.value for header in request.response_headers}
    assert sent == {"content-type": "text/plain"}
    assert answered == {"server": "nginx/1.25.3", "retry-after": "30", "set-cookie": None, "x-request-id": "EX-77"}
    assert (request.latency_ms, request.answer) == (412, "500")
    assert "headers answered: retry-after: 30; server: nginx/1.25.3; set-cookie; x-request-id: EX-77" in as_text(
        packet(ticket)
    )


def test_checks_bring_their_numbers_and_times_and_no_texts(ticket) -> None:
    (check,) = packet(ticket).checks
    assert {figure.name: figure.value for figure in check.figures} == {
        "status": 500,
        "bytes": 412,
        "retry at": "2026-11-20T14:30:00.000Z",
        "names, how many": 2,
    }


def test_the_shape_of_a_resource_has_places_types_and_lengths(ticket) -> None:
    shape = packet(ticket).payload
    assert shape is not None
    assert (shape.form, shape.kind, shape.problems) == ("json", "DocumentReference", ())
    places = {place.path: (place.type, place.count, place.longest) for place in shape.places}
    assert places["DocumentReference.content[].attachment.data"] == ("text", 1, 400)
    assert places["DocumentReference.subject.reference"] == ("text", 1, 15)
    assert places["DocumentReference.status"] == ("text", 1, 7)


def test_the_shape_of_a_message_has_segments_and_fields() -> None:
    message = (
        b"MSH|^~\\&|A|B|C|D|20261120||MDM^T02|1|P|2.5.1\rPID|1||77||Lee^Ann\rOBX|1|TX|||four\rOBX|2|TX|||eleven\rZXX|Q"
    )
    shape = shape_of(message)
    assert shape is not None
    assert (shape.form, shape.kind) == ("hl7v2", "2.5.1")
    places = {place.path: (place.type, place.count, place.longest) for place in shape.places}
    assert places["OBX"] == ("segment", 2, None)
    assert places["OBX-5"] == ("field", 2, 6)
    assert places["PID-5"] == ("field", 1, 7)
    assert places["Z.."] == ("segment", 1, None)


@pytest.mark.parametrize("payload", [b"", b"{", b"\xff\xfe", b"[1]", b"MSH", b"<a/>", b"null", b'{"resourceType": 5}'])
def test_a_payload_that_cannot_be_read_is_said_to_be_so_and_breaks_nothing(payload) -> None:
    shape = shape_of(payload)
    assert shape is None or (shape.bytes == len(payload) and isinstance(shape.problems, tuple))


def test_xml_has_the_same_places_as_json() -> None:
    xml = b'<DocumentReference xmlns="http://hl7.org/fhir"><status value="current"/></DocumentReference>'
    shape = shape_of(xml)
    assert shape is not None
    assert (shape.form, [place.path for place in shape.places]) == ("xml", ["DocumentReference.status"])


def test_the_pdf_prints_what_the_text_says(ticket, contact) -> None:
    content = packet(ticket, contact=contact)
    pdf = as_pdf(content)
    assert pdf.startswith(b"%PDF-")
    printed = words_of(pdf)
    for words in ("Dear Ira Lund", "EX-77", "2026-11-20T15:04:05.000Z", "tx-5581", "nginx/1.25.3",
                  "DocumentReference.content[].attachment.data", content.asks[1], "Shape of the payload"):  # fmt: skip
        assert words.replace(" ", "") in printed, words


def test_markup_in_a_name_stays_text(ticket, contact) -> None:
    Contact.objects.filter(pk=contact.pk).update(name='#panic("no") *x* <b>')
    contact.refresh_from_db()
    assert '#panic("no")*x*<b>' in words_of(as_pdf(packet(ticket, contact=contact)))


def test_the_json_has_the_schema_that_is_written_down(ticket) -> None:
    data = json.loads(file_of(as_json(packet(ticket)), "json"))
    assert data["schema"] == 1
    described = (PAGES / "vendor-packet.md").read_text(encoding="utf-8")
    assert [key for key in data if f"`{key}`" not in described] == []
    nested = [*data["requests"][0], *data["checks"][0], *data["payload"], *data["payload"]["places"][0]]
    assert [key for key in nested if f"`{key}`" not in described] == []


# -- sending -----------------------------------------------------------------------------------------------------


def test_what_was_sent_is_kept_sealed_and_reads_the_same_later(ticket, contact, facility) -> None:
    person = a_person(facility)
    client = logged_in(person)
    sending = mail_packet(ticket=ticket, contact=contact, by=person)
    mail = OutgoingMail.objects.get()
    assert (sending.how, sending.to, sending.by) == ("mail", "Ira Lund, Integration engineer", person)
    assert b"rq-31" not in bytes(PacketSending.objects.get(pk=sending.pk).__dict__["content"])  # sealed
    Ticket.objects.filter(pk=ticket.pk).update(verdict="Something else since")
    page = client.get(f"/tickets/{ticket.number}/packet/sent/{sending.id}/").content.decode()
    assert "The signing key is not in the published key set" in page
    assert "Something else since" not in page
    assert "Dear Ira Lund," in mail.body
    assert content_of(PacketSending.objects.get(pk=sending.pk))["requests"][0]["request_id"] == "EX-77"
    seen = client.get(f"/tickets/{ticket.number}/").content.decode()
    assert f'id="sending-{sending.id}"' in seen
    assert "mailed for Ira Lund, Integration engineer" in seen


@pytest.mark.parametrize(
    ("how", "media", "starts"),
    [("pdf", "application/pdf", b"%PDF-"), ("zip", "application/zip", b"PK"), ("json", "application/json", b"{"),
     ("text", "text/plain; charset=utf-8", b"NoteTrace ticket")],
)  # fmt: skip
def test_each_form_is_one_click_and_is_recorded(ticket, facility, how, media, starts) -> None:
    client = logged_in(a_person(facility))
    answer = client.post(f"/tickets/{ticket.number}/packet/download/", {"format": how})
    assert (answer.status_code, answer["Content-Type"]) == (200, media)
    assert answer.content.startswith(starts)
    assert PacketSending.objects.get().how == how
    assert AuditEntry.objects.filter(action="packet.taken").count() == 1
    assert client.post(f"/tickets/{ticket.number}/packet/download/", {"format": "exe"}).status_code == 422


def test_a_packet_that_was_sent_ticks_its_items_with_a_link(ticket, contact, facility) -> None:
    person = a_person(facility)
    give(ticket.id, ["ehr-defect", "follow-up"])
    sending = mail_packet(ticket=ticket, contact=contact, by=person)
    row = ChecklistItemState.objects.get(ticket_id=ticket.id, item="EHR.3")
    assert (row.state, row.by) == ("done", None)
    page = logged_in(person).get(f"/tickets/{ticket.number}/").content.decode()
    assert f'<a href="#sending-{sending.id}">packet sent</a>' in page
    tick(ticket=ticket, item="EHR.3", state="not_applicable", note="They called us first.", by=person)
    mail_packet(ticket=ticket, contact=contact, by=person)
    row.refresh_from_db()
    assert (row.state, row.by) == ("not_applicable", person)  # a person's word stands above it


def test_escalating_may_leave_the_ticket_waiting_on_the_vendor(ticket, contact, facility) -> None:
    client = logged_in(a_person(facility))
    where = f"/tickets/{ticket.number}/packet/"
    assert 'name="wait"' in client.get(where).content.decode()
    client.post(f"{where}mail/", {"contact": str(contact.id)})
    ticket.refresh_from_db()
    assert ticket.state == "diagnosed"
    client.post(f"{where}mail/", {"contact": str(contact.id), "wait": "1"})
    ticket.refresh_from_db()
    assert (ticket.state, ticket.waiting_for) == ("waiting", "vendor")
    assert 'name="wait"' not in client.get(where).content.decode()
    client.post(f"{where}download/", {"format": "json", "wait": "1"})  # it waits already: nothing is in the way


def test_a_ticket_that_is_over_sends_a_packet_and_stays_over(ticket, facility) -> None:
    Ticket.objects.filter(pk=ticket.pk).update(state="closed")
    ticket.refresh_from_db()
    take_along(ticket=ticket, how="json", by=a_person(facility), wait=True)
    ticket.refresh_from_db()
    assert ticket.state == "closed"


def test_a_packet_of_another_ticket_is_not_found(ticket, facility) -> None:
    person = a_person(facility)
    other = a_ticket(ticket.integration, a_note(ticket.integration))
    take_along(ticket=other, how="json", by=person)
    sending = PacketSending.objects.get()
    client = logged_in(person)
    assert client.get(f"/tickets/{ticket.number}/packet/sent/{sending.id}/").status_code == 404
    assert client.get(f"/tickets/{other.number}/packet/sent/{sending.id}/").status_code == 200


# -- answers -----------------------------------------------------------------------------------------------------


def test_an_answer_is_kept_with_its_packet_and_lets_the_ticket_go_on(ticket, contact, facility) -> None:
    person = a_person(facility)
    sending = mail_packet(ticket=ticket, contact=contact, by=person, wait=True)
    client = logged_in(person)
    assert "The ticket no longer waits" in client.get(f"/tickets/{ticket.number}/").content.decode()
    data = {"sending": str(sending.id), "case_number": "CS-1188", "text": "Our queue was full. Mended.", "go_on": "1"}
    assert client.post(f"/tickets/{ticket.number}/vendor/answer/", data).status_code == 302
    ticket.refresh_from_db()
    assert ticket.state == "in_progress"
    row = VendorAnswer.objects.get()
    assert (row.sending, row.case_number, row.text, row.by) == (sending, "CS-1188", data["text"], person)
    page = client.get(f"/tickets/{ticket.number}/").content.decode()
    assert "Case <b>CS-1188</b>" in page
    assert "Our queue was full. Mended." in page
    assert "entered the vendor&#x27;s answer, case CS-1188" in page


def test_an_answer_that_leaves_the_ticket_waiting_leaves_it(ticket, contact, facility) -> None:
    person = a_person(facility)
    mail_packet(ticket=ticket, contact=contact, by=person, wait=True)
    note_answer(ticket=ticket, by=person, case_number="CS-1")
    ticket.refresh_from_db()
    assert (ticket.state, VendorAnswer.objects.get().sending) == ("waiting", None)


def test_an_answer_that_cannot_be_is_refused_and_what_was_typed_stays(ticket, contact, facility) -> None:
    person = a_person(facility)
    sending = mail_packet(ticket=ticket, contact=contact, by=person)
    client, where = logged_in(person), f"/tickets/{ticket.number}/vendor/answer/"
    assert "at least their case number" in client.post(where, {}).content.decode()
    late = client.post(where, {"text": "Typed with care", "answered_at": "2099-01-01T10:00"})
    assert late.status_code == 422
    assert "lies in the future" in late.content.decode()
    assert "Typed with care" in late.content.decode()
    with pytest.raises(TicketError, match="older than the packet"):
        note_answer(ticket=ticket, by=person, text="x", sending=sending, answered_at=timezone.now() - timedelta(days=1))
    foreign = a_ticket(ticket.integration)
    with pytest.raises(TicketError, match="another ticket"):
        note_answer(ticket=foreign, by=person, text="x", sending=sending)
    assert client.post(where, {"text": "x", "sending": "nothing"}).status_code == 422
    assert not VendorAnswer.objects.exists()


def test_a_manager_sees_what_was_sent_and_answered_but_enters_nothing(ticket, contact, facility) -> None:
    person, manager = a_person(facility), a_person(facility, Role.MANAGER)
    sending = mail_packet(ticket=ticket, contact=contact, by=person)
    note_answer(ticket=ticket, by=person, case_number="CS-1", sending=sending)
    page = logged_in(manager).get(f"/tickets/{ticket.number}/").content.decode()
    assert "CS-1" in page
    assert "Enter an answer" not in page
    assert logged_in(manager).post(f"/tickets/{ticket.number}/vendor/answer/", {"text": "x"}).status_code == 403


def test_queries_do_not_grow_with_packets_and_answers(ticket, contact, facility) -> None:
    person = a_person(facility)
    client = logged_in(person)

    def asked() -> int:
        client.get(f"/tickets/{ticket.number}/")
        with CaptureQueriesContext(connection) as captured:
            client.get(f"/tickets/{ticket.number}/")
        return len(captured)

    sending = mail_packet(ticket=ticket, contact=contact, by=person)
    note_answer(ticket=ticket, by=person, text="x", sending=sending)
    few = asked()
    for _ in range(5):
        sending = mail_packet(ticket=ticket, contact=contact, by=person)
        note_answer(ticket=ticket, by=person, text="x", sending=sending)
    assert asked() == few
