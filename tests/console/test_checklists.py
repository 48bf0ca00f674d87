"""Checklists: versions of templates, which a ticket gets, how they tick, and who changes them."""

from typing import Any

import pytest
from django.test import Client

from console.accounts.models import User
from console.accounts.roles import Role
from console.diagnoses.checklists import BUILT_IN, ChecklistError, change, fitting, give, in_force, of_ticket
from console.diagnoses.models import ChecklistItemState, FindingRow
from console.diagnoses.words import CATEGORIES
from console.tickets.conclusions import take_conclusion
from console.tickets.services import add_checklist, tick
from diagnostics.checklists import ITEMS
from tests.console.builders import a_facility, a_person, a_ticket, an_integration
from tests.console.pages.documents import a_document, a_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def facility() -> Any:
    return a_facility()


@pytest.fixture
def ticket(facility) -> Any:
    return a_ticket(an_integration(facility))


def logged_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def slugs(ticket: Any) -> list[str]:
    return [template.slug for template in of_ticket(ticket.id)]


def test_every_category_of_root_cause_has_its_list_and_every_item_exists() -> None:
    assert {category for _, _, _, category, _ in BUILT_IN if category} == set(CATEGORIES)
    for slug, _, _, _, items in BUILT_IN:
        assert set(items.split()) <= set(ITEMS), slug


def test_the_guides_lists_are_whole() -> None:
    """Seven items of write-back, six network checks, three of the post-upgrade list (guide, steps 2, 4 and 5)."""
    lists = in_force()
    assert len(lists["write-back-verification"].items) == 7
    assert len(lists["network-quick-checks"].items) == 6
    assert {"WRITE.5", "UPGRADE.1", "WRITE.1", "TOKEN.4"} <= set(lists["post-upgrade-validation"].items)


@pytest.mark.parametrize(
    ("category", "failed", "given"),
    [
        ("authentication", [1, 4], ["authentication", "follow-up"]),
        ("template_conflict", [3], ["template-conflict", "follow-up"]),
        ("ehr_defect", [], ["ehr-defect", "follow-up"]),
        ("", [4, 2], ["network-quick-checks", "write-back-verification", "follow-up"]),
        ("", [6], ["follow-up"]),
    ],
)
def test_the_list_follows_the_cause_or_the_failed_steps(category, failed, given) -> None:
    assert fitting(category, failed) == given


def test_another_conclusion_brings_another_list_but_keeps_what_people_worked_on(ticket, facility) -> None:
    person = a_person(facility)
    give(ticket.id, ["authentication", "follow-up"])
    give(ticket.id, ["network", "follow-up"])
    assert slugs(ticket) == ["network", "follow-up"]
    tick(ticket=ticket, item="NET.4", state="done", by=person)
    give(ticket.id, ["permissions", "follow-up"])
    assert slugs(ticket) == ["network", "permissions", "follow-up"]


def test_a_check_ticks_an_item_and_a_persons_word_stands_above_it(ticket, facility) -> None:
    person = a_person(facility)
    ChecklistItemState.objects.create(
        ticket_id=ticket.id, facility=facility, item="TOKEN.1", state="done", by_check="auth.token.expired"
    )
    give(ticket.id, ["authentication", "follow-up"])
    text = logged_in(person).get(f"/tickets/{ticket.number}/").content.decode()
    assert "a check" in text
    tick(ticket=ticket, item="TOKEN.1", state="not_applicable", by=person, note="The token never expires here.")
    text = logged_in(person).get(f"/tickets/{ticket.number}/").content.decode()
    assert "does not apply" in text
    assert "The token never expires here." in text


@pytest.mark.parametrize(("status", "ticked"), [("passed", True), ("failed", False), ("warning", False)])
def test_that_a_note_is_in_the_chart_is_ticked_only_by_a_check_that_saw_it_there(ticket, status, ticked) -> None:
    run = a_run(ticket, document=a_document())
    FindingRow.objects.create(
        facility_id=ticket.facility_id, run=run, step=2, position=0, check_id="fhir.readback.absent.filed",
        title="It is there", status=status, checklist=["DONE.1", "WRITE.7"], content={},
    )  # fmt: skip
    take_conclusion(run)
    done = set(ChecklistItemState.objects.filter(ticket_id=ticket.id).values_list("item", flat=True))
    assert done == ({"DONE.1", "WRITE.7"} if ticked else {"WRITE.7"})


def test_a_person_adds_a_list_once(ticket, facility) -> None:
    person = a_person(facility)
    add_checklist(ticket=ticket, slug="post-upgrade-validation", by=person)
    text = logged_in(person).get(f"/tickets/{ticket.number}/").content.decode()
    assert "Post-upgrade validation" in text
    assert "added the checklist “post upgrade validation”" in text
    where = f"/tickets/{ticket.number}/checklists/"
    again = logged_in(person).post(where, {"checklist": "post-upgrade-validation"})
    assert again.status_code == 422
    assert "has this checklist already" in again.content.decode()
    assert logged_in(person).post(where, {"checklist": "made-up"}).status_code == 422


def test_a_new_version_counts_from_now_on_and_old_tickets_keep_theirs(ticket, facility) -> None:
    editor = a_person(facility, Role.INFORMATICS)
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


def test_nobody_else_changes_a_list(facility) -> None:
    client = logged_in(a_person(facility))
    assert "Write a new version" not in client.get("/checklists/network/").content.decode()
    assert client.post("/checklists/network/", {"name": "x", "seen": "1"}).status_code == 403


def test_an_empty_or_strange_list_is_refused(facility) -> None:
    editor = a_person(facility, Role.INFORMATICS)
    in_force()
    with pytest.raises(ChecklistError, match="at least one item"):
        change(slug="network", name="Network", about="", items=[], seen=1, by=editor)
    with pytest.raises(ChecklistError, match=r"no item NET\.99"):
        change(slug="network", name="Network", about="", items=["NET.99"], seen=1, by=editor)
