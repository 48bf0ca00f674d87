"""From a paste to notes in the chart, in one go: many notes with one cause, mended, confirmed, sent again, resolved."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from console.integrations.models import Integration
from console.knowledge.models import Article
from console.notes.case_import import keep_case_note, keep_logs, keep_snapshots, set_integration
from console.notes.correlation import correlate_all
from console.tickets.models import Confirmation, Ticket, TicketNote, TicketState
from diagnostics import case_folder
from diagnostics.practice.case_builder import build_case
from diagnostics.practice.server import PracticeEhr, running_practice
from diagnostics.practice.tenant import add_encounter, add_patient
from tests.browser.conftest import log_in
from tests.browser.test_desk_day import MINUTE_MS, open_by_paste, press_confirm
from tests.faults.stack import sweeper, worker

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NOTES = 3


def notes_that_fail_alike(facility: Any, ehr: PracticeEhr, folder: Path) -> str:
    """Let several notes of one integration meet the same fault; give the first one's id."""
    integration = Integration.objects.create(
        facility=facility, name="North", vendor="epic", protocol="fhir", environment="sandbox", resend_allowed=True
    )
    names = []
    for number in range(NOTES):
        build_case(ehr, "north", "auth-key-not-published", folder / str(number), seed=7 + number)
        case = case_folder.load(folder / str(number))
        if number == 0:
            set_integration(integration, case)
            keep_snapshots(integration, case)
        keep_logs(integration, case)
        note = keep_case_note(integration, case, department=None)
        assert note is not None
        names.append(note.external_id)
    tenant = ehr.tenant("north")
    for note in integration.notes.all():  # each case was built in an EHR of its own; now all their patients are in one
        ids = note.identifiers or {}
        add_patient(tenant, str(ids["patient_id"]))
        add_encounter(tenant, str(ids["encounter_id"]), str(ids["patient_id"]), owner=str(ids.get("provider_id") or ""))
    Integration.objects.filter(pk=integration.pk).update(environment="sandbox")
    correlate_all()
    return names[0]


def test_many_notes_with_one_cause_end_in_the_chart(page: Page, facility: Any, desk: Any, tmp_path: Path) -> None:
    with running_practice(("north",)) as ehr, worker(tmp_path), sweeper(tmp_path):
        first = notes_that_fail_alike(facility, ehr, tmp_path)
        log_in(page, desk)
        open_by_paste(page, first)
        expect(page.locator("#verdict .label").first).to_have_text("Cause")
        expect(page.locator(".journey .broken b")).to_have_text("Sent")

        # Many notes, one cause: the others are proposed with their exact number, and joined with one click.
        page.get_by_role("button", name="Join these 2 notes").click()
        expect(page.locator("#notes .note-line")).to_have_count(NOTES)
        expect(page.locator("#notes h3")).to_contain_text("3 of 3 waiting")

        # Act: the fault is mended at the EHR, and a diagnosis made after it says so.
        ehr.set_faults("north", set())
        press_confirm(page)
        expect(page.locator("#actions .proof.ok")).to_contain_text("Confirmed.")

        # Resend: looked at first, then exactly that many, each found in the chart before it is called so.
        page.get_by_role("button", name="Prepare a resend").click()
        page.get_by_role("button", name=f"Resend {NOTES} notes").click(timeout=MINUTE_MS)
        expect(page.get_by_text("Every note had its turn.")).to_be_visible(timeout=MINUTE_MS)
        ticket = Ticket.objects.get()
        ends = TicketNote.objects.filter(ticket=ticket).values_list("end", flat=True)
        assert list(ends) == [TicketNote.End.IN_CHART] * NOTES
        assert set(ehr.ledger.documents("north").values()) <= {1}, "no note twice"

        # Resolve: cause and outcome are there already; the article is drafted from them.
        page.goto(f"/tickets/{ticket.number}/")
        expect(page.locator("#notes .pill.ok")).to_have_count(NOTES)
        page.get_by_role("link", name=re.compile("^Resolve$")).click()
        page.get_by_role("button", name="Resolve").click()
        expect(page.get_by_role("status").filter(has_text="An article was drafted from it.")).to_be_visible()
    ticket.refresh_from_db()
    assert (ticket.state, ticket.confirmation) == (TicketState.RESOLVED, Confirmation.RUN)
    assert Article.objects.get().cause == "auth.assertion.kid"
