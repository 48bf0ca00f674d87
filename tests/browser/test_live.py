"""The page while a diagnosis runs: what people type and open stays, a lost connection shows and heals."""

import pytest
from playwright.sync_api import Page, expect

from console.diagnoses.models import Run
from console.shared.work import WorkState
from tests.browser.conftest import log_in
from tests.console.builders import a_note, a_ticket, an_integration
from tests.console.pages.documents import a_document, a_run

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def running(page: Page, facility, desk):
    integration = an_integration(facility)
    ticket = a_ticket(integration, a_note(integration))
    run = a_run(ticket, state=WorkState.RUNNING)
    log_in(page, desk)
    page.goto(f"/tickets/{ticket.number}/")
    return run


def finish(run: Run) -> None:
    run.refresh_from_db()
    run.document, run.state = a_document(), WorkState.DONE
    run.save(update_fields=["document", "state"])


def polled(page: Page, times: int) -> None:
    for _ in range(times):
        with page.expect_response(lambda r: "/live/" in r.url and r.status == 200):
            pass


def test_facts_arrive_without_reload_and_typed_text_and_opened_rows_stay(page: Page, running) -> None:
    page.get_by_label("Comment").fill("Half a sen")
    page.locator("#step-4 > summary").click()
    running.progress = a_document(root_cause=None)
    running.save(update_fields=["progress"])
    expect(page.locator("#step-1 .sum")).to_have_text("1 failed · 1 passed · running…")
    polled(page, 2)
    expect(page.get_by_label("Comment")).to_have_value("Half a sen")
    expect(page.locator("#step-4")).to_have_attribute("open", "")
    finish(running)
    expect(page.locator("#verdict h2")).to_have_text("The signing key is not in the published key set")
    expect(page.locator("[data-poll]")).to_have_count(0)
    expect(page.get_by_label("Comment")).to_have_value("Half a sen")
    expect(page.locator("#step-4")).to_have_attribute("open", "")


def test_a_lost_connection_shows_and_heals_by_itself(page: Page, running) -> None:
    polled(page, 1)
    page.context.set_offline(True)
    expect(page.locator("#offline")).to_be_visible()
    finish(running)
    page.context.set_offline(False)
    expect(page.locator("#verdict .label").first).to_have_text("Cause")
    expect(page.locator("#offline")).to_be_hidden()
    # The browser itself notes each request it could not send; that is what this test made it do.
    page.complaints[:] = [
        text for text in page.complaints if "ERR_INTERNET_DISCONNECTED" not in text and "sendError" not in text
    ]


def test_a_server_that_answers_with_an_error_for_a_while_is_asked_again(page: Page, running) -> None:
    refused = []
    page.route("**/live/**", lambda route: (refused.append(1), route.fulfill(status=503, body="busy"))[1])
    expect(page.locator("#offline")).to_be_visible()
    page.unroute("**/live/**")
    finish(running)
    expect(page.locator("#verdict .label").first).to_have_text("Cause")
    expect(page.locator("#offline")).to_be_hidden()
    assert refused
    page.complaints[:] = [text for text in page.complaints if "503" not in text]


def test_a_reload_in_the_middle_shows_what_is_known(page: Page, running) -> None:
    running.progress = a_document(root_cause=None)
    running.save(update_fields=["progress"])
    page.reload()
    expect(page.locator("#step-1 .sum")).to_have_text("1 failed · 1 passed · running…")
    finish(running)
    page.reload()
    expect(page.locator("#verdict .label").first).to_have_text("Cause")
