"""Without a mouse, without JavaScript, on a phone, and for those who do not see the page."""

import json
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from console.accounts.roles import Role
from console.diagnoses.workers import note_heartbeat
from console.shared.work import WorkState
from console.tickets.models import Ticket
from diagnostics.practice.server import PracticeEhr
from tests.browser.conftest import PASSWORD, log_in, widths, with_password
from tests.console.builders import a_note, a_person, a_ticket, an_integration
from tests.console.pages.documents import a_check, a_diagnosed_ticket, a_document, a_run, a_step

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_queue_is_worked_with_keys_alone(page: Page, facility, desk) -> None:
    integration = an_integration(facility)
    tickets = [a_ticket(integration, a_note(integration), title=f"Ticket {n}") for n in range(3)]
    order = list(Ticket.objects.order_by("target_at", "id"))
    assert len(order) == len(tickets)
    log_in(page, desk)
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator("tr.sel a[data-open]")).to_have_text(order[1].title)
    page.keyboard.press("k")
    expect(page.locator("tr.sel a[data-open]")).to_be_focused()
    page.keyboard.press("t")
    expect(page.get_by_role("status").filter(has_text=f"You have taken ticket {order[0].number}.")).to_be_visible()
    assert Ticket.objects.get(pk=order[0].pk).owner == desk
    page.goto("/tickets/")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=order[0].title)).to_be_visible()
    page.keyboard.press("/")
    expect(page.locator("#find")).to_be_focused()
    page.keyboard.type("jk?t")
    expect(page.locator("#find")).to_have_value("jk?t")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_the_first_tab_stop_skips_to_the_content(page: Page, desk) -> None:
    log_in(page, desk)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_everything_works_without_javascript(chromium: Browser, live_server, facility, desk) -> None:
    integration = an_integration(facility)
    a_note(integration, external_id="N-5f21c")
    context = chromium.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    log_in(page, desk)
    page.goto("/tickets/open/")
    page.get_by_label("What do you have?").fill("N-5f21c")
    page.get_by_role("button", name="Look it up").click()
    expect(page.get_by_text("N-5f21c").last).to_be_visible()
    page.get_by_role("button", name="Open ticket").click()
    expect(page.get_by_role("heading", name="Note missing from chart")).to_be_visible()
    page.get_by_label("Comment").fill("Called the EHR team.")
    page.get_by_role("button", name="Comment").click()
    expect(page.locator("#activity .body")).to_have_text("Called the EHR team.")
    page.get_by_role("button", name="Tick: Look for further notes that failed alike").click()
    expect(page.get_by_role("button", name="Reopen: Look for further notes that failed alike")).to_be_visible()
    context.close()


@pytest.fixture
def practice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run a practice EHR as the demo leaves it for the page of faults."""
    folder = tmp_path / "practice"
    folder.mkdir()
    with PracticeEhr(("north", "lake"), control_token="for-this-test") as ehr:
        (folder / "ready.json").write_text(json.dumps({"control_url": ehr.control.url}))
        (folder / "control.token").write_text("for-this-test")
        monkeypatch.setenv("NOTETRACE_STATE_DIR", str(tmp_path))
        yield ehr


def test_a_fault_is_switched_on_and_off_while_the_practice_ehr_runs(page: Page, desk, practice) -> None:
    log_in(page, desk)
    page.goto("/practice/?tenant=north")
    page.locator("details.group", has_text="Network").locator("summary").click()
    page.get_by_role("button", name="Switch on net-tls-expired", exact=True).click()
    expect(page.locator("#fault-net-tls-expired")).to_contain_text("on")
    assert practice.tenant("north").faults == {"net-tls-expired"}
    assert not practice.tenant("lake").faults
    page.get_by_role("button", name="Heal north").click()
    expect(page.get_by_text("north is healthy", exact=True)).to_be_visible()
    assert not practice.tenant("north").faults


def places(facility: Any, desk: Any) -> dict[str, Any]:
    """Make one of everything a page can show; give the way to each."""
    note_heartbeat("default")
    integration = an_integration(facility)
    done = a_diagnosed_ticket(facility, title="With a cause")
    many = a_step(4, *(a_check(f"net.many{n}", "passed" if n % 5 else "warning", evidence={"a": 1}) for n in range(30)))
    a_run(
        done, document=a_document(contributing=[a_document()["root_cause"]], steps=[*a_document()["steps"][:3], many])
    )
    running = a_ticket(integration, a_note(integration), title="Running")
    a_run(running, state=WorkState.RUNNING)
    open_end = a_ticket(integration, a_note(integration), title="No cause")
    a_run(open_end, document=a_document(root_cause=None, missing=["the EHR's audit rows of the hour"]))
    return {
        "queue": lambda p: p.goto("/tickets/"),
        "empty queue": lambda p: p.goto("/tickets/?view=resolved"),
        "open": lambda p: p.goto("/tickets/open/"),
        "recognised": lambda p: _paste(p, "HTTP/1.1 401 Unauthorized certificate has expired"),
        "explain": lambda p: p.goto("/explain/"),
        "explained": lambda p: _explain(p, "certificate has expired"),
        "ticket": lambda p: p.goto(f"/tickets/{done.number}/"),
        "ticket, all open": lambda p: _unfold(p, done),
        "running": lambda p: p.goto(f"/tickets/{running.number}/"),
        "no cause": lambda p: p.goto(f"/tickets/{open_end.number}/"),
        "content": lambda p: _content(p, done),
        "practice": lambda p: p.goto("/practice/"),
        "not found": lambda p: p.goto("/nothing/"),
    }


def _paste(page: Page, text: str) -> None:
    page.goto("/tickets/open/")
    page.get_by_label("What do you have?").fill(text)
    page.get_by_text("Recognised").wait_for()


def _explain(page: Page, text: str) -> None:
    page.goto("/explain/")
    page.get_by_label("Error text", exact=True).fill(text)
    page.get_by_role("button", name="Explain").click()
    page.locator(".answer").wait_for()


def _unfold(page: Page, ticket: Ticket) -> None:
    page.goto(f"/tickets/{ticket.number}/")
    page.evaluate("document.querySelectorAll('main details').forEach((fold) => { fold.open = true; })")


def _content(page: Page, ticket: Ticket) -> None:
    page.goto(f"/tickets/{ticket.number}/")
    page.get_by_role("button", name="Open the content of note").first.click()
    page.get_by_role("heading", name="As sent").wait_for()


def violations(page: Page) -> list[str]:
    found = Axe().run(page, options={"preload": False}).response["violations"]
    return [f"{v['id']}: {node['target']} {node.get('failureSummary', '')[:200]}" for v in found for node in v["nodes"]]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page_and_nothing_overflows_a_phone(
    page: Page, facility, desk, practice, theme
) -> None:
    ways = places(facility, desk)
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    page.goto("/login/")
    wrong = {"login": violations(page)}
    log_in(page, desk)
    for name, go in ways.items():
        for width in widths(theme):
            page.set_viewport_size({"width": width, "height": 900})
            go(page)
            wrong[f"{name} {width}"] = violations(page)
            over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            if over > 0:
                wrong[f"{name} {width}"].append(f"overflows by {over} px")
    manager = with_password(a_person(facility, Role.MANAGER))
    page.context.clear_cookies()
    log_in(page, manager)
    page.goto("/tickets/open/")
    wrong["refused"] = violations(page)
    assert "\n".join(f"{name}: {each}" for name, found in wrong.items() for each in found) == ""
    page.complaints[:] = [text for text in page.complaints if "404" not in text and "403" not in text]
    assert PASSWORD not in page.content()
