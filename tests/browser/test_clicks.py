"""How many clicks lie between the queue and "resolved, with a confirmation", for three incidents, as a newcomer works.

Mending the fault itself is somebody else's work and counts no click. Seconds are printed, never judged: `pytest -s`.
"""

import re
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from console.integrations.models import Integration
from console.notes.case_import import keep_case_note, keep_logs, keep_snapshots, set_integration
from console.tickets.models import Confirmation, Ticket, TicketState
from console.tickets.services import open_ticket
from diagnostics import case_folder
from diagnostics.practice.case_builder import build_case
from diagnostics.practice.server import PracticeEhr, running_practice
from tests.browser.conftest import log_in
from tests.faults.stack import sweeper, wait_for, worker

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
MINUTE_MS = 60_000
INCIDENTS = ("auth-key-not-published", "perm-write-denied", "net-tls-expired")
MOST_CLICKS = 8


class Hand:
    """Press what a newcomer presses, and count it; whoever has to load a page anew has failed."""

    def __init__(self, page: Page) -> None:
        self.page, self.clicks, self.began = page, 0, time.monotonic()

    def press(self, target: Locator) -> None:
        target.click(timeout=MINUTE_MS)
        self.clicks += 1

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began


def an_incident(facility: Any, ehr: PracticeEhr, fault: str, folder: Path, desk: Any) -> Ticket:
    """Seed a diagnosed ticket whose note met the fault."""
    build_case(ehr, "north", fault, folder, seed=7)
    case = case_folder.load(folder)
    integration = Integration.objects.create(facility=facility, name=fault, vendor="epic", protocol="fhir")
    set_integration(integration, case)
    keep_snapshots(integration, case)
    keep_logs(integration, case)
    note = keep_case_note(integration, case, department=None)
    Integration.objects.filter(pk=integration.pk).update(environment="sandbox", resend_allowed=True)
    assert note is not None
    ticket = open_ticket(by=desk, integration=integration, notes=[note], idempotency_key=fault)
    wait_for("the diagnosis", lambda: Ticket.objects.get(pk=ticket.pk).state == TicketState.DIAGNOSED)
    ticket.refresh_from_db()
    return ticket


@pytest.mark.parametrize("fault", INCIDENTS)
def test_from_the_queue_to_resolved_with_a_confirmation(
    page: Page, facility: Any, desk: Any, tmp_path: Path, fault: str
) -> None:
    with running_practice(("north",)) as ehr, worker(tmp_path), sweeper(tmp_path):
        ticket = an_incident(facility, ehr, fault, tmp_path / "case", desk)
        log_in(page, desk)
        hand = Hand(page)
        hand.press(page.get_by_role("link", name=ticket.title))
        expect(page.locator("#verdict h2")).to_have_text(ticket.verdict)
        ehr.set_faults("north", set())
        hand.press(page.locator("#verdict").get_by_text("Confirm the fix"))
        hand.press(page.get_by_role("button", name="Run them"))
        expect(page.locator("#actions .proof.ok")).to_contain_text("Confirmed.", timeout=MINUTE_MS)
        hand.press(page.get_by_role("button", name="Prepare a resend"))
        hand.press(page.get_by_role("button", name="Resend 1 note"))
        expect(page.get_by_text("Every note had its turn.")).to_be_visible(timeout=MINUTE_MS)
        hand.press(page.get_by_role("link", name=re.compile("^Resolve ticket")))
        hand.press(page.get_by_role("button", name="Resolve"))
        expect(page.get_by_role("status").filter(has_text="is resolved.")).to_be_visible()
        print(f"\n{fault}: {hand.clicks} clicks, {hand.seconds:.1f} s from the queue to resolved")
    ticket.refresh_from_db()
    assert (ticket.state, ticket.confirmation) == (TicketState.RESOLVED, Confirmation.RUN)
    assert hand.clicks <= MOST_CLICKS
