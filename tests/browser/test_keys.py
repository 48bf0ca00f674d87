"""Every shortcut that the sheet lists works, every one that works is listed, and none acts while somebody types."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from console.accounts.roles import Role
from console.accounts.services import give_role
from console.tickets.models import Ticket
from tests.browser.conftest import log_in
from tests.console.builders import a_note, a_ticket, an_integration
from tests.console.pages.documents import a_diagnosed_ticket

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def tickets(facility, desk) -> list[Ticket]:
    give_role(user=desk, facility=facility, role=Role.MANAGER, by=None)  # who sees reports as well
    integration = an_integration(facility)
    made = [a_ticket(integration, a_note(integration), title=f"Ticket {n}") for n in range(3)]
    return sorted(made, key=lambda one: (one.severity, one.target_at, one.id))


def press(page: Page, keys: str) -> None:
    for key in keys.split():
        page.keyboard.press(key)


def on_sheet(page: Page) -> dict[str, set[str]]:
    """Read the sheet as it stands: which keys are listed under which heading."""
    listed = page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll("[data-keys]")].map((list) => [
          list.dataset.keys,
          [...list.querySelectorAll("dt")].map((dt) => dt.textContent.trim().replace(/\\s+/g, " ")),
        ]))"""
    )
    return {name: set(keys) for name, keys in listed.items()}


def went(page: Page, where: str) -> Callable[[], None]:
    return lambda: page.wait_for_url(f"**{where}")


def test_each_listed_key_does_what_it_says_everywhere_and_on_the_queue(page: Page, desk, tickets) -> None:
    log_in(page, desk)
    first = page.locator("tr[data-row]").nth(0)

    def everywhere() -> dict[str, Callable[[], None]]:
        return {
            "/": lambda: expect(page.locator("#find")).to_be_focused(),
            "g q": went(page, "/tickets/"),
            "g w": went(page, "/notes/worklist/"),
            "g i": went(page, "/integrations/"),
            "g m": went(page, "/monitoring/"),
            "g k": went(page, "/knowledge/"),
            "g r": went(page, "/reports/"),
            ".": lambda: expect(page.locator("header.top > details.menu")).to_have_attribute("open", ""),
            "?": lambda: expect(page.get_by_role("dialog")).to_be_visible(),
        }

    sheet = on_sheet(page)
    assert sheet["everywhere"] == {*everywhere(), "u"}
    for keys, seen in everywhere().items():
        page.goto("/profile/")
        press(page, keys)
        seen()

    page.goto("/tickets/")
    assert sheet["list"] == {"j", "k", "Enter", "t", "x", "e"}
    press(page, "j j")
    expect(page.locator("tr.sel a[data-open]")).to_have_text(tickets[1].title)
    press(page, "k")
    expect(first.locator("a[data-open]")).to_be_focused()
    press(page, "x")
    expect(first.locator("input[data-pick]")).to_be_checked()
    expect(page.locator("[data-picked-count]")).to_have_text("1 selected")
    press(page, "x")
    expect(first.locator("input[data-pick]")).not_to_be_checked()
    press(page, "j k e")
    expect(page.locator("#act")).to_be_focused()
    expect(page.locator("#act")).to_have_value("assign")
    page.goto("/tickets/")
    press(page, "j t")
    expect(page.get_by_text(f"You have taken ticket {tickets[0].number}.")).to_be_visible()
    press(page, "u")
    expect(page.get_by_text(f"Undone: Ticket {tickets[0].number} is as before.")).to_be_visible()
    page.goto("/tickets/")
    press(page, "j Enter")
    expect(page.get_by_role("heading", name=tickets[0].title)).to_be_visible()


def test_each_listed_key_works_on_a_ticket(page: Page, facility, desk, tickets) -> None:
    shown = a_diagnosed_ticket(facility, title="Diagnosed one")
    log_in(page, desk)
    order = [int(text) for text in page.locator("tr[data-row] td.n label span:last-child").all_inner_texts()]
    at = order.index(shown.number)
    where = f"/tickets/{shown.number}/"
    acts: dict[str, Callable[[], None]] = {
        "c": lambda: expect(page.locator("#comment")).to_be_focused(),
        "a": lambda: expect(page.locator("#owner")).to_be_focused(),
        "w": lambda: expect(page.locator("#waiting_for")).to_be_focused(),
        "s": lambda: expect(page.locator("#severity")).to_be_focused(),
        "t": lambda: expect(page.get_by_text(f"You have taken ticket {shown.number}.")).to_be_visible(),
        "r": lambda: expect(page.get_by_text("Diagnosis running").first).to_be_visible(),
    }
    assert on_sheet(page)["ticket"] == {*acts, "n", "p"}
    for key, seen in acts.items():
        page.goto(where)
        press(page, key)
        seen()
    around = {"p": order[at - 1] if at else None, "n": order[at + 1] if at + 1 < len(order) else None}
    assert any(around.values())
    for key, number in around.items():
        if number is not None:
            page.goto(where)
            press(page, key)
            page.wait_for_url(f"**/tickets/{number}/")


def test_no_key_acts_while_somebody_types(page: Page, desk, tickets) -> None:
    log_in(page, desk)
    page.goto(f"/tickets/{tickets[0].number}/")
    everything = "".join("jkxetrcawsnpug./?")
    page.locator("#comment").click()
    page.keyboard.type(everything)
    expect(page.locator("#comment")).to_have_value(everything)
    assert page.url.endswith(f"/tickets/{tickets[0].number}/")
    page.locator("#find").click()
    page.keyboard.type(everything)
    expect(page.locator("#find")).to_have_value(everything)
    expect(page.get_by_role("dialog")).to_be_hidden()
    tickets[0].refresh_from_db()
    assert tickets[0].owner is None


def test_shift_selects_all_between_two_clicks(page: Page, desk, tickets) -> None:
    log_in(page, desk)
    boxes = page.locator("input[data-pick]")
    boxes.nth(0).click()
    boxes.nth(2).click(modifiers=["Shift"])
    expect(page.locator("[data-picked-count]")).to_have_text("3 selected")
    page.locator("#act").select_option("take")
    page.get_by_role("button", name="Selected…").click()
    page.get_by_role("button", name="Change 3 tickets").click()
    expect(page.get_by_text("Take: done for 3 tickets.")).to_be_visible()
