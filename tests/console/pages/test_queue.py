"""The queue: what it shows, to whom, and at what price."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.accounts.roles import Role
from console.tickets.models import Ticket
from console.tickets.services import change_state, take
from tests.console.builders import a_department, a_facility, a_note, a_person, a_ticket, an_integration
from tests.console.pages.documents import a_diagnosed_ticket, logged_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def facility():
    return a_facility()


def page(person, query: str = "") -> str:
    answer = logged_in(person).get(f"/tickets/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_help_desk_sees_its_tickets_with_cause_and_failure_mode(facility) -> None:
    ticket = a_diagnosed_ticket(facility, title="Progress note missing")
    text = page(a_person(facility))
    assert f">{ticket.number}<" in text
    assert "Progress note missing" in text
    assert "The signing key is not in the published key set" in text
    assert "Never sent" in text
    assert "stopped at: sent" in text


def test_nobody_sees_another_facilitys_ticket_nor_its_causes_in_the_filters(facility) -> None:
    a_diagnosed_ticket(facility, title="Progress note missing")
    text = page(a_person(a_facility()))
    assert "Progress note missing" not in text
    assert "signing key" not in text
    assert "No open tickets" in text


def test_a_restricted_department_hides_its_tickets(facility) -> None:
    integration = an_integration(facility)
    a_ticket(integration, a_note(integration, department=a_department(facility, restricted=True)), title="Hidden one")
    assert "Hidden one" not in page(a_person(facility))


def test_the_filters_narrow_and_count(facility) -> None:
    person, integration = a_person(facility), an_integration(facility)
    mine = a_ticket(integration, title="This one is mine")
    take(ticket=mine, by=person)
    waiting = a_ticket(integration, title="This one waits")
    change_state(ticket=waiting, to="in_progress", by=person)
    change_state(ticket=waiting, to="waiting", by=person, waiting_for="vendor")
    assert "Mine <b>1</b>" in page(person)
    only_mine = page(person, "?view=mine")
    assert "This one is mine" in only_mine
    assert "This one waits" not in only_mine
    waits = page(person, "?view=waiting")
    assert "Waiting on vendor" in waits
    assert "This one is mine" not in waits
    assert "This one is mine" not in page(person, "?view=untaken")


def test_cause_integration_and_failure_mode_narrow_further_and_an_unknown_value_is_ignored(facility) -> None:
    person = a_person(facility)
    known = a_diagnosed_ticket(facility, title="With a cause")
    a_ticket(an_integration(facility), title="Without a cause")
    for query in ("?cause=auth.assertion.kid", f"?integration={known.integration_id}", "?mode=never_sent"):
        text = page(person, query)
        assert "With a cause" in text, query
        assert "Without a cause" not in text, query
    assert "Without a cause" in page(person, "?cause=nothing&integration=no-uuid&mode=odd&view=odd&page=x")


def test_an_overdue_ticket_says_so_in_words(facility) -> None:
    ticket = a_ticket(an_integration(facility))
    Ticket.objects.filter(pk=ticket.pk).update(target_at=timezone.now() - timedelta(minutes=90))
    text = page(a_person(facility))
    assert "1 h 30 m overdue" in text
    assert "1 overdue" in text


def test_only_those_who_work_on_tickets_are_offered_to_take_one(facility) -> None:
    a_ticket(an_integration(facility))
    assert "data-take" in page(a_person(facility))
    assert "data-take" not in page(a_person(facility, Role.MANAGER))


def test_the_number_of_queries_does_not_grow_with_the_rows(facility) -> None:
    person, integration = a_person(facility), an_integration(facility)
    take(ticket=a_ticket(integration, a_note(integration)), by=person)

    def count() -> int:
        client = logged_in(person)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get("/tickets/").status_code == 200
        return len(queries)

    few = count()
    for _ in range(12):
        take(ticket=a_ticket(integration, a_note(integration)), by=person)
    assert count() == few


def test_the_banner_speaks_while_no_worker_has_given_a_sign_of_life(facility) -> None:
    from console.diagnoses.workers import note_heartbeat

    person = a_person(facility)
    assert "The workers are starting" in page(person)
    note_heartbeat("default")
    assert "The workers are" not in page(person)
