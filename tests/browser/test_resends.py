"""A resend by hand: one person looks and asks, another approves, the notes arrive; real browser, worker and EHR."""

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from console.resends.models import ResendBatch
from diagnostics.practice import running_practice
from tests.browser.conftest import PASSWORD, log_in, with_password
from tests.browser.test_hands import violations
from tests.console.resends.stage import a_stage
from tests.faults.stack import sweeper, worker

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def looked_at(page: Page, name: str) -> list[str]:
    """Look at a page in both themes, wide and on a phone; give what is wrong, and keep pictures where asked."""
    wrong = []
    for theme, width in (("light", 1440), ("dark", 360)):
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 900})
        wrong += [f"{name} {theme} {width}: {each}" for each in violations(page)]
        over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        wrong += [f"{name} {theme} {width}: overflows by {over} px"] if over > 0 else []
        if folder := os.environ.get("LOOK_AT_PAGES"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=f"{folder}/{name}-{width}-{theme}.png", full_page=True)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1440, "height": 1000})
    return wrong


def change_person(page: Page, person: Any) -> None:
    page.context.clear_cookies()
    page.goto("/login/")
    page.get_by_label("E-mail").fill(with_password(person).email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.locator("header.top nav").wait_for()


def test_two_people_bring_two_notes_into_the_chart(page: Page, transactional_db, tmp_path) -> None:
    wrong: list[str] = []
    with running_practice(("north",)) as ehr, worker(tmp_path), sweeper(tmp_path):
        stage = a_stage(ehr, tmp_path, notes=2, environment="production")
        log_in(page, with_password(stage.desk))
        page.goto(f"/tickets/{stage.ticket.number}/")
        page.get_by_role("button", name="Prepare a resend").dblclick()
        expect(page.get_by_text("Nothing has been sent.")).to_be_visible(timeout=30_000)
        assert ResendBatch.objects.count() == 1
        page.locator(".resend-note summary").first.click()
        expect(page.locator(".resend-note").first).to_contain_text("If-None-Exist")
        wrong += looked_at(page, "resend-prepared")
        page.get_by_role("button", name="Ask for approval to resend 2 notes").click()
        expect(page.get_by_text("somebody else has to approve it")).to_be_visible()
        assert [stage.documents(row.note) for row in stage.ticket.ticket_notes.all()] == [0, 0]

        change_person(page, stage.engineer)
        page.goto("/resends/waiting/")
        page.get_by_role("link", name=f"2 notes of #{stage.ticket.number}").click()
        wrong += looked_at(page, "resend-asked")
        page.get_by_role("button", name="Approve: resend 2 notes").dblclick()
        expect(page.get_by_text("Every note had its turn.")).to_be_visible(timeout=60_000)
        expect(page.locator(".resend-note .pill.ok")).to_have_count(2)
        wrong += looked_at(page, "resend-done")
        assert [stage.documents(row.note) for row in stage.ticket.ticket_notes.all()] == [1, 1]

        page.goto(f"/tickets/{stage.ticket.number}/")
        expect(page.locator("#notes .pill.ok")).to_have_count(2)
        expect(page.get_by_text("2 in the chart", exact=False).first).to_be_visible()
    assert "\n".join(wrong) == ""
