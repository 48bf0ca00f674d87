"""Opening a ticket: two fields at most, one ticket however often the button is pressed."""

import html
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from console.accounts.roles import Role
from console.notes.correlation import correlate_new
from console.notes.log_rows import store_rows
from console.notes.models import Note
from console.tickets.models import Ticket
from tests.console.builders import a_department, a_facility, a_note, a_person, a_ticket, an_integration
from tests.console.pages.documents import a_diagnosed_ticket, logged_in
from tests.console.pages.test_recognise import MESSAGE

pytestmark = pytest.mark.django_db
WHERE = "/tickets/open/"


@pytest.fixture
def facility():
    return a_facility()


@pytest.fixture
def integration(facility):
    return an_integration(facility)


@pytest.fixture
def client(facility):
    return logged_in(a_person(facility))


def look(client, text: str, status: int = 200, **more: str) -> str:
    answer = client.post(WHERE, {"pasted": text, "step": "look", **more})
    assert answer.status_code == status
    return answer.content.decode()


def test_a_known_note_is_recognised_with_its_integration_and_nothing_is_asked(client, integration) -> None:
    a_note(integration, external_id="N-5f21c")
    text = look(client, "N-5f21c")
    assert "Note <b>N-5f21c</b> of " + integration.name in text
    assert "<select" not in text.split('id="recognised"')[1]
    assert not Ticket.objects.exists()  # looking makes nothing


def test_without_any_integration_the_page_says_what_to_do_first(client) -> None:
    for answer in (client.get(WHERE), client.post(WHERE, {"pasted": "N-5f21c", "step": "look"})):
        assert "There is no integration yet" in answer.content.decode()
        assert "/integrations/" in answer.content.decode()


def test_an_uploaded_payload_keeps_its_bytes_through_the_look_and_into_the_note(client, integration) -> None:
    content = MESSAGE.replace("\n", "\r").encode() + "Caf\u00e9".encode("latin-1")
    file = SimpleUploadedFile("note.hl7", content, content_type="application/octet-stream")
    answer = client.post(WHERE, {"step": "look", "file": file})
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "An HL7 v2 message" in text
    raw = re.search(r'name="raw" value="([^"]+)"', text)[1]
    shown = html.unescape(re.search(r"<textarea.*?>(.*?)</textarea>", text, re.S)[1])
    sent = {"step": "open", "raw": raw, "integration": integration.id}
    client.post(WHERE, {**sent, "pasted": shown.replace("\r", "\r\n")})
    assert Note.objects.get().payload == content
    client.post(WHERE, {**sent, "pasted": shown.replace("TX-77", "TX-78").replace("E-88213", "E-9")})
    newest = Note.objects.order_by("created_at").last()
    assert b"TX-78" in newest.payload  # what stands in the box counts


@pytest.mark.parametrize(
    ("content", "says"), [(b"", "This file is empty."), (b"x" * 2_000_001, "up to 2 MB")], ids=["empty", "too large"]
)
def test_a_file_that_will_not_do_says_why(client, integration, content, says) -> None:
    answer = client.post(WHERE, {"step": "look", "file": SimpleUploadedFile("note.txt", content)})
    assert answer.status_code == 422
    assert says in answer.content.decode()


def test_a_payload_without_any_id_becomes_one_note_however_often_it_is_pasted(client, integration) -> None:
    payload = '{"resourceType": "DocumentReference", "status": "current"}'
    for _ in range(2):
        client.post(WHERE, {"step": "open", "pasted": payload, "integration": integration.id})
    note = Note.objects.get()
    assert note.external_id.startswith("pasted-")
    assert note.payload == payload.encode()


@pytest.mark.parametrize("pasted", ["TX-77", "E-88213", MESSAGE, "HTTP/1.1 422 while sending TX-77"])
def test_the_same_note_is_found_by_transaction_encounter_message_and_error(client, integration, pasted) -> None:
    a_note(integration, external_id="N-5f21c", transaction_id="TX-77", encounter_id="E-88213")
    assert "Note <b>N-5f21c</b>" in look(client, pasted)


def test_an_error_text_alone_finds_the_note_in_whose_log_it_stands(client, facility, integration) -> None:
    a_note(integration, external_id="N-5f21c")
    row = {"at": "2026-11-22T16:58:14+00:00", "event": "failed", "note_id": "N-5f21c", "error": "unknown kid 'a-1'"}
    store_rows(facility_id=facility.id, integration=integration, log="scribe", rows=[row])
    correlate_new(integration=integration)
    assert "Note <b>N-5f21c</b>" in look(client, "unknown kid 'b-2'")


def test_open_tickets_that_match_are_shown_before_a_new_one_is_made(client, integration) -> None:
    note = a_note(integration, external_id="N-5f21c")
    ticket = a_ticket(integration, note, title="Known already")
    text = look(client, "N-5f21c")
    assert f"#{ticket.number} Known already" in text
    assert "the same note" in text
    assert "Open a new ticket all the same" in text


def test_an_error_text_finds_open_tickets_with_the_same_cause(client, facility, integration) -> None:
    ticket = a_diagnosed_ticket(facility)
    Ticket.objects.filter(pk=ticket.pk).update(cause="net.tls.expired")
    text = look(client, "certificate has expired")
    assert f"#{ticket.number} " in text
    assert "the same cause" in text


def test_nothing_of_another_facility_or_a_restricted_department_is_found(client, facility, integration) -> None:
    a_note(an_integration(a_facility()), external_id="N-else1")
    a_note(integration, external_id="N-shut1", department=a_department(facility, restricted=True))
    for pasted in ("N-else1", "N-shut1"):
        text = look(client, pasted)
        assert "No note with this id is known yet" in text
        assert f"<b>{pasted}</b>" not in text


def test_a_double_click_opens_one_ticket(client, integration) -> None:
    a_note(integration, external_id="N-5f21c")
    key = re.search(r'name="key" value="(\w+)"', client.get(WHERE).content.decode())[1]
    form = {"pasted": "N-5f21c", "step": "open", "key": key, "integration": str(integration.id)}
    first, second = client.post(WHERE, form), client.post(WHERE, form)
    assert first.status_code == second.status_code == 302
    assert first.url == second.url
    assert Ticket.objects.count() == 1
    assert Ticket.objects.get().run is not None  # the diagnosis was asked for at once


def test_nobody_can_name_another_persons_key(client, facility, integration) -> None:
    form = {"pasted": "some error", "step": "open", "key": "same", "integration": str(integration.id)}
    first = client.post(WHERE, form)
    second = logged_in(a_person(facility)).post(WHERE, form)
    assert first.url != second.url


def test_a_pasted_message_becomes_a_note_that_is_sealed(client, facility, integration) -> None:
    an_integration(facility)
    form = {"pasted": MESSAGE, "step": "open", "key": "k", "integration": str(integration.id)}
    assert client.post(WHERE, form).status_code == 302
    note = Note.objects.get()
    assert note.payload == MESSAGE.replace("\n", "\r").encode()
    assert (note.external_id, note.integration) == ("TX-77", integration)
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(n)::text || row_to_json(t)::text FROM notes_note n, tickets_ticket t")
        stored = cursor.fetchone()[0]
    for secret in (b"Sample^Person".hex(), b"E-88213".hex(), "E-88213"):
        assert secret not in stored


def test_without_a_note_and_with_several_integrations_the_integration_is_asked(client, facility, integration) -> None:
    an_integration(facility)
    answer = client.post(WHERE, {"pasted": "connection refused", "step": "open", "key": "k"})
    assert answer.status_code == 422
    assert "Choose the integration through which the note was sent." in answer.content.decode()
    assert not Ticket.objects.exists()


def test_an_integration_of_another_facility_cannot_be_chosen(client, integration) -> None:
    foreign = an_integration(a_facility())
    answer = client.post(WHERE, {"pasted": "some error", "step": "open", "key": "k", "integration": str(foreign.id)})
    assert answer.status_code == 422
    assert not Ticket.objects.exists()


def test_an_empty_paste_says_what_to_paste(client, integration) -> None:
    assert "Paste a note id, an encounter" in look(client, "  ", status=422)


def test_htmx_gets_the_fragment_alone(client, integration) -> None:
    a_note(integration, external_id="N-5f21c")
    answer = client.post(WHERE, {"pasted": "N-5f21c"}, headers={"HX-Request": "true"})
    assert answer.content.decode().startswith('<div id="recognised"')
    assert "N-5f21c" in answer.content.decode()


def test_a_manager_opens_no_tickets(facility) -> None:
    client = logged_in(a_person(facility, Role.MANAGER))
    assert client.get(WHERE).status_code == 403
    assert WHERE not in client.get("/tickets/").content.decode()
