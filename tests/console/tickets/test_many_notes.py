"""A ticket with many notes: pages with exact counts, and one end for all that wait."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.notes.models import NoteEnd
from console.tickets.ending import end_waiting
from console.tickets.models import Ticket, TicketEvent, TicketNote
from console.tickets.moves import TicketError
from tests.console.builders import a_department, a_facility, a_note, a_person, a_ticket, an_integration
from tests.console.pages.documents import logged_in
from tests.console.tickets.using import in_use

pytestmark = pytest.mark.django_db


@pytest.fixture
def integration():
    return an_integration(a_facility())


@pytest.fixture
def desk(integration):
    return a_person(integration.facility)


def a_full_ticket(integration, count: int) -> Ticket:
    return a_ticket(integration, *[a_note(integration, external_id=f"N-{number:04}") for number in range(count)])


def show(ticket, desk, query="") -> str:
    answer = logged_in(desk).get(f"/tickets/{ticket.number}/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def listed(text: str) -> list[str]:
    return re.findall(r"<b>(N-\d{4})</b>", text)


def test_the_first_fifty_are_shown_the_rest_by_page_and_the_counts_are_of_all(integration, desk) -> None:
    ticket = a_full_ticket(integration, 120)
    first, last = show(ticket, desk), show(ticket, desk, "?notes=3")
    assert len(listed(first)) == 50
    assert "120 of 120 waiting" in first
    assert "Note N-0000 and 119 more" in first
    assert "1 to 50 of 120" in first
    assert listed(last) == [f"N-{number:04}" for number in range(100, 120)]
    assert "Note N-0000 and 119 more" in last
    assert listed(show(ticket, desk, "?notes=99999")) == listed(last)
    assert listed(show(ticket, desk, "?notes=-1")) == listed(first)


def test_a_page_costs_the_same_with_hundreds_of_notes(integration, desk) -> None:
    few, many = a_full_ticket(integration, 2), a_full_ticket(integration, 150)
    counts = []
    for ticket in (few, many):
        show(ticket, desk)
        with CaptureQueriesContext(connection) as queries:
            show(ticket, desk)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_all_that_wait_end_at_once_with_their_exact_number(integration, desk) -> None:
    ticket = a_full_ticket(integration, 60)
    text = show(ticket, desk)
    assert "Set all 60" in text
    form = dict(re.findall(r'name="(count|until)" value="([^"]+)"', text))
    later = a_note(integration)
    TicketNote.objects.create(ticket=ticket, note=later)
    answer = logged_in(desk).post(f"/tickets/{ticket.number}/notes/end/", {**form, "end": "by_hand"})
    assert answer.status_code == 302
    ends = dict(TicketNote.objects.values_list("note", "end"))
    assert ends.pop(later.pk) == "waiting"  # came after the page was made
    assert set(ends.values()) == {"by_hand"}
    assert NoteEnd.objects.filter(how="by_hand", by=desk).count() == 60
    event = TicketEvent.objects.get(ticket=ticket, kind="note_ended")
    assert (event.before, event.after) == ("60 notes", "by_hand")
    assert "said how 60 notes ended: entered by hand" in show(ticket, desk)


def test_the_same_notes_end_on_their_other_open_tickets_in_one_event_each(integration, desk) -> None:
    ticket = a_full_ticket(integration, 5)
    other = a_ticket(integration, *[row.note for row in ticket.ticket_notes.all()[:3]])
    ended = end_waiting(ticket=ticket, end="in_chart", count=5, until=timezone.now(), by=desk)
    assert ended == 5
    assert set(other.ticket_notes.values_list("end", flat=True)) == {"in_chart"}
    assert TicketEvent.objects.get(ticket=other, kind="note_ended").before == "3 notes"


def test_ended_meanwhile_is_fewer_and_more_than_shown_is_refused(integration, desk) -> None:
    ticket = a_full_ticket(integration, 3)
    TicketNote.objects.filter(pk=ticket.ticket_notes.first().pk).update(end="in_chart")
    with pytest.raises(TicketError, match="2 notes wait now; you were shown 1"):
        end_waiting(ticket=ticket, end="by_hand", count=1, until=timezone.now(), by=desk)
    assert end_waiting(ticket=ticket, end="by_hand", count=3, until=timezone.now(), by=desk) == 2
    assert sorted(ticket.ticket_notes.values_list("end", flat=True)) == ["by_hand", "by_hand", "in_chart"]
    assert end_waiting(ticket=ticket, end="by_hand", count=3, until=timezone.now(), by=desk) == 0


@pytest.mark.parametrize(
    "form",
    [{}, {"end": "waiting", "count": "2", "until": "2999-01-01T00:00:00Z"}, {"end": "by_hand", "count": "x"}],
    ids=str,
)
def test_an_incomplete_form_changes_nothing(integration, desk, form) -> None:
    ticket = a_full_ticket(integration, 2)
    assert logged_in(desk).post(f"/tickets/{ticket.number}/notes/end/", form).status_code == 422
    assert set(ticket.ticket_notes.values_list("end", flat=True)) == {"waiting"}


def test_nothing_ends_while_something_works_through_the_notes(integration, desk) -> None:
    ticket = a_full_ticket(integration, 2)
    with in_use(ticket), pytest.raises(TicketError, match="A resend is under way"):
        end_waiting(ticket=ticket, end="by_hand", count=2, until=timezone.now(), by=desk)


def test_one_note_joins_from_its_own_page_and_a_strange_one_does_not(integration, desk) -> None:
    ticket, note = a_full_ticket(integration, 1), a_note(integration)
    client = logged_in(desk)
    where = f"/tickets/{ticket.number}/join/"
    assert client.post(where, {"note": str(note.pk)}).status_code == 302
    assert ticket.ticket_notes.filter(note=note).exists()
    shut = a_note(integration, department=a_department(integration.facility, restricted=True))
    foreign = a_note(an_integration(a_facility()))
    elsewhere = a_note(an_integration(integration.facility))
    statuses = [client.post(where, {"note": str(one.pk)}).status_code for one in (shut, foreign, elsewhere)]
    assert statuses == [404, 404, 422]
    assert client.post(where, {"note": "x"}).status_code == 404
    assert ticket.ticket_notes.count() == 2
