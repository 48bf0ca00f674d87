"""Notes in a browser: from an id to its raw rows, and notes ended and taken back, also without JavaScript."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from console.accounts.models import User
from console.notes.models import NoteEnd
from tests.browser.conftest import PASSWORD, log_in
from tests.browser.test_hands import violations
from tests.console.builders import an_integration
from tests.console.worklist.test_note import a_told_note

pytestmark = pytest.mark.browser


def test_a_note_is_found_by_its_transaction_and_its_rows_are_opened(page: Page, facility: Any, desk: User) -> None:
    integration = an_integration(facility)
    a_told_note(integration, "one", minutes=90)
    a_told_note(integration, "two", minutes=80)
    log_in(page, desk)
    page.get_by_role("link", name="Notes").click()
    page.get_by_role("link", name="Find a note").click()
    page.get_by_label("An id, a provider, a time").fill("transaction TX-one")
    page.get_by_label("An id, a provider, a time").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Note of")
    expect(page.get_by_text("The EHR refused the note.")).to_be_visible()
    assert "TX-one" not in page.url
    assert "TX-one" not in page.content()
    assert violations(page) == []
    page.get_by_role("button", name="Raw rows").click()
    expect(page.get_by_text("That you opened them is recorded.")).to_be_visible()
    assert "TX-one" in page.content()
    assert "TX-two" not in page.content()
    assert violations(page) == []


def _end_two_and_undo(page: Page) -> None:
    page.get_by_role("checkbox").nth(0).check()
    page.get_by_role("checkbox").nth(1).check()
    page.get_by_label("End the chosen notes as").select_option(label="Entered by hand")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("End 2 notes?")
    page.get_by_role("button", name="End 2 notes").click()
    expect(page.get_by_text("2 notes ended: entered by hand.")).to_be_visible()
    expect(page.get_by_role("checkbox")).to_have_count(1)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("2 notes wait again.")).to_be_visible()
    expect(page.get_by_role("checkbox")).to_have_count(3)


def test_two_notes_are_ended_on_the_worklist_and_taken_back(page: Page, facility: Any, desk: User) -> None:
    integration = an_integration(facility)
    for number in range(3):
        a_told_note(integration, number, minutes=100 - number)
    log_in(page, desk)
    page.goto("/notes/worklist/")
    _end_two_and_undo(page)
    assert NoteEnd.objects.count() == 4
    assert violations(page) == []
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Note of")


def test_the_worklist_works_without_javascript(chromium: Browser, live_server: Any, facility: Any, desk: User) -> None:
    integration = an_integration(facility)
    for number in range(3):
        a_told_note(integration, number, minutes=100 - number)
    context = chromium.new_context(
        base_url=live_server.url, java_script_enabled=False, viewport={"width": 360, "height": 800}
    )
    page = context.new_page()
    page.goto("/login/")
    page.get_by_label("E-mail").fill(desk.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.goto("/notes/worklist/")
    _end_two_and_undo(page)
    page.goto("/notes/failures/")
    page.get_by_role("link", name="The EHR answered 422").or_(page.locator("td.t a")).first.click()
    page.get_by_role("button", name="Open a ticket for 3 notes").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("3 notes")
    context.close()
