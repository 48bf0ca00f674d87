"""What was pasted or reported stays masked until somebody with the right opens it, and that is recorded."""

import pytest
from django.test import Client
from django.urls import reverse

from console.accounts.models import AuditEntry
from console.accounts.roles import Role
from console.tickets.models import Ticket, TicketEvent
from tests.console.builders import a_facility, a_person, an_integration
from tests.console.builders import a_ticket as made

pytestmark = pytest.mark.django_db
WORDS = "The note of Ada Example, born 1970-01-01, is missing."


@pytest.fixture
def ticket() -> Ticket:
    ticket = made(an_integration(a_facility()))
    ticket.pasted = WORDS
    ticket.save(update_fields=["pasted"])
    return ticket


def visit(ticket: Ticket, role: Role) -> Client:
    client = Client()
    client.force_login(a_person(ticket.facility, role))
    return client


def test_the_page_says_that_there_are_words_and_shows_none_of_them(ticket: Ticket) -> None:
    for role, sees in ((Role.HELP_DESK, "Open what was pasted"), (Role.MANAGER, "What was pasted is masked.")):
        text = visit(ticket, role).get(reverse("tickets:ticket", args=[ticket.number])).content.decode()
        assert sees in text
        assert "Ada Example" not in text


def test_who_has_the_right_reads_them_and_that_is_kept(ticket: Ticket) -> None:
    answer = visit(ticket, Role.HELP_DESK).post(reverse("tickets:told", args=[ticket.number]))
    assert WORDS in answer.content.decode()
    assert AuditEntry.objects.get(action="told.opened").detail == {"ticket": ticket.number}
    assert ticket.events.filter(kind=TicketEvent.Kind.PAYLOAD_OPENED, reference=None).count() == 1


def test_who_lacks_it_is_refused_and_nothing_is_recorded(ticket: Ticket) -> None:
    assert visit(ticket, Role.MANAGER).post(reverse("tickets:told", args=[ticket.number])).status_code == 403
    assert not AuditEntry.objects.filter(action="told.opened").exists()
