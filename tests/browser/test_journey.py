"""From a pasted error to its proven cause: real browser, real worker, real network calls to the practice EHR."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from console.integrations.models import Integration
from console.notes.case_import import keep_case_note, keep_logs, keep_snapshots, set_integration
from console.tickets.models import Ticket
from diagnostics import case_folder
from diagnostics.practice.case_builder import build_case
from diagnostics.practice.faults import FAULTS
from diagnostics.practice.server import running_practice
from tests.browser.conftest import log_in
from tests.faults.stack import sweeper, worker

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
CAUSE = "auth.assertion.kid"


def an_ill_integration(facility: Any, ehr: Any, folder: Path) -> str:
    """Play the fault once, keep what it left behind, give the error text that the scribe logged."""
    fault = next(fault for fault in FAULTS.values() if fault.cause == CAUSE)
    build_case(ehr, "north", fault.name, folder, seed=7)
    case = case_folder.load(folder)
    integration = Integration.objects.create(
        facility=facility, name="North", vendor=case.integration.vendor, protocol=case.integration.protocol
    )
    set_integration(integration, case)
    keep_snapshots(integration, case)
    keep_logs(integration, case)
    keep_case_note(integration, case, department=None)
    return next(str(row["error"]) for row in case.logs.scribe if row.get("error"))


def test_a_pasted_error_becomes_a_ticket_whose_cause_is_read_and_a_step_run_again(
    page: Page, facility, desk, tmp_path
) -> None:
    # The suite's own process has no broker: the sweeper rings for the run, as it does when a message is lost.
    with running_practice(("north",)) as ehr, worker(tmp_path), sweeper(tmp_path):
        error = an_ill_integration(facility, ehr, tmp_path / "case")
        log_in(page, desk)
        page.get_by_role("link", name="Open ticket").click()
        page.get_by_label("What do you have?").fill(error)
        expect(page.get_by_text("Recognised")).to_be_visible()
        page.get_by_role("button", name="Open ticket").dblclick()
        expect(page).to_have_url(re.compile(r"/tickets/\d+/"))
        assert Ticket.objects.count() == 1

        expect(page.locator("[data-poll]")).to_have_count(0, timeout=60_000)
        expect(page.locator("#verdict .label").first).to_have_text("Cause")
        expect(page.locator("#verdict")).to_contain_text(CAUSE)
        expect(page.locator(".step")).to_have_count(6)
        expect(page.locator(".step.running")).to_have_count(0)
        expect(page.locator("#step-1")).to_have_class(re.compile("failed"))
        expect(page.locator(".journey .broken b")).to_have_text("Sent")

        page.locator("#verdict .because a").first.click()
        expect(page.locator(".checks li:target")).to_be_visible()

        first = Ticket.objects.get().run_id
        page.locator("#step-1").get_by_role("button", name="Run step 1 again").click()
        expect(page.locator("#activity")).to_contain_text("asked for a diagnosis of step 1")
        expect(page.locator("[data-poll]")).to_have_count(0, timeout=60_000)
        expect(page.locator("#verdict")).to_contain_text(CAUSE)
        again = Ticket.objects.get().run
        assert again.id != first
        assert again.steps == [1]
