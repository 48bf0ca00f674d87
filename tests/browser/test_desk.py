"""People around a ticket, in a real browser: drafts, who looks, colliding edits, a facility's targets."""

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from console.accounts.models import User
from console.accounts.roles import Role
from console.tickets.models import Comment, Draft, Presence, Ticket
from console.tickets.services import assign, change_state, set_severity
from console.tickets.watching import watch
from tests.browser.conftest import PASSWORD, log_in, with_password
from tests.browser.test_hands import violations
from tests.console.builders import a_person
from tests.console.pages.documents import a_diagnosed_ticket

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def colleague(facility: Any) -> User:
    person = a_person(facility)
    person.name = "Amara Diallo"
    person.save()
    return person


def look(page: Page, name: str) -> None:
    """Hold the page to the rules in both themes and on a phone; with LOOK_AT_PAGES keep a picture of each."""
    for theme, width in (("light", 1440), ("dark", 360)):
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 900})
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, name
        if folder := os.environ.get("LOOK_AT_PAGES"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=f"{folder}/{name}-{width}.png", full_page=True)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1440, "height": 1000})


def test_what_is_typed_is_kept_by_itself_and_found_after_coming_back(page: Page, facility, desk, colleague) -> None:
    ticket = a_diagnosed_ticket(facility)
    log_in(page, desk)
    page.goto(f"/tickets/{ticket.number}/")
    with page.expect_response(lambda answer: answer.url.endswith("/drafts/")) as kept:
        page.get_by_label("Comment").fill("They call back at noon.")
    assert kept.value.status == 204
    assert Draft.objects.get().text == "They call back at noon."
    Presence.objects.update_or_create(ticket=ticket, user=colleague)
    page.reload()
    expect(page.get_by_label("Comment")).to_have_value("They call back at noon.")
    expect(page.get_by_text("Restored what you typed at")).to_be_visible()
    expect(page.get_by_text("Amara Diallo is looking")).to_be_visible()
    page.get_by_role("button", name="Comment", exact=True).click()
    expect(page.locator("#activity .body")).to_have_text("They call back at noon.")
    expect(page.get_by_label("Comment")).to_have_value("")
    assert not Draft.objects.exists()
    page.get_by_label("Comment").fill("Never mind.")
    with page.expect_response(lambda answer: answer.url.endswith("/drafts/")):
        page.get_by_label("Comment").press("End")
        page.get_by_label("Comment").type(" Or do.")
    page.reload()
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_label("Comment")).to_have_value("")
    assert Comment.objects.count() == 1


@pytest.mark.parametrize("scripts", [True, False])
def test_of_two_edits_the_later_one_sees_both_with_and_without_scripts(
    chromium: Browser, live_server, facility, desk, colleague, scripts
) -> None:
    ticket = a_diagnosed_ticket(facility)
    context = chromium.new_context(base_url=live_server.url, java_script_enabled=scripts)
    page = context.new_page()
    log_in(page, desk)
    page.goto(f"/tickets/{ticket.number}/")
    set_severity(ticket=ticket, severity="a_wrong_patient", by=colleague)
    page.get_by_label("Severity").select_option("d_delayed")
    page.get_by_role("button", name="Set", exact=True).last.click()
    expect(page.get_by_role("heading", name="Somebody was faster")).to_be_visible()
    expect(page.get_by_text("Amara Diallo")).to_be_visible()
    if scripts:
        look(page, "collision")
    page.get_by_role("button", name="Use mine").click()
    expect(page.get_by_label("Severity")).to_have_value("d_delayed")
    assert Ticket.objects.get(pk=ticket.pk).severity == "d_delayed"
    context.close()


def test_the_desks_pages_hold_the_rules_with_everything_on_them(page: Page, facility, desk, colleague) -> None:
    ticket = a_diagnosed_ticket(facility)
    assign(ticket=ticket, owner=desk, by=desk)
    watch(ticket=ticket, by=colleague)
    watch(ticket=ticket, by=desk)
    Presence.objects.update_or_create(ticket=ticket, user=colleague)
    for whom in ("ehr_team", "vendor"):
        change_state(ticket=ticket, to="waiting", by=desk, waiting_for=whom)
    log_in(page, desk)
    pages = {"ticket": "", "handover": "handover/", "provider": "provider/"}
    for name, where in pages.items():
        page.goto(f"/tickets/{ticket.number}/{where}")
        look(page, name)
    page.goto("/tickets/handover/")
    look(page, "shift")


def test_an_administrator_sets_targets_by_keyboard(page: Page, facility) -> None:
    administrator = with_password(a_person(facility, Role.ADMINISTRATOR))
    page.goto("/login/")
    page.get_by_label("E-mail").fill(administrator.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.locator("header.top").get_by_text("More").click()
    page.get_by_role("link", name="Targets").click()
    page.get_by_role("link", name=facility.name).click()
    for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday"):
        page.get_by_label(f"{day} from").fill("08:00")
        page.get_by_label(f"{day} to").fill("18:00")
    page.get_by_label("Friday to").press("Enter")  # tries the example, saves nothing
    expect(page.get_by_text("opened Fri")).to_have_count(5)
    expect(page.locator(".examples li").nth(1)).to_contain_text("11:30")
    look(page, "targets")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("are saved and hold from now on")).to_be_visible()
