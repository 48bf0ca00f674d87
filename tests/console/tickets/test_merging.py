"""Merge, split, link: nothing is lost, nothing is counted twice, and whoever uses the old number arrives."""

import threading
import uuid

import pytest
from django.db import connection
from guardian.shortcuts import assign_perm

from console.accounts.roles import Role
from console.diagnoses.models import ChecklistItemState, Run
from console.reports.queries import lives
from console.tickets import merging, parents
from console.tickets.models import Comment, Ticket, TicketAction, TicketEvent, TicketNote, TicketState, Watcher
from console.tickets.moves import TicketError
from console.tickets.services import add_checklist, attach, comment, end_note, request_run, tick
from console.tickets.splitting import split
from diagnostics.checklists import ITEMS
from tests.console.builders import a_department, a_facility, a_note, a_person, a_ticket, an_integration
from tests.console.pages.documents import logged_in
from tests.console.tickets.using import in_use

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
def pair(integration):
    return a_ticket(integration, a_note(integration)), a_ticket(integration, a_note(integration))


# -- merge --------------------------------------------------------------------------------------------------------


def test_everything_people_wrote_and_did_goes_over_and_the_other_points_there(pair, integration, desk) -> None:
    went, kept = pair
    both = a_note(integration)
    for ticket in pair:
        TicketNote.objects.create(ticket=ticket, note=both)
    TicketNote.objects.filter(ticket=went, note=both).update(end="by_hand", ended_by=desk)
    said = comment(ticket=went, text="Seen it", by=desk)
    file = attach(ticket=went, name="a.txt", content_type="text/plain", content=b"x", by=desk)
    first, second = [name for name, item in ITEMS.items() if not item.asks][:2]
    tick(ticket=went, item=first, state="done", by=desk)
    tick(ticket=kept, item=first, state="open", by=desk)
    tick(ticket=kept, item=second, state="done", by=desk)
    tick(ticket=went, item=second, state="open", by=desk)
    add_checklist(ticket=went, slug="network", by=desk)
    for ticket in pair:
        Watcher.objects.create(ticket=ticket, user=desk)
    done = merging.merge(ticket=went, into=kept, by=desk)
    assert (done.notes, done.held_by_both, done.comments, done.files) == (1, 1, 1, 1)
    assert (went.state, went.merged_into) == ("closed", kept)
    assert not went.ticket_notes.exists()
    assert kept.ticket_notes.count() == 3
    assert kept.ticket_notes.get(note=both).end == "by_hand"
    assert kept.comments.get() == said
    assert kept.attachments.get() == file
    assert Comment.objects.get().text == "Seen it"  # sealed for its row, not for its ticket
    assert dict(ChecklistItemState.objects.filter(ticket_id=kept.pk).values_list("item", "state")) == {
        first: "done",
        second: "done",
    }
    assert kept.watchers.get().user == desk
    assert kept.run is not None
    assert went.version > 0
    text = logged_in(desk).get(f"/tickets/{kept.number}/").content.decode()
    assert "Seen it" in text
    assert f"merged ticket #{went.number} into this one" in text
    assert "a.txt" in text


def test_the_old_number_leads_to_the_ticket_that_stays(pair, desk) -> None:
    went, kept = pair
    merging.merge(ticket=went, into=kept, by=desk)
    client = logged_in(desk)
    answer = client.get(f"/tickets/{went.number}/", follow=True)
    assert answer.redirect_chain == [(f"/tickets/{kept.number}/", 302)]
    assert f"Ticket {went.number} went into this one" in answer.content.decode()
    was = client.get(f"/tickets/{went.number}/?as=was").content.decode()
    assert f'went into <a href="/tickets/{kept.number}/">' in was
    assert "<textarea" not in was
    client.post(f"/tickets/{went.number}/comment/", {"text": "From an old page"})
    assert kept.comments.get().text == "From an old page"


def test_a_pointer_never_points_to_a_pointer(integration, desk) -> None:
    first, second, third = (a_ticket(integration) for _ in range(3))
    merging.merge(ticket=first, into=second, by=desk)
    merging.merge(ticket=second, into=third, by=desk)
    assert set(Ticket.objects.exclude(pk=third.pk).values_list("merged_into", flat=True)) == {third.pk}


def test_a_merged_ticket_counts_in_no_report(pair, facility, desk) -> None:
    went, kept = pair
    merging.merge(ticket=went, into=kept, by=desk)
    at = went.opened_at
    from datetime import timedelta

    told = lives(a_person(facility, Role.MANAGER), [facility.id], at - timedelta(days=1), at + timedelta(days=1))
    assert [one.number for one in told] == [kept.number]


def test_what_cannot_be_merged_says_why_and_changes_nothing(pair, facility, integration, desk) -> None:
    went, kept = pair
    resolved = a_ticket(integration)
    Ticket.objects.filter(pk=resolved.pk).update(state=TicketState.RESOLVED)
    resolved.refresh_from_db()
    guarded = a_ticket(integration, a_note(integration, department=a_department(facility, restricted=True)))
    part, incident, parent = (a_ticket(integration) for _ in range(3))
    parents.link(ticket=part, parent=parent, by=desk)
    parents.link(ticket=went, parent=incident, by=desk)
    gone = a_ticket(integration)
    merging.merge(ticket=gone, into=kept, by=desk)
    cases = [
        (went, went, "into itself"),
        (went, a_ticket(an_integration(facility)), "two integrations"),
        (resolved, kept, "is resolved. Only open tickets"),
        (kept, resolved, "is resolved. Only open tickets"),
        (gone, kept, "went into ticket"),
        (guarded, kept, "restricted department"),
        (kept, guarded, "restricted department"),
        (parent, went, "is a parent incident"),
    ]
    before = list(Ticket.objects.order_by("pk").values_list("state", "merged_into", "version"))
    for ticket, into, why in cases:
        assert why in merging.plan(ticket, into).refused
        with pytest.raises(TicketError, match=why):
            merging.merge(ticket=ticket, into=into, by=desk)
    with in_use(kept), pytest.raises(TicketError, match=f"Ticket {kept.number}: A resend is under way"):
        merging.merge(ticket=went, into=kept, by=desk)
    TicketAction.objects.create(ticket=went, kind="token", run=request_run(ticket=went, by=desk), by=desk)
    with pytest.raises(TicketError, match="An action of ticket"):
        merging.merge(ticket=went, into=kept, by=desk)
    after = list(Ticket.objects.order_by("pk").values_list("state", "merged_into", "version"))
    assert [row[1] for row in after] == [row[1] for row in before]


def test_incidents_stay_together(integration, desk) -> None:
    went, kept, child = (a_ticket(integration) for _ in range(3))
    parents.link(ticket=child, parent=went, by=desk)
    parents.link(ticket=kept, parent=went, by=desk)
    merging.merge(ticket=went, into=kept, by=desk)
    child.refresh_from_db()
    assert (child.parent, kept.parent) == (kept, None)


def test_the_page_says_what_goes_over_before_anything_is_changed(pair, facility, desk) -> None:
    went, kept = pair
    client = logged_in(desk)
    text = client.get(f"/tickets/{went.number}/organise/?into=%23{kept.number}").content.decode()
    assert f"Merge #{went.number} into #{kept.number}" in text
    assert "1 note" in text
    assert "cannot be undone" in text
    went.refresh_from_db()
    assert went.merged_into is None
    other = a_ticket(an_integration(a_facility()))
    for asked in (str(other.number), "999999", "x", "²"):
        assert client.get(f"/tickets/{went.number}/organise/", {"into": asked}).status_code == 422
        assert client.post(f"/tickets/{went.number}/merge/", {"into": asked}).status_code == 422
    assert client.post(f"/tickets/{went.number}/merge/", {"into": kept.number}).status_code == 302
    assert client.post(f"/tickets/{went.number}/merge/", {"into": kept.number}).status_code == 422  # pressed twice


def test_a_running_diagnosis_of_the_merged_ticket_changes_nothing_any_more(pair, desk) -> None:
    from console.tickets.conclusions import take_conclusion

    went, kept = pair
    run = request_run(ticket=went, by=desk)
    merging.merge(ticket=went, into=kept, by=desk)
    run.state, run.document, run.finished_at = "done", {"steps": []}, went.opened_at
    run.save()
    take_conclusion(Run.objects.get(pk=run.pk))
    went.refresh_from_db()
    assert went.state == "closed"


# -- split --------------------------------------------------------------------------------------------------------


def test_the_chosen_notes_get_a_ticket_with_a_diagnosis_and_keep_their_ends(integration, desk) -> None:
    notes = [a_note(integration) for _ in range(3)]
    ticket = a_ticket(integration, *notes, severity="a_wrong_patient")
    end_note(ticket=ticket, note=notes[0], end="by_hand", by=desk)
    where, form = f"/tickets/{ticket.number}/split/", {"note": [str(note.pk) for note in notes[:2]], "key": "k"}
    client = logged_in(desk)
    answers = [client.post(where, form) for _ in range(2)]  # pressed twice
    assert answers[0].url == answers[1].url
    new = Ticket.objects.exclude(pk=ticket.pk).get()
    assert dict(new.ticket_notes.values_list("note", "end")) == {notes[0].pk: "by_hand", notes[1].pk: "waiting"}
    assert ticket.ticket_notes.get().note == notes[2]
    assert (new.severity, new.integration, new.state) == ("a_wrong_patient", integration, "diagnosing")
    assert Run.objects.filter(ticket_id=new.pk).count() == 1
    told = TicketEvent.objects.filter(kind="split").order_by("at", "id").values_list("ticket", "before", "after")
    assert set(told) == {(ticket.pk, "2", f"to {new.number}"), (new.pk, "2", f"from {ticket.number}")}
    assert f"split 2 notes off to ticket #{new.number}" in client.get(f"/tickets/{ticket.number}/").content.decode()


def test_what_cannot_be_split_says_why(integration, desk) -> None:
    notes = [a_note(integration) for _ in range(2)]
    ticket, foreign = a_ticket(integration, *notes), a_note(integration)
    client = logged_in(desk)
    for chosen, why in (
        ([], "Choose the notes"),
        ([foreign], "Choose the notes"),
        (notes, "At least one note must stay"),
    ):
        form = {"note": [str(note.pk) for note in chosen] + ["nonsense"], "key": uuid.uuid4().hex}
        answer = client.post(f"/tickets/{ticket.number}/split/", form)
        assert answer.status_code == 422
        assert why in answer.content.decode()
    with in_use(ticket), pytest.raises(TicketError, match="A resend is under way"):
        split(ticket=ticket, note_ids=[notes[0].pk], by=desk, key="x")
    Ticket.objects.filter(pk=ticket.pk).update(state="resolved")
    with pytest.raises(TicketError, match="Reopen it before"):
        split(ticket=ticket, note_ids=[notes[0].pk], by=desk, key="x")
    assert ticket.ticket_notes.count() == 2


# -- parent incident ----------------------------------------------------------------------------------------------


def test_a_parent_shows_its_parts_and_offers_them_once_it_is_over(integration, desk) -> None:
    parent, child, other = (a_ticket(integration, a_note(integration)) for _ in range(3))
    client = logged_in(desk)
    for one in (child, other):
        assert client.post(f"/tickets/{one.number}/parent/", {"parent": str(parent.number)}).status_code == 302
    Ticket.objects.filter(pk=other.pk).update(state="diagnosing")
    text = client.get(f"/tickets/{parent.number}/").content.decode()
    assert f"#{child.number} " in text
    assert "2 open" in text
    assert "1 note waits" in text
    assert "fixed, to be confirmed”</button>" not in text
    assert (
        f'Part of the incident <a href="/tickets/{parent.number}/">'
        in client.get(f"/tickets/{child.number}/").content.decode()
    )
    Ticket.objects.filter(pk__in=[parent.pk, child.pk]).update(state="in_progress")
    Ticket.objects.filter(pk=parent.pk).update(state="fixed")
    text = client.get(f"/tickets/{parent.number}/").content.decode()
    assert "Set 1 to “fixed, to be confirmed”" in text
    child.refresh_from_db()
    assert child.state == "in_progress"  # offered, never forced
    client.post(f"/tickets/{parent.number}/children/", {"children": f"{child.pk} {other.pk} x"})
    states = dict(Ticket.objects.values_list("pk", "state"))
    assert (states[child.pk], states[other.pk]) == ("fixed", "diagnosing")


def test_one_level_and_no_cycles(integration, desk) -> None:
    parent, child, third = (a_ticket(integration) for _ in range(3))
    parents.link(ticket=child, parent=parent, by=desk)
    parents.link(ticket=child, parent=parent, by=desk)
    assert TicketEvent.objects.filter(kind="parent").count() == 2
    for ticket, above, why in (
        (parent, parent, "part of itself"),
        (parent, child, "itself part of"),
        (parent, third, "is a parent incident itself"),
        (third, child, "itself part of"),
    ):
        with pytest.raises(TicketError, match=why):
            parents.link(ticket=ticket, parent=above, by=desk)
    parents.link(ticket=child, parent=third, by=desk)  # from one incident to another
    parents.unlink(ticket=child, by=desk)
    assert child.parent is None
    last = child.events.filter(kind="parent").order_by("at", "id").last()
    assert (last.before, last.reference) == ("left", third.pk)


def test_an_incident_of_another_facility_needs_a_right_there_and_stays_hidden_without(
    facility, integration, desk
) -> None:
    ticket, foreign = a_ticket(integration), a_ticket(an_integration(a_facility()))
    client = logged_in(desk)
    assert client.post(f"/tickets/{ticket.number}/parent/", {"parent": str(foreign.number)}).status_code == 422
    both = a_person(facility)
    from console.accounts.services import give_role

    give_role(user=both, facility=foreign.facility, role=Role.HELP_DESK, by=None)
    parents.link(ticket=ticket, parent=foreign, by=both)
    text = client.get(f"/tickets/{ticket.number}/").content.decode()
    assert "Part of an incident that you cannot see" in text
    assert f"#{foreign.number}" not in text


def test_parts_in_a_restricted_department_are_hidden(facility, integration, desk) -> None:
    shut = a_department(facility, restricted=True)
    insider = a_person(facility)
    assign_perm("enter_department", insider, shut)
    parent, child = a_ticket(integration), a_ticket(integration, a_note(integration, department=shut))
    parents.link(ticket=child, parent=parent, by=insider)
    assert f"#{child.number} " not in logged_in(desk).get(f"/tickets/{parent.number}/").content.decode()
    assert f"#{child.number} " in logged_in(insider).get(f"/tickets/{parent.number}/").content.decode()


# -- at once ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_people_who_merge_crosswise_leave_one_open_ticket() -> None:
    integration = an_integration(a_facility())
    desk = a_person(integration.facility)
    first, second = a_ticket(integration), a_ticket(integration)
    gate, told = threading.Barrier(2), []

    def one(ticket: Ticket, into: Ticket) -> None:
        gate.wait(10)
        try:
            merging.merge(ticket=Ticket.objects.get(pk=ticket.pk), into=Ticket.objects.get(pk=into.pk), by=desk)
            told.append("merged")
        except TicketError:
            told.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=pair) for pair in ((first, second), (second, first))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(told) == ["merged", "refused"]
    assert Ticket.objects.filter(merged_into=None).count() == 1
