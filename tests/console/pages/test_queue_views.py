"""Saved views: an address of their own that survives being mailed, seen by whom it is meant for."""

import pytest

from console.accounts.roles import Role
from console.accounts.services import give_role
from console.tickets.models import SavedView
from console.tickets.services import take
from tests.console.builders import a_facility, a_note, a_person, a_ticket, an_integration
from tests.console.pages.documents import logged_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def facility():
    return a_facility()


@pytest.fixture
def desk(facility):
    return a_person(facility)


def save(person, **fields: str):
    return logged_in(person).post("/tickets/views/", {"name": "Mine at noon", "query": "view=mine", **fields})


def test_a_view_is_saved_with_what_the_queue_shows_and_opens_by_its_address(facility, desk) -> None:
    mine, other = (a_ticket(an_integration(facility), title=title) for title in ("Taken by me", "Nobody has it"))
    take(ticket=mine, by=desk)
    assert other.owner is None
    where = save(desk).headers["Location"]
    text = logged_in(desk).get(where).content.decode()
    assert "<h1>Mine at noon</h1>" in text
    assert "Taken by me" in text
    assert "Nobody has it" not in text


def test_one_of_ones_own_is_nobody_elses(facility, desk) -> None:
    where = save(desk).headers["Location"]
    assert logged_in(a_person(facility)).get(where).status_code == 404


def test_a_shared_one_shows_each_person_his_own_tickets_and_is_unknown_elsewhere(facility, desk) -> None:
    colleague = a_person(facility)
    hers = a_ticket(an_integration(facility), title="Hers")
    take(ticket=hers, by=colleague)
    where = save(desk, facility=str(facility.id)).headers["Location"]
    shown = logged_in(colleague).get(where)
    assert shown.status_code == 200
    assert "Hers" in shown.content.decode()
    assert "Mine at noon" in logged_in(colleague).get("/tickets/").content.decode()
    assert logged_in(a_person(a_facility())).get(where).status_code == 404


def test_only_who_works_there_shares_a_view_there(facility, desk) -> None:
    assert save(desk, facility=str(a_facility().id)).status_code == 422
    assert save(a_person(facility, Role.MANAGER), facility=str(facility.id)).status_code == 422
    assert not SavedView.objects.exists()


def test_a_name_is_needed_and_stands_once(desk) -> None:
    assert save(desk, name=" ").status_code == 422
    save(desk)
    again = save(desk)
    assert again.status_code == 422
    assert "You have a view with the name “Mine at noon” already." in again.content.decode()


def test_what_has_no_meaning_is_not_kept(facility, desk) -> None:
    save(desk, query="view=late&cause=nothing&patient=Jane+Roe&mode=partial&integration=" + str(facility.id))
    assert SavedView.objects.get().query == "view=late&mode=partial"


def test_it_is_renamed_shared_and_deleted_by_whom_it_belongs_to(facility, desk) -> None:
    where = save(desk).headers["Location"]
    client, colleague = logged_in(desk), logged_in(a_person(facility))
    client.post(f"{where}change/", {"name": "What I have", "facility": str(facility.id)})
    assert "What I have" in colleague.get(where).content.decode()
    for act in ("change", "delete"):
        assert colleague.post(f"{where}{act}/", {"name": "Hers now"}).status_code == 403
    assert client.get(f"{where}change/").status_code == 200
    client.post(f"{where}delete/")
    assert client.get(where).status_code == 404


def test_an_administrator_clears_up_what_somebody_left_shared(facility, desk) -> None:
    where = save(desk, facility=str(facility.id)).headers["Location"]
    administrator = a_person(facility, Role.ADMINISTRATOR)
    assert logged_in(administrator).post(f"{where}delete/").status_code == 302
    assert not SavedView.objects.exists()


def test_a_view_shows_all_of_ones_facilities_whatever_the_lists_are_narrowed_to(facility, desk) -> None:
    second = a_facility()
    give_role(user=desk, facility=second, role=Role.HELP_DESK, by=None)
    a_ticket(an_integration(second), title="At the second house")
    where = save(desk, query="view=open").headers["Location"]
    client = logged_in(desk)
    client.post("/place/", {"facility": str(facility.id)})
    assert "At the second house" not in client.get("/tickets/").content.decode()
    assert "At the second house" in client.get(where).content.decode()


def test_a_filters_choices_say_how_many_tickets_they_hold(facility, desk) -> None:
    integration = an_integration(facility)
    for _ in range(3):
        a_ticket(integration, a_note(integration))
    take(ticket=a_ticket(an_integration(facility)), by=desk)
    text = logged_in(desk).get("/tickets/").content.decode()
    assert f"{integration.name} (3)" in text
    assert "Nobody (3)" in text
    narrowed = logged_in(desk).get(f"/tickets/?integration={integration.id}").content.decode()
    assert f"{desk} (1)" not in narrowed
    assert "Open <b>3</b>" in narrowed


def test_a_filter_that_matches_nothing_now_still_means_what_it_says(facility, desk) -> None:
    a_ticket(an_integration(facility), title="Without a cause")
    text = logged_in(desk).get("/tickets/?cause=net.tls.expired").content.decode()
    assert "Without a cause" not in text
    assert "No ticket matches these filters" in text


def test_pages_follow_each_other_without_losing_or_repeating_a_ticket(facility, desk, monkeypatch) -> None:
    monkeypatch.setattr("console.tickets.queue_rows.PAGE_SIZE", 2)
    monkeypatch.setattr("console.tickets.queue_rows.stretch.__defaults__", ("", 2))
    integration = an_integration(facility)
    titles = [f"Ticket number {n}" for n in range(5)]
    for title in titles:
        a_ticket(integration, title=title)
    client, where, seen = logged_in(desk), "/tickets/", []
    for _ in range(5):
        page = client.get(where).context["queue"]
        seen += [row.ticket.title for row in page.rows]
        if not page.after:
            break
        where = f"/tickets/?{page.query}&after={page.after.replace('+', '%2B')}"
    assert sorted(seen) == titles


def test_a_ticket_opened_from_the_queue_leads_to_its_neighbours(facility, desk) -> None:
    integration = an_integration(facility)
    tickets = [a_ticket(integration, title=f"Ticket {n}") for n in range(3)]
    client = logged_in(desk)
    order = client.get("/tickets/?order=due").context["queue"].numbers
    middle = client.get(f"/tickets/{order[1]}/").content.decode()
    assert f'href="/tickets/{order[0]}/" rel="prev"' in middle
    assert f'href="/tickets/{order[2]}/" rel="next"' in middle
    assert "2 of 3" in middle
    assert len(tickets) == 3
    assert 'rel="next"' not in logged_in(desk).get(f"/tickets/{order[1]}/").content.decode()
