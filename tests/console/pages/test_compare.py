"""The note as sent beside the chart: who may see it, that each view is recorded, and what it shows."""

import json

import pytest

from console.accounts.models import AuditEntry
from console.accounts.roles import Role
from console.diagnoses.cases import build_case
from console.integrations.models import Mapping, TemplateVersion
from console.notes.models import FiledSnapshot
from diagnostics.engine import diagnose
from diagnostics.gather import read_parts
from diagnostics.parsing import similarity
from diagnostics.serialize import to_document
from tests.console.builders import a_department, a_facility, a_note, a_person, an_integration
from tests.console.pages.documents import a_diagnosed_ticket, logged_in
from tests.diagnostics.checks.charts import CHART, PLAN, chart, mapping, narrative, template

pytestmark = pytest.mark.django_db


@pytest.fixture
def facility():
    return a_facility()


@pytest.fixture
def desk(facility):
    return a_person(facility)


def a_compared_ticket(facility, filed=None, **of_note):
    integration = an_integration(facility)
    note = a_note(integration, **({"narrative": narrative()} | of_note))
    TemplateVersion.objects.create(integration=integration, template_id="PROG-14", version=7, content=template())
    Mapping.objects.create(integration=integration, content=mapping())
    if filed is not None:
        FiledSnapshot.objects.create(facility=facility, note=note, content=filed)
    return a_diagnosed_ticket(facility, note)


def where(ticket) -> str:
    return f"/tickets/{ticket.number}/notes/{ticket.ticket_notes.get().note_id}/compare/"


def shown(ticket, person, status: int = 200) -> str:
    answer = logged_in(person).post(where(ticket))
    assert answer.status_code == status
    return " ".join(answer.content.decode().split())


def test_a_section_in_the_wrong_field_is_named_with_both_fields(facility, desk) -> None:
    text = shown(a_compared_ticket(facility, chart({"PLAN_TXT": "", "COMMENTS": PLAN})), desk)
    assert "1 of 6 not as sent" in text
    assert 'Plan <span class="pill bad">' in text
    assert "Moved</span>" in text
    assert "for PLAN_TXT</span>" in text
    assert "in COMMENTS (Comments)" in text


def test_what_is_gone_is_struck_out_and_what_came_is_underlined(facility, desk) -> None:
    kept = PLAN.split(". ")[0] + "."
    text = shown(a_compared_ticket(facility, chart({"PLAN_TXT": f"{kept} Call the clinic tomorrow."})), desk)
    assert "<del>Return in six weeks if it has not settled.</del>" in text
    assert "<ins>Call the clinic tomorrow.</ins>" in text
    assert "Changed</span>" in text


def test_a_good_chart_says_so(facility, desk) -> None:
    assert "Everything is as it was sent" in shown(a_compared_ticket(facility, chart()), desk)


def test_without_the_chart_it_says_what_to_fetch(facility, desk) -> None:
    text = shown(a_compared_ticket(facility), desk)
    assert "There is nothing to compare yet" in text
    assert "what the chart holds now: a read-back or a screen copy" in text


def test_text_from_outside_is_no_markup(facility, desk) -> None:
    text = shown(a_compared_ticket(facility, chart({"PLAN_TXT": "<script>alert(1)</script>"})), desk)
    assert "<script>alert" not in text


def test_each_view_is_recorded_and_a_link_opens_nothing(facility, desk) -> None:
    ticket = a_compared_ticket(facility, chart())
    assert logged_in(desk).get(where(ticket)).status_code == 405
    assert not AuditEntry.objects.filter(action="payload.opened").exists()
    shown(ticket, desk)
    entry = AuditEntry.objects.get(action="payload.opened")
    assert (entry.who, entry.object_id) == (desk, str(ticket.ticket_notes.get().note_id))


def test_who_may_not_open_payloads_sees_neither_page_nor_button(facility, desk) -> None:
    ticket = a_compared_ticket(facility, chart())
    shown(ticket, a_person(facility, Role.MANAGER), 403)
    shown(ticket, a_person(a_facility()), 404)
    button = f'action="{where(ticket)}"'
    assert button in logged_in(desk).get(f"/tickets/{ticket.number}/").content.decode()
    manager = a_person(facility, Role.MANAGER)
    assert button not in logged_in(manager).get(f"/tickets/{ticket.number}/").content.decode()
    assert AuditEntry.objects.filter(action="payload.opened").count() == 0


def test_a_restricted_department_and_a_note_of_another_ticket_stay_shut(facility, desk) -> None:
    shut = a_compared_ticket(facility, chart(), department=a_department(facility, restricted=True))
    shown(shut, desk, 404)
    own, other = a_compared_ticket(facility, chart()), a_compared_ticket(facility, chart())
    foreign = where(other).replace(f"/tickets/{other.number}/", f"/tickets/{own.number}/")
    assert logged_in(desk).post(foreign).status_code == 404


def test_no_text_stays_behind_nor_enters_the_diagnosis(facility, desk) -> None:
    ticket = a_compared_ticket(facility, chart({"PLAN_TXT": "", "COMMENTS": PLAN}))
    shown(ticket, desk)
    assert similarity.words.cache_info().currsize == similarity.sentences.cache_info().currsize == 0
    row = ticket.ticket_notes.get()
    row.refresh_from_db()
    case = build_case(integration=ticket.integration, note=row.note, offline=True)
    told = json.dumps(to_document(diagnose(case, read_parts(case)), case), default=str)
    assert not [text for text in CHART.values() if text[:20] in told]
