"""Failures alike: proposed with an exact count, joined as shown, and what fails later is not swept in."""

import re
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console.accounts.roles import Role
from console.notes.models import Trace
from console.tickets.alike import join_alike, proposal
from console.tickets.models import Ticket, TicketEvent, TicketState
from console.tickets.moves import TicketError
from tests.console.builders import a_department, a_facility, a_person, a_ticket, an_integration
from tests.console.pages.documents import logged_in
from tests.console.tickets.using import in_use
from tests.console.worklist.traces import a_trace

pytestmark = pytest.mark.django_db


@pytest.fixture
def facility():
    return a_facility()


@pytest.fixture
def integration(facility):
    return an_integration(facility)


@pytest.fixture
def desk(facility):
    return a_person(facility)


@pytest.fixture
def ticket(integration):
    return a_ticket(integration, a_trace(integration).note)


def page(ticket, desk, where=""):
    answer = logged_in(desk).get(f"/tickets/{ticket.number}/{where}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_what_failed_alike_is_proposed_with_an_exact_count_and_joined_with_one_click(ticket, integration, desk) -> None:
    alike = [a_trace(integration, minutes=number) for number in (5, 30, 100)]
    text = page(ticket, desk)
    assert "3 more notes" in text
    assert "Join these 3 notes" in text
    given = re.search(r'id="alike".*?name="note" value="([^"]+)"', text, re.S)[1]
    later = a_trace(integration, minutes=0)
    answer = logged_in(desk).post(f"/tickets/{ticket.number}/alike/", {"note": given})
    assert answer.status_code == 302
    held = set(ticket.ticket_notes.values_list("note_id", flat=True))
    assert {one.note_id for one in alike} < held
    assert later.note_id not in held
    assert len(held) == 4
    added = TicketEvent.objects.get(ticket=ticket, kind="note_added")
    assert (added.by, added.after) == (desk, "3")
    text = page(ticket, desk)
    assert "added 3 notes" in text
    assert "1 more note</b>" in text


@pytest.mark.parametrize(
    "fields",
    [
        {"signature": "another error"},
        {"status": 500},
        {"broke_at": "filed"},
        {"ended": "by_hand"},
        {"mode": "delivered"},
        {"mode": "partial"},
        {"minutes": 120 + 25 * 60},
    ],
    ids=str,
)
def test_what_failed_otherwise_ended_or_is_older_stays_out(ticket, integration, desk, fields) -> None:
    a_trace(integration, fields.pop("mode", "rejected"), **fields)
    assert proposal(desk, ticket).count == 0


def test_a_note_of_another_integration_or_on_an_open_ticket_stays_out(ticket, facility, integration, desk) -> None:
    a_trace(an_integration(facility))
    taken = a_trace(integration)
    other = a_ticket(integration, taken.note)
    assert proposal(desk, ticket).count == 0
    Ticket.objects.filter(pk=other.pk).update(state=TicketState.CLOSED)
    assert proposal(desk, ticket).ids == (taken.note_id,)


def test_failures_without_an_error_text_are_alike_by_where_they_broke(integration, desk) -> None:
    ticket = a_ticket(integration, a_trace(integration, "never_sent").note)
    alike = a_trace(integration, "never_sent", minutes=3)
    a_trace(integration)
    assert proposal(desk, ticket).ids == (alike.note_id,)


def test_restricted_departments_stay_out_and_that_is_said_to_whoever_may_enter(
    ticket, facility, integration, desk
) -> None:
    shut = a_department(facility, restricted=True)
    hidden = a_trace(integration, department=shut)
    a_trace(integration)
    assert proposal(desk, ticket).left_out == 0
    assert "restricted" not in page(ticket, desk)
    from guardian.shortcuts import assign_perm

    insider = a_person(facility)
    assign_perm("enter_department", insider, shut)
    assert (proposal(insider, ticket).count, proposal(insider, ticket).left_out) == (1, 1)
    assert "1 of a restricted department stays out" in page(ticket, insider)
    with pytest.raises(TicketError, match="None of these notes"):
        join_alike(ticket=ticket, ids=[hidden.note_id], by=insider)
    own = a_ticket(integration, a_trace(integration, department=shut).note)
    assert proposal(insider, own).ids == (hidden.note_id,)


def test_what_arrived_meanwhile_stays_out_and_that_is_said(ticket, integration, desk) -> None:
    first, second = a_trace(integration), a_trace(integration)
    Trace.objects.filter(pk=first.pk).update(failure_mode="delivered")
    assert join_alike(ticket=ticket, ids=[first.note_id, second.note_id], by=desk) == (1, 1)
    answer = logged_in(desk).post(f"/tickets/{ticket.number}/alike/", {"note": str(first.note_id)})
    assert answer.status_code == 422
    assert "arrived, ended, or are on another ticket" in answer.content.decode()


def test_a_list_that_was_tampered_with_brings_in_nothing_else(ticket, facility, integration, desk) -> None:
    foreign = [
        a_trace(an_integration(a_facility())),
        a_trace(integration, signature="other"),
        a_trace(an_integration(facility)),
    ]
    given = " ".join(str(one.note_id) for one in foreign) + f" {uuid.uuid4()} nonsense"
    assert logged_in(desk).post(f"/tickets/{ticket.number}/alike/", {"note": given}).status_code == 422
    assert ticket.ticket_notes.count() == 1
    assert logged_in(desk).post(f"/tickets/{ticket.number}/alike/").status_code == 422


def test_the_page_to_choose_from_joins_those_that_were_ticked(ticket, integration, desk) -> None:
    chosen, left = a_trace(integration), a_trace(integration)
    text = page(ticket, desk, "alike/")
    assert text.count('type="checkbox"') == 2
    assert chosen.note.external_id in text
    logged_in(desk).post(f"/tickets/{ticket.number}/alike/", {"note": [str(chosen.note_id)]})
    assert set(ticket.ticket_notes.values_list("note", flat=True)) >= {chosen.note_id}
    assert left.note_id not in set(ticket.ticket_notes.values_list("note", flat=True))


def test_a_long_list_is_looked_through_before_it_is_joined_and_stays_bounded(ticket, integration, desk) -> None:
    for _ in range(51):
        a_trace(integration)
    text = page(ticket, desk)
    assert "51 more notes" in text
    assert "Join these" not in text
    assert "Choose" in text
    for _ in range(450):
        a_trace(integration)
    found = proposal(desk, ticket)
    assert (found.count, found.more) == (500, True)
    assert "500 or more" in page(ticket, desk)
    given = {"note": found.words}
    assert logged_in(desk).post(f"/tickets/{ticket.number}/alike/", given).status_code == 302
    assert ticket.ticket_notes.count() == 501


def test_nothing_joins_while_something_works_through_the_notes(ticket, integration, desk) -> None:
    one = a_trace(integration)
    with in_use(ticket), pytest.raises(TicketError, match="A resend is under way"):
        join_alike(ticket=ticket, ids=[one.note_id], by=desk)


def test_nothing_is_proposed_on_a_ticket_that_is_over_or_to_who_only_looks(ticket, facility, integration, desk) -> None:
    a_trace(integration)
    assert "Failed alike" not in page(ticket, a_person(facility, Role.MANAGER))
    Ticket.objects.update(state=TicketState.RESOLVED)
    ticket.refresh_from_db()
    assert proposal(desk, ticket).count == 0


def test_the_proposal_costs_the_same_however_many_failed(ticket, integration, desk) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            proposal(desk, Ticket.objects.get(pk=ticket.pk))
        return len(queries)

    a_trace(integration)
    count()
    few = count()
    for _ in range(6):
        a_trace(integration)
    assert count() == few
