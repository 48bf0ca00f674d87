"""Several tickets at once: exactly those that were shown, with words for those that are left."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from guardian.shortcuts import assign_perm

from console.accounts.access import forget_grants
from console.accounts.roles import Role
from console.tickets.bulk import freeze
from console.tickets.models import Severity, Ticket, TicketState, Watcher
from console.tickets.services import assign, change_state, resolve, take
from tests.console.builders import a_department, a_facility, a_note, a_person, a_ticket, an_integration
from tests.console.pages.documents import a_diagnosed_ticket, logged_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def facility():
    return a_facility()


@pytest.fixture
def desk(facility):
    return a_person(facility)


def several(facility, number: int = 3) -> list[Ticket]:
    integration = an_integration(facility)
    return [a_ticket(integration, a_note(integration), title=f"Ticket {n}") for n in range(number)]


def picked(*tickets: Ticket) -> list[str]:
    return [f"{number}.{mark}" for number, mark in freeze(tickets).items()]


def ask(who, *tickets: Ticket, act: str, **more: object):
    return logged_in(who).post("/tickets/several/", {"act": act, "ticket": picked(*tickets), **more})


def confirm(person, answer, **more: object):
    """Press the button of the page that shows what would change."""
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', answer.content.decode()))
    fields.pop("csrfmiddlewaretoken", None)
    return logged_in(person).post("/tickets/several/", {**fields, "confirm": "yes", **more}, follow=True)


def test_what_would_change_is_shown_with_its_number_and_nothing_has_changed_yet(facility, desk) -> None:
    tickets = several(facility)
    text = ask(desk, *tickets, act="take").content.decode()
    assert "3 tickets will change" in text
    assert "Change 3 tickets" in text
    assert not Ticket.objects.exclude(owner=None).exists()


def test_confirmed_it_is_done_to_exactly_those(facility, desk) -> None:
    first, second, other = several(facility)
    said = confirm(desk, ask(desk, first, second, act="take")).content.decode()
    assert "Take: done for 2 tickets." in said
    assert set(Ticket.objects.filter(owner=desk)) == {first, second}
    other.refresh_from_db()
    assert other.owner is None


def test_each_ticket_that_does_not_allow_it_is_named_with_the_reason(facility, desk) -> None:
    mine, over, open_ = several(facility)
    take(ticket=mine, by=desk)
    Ticket.objects.filter(pk=over.pk).update(state=TicketState.CLOSED)
    over.refresh_from_db()
    text = ask(desk, mine, over, open_, act="take").content.decode()
    assert "1 ticket will change" in text
    assert "you have it already" in text
    assert "it is closed" in text


def test_a_ticket_that_was_changed_before_the_confirmation_is_left_out_and_named(facility, desk) -> None:
    first, second = several(facility, 2)
    shown = ask(desk, first, second, act="severity:a_wrong_patient")
    colleague = a_person(facility)
    assign(ticket=second, owner=colleague, by=colleague)
    said = confirm(desk, shown).content.decode()
    assert "done for 1 ticket." in said
    assert f"#{second.number}: somebody changed it meanwhile" in said
    second.refresh_from_db()
    assert second.severity == Severity.UNDOCUMENTED


def test_a_ticket_changed_since_the_list_was_loaded_is_left_out_as_well(facility, desk) -> None:
    (ticket,) = several(facility, 1)
    old = picked(ticket)
    take(ticket=ticket, by=a_person(facility))
    text = logged_in(desk).post("/tickets/several/", {"act": "take", "ticket": old}).content.decode()
    assert "No ticket will change" in text
    assert "somebody changed it meanwhile" in text


def test_sent_twice_it_happens_once(facility, desk) -> None:
    tickets = several(facility)
    shown = ask(desk, *tickets, act="take")
    confirm(desk, shown)
    events = sum(ticket.events.filter(kind="owner").count() for ticket in tickets)
    said = confirm(desk, shown).content.decode()
    assert "3 tickets were left as they are" in said
    assert sum(ticket.events.filter(kind="owner").count() for ticket in tickets) == events == 3


@pytest.mark.parametrize("confirmed", [{}, {"confirm": "yes"}])
def test_a_foreign_ticket_in_the_list_makes_all_of_it_unknown(facility, desk, confirmed) -> None:
    own = several(facility)
    (foreign,) = several(a_facility(), 1)
    assert ask(desk, *own, foreign, act="take", **confirmed).status_code == 404
    assert not Ticket.objects.exclude(owner=None).exists()


def test_so_does_one_of_a_closed_department_and_one_that_is_no_ticket(facility, desk) -> None:
    own, integration = several(facility), an_integration(facility)
    hidden = a_ticket(integration, a_note(integration, department=a_department(facility, restricted=True)))
    assert ask(desk, *own, hidden, act="take", confirm="yes").status_code == 404
    broken = {"act": "take", "ticket": [*picked(*own), "12'; --"], "confirm": "yes"}
    assert logged_in(desk).post("/tickets/several/", broken).status_code == 404
    assert not Ticket.objects.exclude(owner=None).exists()


def test_all_that_match_are_frozen_when_they_are_asked_for(facility, desk) -> None:
    tickets = several(facility, 4)
    change_state(ticket=tickets[0], to="in_progress", by=desk)
    shown = logged_in(desk).post("/tickets/several/", {"act": "take", "all": "yes", "query": "state=new"})
    assert "3 tickets will change" in shown.content.decode()
    late = a_ticket(tickets[0].integration, title="Came later")
    confirm(desk, shown)
    assert set(Ticket.objects.filter(owner=desk)) == set(tickets[1:])
    late.refresh_from_db()
    assert late.owner is None


def test_too_many_at_once_are_refused_with_words(facility, desk, monkeypatch) -> None:
    monkeypatch.setattr("console.tickets.bulk.MOST", 2)
    several(facility)
    said = logged_in(desk).post("/tickets/several/", {"act": "take", "all": "yes"}, follow=True).content.decode()
    assert "More than 2 tickets match" in said
    assert not Ticket.objects.exclude(owner=None).exists()


def test_giving_to_a_colleague_asks_for_whom_and_names_what_the_colleague_may_not_see(facility, desk) -> None:
    integration, closed = an_integration(facility), a_department(facility, restricted=True)
    assign_perm("enter_department", desk, closed)
    forget_grants(desk)
    plain = a_ticket(integration, a_note(integration))
    shut = a_ticket(integration, a_note(integration, department=closed))
    colleague = a_person(facility)
    asked = ask(desk, plain, shut, act="assign")
    assert f'<option value="{colleague.pk}">' in asked.content.decode()
    shown = ask(desk, plain, shut, act="assign", person=str(colleague.pk))
    assert f"{colleague} cannot work on it" in shown.content.decode()
    confirm(desk, shown)
    plain.refresh_from_db()
    shut.refresh_from_db()
    assert (plain.owner, shut.owner) == (colleague, None)


def test_nobody_of_another_facility_can_be_chosen(facility, desk) -> None:
    tickets = several(facility)
    answer = ask(desk, *tickets, act="assign", person=str(a_person(a_facility()).pk), confirm="yes")
    assert answer.status_code == 422
    assert not Ticket.objects.exclude(owner=None).exists()


def test_waiting_severity_and_watchers(facility, desk) -> None:
    tickets, colleague = several(facility), a_person(facility)
    confirm(desk, ask(desk, *tickets, act="waiting:vendor"))
    assert set(Ticket.objects.values_list("state", "waiting_for")) == {("waiting", "vendor")}
    for ticket in tickets:
        ticket.refresh_from_db()
    confirm(desk, ask(desk, *tickets, act="severity:d_delayed"))
    assert set(Ticket.objects.values_list("severity", flat=True)) == {"d_delayed"}
    for ticket in tickets:
        ticket.refresh_from_db()
    confirm(desk, ask(desk, *tickets, act="watch", person=str(colleague.pk)))
    assert Watcher.objects.filter(user=colleague).count() == 3


def test_resolved_tickets_are_closed_by_those_who_review_knowledge_alone(facility, desk) -> None:
    ticket, open_ = a_diagnosed_ticket(facility), several(facility, 1)[0]
    note = ticket.ticket_notes.get().note
    resolve(
        ticket=ticket,
        by=desk,
        category="authentication",
        ends={note.id: "in_chart"},
        unconfirmed_because="The clinic saw it.",
    )
    text = ask(desk, ticket, open_, act="close").content.decode()
    assert "No ticket will change" in text
    assert "somebody who reviews knowledge decides" in text
    reviewer = a_person(facility, Role.INFORMATICS)
    shown = ask(reviewer, ticket, open_, act="close")
    assert "only a resolved ticket can be closed" in shown.content.decode()
    confirm(reviewer, shown)
    ticket.refresh_from_db()
    assert ticket.state == TicketState.CLOSED


def test_a_manager_reads_and_changes_nothing(facility) -> None:
    tickets, manager = several(facility), a_person(facility, Role.MANAGER)
    text = ask(manager, *tickets, act="take").content.decode()
    assert "your role only reads tickets there" in text
    ask(manager, *tickets, act="take", confirm="yes")
    assert not Ticket.objects.exclude(owner=None).exists()


def test_showing_the_plan_asks_as_many_queries_for_many_as_for_few(facility, desk) -> None:
    tickets = several(facility, 8)

    def count(*some: Ticket) -> int:
        client = logged_in(desk)
        with CaptureQueriesContext(connection) as queries:
            assert client.post("/tickets/several/", {"act": "take", "ticket": picked(*some)}).status_code == 200
        return len(queries)

    assert count(*tickets) == count(*tickets[:2])
