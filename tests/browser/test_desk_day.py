"""The help desk's day in a real browser: from a failed note to a fix that is proved, on the practice EHR."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from console.tickets.models import Confirmation, Ticket, TicketState
from diagnostics.practice.server import running_practice
from tests.browser.conftest import log_in
from tests.browser.test_journey import CAUSE, an_ill_integration
from tests.faults.stack import sweeper, worker

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
MINUTE_MS = 60_000


def open_by_paste(page: Page, text: str) -> None:
    """Paste, open, and wait until the diagnosis has concluded, without touching the page."""
    page.get_by_role("link", name="Open ticket").click()
    page.get_by_label("What do you have?").fill(text)
    page.get_by_role("button", name="Open ticket").click()
    expect(page).to_have_url(re.compile(r"/tickets/\d+/"))
    expect(page.locator("[data-poll]")).to_have_count(0, timeout=MINUTE_MS)


def press_confirm(page: Page) -> None:
    """Press *Confirm the fix*, say yes to the test document, and wait for the outcome in its place."""
    page.locator("#verdict").get_by_text("Confirm the fix").click()
    page.get_by_role("button", name="Run them").click()
    expect(page.locator("#actions li.running")).to_have_count(1)
    expect(page.locator("#actions li.running")).to_have_count(0, timeout=MINUTE_MS)


def test_a_fix_is_tried_refuted_mended_confirmed_and_resolved_without_leaving_the_page(
    page: Page, facility: Any, desk: Any, tmp_path: Path
) -> None:
    with running_practice(("north",)) as ehr, worker(tmp_path), sweeper(tmp_path):
        error = an_ill_integration(facility, ehr, tmp_path / "case")
        log_in(page, desk)
        open_by_paste(page, error)
        expect(page.locator("#verdict")).to_contain_text(CAUSE)
        page.evaluate("window.stays = true")

        page.locator("#verdict").get_by_role("button", name="Test token").click()
        expect(page.locator("#actions li.bad")).to_contain_text("gave no token", timeout=MINUTE_MS)
        press_confirm(page)
        expect(page.locator("#actions li.bad").first).to_contain_text("Not fixed: ")

        ehr.set_faults("north", set())
        page.locator("#verdict").get_by_role("button", name="Test token").click()
        expect(page.locator("#actions li.good")).to_contain_text("gave a token", timeout=MINUTE_MS)
        press_confirm(page)
        expect(page.locator("#actions .proof.ok")).to_contain_text("A diagnosis made after the fix passed.")
        assert page.evaluate("window.stays") is True, "the page was loaded anew"
        ticket = Ticket.objects.get()
        assert (ticket.state, ticket.confirmation) == (TicketState.FIXED, Confirmation.RUN)

        page.get_by_role("link", name="before and after").click()
        expect(page.locator("table")).to_contain_text("passed")
        page.go_back()
        page.get_by_role("link", name="Resolve").click()
        expect(page.locator(".proof.ok")).to_contain_text("A diagnosis made after the fix passed.")
        page.get_by_label("Entered by hand").check()
        page.get_by_role("button", name="Resolve").click()
        expect(page.get_by_role("status").filter(has_text="is resolved")).to_be_visible()
    ticket.refresh_from_db()
    assert (ticket.state, ticket.confirmation) == (TicketState.RESOLVED, Confirmation.RUN)
