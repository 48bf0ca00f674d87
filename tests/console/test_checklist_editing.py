"""Writing checklists: versions, branches, lists of one's own, retiring, and what a later release may change."""

from typing import Any

import pytest
from django.test import Client

from console.accounts.models import User
from console.accounts.roles import Role
from console.diagnoses import checklists
from console.diagnoses.branching import complaint, reached
from console.diagnoses.built_in_checklists import BUILT_IN
from console.diagnoses.checklist_editing import Wording, bring_back, change, create, differences, retire
from console.diagnoses.checklists import ChecklistError, fitting, give, in_force, of_ticket
from console.diagnoses.models import ChecklistTemplate
from tests.console.builders import a_facility, a_person, a_ticket, an_integration

pytestmark = pytest.mark.django_db


@pytest.fixture
def facility() -> Any:
    return a_facility()


@pytest.fixture
def editor(facility) -> User:
    return a_person(facility, Role.INFORMATICS)


def logged_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def test_a_new_version_counts_from_now_on_and_old_tickets_keep_theirs(facility, editor) -> None:
    ticket = a_ticket(an_integration(facility))
    give(ticket.id, ["network", "follow-up"])
    client = logged_in(editor)
    data = {"name": "Network", "about": "Short", "seen": "1", "place-NET.2": "1", "place-NET.1": "2"}
    assert client.post("/checklists/network/", data).status_code == 302
    assert (in_force()["network"].version, in_force()["network"].items) == (2, ["NET.2", "NET.1"])
    assert of_ticket(ticket.id)[0].version == 1
    late = client.post("/checklists/network/", {**data, "place-NET.3": "77"})
    assert late.status_code == 422
    assert "wrote version 2 meanwhile" in late.content.decode()
    assert 'value="77"' in late.content.decode()  # what was typed is not lost


def test_the_page_says_what_each_version_changed(facility, editor) -> None:
    client = logged_in(editor)
    data = {"name": "Network", "about": "Short", "seen": "1", "place-NET.1": "1", "place-NET.2": "2"}
    client.post("/checklists/network/", {**data, "after-NET.2": "NET.1 no"})
    page = client.get("/checklists/network/").content.decode()
    assert "To be used: “Short”" in page
    assert "Taken out: “Test from every network segment”." in page
    assert "shown after a no to “Does a connection come about?”, before shown after a yes" in page
    assert "What NoteTrace now comes with" in page
    assert str(editor) in page


def test_a_preview_shows_the_list_and_saves_nothing(editor) -> None:
    client = logged_in(editor)
    data = {"name": "Network", "seen": "1", "do": "preview", "place-NET.1": "1", "place-NET.3": "2"}
    page = client.post("/checklists/network/", {**data, "after-NET.3": "NET.1 no"})
    assert page.status_code == 200
    assert "Nothing is saved yet." in page.content.decode()
    assert "Shown after a no to “Does a connection come about?”" in page.content.decode()
    assert in_force()["network"].version == 1


def test_a_list_of_ones_own_is_written_copied_and_given(facility, editor) -> None:
    client = logged_in(editor)
    assert client.get("/checklists/new/?of=permissions").content.decode().count("Copy of Permissions") == 1
    data = {"name": "Night shift", "about": "After midnight", "category": "network", "place-NET.5": "1"}
    made = client.post("/checklists/new/", data)
    assert (made.status_code, made["Location"]) == (302, "/checklists/night-shift/")
    assert fitting("network", []) == ["network", "night-shift", "follow-up"]
    again = client.post("/checklists/new/", data)
    assert again.status_code == 422
    assert "There is a checklist “Night shift” already" in again.content.decode()


def test_a_retired_list_is_given_to_nobody_else_and_comes_back_as_it_was(facility, editor) -> None:
    ticket, later = a_ticket(an_integration(facility)), a_ticket(an_integration(facility))
    create(wording=Wording("Night shift", "", ["NET.5"]), by=editor)
    give(ticket.id, ["night-shift"])
    retire(slug="night-shift", seen=1, by=editor)
    assert "night-shift" not in in_force()
    assert [one.slug for one in of_ticket(ticket.id)] == ["night-shift"]
    with pytest.raises(ChecklistError, match="no such checklist"):
        checklists.add(ticket_id=later.id, slug="night-shift", by=editor)
    page = logged_in(editor).get("/checklists/night-shift/").content.decode()
    assert "Put in force again" in page
    bring_back(slug="night-shift", seen=2, by=editor)
    assert in_force()["night-shift"].items == ["NET.5"]
    assert ChecklistTemplate.objects.filter(slug="night-shift").count() == 3  # nothing was deleted


def test_a_retired_built_in_list_leaves_its_category_without_one(editor) -> None:
    in_force()
    retire(slug="network", seen=1, by=editor)
    assert fitting("network", []) == ["follow-up"]
    with pytest.raises(ChecklistError, match="belongs to every ticket"):
        retire(slug="follow-up", seen=1, by=editor)
    client = logged_in(editor)
    assert client.post("/checklists/follow-up/force/", {"seen": "1", "do": "retire"}).status_code == 302
    assert "follow-up" in in_force()


def test_a_later_release_renews_what_nobody_wrote_and_nothing_else(editor) -> None:
    in_force()
    mine = change(slug="network", wording=Wording("Ours", "", ["NET.5"], {}, "network"), seen=1, by=editor)
    ChecklistTemplate.objects.filter(slug__in=("authentication",)).update(items=["TOKEN.1"], branches={})  # an old one
    held = in_force()
    entry = next(one for one in BUILT_IN if one.slug == "authentication")
    renewed = held["authentication"]
    assert (renewed.version, renewed.items, renewed.branches) == (2, list(entry.items), entry.branches)
    assert held["network"] == mine
    assert in_force()["authentication"].version == 2  # once


def test_nobody_else_changes_a_list(facility) -> None:
    client = logged_in(a_person(facility))
    page = client.get("/checklists/network/").content.decode()
    assert "Write a new version" not in page
    assert "Retire" not in page
    assert client.post("/checklists/network/", {"name": "x", "seen": "1"}).status_code == 403
    assert client.post("/checklists/network/force/", {"seen": "1"}).status_code == 403
    assert client.get("/checklists/new/").status_code == 403


@pytest.mark.parametrize(
    ("items", "branches", "said"),
    [
        ([], {}, "at least one item"),
        (["NET.99"], {}, r"no item NET\.99"),
        (["NET.2", "NET.1"], {"NET.2": ["NET.1", "yes"]}, "stands above"),
        (["NET.2"], {"NET.2": ["NET.1", "yes"]}, "which is not in the list"),
        (["NET.5", "NET.2"], {"NET.2": ["NET.5", "yes"]}, "which asks nothing"),
        (["NET.1", "NET.2"], {"NET.2": ["NET.1", "maybe"]}, "a yes or after a no"),
        (["NET.1", "NET.3"], {"NET.1": ["NET.3", "yes"], "NET.3": ["NET.1", "no"]}, "wait for each other"),
        (["NET.1"], {"NET.1": ["NET.1", "yes"]}, "wait for each other"),
        (["NET.1"], {"NET.2": ["NET.1", "yes"]}, "is not in the list"),
    ],
)
def test_a_list_that_cannot_be_worked_through_is_refused_with_words(editor, items, branches, said) -> None:
    in_force()
    with pytest.raises(ChecklistError, match=said):
        change(slug="network", wording=Wording("Network", "", items, branches), seen=1, by=editor)


def test_the_form_says_what_is_wrong_with_a_branch_and_keeps_what_was_typed(editor) -> None:
    data = {"name": "N", "seen": "1", "place-NET.2": "1", "place-NET.1": "2", "after-NET.2": "NET.1 yes"}
    answer = logged_in(editor).post("/checklists/network/", data)
    assert answer.status_code == 422
    assert "Put it below." in answer.content.decode()
    assert '<option value="NET.1 yes" selected>' in answer.content.decode()


def test_a_chain_of_answers_is_followed_and_breaks_with_its_first() -> None:
    items = ["NET.1", "NET.3", "NET.9"]
    branches = {"NET.3": ["NET.1", "no"], "NET.9": ["NET.3", "yes"]}
    assert complaint(items, branches) == ""
    assert reached(items, branches, {}) == ["NET.1"]
    assert reached(items, branches, {"NET.3": "yes"}) == ["NET.1"]
    assert reached(items, branches, {"NET.1": "no", "NET.3": "yes"}) == items
    assert reached(items, branches, {"NET.1": "yes", "NET.3": "yes"}) == ["NET.1"]


def test_versions_that_say_the_same_have_no_differences() -> None:
    one = Wording("A", "", ["NET.1", "NET.3"], {"NET.3": ["NET.1", "no"]})
    assert differences(one, one) == []
    assert differences(one, Wording("A", "", ["NET.3", "NET.1"], {"NET.3": ["NET.1", "no"]})) == [
        "Put into another order."
    ]
