"""Edits that collide: the later one sees both versions, and nothing that was typed is lost."""

import re
from html import unescape

import pytest

from console.tickets.models import Comment, Draft, Ticket, TicketEvent
from console.tickets.moves import Collision, TicketError
from console.tickets.services import (
    assign,
    change_state,
    close,
    end_note,
    reopen,
    resolve,
    set_severity,
    set_title,
    take,
)
from tests.console.builders import a_facility, a_person
from tests.console.pages.documents import a_diagnosed_ticket, logged_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def facility():
    return a_facility()


@pytest.fixture
def ticket(facility):
    return a_diagnosed_ticket(facility)


@pytest.fixture
def amara(facility):
    return named(a_person(facility), "Amara Diallo")


@pytest.fixture
def ben(facility):
    return named(a_person(facility), "Ben Okafor")


def named(person, name):
    person.name = name
    person.save()
    return person


def carried(page: str, action: str) -> dict[str, str]:
    """Read what a form of the page carries along."""
    form = page.split(f'action="{action}"', 1)[1].split("</form>", 1)[0]
    return {name: unescape(value) for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)}


def send(person, ticket, action: str, data: dict, seen: dict | None = None):
    return logged_in(person).post(f"/tickets/{ticket.number}/{action}/", {**(seen or {}), **data})


def form_of(person, ticket, action: str) -> dict[str, str]:
    page = logged_in(person).get(f"/tickets/{ticket.number}/").content.decode()
    return carried(page, f"/tickets/{ticket.number}/{action}/")


EDITS = {
    "state": (
        {"state": "waiting", "waiting_for": "ehr_team"},
        {"state": "in_progress"},
        "Waiting on EHR team",
        "In progress",
    ),
    "severity": ({"severity": "a_wrong_patient"}, {"severity": "d_delayed"}, "Wrong patient", "Delayed"),
    "title": ({"title": "Theirs <b>"}, {"title": "Mine"}, "Theirs &lt;b&gt;", "Mine"),
}  # fmt: skip


@pytest.mark.parametrize("action", EDITS)
def test_the_later_edit_gets_both_versions_and_can_be_sent_once_more(ticket, amara, ben, action) -> None:
    theirs, mine, theirs_say, mine_says = EDITS[action]
    seen = form_of(amara, ticket, action)
    assert send(ben, ticket, action, theirs, form_of(ben, ticket, action)).status_code == 302
    late = send(amara, ticket, action, mine, seen)
    text = late.content.decode()
    assert late.status_code == 409
    assert re.search(rf"Theirs, in force now</div><p><b>{re.escape(theirs_say)}</b></p>\s*<small>Ben Okafor", text)
    assert f"Yours, not saved</div><p><b>{mine_says}</b>" in text
    again = carried(text, f"/tickets/{ticket.number}/{action}/")
    assert send(amara, ticket, action, {}, again).status_code == 302
    assert mine_says in logged_in(amara).get(f"/tickets/{ticket.number}/").content.decode()


def test_who_takes_a_ticket_first_keeps_it(ticket, amara, ben) -> None:
    assert send(ben, ticket, "take", {}).status_code == 302
    late = send(amara, ticket, "take", {})
    assert late.status_code == 409
    assert "<b>Ben Okafor</b>" in late.content.decode()
    ticket.refresh_from_db()
    assert ticket.owner == ben
    again = carried(late.content.decode(), f"/tickets/{ticket.number}/take/")
    assert send(amara, ticket, "take", {}, again).status_code == 302
    ticket.refresh_from_db()
    assert ticket.owner == amara


def test_two_who_want_the_same_do_not_collide_and_leave_one_event(ticket, amara, ben) -> None:
    seen = form_of(amara, ticket, "severity")
    for person in (ben, amara):
        assert send(person, ticket, "severity", {"severity": "d_delayed"}, seen).status_code == 302
    assert ticket.events.filter(kind=TicketEvent.Kind.SEVERITY).count() == 1


def test_what_others_do_to_other_fields_items_and_comments_stands_in_nobodys_way(ticket, amara, ben) -> None:
    seen = form_of(amara, ticket, "assign")
    set_severity(ticket=ticket, severity="d_delayed", by=ben)
    send(ben, ticket, "comment", {"text": "Called them."})
    send(ben, ticket, "checklist", {"item": "TOKEN.2", "state": "done"})
    assert send(amara, ticket, "assign", {"owner": str(amara.pk)}, seen).status_code == 302
    assert send(amara, ticket, "comment", {"text": "Called them too."}).status_code == 302
    assert send(amara, ticket, "checklist", {"item": "TOKEN.3", "state": "done", "seen": "open"}).status_code == 302
    assert Comment.objects.count() == 2


def test_a_form_that_says_only_the_version_it_saw_is_held_to_it(ticket, amara, ben) -> None:
    seen = ticket.version
    set_title(ticket=ticket, title="Another", by=ben)
    with pytest.raises(Collision):
        set_severity(ticket=ticket, severity="d_delayed", by=amara, version=seen)
    set_severity(ticket=ticket, severity="d_delayed", by=amara, version=ticket.version)


def test_a_wish_that_is_no_longer_possible_is_kept_in_sight_but_not_offered(ticket, amara, ben) -> None:
    seen = form_of(amara, ticket, "state")
    row = ticket.ticket_notes.get()
    resolve(
        ticket=ticket, by=ben, category="authentication", ends={row.note_id: "by_hand"}, unconfirmed_because="Typed."
    )
    late = send(amara, ticket, "state", {"state": "waiting", "waiting_for": "vendor"}, seen)
    text = late.content.decode()
    assert late.status_code == 409
    assert "A ticket that is “Resolved” cannot become “Waiting on vendor”." in text
    assert "Use mine" not in text


def test_the_end_of_a_note_and_an_item_collide_on_their_own_rows(ticket, amara, ben) -> None:
    note = ticket.ticket_notes.get().note
    end_note(ticket=ticket, note=note, end="by_hand", by=ben)
    late = send(amara, ticket, f"notes/{note.id}/end", {"end": "not_needed", "seen": "waiting"})
    assert late.status_code == 409
    assert "<b>Entered by hand</b>" in late.content.decode()
    send(ben, ticket, "checklist", {"item": "TOKEN.2", "state": "done", "seen": "open"})
    typed = {"item": "TOKEN.2", "state": "not_applicable", "note": "No such token here.", "seen": "open"}
    late = send(amara, ticket, "checklist", typed)
    assert late.status_code == 409
    assert "No such token here." in late.content.decode()


def test_htmx_is_told_to_show_the_page(ticket, amara, ben) -> None:
    seen = form_of(amara, ticket, "severity")
    set_severity(ticket=ticket, severity="a_wrong_patient", by=ben)
    data = {**seen, "severity": "d_delayed"}
    late = logged_in(amara).post(f"/tickets/{ticket.number}/severity/", data, headers={"HX-Request": "true"})
    assert (late.status_code, late["HX-Retarget"]) == (409, "body")


def test_every_change_of_its_own_fields_counts_the_version_up_by_one(ticket, amara) -> None:
    steps = (
        lambda: take(ticket=ticket, by=amara),
        lambda: change_state(ticket=ticket, to="in_progress", by=amara),
        lambda: set_severity(ticket=ticket, severity="d_delayed", by=amara),
        lambda: set_title(ticket=ticket, title="Another", by=amara),
        lambda: assign(ticket=ticket, owner=None, by=amara),
    )
    for number, step in enumerate(steps, Ticket.objects.get(pk=ticket.pk).version + 1):
        step()
        assert Ticket.objects.get(pk=ticket.pk).version == number
    set_title(ticket=ticket, title="Another", by=amara)  # nothing changed
    assert Ticket.objects.get(pk=ticket.pk).version == number


# -- reopening and titles ------------------------------------------------------------------------------------------


def test_a_ticket_is_reopened_with_a_reason_and_keeps_its_history(ticket, amara) -> None:
    row = ticket.ticket_notes.get()
    resolve(
        ticket=ticket,
        by=amara,
        category="authentication",
        ends={row.note_id: "by_hand"},
        unconfirmed_because="Typed.",
    )
    close(ticket=ticket, by=amara, article="not_needed")
    page = logged_in(amara).get(f"/tickets/{ticket.number}/").content.decode()
    assert "Why is it reopened?" in page
    assert f'action="/tickets/{ticket.number}/state/"' not in page
    assert send(amara, ticket, "reopen", {"reason": "  "}).status_code == 422
    assert send(amara, ticket, "reopen", {"reason": "It is back since noon."}).status_code == 302
    ticket.refresh_from_db()
    assert (ticket.state, ticket.reopened, ticket.resolved_at) == ("in_progress", 1, None)
    moves = list(ticket.events.filter(kind="state").order_by("at", "id").values_list("after", flat=True))
    assert moves[-3:] == ["resolved", "closed", "in_progress"]
    assert "It is back since noon." in logged_in(amara).get(f"/tickets/{ticket.number}/").content.decode()
    with pytest.raises(TicketError, match="open already"):
        reopen(ticket=ticket, by=amara, reason="Again.")


def test_what_was_typed_into_a_form_that_failed_is_found_on_the_page(ticket, amara) -> None:
    answer = send(amara, ticket, "reopen", {"reason": "It is back."})  # it is open
    assert answer.status_code == 422
    assert Draft.objects.get().text == "It is back."


def test_a_title_of_ones_own_stays_over_a_later_diagnosis(ticket, amara) -> None:
    assert send(amara, ticket, "title", {"title": "  Lab   notes from\nWest "}).status_code == 302
    ticket.refresh_from_db()
    assert ticket.title == "Lab notes from West"
    assert send(amara, ticket, "title", {"title": "x" * 161}).status_code == 422
    assert send(amara, ticket, "title", {"title": " "}).status_code == 422
    page = logged_in(amara).get(f"/tickets/{ticket.number}/").content.decode()
    assert "Leave names, numbers and dates of birth out." in page
