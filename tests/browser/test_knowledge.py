"""A resolved ticket becomes knowledge that answers the next one, in a real browser."""

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from console.accounts.models import User
from console.diagnoses.workers import note_heartbeat
from console.knowledge.models import Article, ArticleUse
from console.shared.work import WorkState
from console.tickets.models import Ticket
from tests.browser.conftest import PASSWORD, log_in, widths, with_password
from tests.browser.test_hands import violations
from tests.console.builders import a_note, a_ticket, an_integration
from tests.console.knowledge.builders import ERROR, a_draft, a_published, a_reviewer, failing
from tests.console.pages.documents import a_diagnosed_ticket, a_document, a_run

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TITLE = "The key that signed the sign-in request is not in the published key set"


@pytest.fixture
def reviewer(facility: Any) -> User:
    return with_password(a_reviewer(facility))


def change_to(page: Page, person: User) -> None:
    """Log somebody else in, who lands on another page than the help desk."""
    page.context.clear_cookies()
    page.goto("/login/")
    page.get_by_label("E-mail").fill(person.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(lambda url: "/login/" not in url)


def test_what_one_ticket_taught_answers_the_next_like_it(page: Page, facility, desk, reviewer) -> None:
    note_heartbeat("default")
    integration = an_integration(facility)
    first = a_diagnosed_ticket(facility, *(failing(a_note(integration, external_id=f"N-71{n}")) for n in range(2)))
    log_in(page, desk)
    page.goto(f"/tickets/{first.number}/")
    expect(page.get_by_text("No article is like this ticket yet.")).to_be_visible()

    # The desk confirms the proposed cause and says how the notes ended.
    page.get_by_role("link", name="Resolve").click()
    expect(page.get_by_role("radio", name="The signing key is not in the published key set")).to_be_checked()
    page.get_by_role("radio", name="In chart").check()
    page.get_by_text("Some ended otherwise").click()
    page.get_by_label("N-711").select_option("Entered by hand")
    page.get_by_label("What was done").fill("Put the new key into the key set; note N-710 was sent again.")
    assert violations(page) == []
    page.get_by_role("button", name="Resolve").click()
    expect(page.get_by_role("status").filter(has_text="is resolved. An article was drafted from it.")).to_be_visible()
    expect(page.locator(".pill", has_text="Entered by hand")).to_be_visible()
    expect(page.get_by_role("link", name="Resolve")).to_have_count(0)

    # Informatics land on the review queue, take the note's number out and publish.
    change_to(page, reviewer)
    expect(page.get_by_role("heading", name="Review")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=TITLE)).to_be_visible()
    expect(page.get_by_text("an id of the ticket's notes")).to_be_visible()
    expect(page.get_by_role("button", name="Publish")).to_be_disabled()
    page.get_by_role("button", name="Send to review").click()
    expect(page.get_by_text("The draft is in review.")).to_be_visible()
    page.get_by_role("link", name="Edit").click()
    text = page.get_by_label("Text", exact=True)
    text.fill(text.input_value().replace("; note N-710 was sent again", ""))
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The article is saved.")).to_be_visible()
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("The article is published.")).to_be_visible()
    assert Ticket.objects.get(pk=first.pk).state == "closed"

    # The next ticket with the same error shows it, with the reason; opening it counts as a use.
    other_key = failing(a_note(integration), ERROR.replace("2026-05", "2027-02"))
    following = a_diagnosed_ticket(facility, other_key)
    change_to(page, desk)
    page.goto(f"/tickets/{following.number}/")
    card = page.locator("section[id^=seen-before]")
    expect(card).to_contain_text("same error signature, same cause, same vendor and category · seen 1 time")
    card.get_by_role("link", name=TITLE).click()
    expect(page.get_by_role("heading", name=TITLE)).to_be_visible()
    expect(page.get_by_text("used on 1 ticket", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="Edit")).to_have_count(0)
    assert ArticleUse.objects.get().ticket == following


def test_the_card_stays_while_the_page_polls_and_is_loaded_anew_with_a_conclusion(page: Page, facility, desk) -> None:
    note_heartbeat("default")
    a_published(facility)
    ticket = a_ticket(an_integration(facility), title="Running")
    a_run(ticket, state=WorkState.RUNNING)
    log_in(page, desk)
    loads: list[str] = []
    page.on("request", lambda request: loads.append(request.url) if "seen-before" in request.url else None)
    page.goto(f"/tickets/{ticket.number}/")
    card = page.locator("section[id^=seen-before]")
    expect(card).to_contain_text("No article is like this ticket yet.")
    for _ in range(2):
        with page.expect_response(re.compile("/live/")):
            pass
    expect(card).to_contain_text("No article is like this ticket yet.")
    assert len(loads) == 1
    a_run(ticket, document=a_document())
    expect(card).to_contain_text("same cause, same vendor and category")
    assert len(loads) == 2


def test_the_search_answers_while_one_types_and_leaves_nothing_in_the_address(page: Page, facility, desk) -> None:
    a_published(facility)
    log_in(page, desk)
    page.goto("/knowledge/")
    page.get_by_label("Words, or a pasted error text").fill("signng key")
    expect(page.get_by_text("1 article found")).to_be_visible()
    page.get_by_label("Category").select_option("Network")
    expect(page.get_by_text("No article matches")).to_be_visible()
    page.get_by_label("Category").select_option("Every category")
    page.get_by_role("link", name=TITLE).click()
    assert page.url.endswith(f"/knowledge/{Article.objects.get().id}/")


def test_resolving_and_searching_work_without_javascript(chromium: Browser, live_server, facility, desk) -> None:
    ticket = a_diagnosed_ticket(facility)
    a_published(facility)
    context = chromium.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    log_in(page, desk)
    page.goto(f"/tickets/{ticket.number}/")
    page.get_by_role("link", name="Look for articles").click()
    page.get_by_label("Words, or a pasted error text").fill("signing key")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("mark").first).to_be_visible()
    page.goto(f"/tickets/{ticket.number}/resolve/")
    page.get_by_role("radio", name="Another cause").check()
    page.get_by_label("Cause, by category").select_option("net.tls.expired")
    page.get_by_role("radio", name="Not needed").check()
    page.get_by_role("button", name="Resolve").click()
    expect(page.get_by_text("Nothing confirms the fix yet.")).to_be_visible()
    page.get_by_label("why is it resolved all the same").fill("The visit was cancelled.")
    page.get_by_role("button", name="Resolve").click()
    expect(page.get_by_text("An article was drafted from it.")).to_be_visible()
    assert Ticket.objects.get(pk=ticket.pk).confirmed_cause == "net.tls.expired"
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_overflows_a_phone(page: Page, facility, reviewer, theme) -> None:
    note_heartbeat("default")
    ticket = a_diagnosed_ticket(facility, a_note(an_integration(facility)))
    note = a_note(an_integration(facility), external_id="N-5f21c")
    draft, published = a_draft(facility, note, what_was_done="Sent N-5f21c again."), a_published(facility)
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    change_to(page, reviewer)
    wrong = {}
    ways = (
        "/knowledge/", "/knowledge/review/", "/knowledge/review/?view=due", "/knowledge/write/",
        f"/tickets/{ticket.number}/resolve/", *(f"/knowledge/{one.id}/{part}" for one in (draft, published)
        for part in ("", "edit/", "versions/")),
    )  # fmt: skip
    for way in ways:
        for width in widths(theme):
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(way)
            wrong[f"{way} {width}"] = violations(page)
            over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            if over > 0:
                wrong[f"{way} {width}"].append(f"overflows by {over} px")
    assert {way: found for way, found in wrong.items() if found} == {}
