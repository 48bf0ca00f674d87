"""Failures alike: grouped by what they share, with whom they touch, and one ticket for all of them."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console.accounts.roles import Role
from console.accounts.services import admit
from console.notes.ends import end_notes
from console.tickets.models import Ticket
from tests.console.builders import a_department, a_facility, a_person, a_ticket, an_integration
from tests.console.pages.documents import logged_in
from tests.console.worklist.traces import a_trace, an_orphan

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


def page(person, where: str = "/notes/failures/", status: int = 200) -> str:
    answer = logged_in(person).get(where)
    assert answer.status_code == status
    return re.sub(r"\s+", " ", answer.content.decode())


def rows(text: str) -> list[tuple[str, str]]:
    """Give (count, waiting) of each group, in order."""
    return re.findall(r"<b>([\d,]+)</b><small>([\d,]+) waiting</small>", text)


def link(text: str) -> str:
    found = re.search(r'href="(/notes/failures/[0-9a-f-]{36}/[^"?]+)', text)
    assert found is not None
    return found[1]


def test_failures_alike_are_one_line_the_largest_first(integration, desk) -> None:
    for number in range(3):
        a_trace(integration, minutes=100 + number, provider_id=f"prov-{number}", site=f"Site {number % 2}")
    a_trace(integration, minutes=50, signature="token expired", status=401)
    a_trace(integration, "never_sent", minutes=40)
    a_trace(an_integration(integration.facility), minutes=30)
    a_trace(integration, "delivered", minutes=30)
    an_orphan(integration)
    text = page(desk)
    assert rows(text) == [("3", "3"), ("1", "1"), ("1", "1"), ("1", "1")]
    assert "2 sites<small>3 providers</small>" in text
    assert "422 · unknown profile" in text
    assert "6 notes of the period" in text
    assert text.count('class="spark"') == 4


def test_the_list_narrows_by_time_integration_and_mode(integration, desk) -> None:
    a_trace(integration, minutes=60)
    a_trace(integration, "partial", minutes=60 * 30)
    a_trace(integration, minutes=60 * 24 * 20, signature="long ago")
    assert len(rows(page(desk, "/notes/failures/?period=24h"))) == 1
    assert len(rows(page(desk))) == 2
    assert len(rows(page(desk, "/notes/failures/?period=30d"))) == 3
    assert len(rows(page(desk, "/notes/failures/?mode=partial"))) == 1
    other = an_integration(integration.facility)
    assert rows(page(desk, f"/notes/failures/?integration={other.id}")) == []
    assert len(rows(page(desk, "/notes/failures/?period=odd&mode=odd&integration=odd"))) == 2


def test_nobody_sees_another_facility_nor_a_closed_department(facility, integration, desk) -> None:
    closed = a_department(facility, restricted=True)
    a_trace(integration, department=closed, signature="only there", provider_id="prov-x", site="Secret wing")
    a_trace(integration, department=closed)
    a_trace(integration)
    assert rows(page(desk)) == [("1", "1")]
    assert rows(page(a_person(a_facility()))) == []
    where = link(page(desk))
    assert "Secret wing" not in page(desk, where)
    page(a_person(a_facility()), where, 404)
    admit(user=desk, department=closed, by=None)
    assert sorted(rows(page(desk))) == [("1", "1"), ("2", "2")]
    hidden = next(
        one for one in re.findall(r'href="(/notes/failures/[0-9a-f-]{36}/[^"?]+)', page(desk)) if one != where
    )
    page(a_person(facility), hidden, 404)


def test_one_group_shows_whom_it_touches_and_its_notes(integration, desk) -> None:
    for number in range(3):
        a_trace(integration, minutes=100 + number, provider_id=f"prov-{number % 2}", site="North")
    ended = a_trace(integration, minutes=90, provider_id="prov-0", site="South")
    end_notes(notes=[ended.note], how="by_hand", by=desk)
    text = page(desk, link(page(desk)))
    assert re.search(r"North</th><td>3<", text)
    assert re.search(r"prov-0</th><td>3<", text)
    assert "4, 3 waiting" in text
    assert "Entered by hand" in text
    assert "Open a ticket for 3 notes" in text
    assert "Open a ticket" not in page(a_person(integration.facility, Role.MANAGER), link(page(desk)))


def test_a_group_that_is_not_there_is_404(integration, desk) -> None:
    a_trace(integration)
    where = link(page(desk))
    page(desk, where.replace("rejected", "partial"), 404)
    page(desk, where.replace("rejected", "odd"), 404)
    page(desk, where[:-33] + "0" * 32 + "/", 404)


def press(person, text: str, where: str):
    fields = dict(re.findall(r'name="(key|since|until)" value="([^"]+)"', text))
    fields = {name: value.replace("&#x2B;", "+") for name, value in fields.items()}
    return logged_in(person).post(where + "ticket/", fields)


def test_one_ticket_takes_all_notes_the_page_counted_and_no_others(integration, desk) -> None:
    counted = {a_trace(integration, minutes=100 + n).note_id for n in range(3)}
    where = link(page(desk))
    text = page(desk, where)
    later = a_trace(integration, minutes=1)
    answer = press(desk, text, where)
    ticket = Ticket.objects.get()
    assert answer.url == f"/tickets/{ticket.number}/"
    assert set(ticket.ticket_notes.values_list("note_id", flat=True)) == counted
    assert ticket.title.endswith(": 3 notes")
    assert press(desk, text, where).url == answer.url
    assert Ticket.objects.count() == 1
    # What failed since joins the open ticket, that holds the same cause.
    text = page(desk, where)
    assert f"Put 1 more note on ticket #{ticket.number}" in text
    press(desk, text, where)
    assert "more note" not in page(desk, where)
    assert Ticket.objects.count() == 1
    assert later.note_id in set(ticket.ticket_notes.values_list("note_id", flat=True))
    assert f'href="/tickets/{ticket.number}/"' in page(desk)


def test_a_restricted_departments_note_stays_off_the_others_ticket(facility, integration, desk) -> None:
    closed = a_department(facility, restricted=True)
    admit(user=desk, department=closed, by=None)
    shut = a_trace(integration, minutes=100, department=closed)
    open_one = a_trace(integration, minutes=90)
    where = link(page(desk))
    press(desk, page(desk, where), where)
    ticket = Ticket.objects.get()
    assert list(ticket.ticket_notes.values_list("note_id", flat=True)) == [open_one.note_id]
    end_notes(notes=[open_one.note], how="by_hand", by=desk)
    press(desk, page(desk, where), where)
    assert Ticket.objects.count() == 2
    assert Ticket.objects.latest("number").ticket_notes.get().note_id == shut.note_id


def test_nothing_waits_any_more_is_said_and_no_ticket_opened(facility, integration, desk) -> None:
    trace = a_trace(integration)
    where = link(page(desk))
    text = page(desk, where)
    end_notes(notes=[trace.note], how="by_hand", by=desk)
    answer = press(desk, text, where)
    assert answer.url == where
    assert not Ticket.objects.exists()
    manager = a_person(facility, Role.MANAGER)
    assert logged_in(manager).post(where + "ticket/").status_code == 403


@pytest.mark.parametrize("one", [False, True])
def test_the_price_of_the_pages_does_not_grow_with_notes_and_groups(integration, desk, one) -> None:
    def furnish(count: int) -> None:
        for number in range(count):
            trace = a_trace(integration, signature=f"error <w> {number % 7}", site=f"Site {number}")
            a_ticket(integration, trace.note)
            a_trace(integration, provider_id=f"prov-{number}", site=f"Site {number}")

    def cost() -> int:
        where = link(page(desk)) if one else "/notes/failures/"
        client = logged_in(desk)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(where).status_code == 200
        return len(queries)

    furnish(2)
    few = cost()
    furnish(20)
    assert cost() == few
