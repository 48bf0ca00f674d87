"""Checklists: versions of templates, which a ticket gets, how they tick, and who changes them."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from console.accounts.models import User
from console.diagnoses.branching import complaint
from console.diagnoses.built_in_checklists import BUILT_IN
from console.diagnoses.checklists import fitting, give, in_force, of_ticket
from console.diagnoses.models import ChecklistItemState, FindingRow
from console.diagnoses.words import CATEGORIES
from console.tickets.checklist import checklist, progress
from console.tickets.conclusions import take_conclusion
from console.tickets.models import Ticket
from console.tickets.moves import Collision
from console.tickets.services import add_checklist
from console.tickets.ticking import tick, word
from diagnostics.checklists import ITEMS
from tests.console.builders import a_facility, a_person, a_ticket, an_integration
from tests.console.pages.documents import a_check, a_document, a_run

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
    assert {entry.category for entry in BUILT_IN if entry.category} == set(CATEGORIES)
    for entry in BUILT_IN:
        assert set(entry.items) <= set(ITEMS), entry.slug
        assert complaint(entry.items, entry.branches) == "", entry.slug


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


# -- branches ----------------------------------------------------------------------------------------------------


def shown(ticket: Any) -> list[str]:
    lists = checklist(Ticket.objects.get(pk=ticket.pk), None, ())
    return [item.id for one in lists for item in one.items]


def test_items_are_shown_after_the_answer_they_wait_for(ticket, facility) -> None:
    person = a_person(facility)
    give(ticket.id, ["network", "follow-up"])
    assert shown(ticket) == ["NET.5", "NET.1", "NET.6", "DONE.1", "DONE.2"]
    tick(ticket=ticket, item="NET.1", state="done", answer="no", by=person)
    assert shown(ticket) == ["NET.5", "NET.1", "NET.3", "NET.6", "DONE.1", "DONE.2"]
    tick(ticket=ticket, item="NET.3", state="done", answer="yes", by=person)
    assert "NET.9" in shown(ticket)
    tick(ticket=ticket, item="NET.1", state="done", answer="yes", by=person)
    now = shown(ticket)
    assert {"NET.2", "NET.4", "NET.7"} <= set(now)
    assert "NET.9" not in now  # its question is not asked any more
    assert "NET.3" in now  # but what somebody answered stays in sight


def test_progress_counts_what_is_shown_and_says_that_more_waits(ticket, facility) -> None:
    person = a_person(facility)
    give(ticket.id, ["ehr-defect", "follow-up"])
    lists = checklist(ticket, None, ())
    assert (progress(lists), lists[0].waiting) == ((0, 6), 1)
    tick(ticket=ticket, item="EHR.2", state="done", answer="yes", by=person)
    lists = checklist(ticket, None, ())
    assert (progress(lists), lists[0].waiting) == ((1, 7), 0)
    text = logged_in(person).get(f"/tickets/{ticket.number}/").content.decode()
    assert "1 of 7" in text


def test_an_item_that_asks_wants_an_answer(ticket, facility) -> None:
    client = logged_in(a_person(facility))
    give(ticket.id, ["network", "follow-up"])
    page = client.get(f"/tickets/{ticket.number}/").content.decode()
    assert "Does a connection come about?" in page
    refused = client.post(f"/tickets/{ticket.number}/checklist/", {"item": "NET.1", "state": "done"})
    assert refused.status_code == 422
    assert "Answer yes or no" in refused.content.decode()
    told = client.post(f"/tickets/{ticket.number}/checklist/", {"item": "NET.1", "state": "done", "answer": "no"})
    assert told.status_code == 302
    page = client.get(f"/tickets/{ticket.number}/").content.decode()
    assert "answered with no: “Reach the endpoint" in page
    assert '<b class="said">No</b>' in page


# -- checks and packets that settle items --------------------------------------------------------------------------


def concluded(ticket: Any, *findings: tuple[str, str, list[str]]) -> dict[str, ChecklistItemState]:
    run = a_run(ticket, document=a_document())
    for position, (check, status, items) in enumerate(findings):
        FindingRow.objects.create(
            facility_id=ticket.facility_id, run=run, step=4, position=position, check_id=check,
            title=check, status=status, checklist=items, content={},
        )  # fmt: skip
    take_conclusion(run)
    return {row.item: row for row in ChecklistItemState.objects.filter(ticket_id=ticket.id)}


@pytest.mark.parametrize(
    ("check", "status", "item", "stands"),
    [
        ("net.tcp.timeout", "failed", "NET.1", "done:no"),
        ("net.tcp.refused", "passed", "NET.1", "done:yes"),
        ("net.fwlog.drop", "failed", "NET.3", "done:yes"),
        ("net.tcp.reset", "failed", "NET.1", "open"),  # it came about, then it was torn down: a person decides
        ("perm.drift", "warning", "PERM.7", "open"),
        ("auth.credential.rotated", "passed", "TOKEN.6", "done:no"),
        ("net.tls.expired", "failed", "NET.2", "done"),  # it asks nothing: that somebody looked is all
    ],
)
def test_a_finding_answers_a_question_only_where_its_outcome_decides_it(ticket, check, status, item, stands) -> None:
    assert word(concluded(ticket, (check, status, [item]))[item]) == stands


def test_of_two_findings_the_failure_answers_and_the_open_one_never_hides_it(ticket) -> None:
    rows = concluded(
        ticket,
        ("net.tcp.refused", "passed", ["NET.1"]),
        ("net.tcp.reset", "failed", ["NET.1"]),
        ("net.tcp.timeout", "failed", ["NET.1"]),
    )
    assert (word(rows["NET.1"]), rows["NET.1"].by_check) == ("done:no", "net.tcp.timeout")


def test_what_a_check_found_wrong_is_shown_although_its_question_was_not_answered(ticket, facility) -> None:
    document = a_document()
    document["steps"][3]["checks"].append(a_check("net.tls.expired", "failed"))
    give(ticket.id, ["network", "follow-up"])
    run = a_run(ticket, document=document)
    FindingRow.objects.create(
        facility_id=ticket.facility_id, run=run, step=4, position=0, check_id="net.tls.expired",
        title="x", status="failed", checklist=["NET.2"], content={},
    )  # fmt: skip
    take_conclusion(run)
    add_checklist(ticket=ticket, slug="network", by=a_person(facility))
    page = logged_in(a_person(facility)).get(f"/tickets/{ticket.number}/").content.decode()
    assert '<a href="#check-net-tls-expired">check 4.2 failed</a>' in page
    assert 'id="check-net-tls-expired"' in page


def test_a_persons_word_stays_when_a_later_run_says_otherwise(ticket, facility) -> None:
    person = a_person(facility)
    concluded(ticket, ("net.tcp.timeout", "failed", ["NET.1"]))
    tick(ticket=ticket, item="NET.1", state="done", answer="yes", by=person)
    rows = concluded(ticket, ("net.tcp.timeout", "failed", ["NET.1"]))
    assert (word(rows["NET.1"]), rows["NET.1"].by) == ("done:yes", person)
    tick(ticket=ticket, item="NET.1", state="open", by=person)
    rows = concluded(ticket, ("net.tcp.timeout", "failed", ["NET.1"]))
    assert word(rows["NET.1"]) == "open"


# -- people ------------------------------------------------------------------------------------------------------


def test_a_reopened_item_keeps_who_settled_it_and_why(ticket, facility) -> None:
    first, second = a_person(facility), a_person(facility)
    give(ticket.id, ["network", "follow-up"])
    tick(ticket=ticket, item="NET.6", state="not_applicable", note="There is one site only.", by=first)
    page = logged_in(second).get(f"/tickets/{ticket.number}/").content.decode()
    assert '<p class="why">There is one site only.</p>' in page  # in full, not behind a button
    tick(ticket=ticket, item="NET.6", state="open", by=second)
    item = next(i for one in checklist(ticket, None, ()) for i in one.items if i.id == "NET.6")
    assert item.reopened
    assert [(past.says, past.by, past.note) for past in item.history] == [
        ("does not apply", str(first), "There is one site only.")
    ]
    assert item.history[0].at is not None
    assert "There is one site only." in logged_in(second).get(f"/tickets/{ticket.number}/").content.decode()


def test_two_people_on_one_item_the_later_one_is_told(ticket, facility) -> None:
    first, second = a_person(facility), a_person(facility)
    tick(ticket=ticket, item="NET.1", state="done", answer="yes", by=first, seen="open")
    with pytest.raises(Collision, match="answered it with yes"):
        tick(ticket=ticket, item="NET.1", state="done", answer="no", by=second, seen="open")
    tick(ticket=ticket, item="NET.1", state="done", answer="yes", by=second, seen="open")  # both say the same
    tick(ticket=ticket, item="NET.1", state="done", answer="no", by=second, seen="done:yes")
    row = ChecklistItemState.objects.get(ticket_id=ticket.id, item="NET.1")
    assert [(past["answer"], past["by"]) for past in row.history] == [("yes", str(first)), ("yes", str(second))]


def test_two_people_on_different_items_never_collide(ticket, facility) -> None:
    first, second = a_person(facility), a_person(facility)
    tick(ticket=ticket, item="NET.5", state="done", by=first, seen="open")
    tick(ticket=ticket, item="NET.6", state="done", answer="no", by=second, seen="open")
    assert ChecklistItemState.objects.filter(ticket_id=ticket.id, state="done").count() == 2


def test_a_check_that_ticked_meanwhile_stands_in_nobodys_way(ticket, facility) -> None:
    concluded(ticket, ("net.tcp.timeout", "failed", ["NET.1"]))
    tick(ticket=ticket, item="NET.1", state="done", answer="yes", by=a_person(facility), seen="open")
    assert word(ChecklistItemState.objects.get(ticket_id=ticket.id, item="NET.1")) == "done:yes"


@pytest.mark.django_db(transaction=True)
def test_many_people_on_one_new_item_at_once_lose_nothing() -> None:
    facility = a_facility()
    ticket, people = a_ticket(an_integration(facility)), [a_person(facility) for _ in range(8)]

    def answers(number: int) -> str:
        answer = "yes" if number % 2 else "no"
        try:
            tick(ticket=ticket, item="NET.1", state="done", answer=answer, by=people[number], seen="open")
        except Collision:
            return "told"
        finally:
            connection.close()
        return answer

    with ThreadPoolExecutor(max_workers=8) as pool:
        became = list(pool.map(answers, range(8)))
    row = ChecklistItemState.objects.get(ticket_id=ticket.id, item="NET.1")
    assert set(became) == {row.answer, "told"}
    assert became.count(row.answer) == 4  # those who said the same as the first
    assert len(row.history) == 3
