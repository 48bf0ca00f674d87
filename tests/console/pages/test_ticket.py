"""The ticket page and what can be done on it."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console.accounts.models import AuditEntry
from console.accounts.roles import Role
from console.diagnoses.checklists import in_force
from console.diagnoses.models import Answer, ChecklistItemState, Run
from console.shared.work import WorkState
from console.tickets.models import Disagreement, TicketEvent, TicketNote
from console.tickets.services import comment, take
from tests.console.builders import a_facility, a_note, a_person, a_ticket, an_integration
from tests.console.pages.documents import a_check, a_diagnosed_ticket, a_document, a_run, a_step, logged_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def facility():
    return a_facility()


@pytest.fixture
def ticket(facility):
    return a_diagnosed_ticket(facility)


@pytest.fixture
def desk(facility):
    return a_person(facility)


def address(ticket, action: str = "") -> str:
    return f"/tickets/{ticket.number}/{action}"


def show(ticket, person, status: int = 200) -> str:
    answer = logged_in(person).get(address(ticket))
    assert answer.status_code == status
    return answer.content.decode()


# -- what it shows ------------------------------------------------------------------------------------------------


def test_a_proven_cause_is_called_cause_with_reasons_remedy_and_what_is_ruled_out(ticket, desk) -> None:
    text = show(ticket, desk)
    assert '<div class="label">Cause</div>' in text
    assert "The signing key is not in the published key set" in text
    assert re.search(r">proves</span> The token server does not know the key 2026-05\.", text)
    assert 'href="#check-auth-assertion-kid"' in text
    assert 'id="check-auth-assertion-kid"' in text
    assert "Publish the key." in text
    assert "Ruled out: network" in text
    assert "Who acts: Integration engineer" in text
    assert "<code>2026-05</code> → <code>2026-11</code>" in text


@pytest.mark.parametrize(("certainty", "label"), [("likely", "Most likely cause"), ("possible", "Possible cause")])
def test_a_cause_that_is_not_proven_is_not_called_so(ticket, desk, certainty, label) -> None:
    root = a_document()["root_cause"] | {"certainty": certainty}
    a_run(ticket, document=a_document(root_cause=root))
    text = show(ticket, desk)
    assert f'<div class="label">{label}</div>' in text
    assert ">proves<" not in text


def test_a_change_that_can_be_why_is_a_reason_with_its_fingerprints_cut(ticket, desk) -> None:
    says = f"It differs from the last good run: certificates of the host, from {'a1' * 32} to {'b2' * 32}."
    root = a_document()["root_cause"]
    root |= {"because": [*root["because"], {"check": "changes", "says": says}]}
    a_run(ticket, document=a_document(root_cause=root))
    text = show(ticket, desk)
    assert "certificates of the host, from a1a1a1a1a1a1… to b2b2b2b2b2b2…" in text
    assert "a1" * 32 not in text


def test_a_change_that_the_engine_does_not_hold_against_the_cause_is_listed_and_no_reason(ticket, desk) -> None:
    text = show(ticket, desk)
    assert "key set" in text[text.index('id="changes"') :]
    assert ">changed<" not in text


def test_without_a_cause_the_page_says_what_would_settle_it(ticket, desk) -> None:
    missing = ["the EHR's audit rows between 16:50 and 17:10"]
    a_run(ticket, document=a_document(root_cause=None, missing=missing, changes=[]))
    text = show(ticket, desk)
    assert "No cause established" in text
    assert "What would settle it" in text
    assert "the EHR&#x27;s audit rows between 16:50 and 17:10" in text


def test_each_step_shows_a_square_a_check_and_names_what_blocks(ticket, desk) -> None:
    text = show(ticket, desk)
    first = text[text.index('id="step-1"') : text.index('id="step-2"')]
    assert re.findall(r'<span class="dot (\w+)">', first) == ["passed", "failed", "blocked"]
    assert "1 failed · 1 passed · 1 blocked" in first
    assert "blocked by 1.2 “Title of auth.assertion.kid”" in first
    assert "1 check does not apply here" in first
    assert "2026-05" in first  # the evidence it rests on
    assert " open>" in first.split("<summary", 1)[0]  # the first step that failed is open
    assert " open>" not in text[text.index('id="step-2"') : text.index('id="step-3"')].split("<summary", 1)[0]


def test_many_checks_behind_one_blocker_are_one_line(ticket, desk) -> None:
    broken = a_check("net.tcp.refused", "failed", title="Every host accepts connections")
    behind = [a_check(f"net.tls.behind_{n}", "blocked", blocked_by="net.tcp.refused") for n in range(9)]
    a_run(ticket, document=a_document(steps=[a_step(4, broken, *behind)]))
    text = show(ticket, desk)
    step = text[text.index('id="step-4"') : text.index('id="step-5"')]
    assert "9 checks are blocked by 4.1 “Every host accepts connections”" in step
    outside = step[: step.index("9 checks are blocked")]
    assert outside.count('class="blocked"') == 0
    assert step.count('<li class="blocked"') == 9, "each is there, behind its line"


def test_the_page_of_a_ticket_without_a_note_or_run_still_stands(facility, desk) -> None:
    text = show(a_ticket(an_integration(facility)), desk)
    assert "No diagnosis has been made yet" in text
    assert "No note is known for this ticket" in text
    assert "Neither log has a row of this note yet" in text


def test_a_run_that_gave_up_says_whose_fault_it_is(ticket, desk) -> None:
    a_run(ticket, state=WorkState.GAVE_UP)
    assert "Something went wrong on our side, not in the EHR" in show(ticket, desk)


def test_what_a_document_says_is_text_and_never_markup(ticket, desk) -> None:
    root = a_document()["root_cause"] | {"title": "<script>alert(1)</script>"}
    a_run(ticket, document=a_document(root_cause=root))
    text = show(ticket, desk)
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_the_number_of_queries_does_not_grow_with_notes_comments_and_items(facility, desk) -> None:
    in_force()  # the checklists are entered on first use
    integration = an_integration(facility)
    ticket = a_diagnosed_ticket(facility, a_note(integration))

    def count() -> int:
        client = logged_in(desk)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address(ticket)).status_code == 200
        return len(queries)

    comment(ticket=ticket, text="First", by=desk)
    few = count()
    for number in range(8):
        note = a_note(integration)
        TicketNote.objects.create(ticket=ticket, note=note)
        comment(ticket=ticket, text=f"Comment {number}", by=desk)
    assert count() == few


# -- live ---------------------------------------------------------------------------------------------------------


def test_a_running_ticket_polls_and_a_finished_one_does_not(ticket, desk) -> None:
    run = a_run(ticket, state=WorkState.RUNNING)
    client = logged_in(desk)
    page = client.get(address(ticket)).content.decode()
    assert f'hx-get="/tickets/{ticket.number}/live/?n=1"' in page
    assert "load delay:500ms" in page
    fragment = client.get(address(ticket, "live/?n=1")).content.decode()
    assert "live/?n=2" in fragment
    assert "<html" not in fragment
    Run.objects.filter(pk=run.pk).update(state=WorkState.DONE)
    assert "hx-trigger" not in client.get(address(ticket, "live/?n=2")).content.decode().split('class="head"')[0]


def test_the_server_slows_the_polls_down_after_ten_seconds(ticket, desk) -> None:
    from datetime import timedelta

    from django.utils import timezone

    run = a_run(ticket, state=WorkState.RUNNING)
    Run.objects.filter(pk=run.pk).update(started_at=timezone.now() - timedelta(seconds=11))
    assert "load delay:2000ms" in show(ticket, desk)


def test_while_it_runs_what_is_not_known_yet_is_waited_for(ticket, desk) -> None:
    run = a_run(ticket, state=WorkState.RUNNING)
    run.progress = a_document(root_cause=None)
    run.save(update_fields=["progress"])
    text = show(ticket, desk)
    assert "Looking for the cause" in text
    first = text[text.index('id="step-1"') : text.index('id="step-2"')]
    assert re.findall(r'<span class="dot (\w+)">', first) == ["passed", "failed", "running"]
    assert "1 failed · 1 passed · running…" in first


def test_a_poll_does_not_keep_a_session_alive(ticket, desk) -> None:
    from console.shared.idle import SESSION_KEY

    client = logged_in(desk)
    assert client.get(address(ticket, "live/")).status_code == 200
    assert SESSION_KEY not in client.session
    client.get(address(ticket))
    assert SESSION_KEY in client.session


# -- what can be done ----------------------------------------------------------------------------------------------

ACTIONS = {
    "take/": {},
    "assign/": {"owner": ""},
    "state/": {"state": "in_progress", "seen": "diagnosed"},
    "severity/": {"severity": "a_wrong_patient"},
    "run/": {},
    "comment/": {"text": "Called the EHR team."},
    "checklist/": {"item": "TOKEN.5", "state": "done"},
    "answer/": {"question": "When did it last work?", "value": "At 16:40."},
    "disagree/": {"text": "It was the proxy.", "category": "network"},
}


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_works_as_a_plain_form_and_leaves_its_event(ticket, desk, action) -> None:
    if action == "assign/":
        take(ticket=ticket, by=desk)  # what nobody has cannot be given back
    before = TicketEvent.objects.filter(ticket=ticket).count()
    answer = logged_in(desk).post(address(ticket, action), ACTIONS[action])
    assert answer.status_code == 302, answer.content.decode()
    assert answer.url.startswith(address(ticket))
    events = TicketEvent.objects.filter(ticket=ticket)
    assert events.count() > before
    assert events.order_by("-at", "-id").first().by in (desk, None)
    assert logged_in(desk).get(address(ticket)).status_code == 200


@pytest.mark.parametrize("action", ACTIONS)
def test_a_manager_looks_but_does_not_touch(ticket, facility, action) -> None:
    manager = a_person(facility, Role.MANAGER)
    text = show(ticket, manager)
    assert f'action="{address(ticket, action)}"' not in text  # no dead button either
    assert logged_in(manager).post(address(ticket, action), ACTIONS[action]).status_code == 403


@pytest.mark.parametrize(
    ("action", "data", "says"),
    [
        ("comment/", {"text": "  "}, "Write something first."),
        ("state/", {"state": "waiting", "seen": "diagnosed"}, "Say for whom the ticket waits."),
        ("state/", {"state": "resolved", "seen": "diagnosed"}, "Select a valid choice"),
        ("checklist/", {"item": "TOKEN.6", "state": "not_applicable"}, "Say why this item does not apply."),
        ("attach/", {}, "Choose a file first."),
        ("disagree/", {"text": ""}, "Say what speaks against the verdict."),
    ],
)
def test_a_wrong_form_answers_422_with_the_page_and_what_is_wrong(ticket, desk, action, data, says) -> None:
    answer = logged_in(desk).post(address(ticket, action), data)
    assert answer.status_code == 422
    assert says in answer.content.decode()


def test_a_checklist_item_is_ticked_by_hand_with_name_and_reason(ticket, desk) -> None:
    logged_in(desk).post(
        address(ticket, "checklist/"), {"item": "TOKEN.6", "state": "not_applicable", "note": "No rotation here."}
    )
    row = ChecklistItemState.objects.get(ticket_id=ticket.id)
    assert (row.state, row.by, row.note) == ("not_applicable", desk, "No rotation here.")
    text = show(ticket, desk)
    assert "No rotation here." in text
    assert "does not apply, Test Person" in text


def test_an_item_ticked_by_a_check_names_its_number(ticket, desk) -> None:
    ChecklistItemState.objects.create(
        facility_id=ticket.facility_id, ticket_id=ticket.id, item="TOKEN.5", state="done", by_check="auth.assertion.kid"
    )
    assert ">check 1.2 failed</a>" in show(ticket, desk)


def test_a_file_comes_back_as_a_download_to_those_who_see_the_ticket(ticket, desk) -> None:
    file = SimpleUploadedFile("screen.html", b"<script>alert(1)</script>", content_type="text/html")
    assert logged_in(desk).post(address(ticket, "attach/"), {"file": file}).status_code == 302
    link = re.search(r'href="(/tickets/\d+/files/[^"]+)"', show(ticket, desk))[1]
    answer = logged_in(desk).get(link)
    assert b"".join(answer.streaming_content) == b"<script>alert(1)</script>"
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment")
    assert logged_in(a_person(a_facility())).get(link).status_code == 404


def test_an_answer_and_an_objection_are_kept_with_their_author(ticket, desk) -> None:
    client = logged_in(desk)
    client.post(address(ticket, "disagree/"), ACTIONS["disagree/"])
    client.post(address(ticket, "answer/"), ACTIONS["answer/"])
    assert Disagreement.objects.get().by == desk
    assert Answer.objects.get().value == "At 16:40."
    text = show(ticket, desk)
    assert "It was the proxy." in text
    assert "disagreed with the verdict, holding network to be the cause" in text
    ticket.refresh_from_db()
    assert ticket.run.state == WorkState.QUEUED  # the answer is evidence: the diagnosis runs again


def test_one_step_can_be_run_again(ticket, desk) -> None:
    logged_in(desk).post(address(ticket, "run/"), {"step": "4"})
    ticket.refresh_from_db()
    assert ticket.run.steps == [4]
    assert logged_in(desk).post(address(ticket, "run/"), {"step": "9"}).status_code == 422


# -- content ------------------------------------------------------------------------------------------------------


def test_content_is_masked_until_somebody_with_the_right_opens_it_and_that_is_recorded(ticket, facility, desk) -> None:
    row = ticket.ticket_notes.get()
    where = address(ticket, f"notes/{row.note_id}/content/")
    assert "DocumentReference" not in show(ticket, desk)
    answer = logged_in(desk).post(where)
    assert "&quot;resourceType&quot;: &quot;DocumentReference&quot;" in answer.content.decode()
    entry = AuditEntry.objects.get(action="payload.opened")
    assert (entry.who, entry.object_id) == (desk, str(row.note_id))
    assert logged_in(desk).get(where).status_code == 405  # opening is an act, not a link
    manager = a_person(facility, Role.MANAGER)
    assert logged_in(manager).post(where).status_code == 403
    assert "content is masked" in show(ticket, manager)
    assert AuditEntry.objects.filter(action="payload.opened").count() == 1


def test_a_note_of_another_ticket_is_not_opened_through_this_one(ticket, facility, desk) -> None:
    other = a_diagnosed_ticket(facility)
    foreign = other.ticket_notes.get().note_id
    assert logged_in(desk).post(address(ticket, f"notes/{foreign}/content/")).status_code == 404
    assert logged_in(desk).post(address(ticket, f"notes/{foreign}/end/"), {"end": "in_chart"}).status_code == 404


def test_a_note_gets_its_end(ticket, desk) -> None:
    row = ticket.ticket_notes.get()
    logged_in(desk).post(address(ticket, f"notes/{row.note_id}/end/"), {"end": "by_hand"})
    row.refresh_from_db()
    assert (row.end, row.ended_by) == ("by_hand", desk)
    assert "Entered by hand" in show(ticket, desk)


def test_what_the_engine_asks_is_answered_with_a_click_and_kept_with_a_name(facility, desk) -> None:
    asked = {"id": "credential-replaced", "text": "Was the integration's secret replaced?"}
    ticket = a_ticket(an_integration(facility))
    a_run(ticket, document=a_document(questions=[asked]))
    text = show(ticket, desk)
    assert "Was the integration&#x27;s secret replaced?" in text
    assert 'name="value" value="yes"' in text

    answer = logged_in(desk).post(address(ticket, "answer/"), {"question": asked["id"], "value": "yes"})
    assert answer.status_code == 302
    kept = Answer.objects.get(ticket_id=ticket.id)
    assert (kept.question, kept.value, kept.by) == (asked["id"], "yes", desk)
    assert "replaced shortly before the first failure?" in show(ticket, desk)


def test_whoever_only_reads_is_asked_nothing(facility) -> None:
    ticket = a_ticket(an_integration(facility))
    a_run(ticket, document=a_document(questions=[{"id": "credential-replaced", "text": "Was it?"}]))
    text = show(ticket, a_person(facility, Role.MANAGER))
    assert 'name="value" value="yes"' not in text
