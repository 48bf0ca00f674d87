"""Duplicates are seen before they are made: why, who has it, how many notes; and joined with one click."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.accounts.roles import Role
from console.notes.models import Note
from console.tickets.access import visible
from console.tickets.duplicates import Sought, duplicates
from console.tickets.models import Ticket, TicketNote
from tests.console.builders import a_department, a_facility, a_note, a_person, a_ticket, an_integration
from tests.console.pages.documents import logged_in
from tests.console.tickets.using import in_use
from tests.console.worklist.traces import a_trace

pytestmark = pytest.mark.django_db


@pytest.fixture
def integration():
    return an_integration(a_facility())


@pytest.fixture
def desk(integration):
    return a_person(integration.facility)


def found(user, **sought):
    return [(match.ticket, match.why, match.notes) for match in duplicates(visible(user), Sought(**sought))]


def test_the_strongest_reason_is_told_first_and_each_ticket_once(integration, desk) -> None:
    note = a_note(integration)
    place = a_ticket(integration)
    cause = a_ticket(integration)
    Ticket.objects.filter(pk=cause.pk).update(cause="net.tls.expired")
    error = a_ticket(integration, a_trace(integration).note)
    same = a_ticket(integration, note, a_trace(integration).note)
    told = found(
        desk, notes=[note], integration_id=integration.id, signature="unknown profile", cause="net.tls.expired"
    )
    assert told == [
        (same, "the same note", 2),
        (error, "the same error", 1),
        (cause, "the same cause", 0),
        (place, "the same integration", 0),
    ]


def test_beyond_the_window_only_the_same_note_matches(integration, desk, settings) -> None:
    note = a_trace(integration).note
    ticket = a_ticket(integration, note)
    Ticket.objects.update(opened_at=timezone.now() - timedelta(hours=25), cause="net.tls.expired")
    TicketNote.objects.update(added_at=timezone.now() - timedelta(hours=25))
    rest = {"integration_id": integration.id, "signature": "unknown profile", "cause": "net.tls.expired"}
    assert found(desk, **rest) == []
    assert found(desk, notes=[note], **rest) == [(ticket, "the same note", 1)]
    TicketNote.objects.update(added_at=timezone.now())  # it still grows
    assert found(desk, **rest) == [(ticket, "the same error", 1)]
    TicketNote.objects.update(added_at=timezone.now() - timedelta(hours=25))
    settings.DUPLICATE_WINDOW_H = 48
    assert found(desk, **rest) == [(ticket, "the same error", 1)]


def test_closed_merged_and_hidden_tickets_never_match(integration, desk) -> None:
    note = a_trace(integration).note
    shut = a_department(integration.facility, restricted=True)
    a_ticket(integration, note, a_note(integration, department=shut))
    foreign = an_integration(a_facility())
    a_ticket(foreign)
    done, merged = a_ticket(integration, note), a_ticket(integration, note)
    Ticket.objects.filter(pk=done.pk).update(state="resolved")
    Ticket.objects.filter(pk=merged.pk).update(merged_into=done)
    assert found(desk, notes=[note], integration_id=integration.id, signature="unknown profile") == []


def test_many_tickets_cost_the_same_few_questions(integration, desk) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert len(found(desk, integration_id=integration.id, signature="x", cause="y")) <= 5
        return len(queries)

    a_ticket(integration)
    count()
    few = count()
    for _ in range(8):
        a_ticket(integration)
    assert count() == few


# -- the page that opens a ticket -----------------------------------------------------------------------------------


def look(client, text):
    return client.post("/tickets/open/", {"pasted": text, "step": "look"}).content.decode()


def test_a_match_says_why_who_has_it_its_state_and_how_many_notes(integration, desk) -> None:
    ticket = a_ticket(integration, a_note(integration, external_id="N-1"), a_note(integration))
    Ticket.objects.filter(pk=ticket.pk).update(owner=desk, state="in_progress")
    text = look(logged_in(desk), "N-1")
    assert "the same note" in text
    assert "In progress" in text
    assert "2 notes" in text
    assert f"taken by {desk}" in text


def test_one_click_joins_the_note_and_keeps_the_words_that_were_pasted(integration, desk) -> None:
    note = a_trace(integration, external_id="N-2").note
    ticket = a_ticket(integration, a_trace(integration).note)
    client = logged_in(desk)
    text = look(client, "N-2")
    assert "the same error" in text
    assert f'name="join" value="{ticket.number}"' in text
    answer = client.post("/tickets/open/", {"pasted": "N-2", "join": str(ticket.number)}, follow=True)
    assert answer.redirect_chain[-1][0] == f"/tickets/{ticket.number}/"
    assert f"Joined ticket {ticket.number}: the note." in answer.content.decode()
    assert ticket.ticket_notes.filter(note=note).exists()
    client.post("/tickets/open/", {"pasted": "Dr. Example says: unknown profile 7", "join": str(ticket.number)})
    assert ticket.comments.get().text == "Dr. Example says: unknown profile 7"
    assert Ticket.objects.count() == 1
    again = client.post("/tickets/open/", {"pasted": "N-2", "join": str(ticket.number)})
    assert again.status_code == 422
    assert "holds this note already" in again.content.decode()


def test_a_note_that_was_not_known_is_kept_on_joining(integration, desk) -> None:
    ticket = a_ticket(integration)
    logged_in(desk).post("/tickets/open/", {"pasted": "N-new-1", "join": str(ticket.number)})
    assert ticket.ticket_notes.get().note == Note.objects.get(integration=integration)


def test_what_cannot_be_joined_offers_no_button_and_is_refused(integration, desk) -> None:
    ticket = a_ticket(integration, a_note(integration, external_id="N-1"))
    elsewhere = a_ticket(an_integration(integration.facility))
    foreign = a_ticket(an_integration(a_facility()))
    client = logged_in(desk)
    for number, status in ((elsewhere.number, 422), (foreign.number, 404), (0, 404)):
        assert client.post("/tickets/open/", {"pasted": "N-1", "join": str(number)}).status_code == status
    a_note(integration, external_id="N-2")
    with in_use(ticket):
        assert 'name="join"' not in look(client, "N-2")
        answer = client.post("/tickets/open/", {"pasted": "N-2", "join": str(ticket.number)})
        assert "A resend is under way" in answer.content.decode()
    assert ticket.ticket_notes.count() == 1


def test_a_note_of_a_restricted_department_hides_no_ticket_from_others(integration, desk) -> None:
    from guardian.shortcuts import assign_perm

    shut = a_department(integration.facility, restricted=True)
    assign_perm("enter_department", desk, shut)
    a_note(integration, external_id="N-1", department=shut)
    ticket = a_ticket(integration, a_note(integration))
    answer = logged_in(desk).post("/tickets/open/", {"pasted": "N-1", "join": str(ticket.number)})
    assert answer.status_code == 422
    assert "would hide ticket" in answer.content.decode()


# -- the note's page ------------------------------------------------------------------------------------------------


def test_a_notes_page_opens_a_ticket_without_typing_and_offers_to_join(integration, desk) -> None:
    trace = a_trace(integration)
    client = logged_in(desk)
    where = f"/notes/{trace.note_id}/"
    assert "Open a ticket" in client.get(where).content.decode()
    ticket = a_ticket(integration, a_trace(integration).note)
    text = client.get(where).content.decode()
    action = re.search(r'action="(/tickets/\d+/join/)"', text)[1]
    assert "the same error" in text
    client.post(action, {"note": str(trace.note_id)})
    assert ticket.ticket_notes.filter(note=trace.note).exists()
    text = client.get(where).content.decode()
    assert "/join/" not in text
    assert f"Ticket #{ticket.number}" in text
    assert "/join/" not in logged_in(a_person(integration.facility, Role.MANAGER)).get(where).content.decode()


def test_a_ticket_opened_from_a_note_says_so(integration, desk) -> None:
    trace = a_trace(integration)
    logged_in(desk).post(f"/notes/{trace.note_id}/ticket/")
    assert Ticket.objects.get().opened_via == "note"
