"""A ticket from an alert's page: for one that was muted, or whose ticket was over too early."""

import pytest
from django.utils import timezone

from console.accounts.roles import Role
from console.monitoring.models import Alert
from console.tickets.merging import merge
from console.tickets.models import Ticket
from tests.console.builders import a_department, a_facility, a_note, a_person, a_ticket, an_integration
from tests.console.pages.documents import logged_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def integration():
    return an_integration(a_facility())


@pytest.fixture
def desk(integration):
    return a_person(integration.facility)


@pytest.fixture
def alert(integration):
    now = timezone.now()
    return Alert.objects.create(
        facility=integration.facility, integration=integration, kind="token", key="token", muted=True,
        says="The last token request failed.", opened_at=now, last_seen_at=now, counted_to=now,
    )  # fmt: skip


def test_a_muted_alert_gets_its_ticket_once_however_often_the_button_is_pressed(alert, desk) -> None:
    client = logged_in(desk)
    where = f"/monitoring/alerts/{alert.pk}/"
    assert "Open a ticket" in client.get(where).content.decode()
    answers = [client.post(f"{where}ticket/") for _ in range(2)]
    ticket = Ticket.objects.get()
    assert {answer.url for answer in answers} == {f"/tickets/{ticket.number}/"}
    assert (ticket.opened_via, ticket.opened_by, ticket.title) == ("alert", desk, alert.get_kind_display())
    assert ticket.events.get(kind="alert").by == desk
    text = client.get(where).content.decode()
    assert "Open a ticket" not in text
    assert f"Ticket {ticket.number}" in text


def test_an_alert_whose_ticket_is_over_gets_another(alert, integration, desk) -> None:
    alert.ticket = a_ticket(integration)
    alert.save()
    Ticket.objects.update(state="resolved", resolved_at=timezone.now())
    client = logged_in(desk)
    assert "Open another ticket" in client.get(f"/monitoring/alerts/{alert.pk}/").content.decode()
    client.post(f"/monitoring/alerts/{alert.pk}/ticket/")
    alert.refresh_from_db()
    assert alert.ticket.is_open
    assert Ticket.objects.count() == 2


def test_who_only_looks_is_offered_nothing(alert, integration) -> None:
    manager = logged_in(a_person(integration.facility, Role.MANAGER))
    assert "Open a ticket" not in manager.get(f"/monitoring/alerts/{alert.pk}/").content.decode()


def test_a_ticket_with_notes_of_a_closed_department_is_not_shown(alert, integration, desk) -> None:
    hidden = a_ticket(integration, a_note(integration, department=a_department(integration.facility, restricted=True)))
    alert.ticket = hidden
    alert.save()
    answer = logged_in(desk).post(f"/monitoring/alerts/{alert.pk}/ticket/", follow=True)
    assert answer.redirect_chain[-1][0] == f"/monitoring/alerts/{alert.pk}/"
    assert str(hidden.number) not in answer.content.decode()


def test_alerts_follow_a_ticket_that_is_merged(alert, integration, desk) -> None:
    went, kept = a_ticket(integration), a_ticket(integration)
    alert.ticket = went
    alert.save()
    merge(ticket=went, into=kept, by=desk)
    alert.refresh_from_db()
    assert alert.ticket == kept
