"""The report's page: whose numbers it shows, that each opens its tickets, and at what price."""

import html
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console.accounts.roles import Role
from console.accounts.services import admit, give_role
from console.tickets.models import Severity, Ticket
from tests.console.builders import a_department, a_facility, a_note, a_person, an_integration
from tests.console.pages.documents import logged_in
from tests.console.reports.past import a_past_ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def facility():
    return a_facility()


@pytest.fixture
def manager(facility):
    return a_person(facility, Role.MANAGER)


def page(person, query: str = "", where: str = "/reports/") -> str:
    answer = logged_in(person).get(f"{where}{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def stat(text: str, label: str) -> str:
    """Give the words of one of the figures."""
    found = re.search(rf'data-stat="{re.escape(label)}"><data value="[^"]*">([^<]*)<', text)
    assert found, label
    return found[1]


def listed(person, query: str) -> list[int]:
    """Give the numbers of the tickets that a link opens, over all its pages."""
    client, numbers, number = logged_in(person), [], 1
    while True:
        text = client.get(f"/reports/tickets/?{html.unescape(query)}&page={number}").content.decode()
        numbers += [int(each) for each in re.findall(r'<td class="num n">(\d+)<', text)]
        if f"page={number + 1}" not in text:
            count = re.search(r'data-count="(\d+)"', text)
            assert count
            assert int(count[1]) == len(numbers)
            return numbers
        number += 1


def test_a_manager_reads_the_figures_of_his_facility(facility, manager) -> None:
    integration = an_integration(facility)
    for minutes in (30, 60, 90, 120, 500):
        a_past_ticket(integration, minutes=minutes)
    text = page(manager)
    assert stat(text, "MTTR, mean") == "2 h 40 m"
    assert stat(text, "MTTR, median") == "1 h 30 m"
    assert "p90 8 h 20 m" in text
    assert stat(text, "Time to diagnosis, median") == "6 s"
    assert stat(text, "Acknowledged, mean") == "2 min"
    assert stat(text, "Resolved within target") == "80 %"
    assert stat(text, "Reopened") == "0 %"
    assert "The access token had expired" in text or "auth.token.expired" not in text
    assert "What the figures mean" in text


def test_active_time_leaves_the_waiting_out_and_says_so(facility, manager) -> None:
    a_past_ticket(an_integration(facility), minutes=200, waited=150)
    assert stat(page(manager), "MTTR, median") == "3 h 20 m"
    active = page(manager, "?clock=active")
    assert stat(active, "MTTR, median") == "50 min"
    assert "active time; groups of fewer" in active


def test_no_number_of_another_facility_is_in_it(facility, manager) -> None:
    a_past_ticket(an_integration(facility), minutes=30)
    other = a_facility()
    a_past_ticket(an_integration(other), minutes=900)
    a_past_ticket(an_integration(other), is_open=True)
    text = page(manager)
    assert stat(text, "MTTR, mean") == "30 min"
    assert stat(text, "Open now") == "0"
    assert other.name not in text
    assert logged_in(manager).get(f"/reports/?facility={other.id}").status_code == 404
    assert logged_in(manager).get("/reports/tickets/?facility=nothing").status_code == 404


def test_a_role_without_reports_at_a_facility_adds_nothing_of_it(facility, manager) -> None:
    desk_at = a_facility()
    give_role(user=manager, facility=desk_at, role=Role.HELP_DESK, by=None)
    a_past_ticket(an_integration(desk_at), minutes=900)
    assert "No ticket was resolved in this period" in page(manager)
    assert logged_in(a_person(facility)).get("/reports/").status_code == 403
    assert 'href="/reports/"' not in page(a_person(facility), where="/tickets/")


def test_the_facility_switcher_and_the_filter_narrow(facility, manager) -> None:
    second = a_facility()
    give_role(user=manager, facility=second, role=Role.MANAGER, by=None)
    a_past_ticket(an_integration(facility), minutes=30)
    a_past_ticket(an_integration(second), minutes=90)
    assert stat(page(manager), "MTTR, mean") == "1 h"
    assert stat(page(manager, f"?facility={second.id}"), "MTTR, mean") == "1 h 30 m"
    client = logged_in(manager)
    client.post("/place/", {"facility": str(facility.id)})
    assert stat(client.get("/reports/").content.decode(), "MTTR, mean") == "30 min"


def test_tickets_of_a_restricted_department_are_left_out_and_counted_only_from_five_on(facility, manager) -> None:
    integration, department = an_integration(facility), a_department(facility, restricted=True)
    a_past_ticket(integration, minutes=30)

    def hide(count: int) -> None:
        for _ in range(count):
            ticket = a_past_ticket(integration, minutes=900, title="Hidden one")
            ticket.ticket_notes.create(note=a_note(integration, department=department), department=department)

    hide(4)
    text = page(manager)
    assert stat(text, "MTTR, mean") == "30 min"
    assert "are left out." not in text.split("What the figures mean")[0]
    hide(1)
    assert "5 tickets of restricted departments are left out" in page(manager)
    assert "Hidden one" not in page(manager, where="/reports/tickets/")
    admit(user=manager, department=department, by=None)
    assert "are left out" not in page(manager).split("What the figures mean")[0]
    assert len(listed(manager, "")) == 6


def test_without_a_resolved_ticket_it_says_what_to_do(manager) -> None:
    text = page(manager)
    assert "No ticket was resolved in this period" in text
    assert "Choose a longer period" in text
    assert "MTTR, mean" not in text


def test_every_link_opens_exactly_the_tickets_that_its_number_counts(facility, manager) -> None:
    integration, second = an_integration(facility), an_integration(facility)
    for number in range(11):
        a_past_ticket(integration, minutes=20 + 40 * number, reopened=number % 4 == 0)
    for number in range(3):
        a_past_ticket(
            second, minutes=50, category="network", cause="net.tls.expired", severity=Severity.DELAYED,
            resolved_at=datetime.now(UTC) - timedelta(days=40 * number + 1),
        )  # fmt: skip
    a_past_ticket(second, is_open=True, minutes=600)
    text = page(manager)
    rows = re.findall(r"<tr>\s*<th scope=\"row\">.*?</tr>", text, re.S)
    assert len(rows) > 12
    for row in rows:
        n = int(re.search(r'<data value="(\d+)"', row)[1])
        links = re.findall(r'/reports/tickets/\?([^"]+)"', row)
        assert bool(links) is bool(n)
        if n:
            assert len(listed(manager, links[0])) == n
        for link, value in re.findall(r'class="own" href="/reports/tickets/\?([^"]+)"><data value="(\d+)"', row):
            assert len(listed(manager, link)) == int(value)
    counts = {"MTTR, mean": 14, "Resolved within target": 9, "Reopened": 3, "Time to diagnosis, median": 14,
              "Open now": 1, "Overdue": 1}  # fmt: skip
    for label, count in counts.items():
        link = re.search(rf'/reports/tickets/\?([^"]+)" data-stat="{re.escape(label)}"', text)[1]
        assert len(listed(manager, link)) == count, label
    chips = re.findall(r'href="\?([^"]+)"[^>]*>[^<]* <b>(\d+)</b>', page(manager, where="/reports/tickets/"))
    assert len(chips) == 6
    for link, value in chips:
        assert len(listed(manager, link)) == int(value)


def test_the_tickets_behind_a_number_are_sorted_as_asked_and_paged(facility, manager) -> None:
    integration = an_integration(facility)
    quick = a_past_ticket(integration, minutes=5, resolved_at=datetime.now(UTC) - timedelta(hours=30))
    slow = a_past_ticket(integration, minutes=500, resolved_at=datetime.now(UTC) - timedelta(hours=60))
    assert listed(manager, "sort=resolved") == [quick.number, slow.number]
    assert listed(manager, "sort=wall") == [slow.number, quick.number]
    for _ in range(55):
        a_past_ticket(integration)
    assert len(listed(manager, "")) == 57


def test_an_unknown_group_or_list_does_not_exist(manager, facility) -> None:
    a_past_ticket(an_integration(facility))
    for query in ("by=colour&is=red", "by=vendor&is=nobody", "only=some", "show=hidden"):
        assert logged_in(manager).get(f"/reports/tickets/?{query}").status_code == 404, query


def test_groups_of_fewer_than_five_are_marked(facility, manager) -> None:
    integration = an_integration(facility)
    for _ in range(5):
        a_past_ticket(integration)
    a_past_ticket(integration, category="network", cause="net.tls.expired")
    rows = re.findall(r"<tr>\s*<th scope=\"row\">.*?</tr>", page(manager), re.S)
    of = {re.sub("<[^>]+>", "", re.search(r"<th.*?</th>", row, re.S)[0]): row for row in rows}
    assert ">few<" in of["Network"]
    assert ">few<" not in of["Authentication"]


def test_a_ticket_resolved_after_midnight_belongs_to_the_month_of_its_facility(manager) -> None:
    chicago = a_facility(time_zone="America/Chicago")
    give_role(user=manager, facility=chicago, role=Role.MANAGER, by=None)
    integration = an_integration(chicago)
    march = a_past_ticket(integration, resolved_at=datetime(2026, 3, 1, 6, 30, tzinfo=UTC))  # 00:30 on 1 March
    february = a_past_ticket(integration, resolved_at=datetime(2026, 3, 1, 5, 30, tzinfo=UTC))  # 23:30 on 28 February
    days = {"period": "dates", "from": "2026-01-01", "to": "2026-04-30"}
    assert listed(manager, urlencode(days | {"by": "month", "is": "2026-03"})) == [march.number]
    assert listed(manager, urlencode(days | {"by": "month", "is": "2026-02"})) == [february.number]
    assert listed(manager, "period=dates&from=2026-03-01&to=2026-03-31") == [march.number]


@pytest.mark.parametrize(
    ("first", "last", "says"),
    [
        ("2026-03-31", "2026-01-01", "The first day lies after the last one"),
        ("", "2026-01-01", "Give both dates"),
        ("yesterday", "2026-01-01", "like 2026-03-31"),
        ("1999-01-01", "2026-01-01", "five years at most"),
        ("2999-01-01", "2999-02-01", "has not begun yet"),
    ],
)
def test_wrong_dates_are_said_and_kept_in_the_form(manager, first, last, says) -> None:
    answer = logged_in(manager).get("/reports/", {"period": "dates", "from": first, "to": last})
    assert answer.status_code == 422
    text = answer.content.decode()
    assert says in text
    assert f'name="from" type="date" value="{first}"' in text


def test_the_period_before_is_compared_where_both_have_tickets_enough(facility, manager) -> None:
    integration = an_integration(facility)
    for _ in range(5):
        a_past_ticket(integration, minutes=50)
        a_past_ticket(integration, minutes=100, resolved_at=datetime.now(UTC) - timedelta(days=45))
    text = page(manager, "?period=30d")
    assert "−50 %" in text
    assert "faster than before" in text
    assert "before" not in stat(text, "MTTR, mean")
    Ticket.objects.filter(opened_at__lt=datetime.now(UTC) - timedelta(days=40)).delete()
    assert "faster than before" not in page(manager, "?period=30d")


def test_the_number_of_queries_does_not_grow_with_the_tickets(facility, manager) -> None:
    integration = an_integration(facility)
    a_past_ticket(integration)

    def count(where: str) -> int:
        client = logged_in(manager)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(where).status_code == 200
        return len(queries)

    places = ("/reports/", "/reports/tickets/", "/reports/mttr.csv", "/reports/mttr.pdf")
    few = [count(where) for where in places]
    for number in range(12):
        a_past_ticket(an_integration(facility), reopened=True, cause=("net.tls.expired", "fhir.x")[number % 2])
    assert [count(where) for where in places] == few


def test_a_manager_lands_here(manager) -> None:
    assert logged_in(manager).get("/").url == "/reports/"
