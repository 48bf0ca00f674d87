"""The page of one note: what became of it, how sure that is, and what only some may open."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console.accounts.models import AuditEntry
from console.accounts.roles import Role
from console.notes.ends import end_notes
from console.notes.log_rows import store_rows
from console.notes.models import ClockOffset, LogBatch, NoteEnd, Trace
from console.tickets.models import Ticket
from tests.console.builders import a_department, a_facility, a_note, a_person, a_ticket, an_integration
from tests.console.monitoring.rows import a_note_story
from tests.console.pages.documents import logged_in
from tests.console.worklist.traces import a_trace, ago, an_orphan

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


def a_told_note(integration, number: int | str = 1, *, minutes: float = 60, ends: str = "refused", **more):
    """Make a note with the rows of both logs and the trace that correlation would have left."""
    at = ago(minutes)
    story = a_note_story(number, at, ends=ends, **more)
    for log, rows in story.items():
        store_rows(facility_id=integration.facility_id, integration=integration, log=log, rows=rows)
    LogBatch.objects.filter(integration=integration).update(correlated_at=ago(0))
    mode = {"refused": "rejected", "filed": "delivered", "no_token": "never_sent"}[ends]
    ids = {"transaction_id": f"TX-{number}", "encounter_id": f"E-{number}", "provider_id": "prov-7"}
    return a_trace(integration, mode, born_at=at, external_id=f"N-{number}", **ids)


def page(person, trace: Trace, status: int = 200) -> str:
    answer = logged_in(person).get(f"/notes/{trace.note_id}/")
    assert answer.status_code == status
    return re.sub(r"\s+", " ", answer.content.decode())


def test_the_page_tells_what_became_of_the_note_from_both_logs(integration, desk) -> None:
    trace = a_told_note(integration)
    text = page(desk, trace)
    assert "The EHR refused the note." in text
    assert "Rejected by the EHR" in text
    assert "The AI scribe sent the note once; answers: 422." in text
    assert "Both logs name the same message." in text
    assert "Sure, 100 %" in text
    assert "stopped here" in text
    assert '<span class="pill bad">422</span>' in text
    assert "3.0 s" in text
    assert "unknown profile" in text


def test_the_clocks_are_said_with_what_shows_it(integration, desk) -> None:
    trace = a_told_note(integration)
    hour = trace.born_at.replace(minute=0, second=0, microsecond=0)
    ClockOffset.objects.create(integration=integration, site="Main clinic", hour=hour, seconds=0.8, pairs=31)
    assert "EHR clock 0.8 s ahead, corrected; from 31 notes of that hour." in page(desk, trace)
    ClockOffset.objects.update(seconds=-75.0, pairs=1)
    assert "EHR clock 75.0 s behind, corrected; from 1 note of that hour." in page(desk, trace)
    ClockOffset.objects.update(seconds=0.01)
    assert "Both clocks agree" in page(desk, trace)


def test_what_lies_around_a_note_takes_from_its_certainty_on_every_page_alike(integration, desk) -> None:
    trace = a_told_note(integration, ends="filed")
    sure = page(desk, trace)
    assert "Sure, 100 %" in sure
    assert "leave room for doubt" not in sure
    Trace.objects.update(confidence=0.6, weak=True)
    text = page(desk, trace)
    assert "Probably in the chart, please check" in text
    assert "Weak, 60 %" in text
    assert "leave room for doubt" in text
    assert "there is nothing to end" not in text


def test_no_id_is_on_the_page_whoever_looks(integration, desk) -> None:
    trace = a_told_note(integration, "4711")
    text = page(desk, trace)
    for wanted in ("N-4711", "TX-4711", "E-4711", "P-4711", "req-4711"):
        assert wanted not in text


def test_raw_rows_hold_the_ids_are_recorded_and_are_of_this_note_alone(facility, integration, desk) -> None:
    trace = a_told_note(integration, "one", minutes=60)
    a_told_note(integration, "two", minutes=60)
    answer = logged_in(desk).post(f"/notes/{trace.note_id}/rows/")
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "TX-one" in text and "N-one" in text and "E-one" in text
    assert "TX-two" not in text
    assert text.count("EHR:") == 1
    entry = AuditEntry.objects.get(action="log_rows.opened")
    assert (entry.who, entry.facility, entry.object_id) == (desk, facility, str(trace.note_id))
    assert "one" not in str(entry.detail)
    assert logged_in(desk).get(f"/notes/{trace.note_id}/rows/").status_code == 405


def test_who_may_not_open_payloads_is_told_so(facility, integration) -> None:
    trace = a_told_note(integration)
    manager = a_person(facility, Role.MANAGER)
    text = page(manager, trace)
    assert "masked for your role" in text
    assert "Raw rows" not in text
    assert "Open a ticket" not in text
    assert logged_in(manager).post(f"/notes/{trace.note_id}/rows/").status_code == 403
    assert not AuditEntry.objects.filter(action="log_rows.opened").exists()


def test_another_facilitys_note_and_one_of_a_closed_department_do_not_exist(facility, integration, desk) -> None:
    trace = a_told_note(integration)
    page(a_person(a_facility()), trace, 404)
    hidden = a_trace(integration, department=a_department(facility, restricted=True))
    page(desk, hidden, 404)
    assert logged_in(desk).post(f"/notes/{hidden.note_id}/rows/").status_code == 404
    assert logged_in(desk).post(f"/notes/{hidden.note_id}/ticket/").status_code == 404


def test_rows_that_fit_several_notes_are_shown_as_such(integration, desk) -> None:
    at = ago(90)
    for number in (1, 2):
        rows = a_note_story(number, at + timedelta(seconds=number), encounter_id="E-same", patient_id="P-same")
        for log, told in rows.items():
            if log == "ehr":
                told = [{**row, "transaction_id": f"EHR-{number}"} for row in told]  # ids of the EHR's own
            store_rows(facility_id=integration.facility_id, integration=integration, log=log, rows=told)
    trace = a_trace(integration, "unknown", born_at=at, external_id="N-1", encounter_id="E-same", patient_id="P-same")
    text = page(desk, trace)
    assert "Could be this note's, or another's" in text
    assert "A guess" in text or "Weak" in text


def test_a_note_without_any_row_says_what_is_missing(integration, desk) -> None:
    note = a_note(integration)
    answer = logged_in(desk).get(f"/notes/{note.id}/")
    assert answer.status_code == 200
    text = answer.content.decode()
    assert "Neither log has a row of this note yet." in text
    assert "No ticket holds this note." in text


def test_a_ticket_is_opened_once_and_named_by_its_cause(integration, desk) -> None:
    trace = a_told_note(integration)
    client = logged_in(desk)
    for _ in range(2):
        answer = client.post(f"/notes/{trace.note_id}/ticket/", {"key": "once"})
        assert answer.status_code == 302
    ticket = Ticket.objects.get()
    assert answer.url == f"/tickets/{ticket.number}/"
    assert [row.note_id for row in ticket.ticket_notes.all()] == [trace.note_id]
    assert ticket.run is not None
    assert ticket.title
    text = page(desk, trace)
    assert f"Ticket #{ticket.number}" in text
    assert "Open a ticket" not in text


def test_a_ticket_that_somebody_may_not_see_is_not_named(facility, integration, desk) -> None:
    trace = a_told_note(integration)
    hidden = a_note(integration, department=a_department(facility, restricted=True))
    a_ticket(integration, trace.note, hidden, title="Hidden one")
    text = page(desk, trace)
    assert "Hidden one" not in text
    assert "Open a ticket" in text


def test_the_note_is_ended_and_opened_again_on_its_page(facility, integration, desk) -> None:
    trace = a_told_note(integration)
    assert "Nobody has said yet how this note ended." in page(desk, trace)
    client = logged_in(desk)
    wrong = client.post(
        "/notes/worklist/end/", {"note": trace.note_id, "how": "not_needed", "step": "do", "from": "note"}
    )
    assert wrong.status_code == 422
    said = {"note": trace.note_id, "how": "not_needed", "step": "do", "from": "note", "reason": "Visit cancelled."}
    answer = client.post("/notes/worklist/end/", said)
    assert answer.url == f"/notes/{trace.note_id}/"
    text = page(desk, trace)
    assert "Ended: not needed" in text
    assert "Visit cancelled." in text
    assert "Visit cancelled." not in page(a_person(facility, Role.MANAGER), trace)
    client.post("/notes/worklist/reopen/", {"note": trace.note_id, "from": "note"})
    assert "Nobody has said yet" in page(desk, trace)
    assert NoteEnd.objects.count() == 2


def test_what_is_in_the_chart_has_nothing_to_end(integration, desk) -> None:
    trace = a_told_note(integration, ends="filed")
    text = page(desk, trace)
    assert "there is nothing to end" in text
    assert "The EHR filed it." in text


def test_notes_that_failed_alike_are_counted_and_linked(integration, desk) -> None:
    trace = a_told_note(integration, 1)
    for number in range(2, 5):
        a_trace(integration, minutes=number, external_id=f"M-{number}")
    a_trace(integration, minutes=5, signature="something else")
    assert "4 notes failed alike" in page(desk, trace)


def test_the_rows_of_a_document_that_only_the_ehr_knows_open_with_the_right_and_are_recorded(
    facility, integration, desk
):
    from console.accounts.keys import keyring

    orphan = an_orphan(integration, minutes=30)
    Trace.objects.filter(pk=orphan.pk).update(orphan_hash=keyring(facility.id).hash("TX-9", "transaction"))
    row = {"at": orphan.born_at.isoformat(), "event": "filed", "transaction_id": "TX-9", "encounter_id": "E-9"}
    store_rows(facility_id=facility.id, integration=integration, log="ehr", rows=[row])
    where = f"/notes/only-at-the-ehr/{orphan.id}/rows/"
    assert "TX-9" in logged_in(desk).post(where).content.decode()
    assert AuditEntry.objects.filter(action="log_rows.opened").count() == 1
    assert logged_in(a_person(facility, Role.MANAGER)).post(where).status_code == 403
    assert logged_in(a_person(a_facility())).post(where).status_code == 404


def test_the_price_of_the_page_does_not_grow_with_tickets_ends_and_rows(integration, desk) -> None:
    trace = a_told_note(integration)

    def cost() -> int:
        client = logged_in(desk)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(f"/notes/{trace.note_id}/").status_code == 200
        return len(queries)

    a_ticket(integration, trace.note)
    end_notes(notes=[trace.note], how="by_hand", by=desk)
    few = cost()
    for number in range(4):
        a_ticket(integration, trace.note)
        end_notes(notes=[trace.note], how=("open", "by_hand")[number % 2], by=desk)
        a_told_note(integration, f"more-{number}")
    assert cost() == few


def test_what_was_sent_stands_beside_the_chart_without_a_ticket(facility, integration, desk) -> None:
    note = a_note(integration, narrative="Plan: rest and warm drinks.")
    page_text = logged_in(desk).get(f"/notes/{note.id}/").content.decode()
    assert f"/notes/{note.id}/compare/" in page_text
    assert "warm drinks" not in page_text
    answer = logged_in(desk).post(f"/notes/{note.id}/compare/")
    assert answer.status_code == 200
    assert "That you opened it is recorded." in answer.content.decode()
    entry = AuditEntry.objects.get(action="payload.opened")
    assert (entry.who, entry.object_id) == (desk, str(note.id))
    assert logged_in(a_person(facility, Role.MANAGER)).post(f"/notes/{note.id}/compare/").status_code == 403
