"""Every link within the ticket's page leads to something that stands there."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from console.accounts.roles import Role
from console.tickets.acting import confirm
from console.tickets.models import Confirmation, Ticket, TicketState
from diagnostics import catalog
from tests.console.builders import a_facility, a_note, a_person, an_integration
from tests.console.pages.documents import a_diagnosed_ticket, a_document

pytestmark = pytest.mark.django_db


def text_of(ticket: Ticket) -> str:
    client = Client()
    client.force_login(a_person(ticket.facility, Role.INTEGRATION_ENGINEER))
    return client.get(reverse("tickets:ticket", args=[ticket.number])).content.decode()


@pytest.fixture
def ticket() -> Ticket:
    facility = a_facility()
    return a_diagnosed_ticket(facility, a_note(an_integration(facility, resend_allowed=True)))


def dangling(text: str) -> set[str]:
    return set(re.findall(r'href="#([^"]+)"', text)) - set(re.findall(r'\bid="([^"]+)"', text))


def test_of_every_cause_of_the_catalogue(ticket: Ticket) -> None:
    wrong = {}
    assert ticket.run is not None
    for cause in catalog.causes().values():
        root = a_document()["root_cause"] | {"cause": cause.id, "remedy": [step.text for step in cause.remedy]}
        ticket.run.document = a_document(root_cause=root)
        ticket.run.save(update_fields=["document"])
        if left := dangling(text_of(ticket)):
            wrong[cause.id] = left
    assert wrong == {}


def test_once_the_fix_is_confirmed_it_says_what_comes_next(ticket: Ticket) -> None:
    Ticket.objects.filter(pk=ticket.pk).update(state=TicketState.FIXED)
    confirm(ticket, Confirmation.RUN, run=ticket.run)
    text = text_of(ticket)
    assert "1 note still waits:" in text
    assert 'href="#resend"' in text
    assert dangling(text) == set()
    ticket.ticket_notes.update(end="in_chart")
    assert "Resolve it" in text_of(ticket)
