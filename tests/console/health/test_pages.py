"""The list of integrations and the page of one: health in a word, the test, the baseline, contacts, windows, tokens."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.accounts.models import AuditEntry
from console.accounts.roles import Role
from console.diagnoses.cases import build_case
from console.diagnoses.models import FindingRow, Run
from console.diagnoses.services import execute
from console.integrations.models import Baseline, Contact, MaintenanceWindow, Source, SourceToken
from console.integrations.tokens import source_for
from console.shared.work import WorkState
from tests.console.builders import a_department, a_facility, a_note, a_person, a_ticket, an_integration
from tests.console.pages.documents import a_diagnosed_ticket, a_document, logged_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def facility():
    return a_facility(time_zone="America/Chicago")


@pytest.fixture
def engineer(facility):
    return a_person(facility, Role.INTEGRATION_ENGINEER)


@pytest.fixture
def line(facility):
    return an_integration(facility)


def text(person, where: str, status: int = 200) -> str:
    answer = logged_in(person).get(where)
    assert answer.status_code == status
    return answer.content.decode()


def a_test(integration, document=None, **fields) -> Run:
    """Give an integration a finished run without a note."""
    root = (document or {}).get("root_cause") or {}
    fields = {"state": WorkState.DONE, "finished_at": timezone.now(), "cause": root.get("cause", "")} | fields
    run = Run.objects.create(
        facility_id=integration.facility_id, integration=integration, document=document,
        certainty=root.get("certainty", ""), started_at=timezone.now(), attempt=1, **fields,
    )  # fmt: skip
    for step in (document or {}).get("steps", ()):
        for position, check in enumerate(step["checks"]):
            FindingRow.objects.create(
                facility_id=run.facility_id, run=run, step=step["step"], position=position, check_id=check["id"],
                title=check["title"], status=check["status"], content={},
            )  # fmt: skip
    return run


def good_document(**fields):
    steps = [step for step in a_document()["steps"] if step["step"] not in (1, 6)]
    return a_document(root_cause=None, changes=[], failure_mode="unknown", steps=steps) | fields


def page_of(line) -> str:
    return f"/integrations/{line.id}/"


# -- the list ----------------------------------------------------------------------------------------------------------


def test_the_list_says_how_each_is_in_a_word(facility, line) -> None:
    failing, untouched = an_integration(facility), an_integration(facility)
    a_test(line, good_document())
    a_test(failing, a_document())
    page = text(a_person(facility), "/integrations/")
    assert "All checks passed" in page
    assert "Cause found" in page
    assert "1 with a cause found" in page
    assert "Not looked at yet" in page
    assert untouched.name in page


def test_open_tickets_lead_to_the_queue_and_a_window_that_runs_is_told(facility, line) -> None:
    ticket = a_diagnosed_ticket(facility)
    now = timezone.now()
    MaintenanceWindow.objects.create(integration=line, start_at=now, end_at=now + timedelta(hours=1))
    page = text(a_person(facility), "/integrations/")
    assert f'/tickets/?integration={ticket.integration_id}">1<' in page
    assert "in maintenance" in page
    assert f'/tickets/?integration={line.id}"' not in page


def test_an_administrator_is_not_shown_tickets(facility) -> None:
    a_diagnosed_ticket(facility)
    page = text(a_person(facility, Role.ADMINISTRATOR), "/integrations/")
    assert "Open tickets" not in page


def test_an_empty_list_says_what_to_do_first(facility, engineer) -> None:
    assert "Add the first integration" in text(engineer, "/integrations/")
    assert "Add the first integration" not in text(a_person(facility), "/integrations/")


def test_nobody_sees_another_facilitys_integrations(line) -> None:
    stranger = a_person(a_facility(), Role.INTEGRATION_ENGINEER)
    assert line.name not in text(stranger, "/integrations/")
    text(stranger, page_of(line), 404)


def test_a_run_about_a_note_of_a_closed_department_tells_nothing(facility, line) -> None:
    note = a_note(line, department=a_department(facility, restricted=True))
    a_test(line, a_document(), note=note)
    assert "Not looked at yet" in text(a_person(facility), "/integrations/")
    assert "signing key" not in text(a_person(facility), page_of(line))


def test_the_number_of_queries_does_not_grow_with_the_integrations(facility, line) -> None:
    person = a_person(facility)
    a_test(line, good_document())

    def count() -> int:
        client = logged_in(person)
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/integrations/").status_code == 200
        return len(queries)

    few = count()
    for _ in range(5):
        more = an_integration(facility)
        a_test(more, a_document())
        a_ticket(more, a_note(more))
        MaintenanceWindow.objects.create(
            integration=more, start_at=timezone.now(), end_at=timezone.now() + timedelta(hours=1)
        )
    assert count() == few


# -- the test ----------------------------------------------------------------------------------------------------------


def test_test_now_asks_for_a_run_without_a_note_that_writes_nothing(facility, line) -> None:
    person = a_person(facility)
    client = logged_in(person)
    assert client.post(f"{page_of(line)}test/", {"writes": "yes"}).status_code == 302
    run = Run.objects.get()
    assert (run.note, run.ticket_id, run.writes, run.requested_by) == (None, None, False, person)
    assert AuditEntry.objects.filter(action="integration.tested").count() == 1
    page = text(person, page_of(line))
    assert "Waiting for a worker" in page
    assert f"{page_of(line)}live/?n=1" in page
    assert client.post(f"{page_of(line)}test/").status_code == 302
    assert Run.objects.count() == 1


def test_a_canary_is_offered_only_where_one_is_configured_and_written_only_where_ticked(facility, line) -> None:
    person = a_person(facility)
    assert "Write to the test patient" not in text(person, page_of(line))
    line.settings = {"canary": {"patient": "TEST-1"}}
    line.save()
    assert "Write to the test patient" in text(person, page_of(line))
    logged_in(person).post(f"{page_of(line)}test/", {"writes": "yes"})
    assert Run.objects.get().writes is True


@pytest.mark.django_db(transaction=True)
def test_a_real_test_against_a_closed_port_shows_its_six_steps_and_its_cause(facility, line) -> None:
    line.settings = {"fhir_base_url": "http://127.0.0.1:9/fhir"}
    line.save()
    person = a_person(facility)
    logged_in(person).post(f"{page_of(line)}test/")
    assert execute(Run.objects.get().id)
    page = text(person, page_of(line))
    assert "Network and infrastructure" in page
    assert "Do this" in page
    assert "/tickets/" not in page.split('id="live"')[1].split('id="baseline"')[0]
    assert Run.objects.get().cause.startswith("net.")
    assert "ause found" in text(person, "/integrations/")


def test_those_who_may_not_test_see_no_button(facility, line) -> None:
    assert "Test now" in text(a_person(facility), page_of(line))
    for role in (Role.MANAGER, Role.ADMINISTRATOR):
        assert "Test now" not in text(a_person(facility, role), page_of(line))


def test_a_test_that_gave_up_says_whose_fault_it_is(facility, line) -> None:
    a_test(line, state=WorkState.GAVE_UP)
    page = text(a_person(facility), page_of(line))
    assert "on our side, not in the EHR" in page


def test_a_ticket_that_looked_later_is_named(facility, line) -> None:
    a_test(line, good_document())
    note = a_note(line)
    ticket = a_diagnosed_ticket(facility, note)
    Run.objects.filter(ticket_id=ticket.id).update(cause="auth.assertion.kid", certainty="proven")
    assert f"/tickets/{ticket.number}/" in text(a_person(facility), page_of(line))


# -- the baseline ------------------------------------------------------------------------------------------------------


def test_what_changed_stands_beside_the_last_good_run(facility, engineer, line) -> None:
    Baseline.objects.create(integration=line, facts={"token": {"lifetime_s": 3600}, "grants": ["document:write"]})
    a_test(line, a_document())
    page = text(engineer, page_of(line))
    assert "key set" in page
    assert "token: lifetime s" in page
    assert "document:write" in page


def test_a_baseline_is_pinned_and_unpinned(engineer, line) -> None:
    client = logged_in(engineer)
    row = Baseline.objects.create(integration=line, facts={})
    client.post(f"{page_of(line)}baseline/", {"baseline": str(row.id), "pinned": "yes"})
    row.refresh_from_db()
    assert row.pinned
    assert "Pinned baseline" in text(engineer, page_of(line))
    client.post(f"{page_of(line)}baseline/", {"baseline": str(row.id), "pinned": "no"})
    row.refresh_from_db()
    assert not row.pinned
    other = Baseline.objects.create(integration=an_integration(line.facility), facts={})
    client.post(f"{page_of(line)}baseline/", {"baseline": str(other.id), "pinned": "yes"})
    other.refresh_from_db()
    assert not other.pinned


# -- contacts, runbook, windows ----------------------------------------------------------------------------------------


def test_contacts_are_added_changed_and_removed(engineer, line) -> None:
    client, where = logged_in(engineer), f"{page_of(line)}contacts/"
    assert client.post(f"{where}add/", {"name": "Vendor desk"}).status_code == 422
    assert client.post(f"{where}add/", {"name": "Vendor desk", "email": "desk@vendor.example"}).status_code == 302
    contact = Contact.objects.get()
    assert "desk@vendor.example" in text(engineer, page_of(line))
    client.post(f"{where}{contact.id}/", {"name": "Night desk", "phone": "+1 555 0102"})
    contact.refresh_from_db()
    assert (contact.name, contact.email, contact.integration) == ("Night desk", "", line)
    assert client.post(f"{where}{contact.id}/remove/").status_code == 302
    assert not Contact.objects.exists()
    actions = AuditEntry.objects.filter(action__startswith="contact.").order_by("at", "id")
    assert [row.action for row in actions] == ["contact.added", "contact.changed", "contact.removed"]


def test_what_belongs_to_another_integration_is_not_reached_through_this_one(engineer, line) -> None:
    other = an_integration(line.facility)
    contact = Contact.objects.create(integration=other, name="Desk", phone="1")
    client = logged_in(engineer)
    assert client.post(f"{page_of(line)}contacts/{contact.id}/remove/").status_code == 404
    source = Source.objects.create(facility=line.facility, integration=other, name="other")
    assert client.post(f"{page_of(line)}sources/{source.id}/token/", {"name": "x"}).status_code == 404


def test_the_runbook_is_a_web_address(engineer, line) -> None:
    client = logged_in(engineer)
    bad = client.post(f"{page_of(line)}guide/", {"runbook_url": "javascript:alert(1)", "escalation": "Ask first."})
    assert bad.status_code == 422
    assert "Ask first." in bad.content.decode()
    client.post(f"{page_of(line)}guide/", {"runbook_url": "https://runbook.example/a", "escalation": "1. Desk"})
    page = text(engineer, page_of(line))
    assert 'href="https://runbook.example/a"' in page
    assert "1. Desk" in page


def test_a_window_is_entered_in_the_facilitys_time_and_reaches_the_diagnosis(engineer, line) -> None:
    client = logged_in(engineer)
    sent = {"start": "2026-12-01T22:00", "end": "2026-12-02T02:00", "note": "Upgrade"}
    assert client.post(f"{page_of(line)}windows/add/", sent).status_code == 302
    window = MaintenanceWindow.objects.get()
    assert window.start_at == datetime(2026, 12, 2, 4, 0, tzinfo=UTC)
    page = text(engineer, page_of(line))
    assert "1 Dec 22:00" in page
    assert "coming" in page or "past" in page
    [known] = build_case(integration=line, note=None).integration.maintenance
    assert (known.start, known.end) == (window.start_at, window.end_at)
    assert client.post(f"{page_of(line)}windows/{window.id}/remove/").status_code == 302
    assert not MaintenanceWindow.objects.exists()


@pytest.mark.parametrize(
    ("start", "end", "says"),
    [
        ("2026-12-01T22:00", "2026-12-01T22:00", "The end must be after the start."),
        ("2026-12-01T22:00", "2026-12-01T21:00", "The end must be after the start."),
        ("2026-03-08T02:30", "2026-03-08T06:00", "This time does not exist on that day"),
        ("tomorrow", "2026-03-08T06:00", "Write day and time"),
        ("2026-12-01T22:00+01:00", "2026-12-02T06:00", "Write day and time"),
    ],
)
def test_a_window_that_cannot_be_is_refused_with_a_reason(engineer, line, start, end, says) -> None:
    answer = logged_in(engineer).post(f"{page_of(line)}windows/add/", {"start": start, "end": end})
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert not MaintenanceWindow.objects.exists()


# -- sources and tokens ------------------------------------------------------------------------------------------------


def test_a_token_is_shown_once_and_refused_once_revoked(engineer, line) -> None:
    client = logged_in(engineer)
    client.post(f"{page_of(line)}sources/add/", {"name": "scribe-north", "time_zone": "America/Chicago"})
    source = Source.objects.get(name="scribe-north")
    answer = client.post(f"{page_of(line)}sources/{source.id}/token/", {"name": "The scribe"})
    token = answer.context["page"].made_token
    assert token in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert source_for(token) == source
    assert token not in text(engineer, page_of(line))
    row = SourceToken.objects.get()
    assert client.post(f"{page_of(line)}tokens/{row.id}/revoke/").status_code == 302
    assert source_for(token) is None
    assert "revoked" in text(engineer, page_of(line))


def test_a_source_has_a_name_of_its_own_and_a_real_time_zone(engineer, line) -> None:
    client, where = logged_in(engineer), f"{page_of(line)}sources/add/"
    assert client.post(where, {"name": "scribe", "time_zone": "Nowhere/Land"}).status_code == 422
    assert client.post(where, {"name": "scribe", "time_zone": "UTC"}).status_code == 302
    again = client.post(where, {"name": "scribe", "time_zone": "UTC"})
    assert again.status_code == 422
    assert "Another source has this name" in again.content.decode()


def test_those_who_do_not_manage_see_neither_forms_nor_tokens(facility, line) -> None:
    source = Source.objects.create(facility=facility, integration=line, name="scribe")
    SourceToken.objects.create(source=source, name="Token of the scribe", digest=b"x")
    page = text(a_person(facility), page_of(line))
    for word in ("Add a contact", "Register a window", "Make a token", "Token of the scribe", "/settings/"):
        assert word not in page
