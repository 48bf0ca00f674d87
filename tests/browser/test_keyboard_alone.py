"""Whatever can be pressed can be reached by Tab and pressed by a key, on every page; nothing needs a mouse."""

import pytest
from playwright.sync_api import Page

from console.accounts.models import User
from tests.browser.conftest import PASSWORD
from tests.browser.test_every_page import addresses, everyone

__all__ = ["addresses", "everyone"]
pytestmark = pytest.mark.browser

# What a hand could press: native controls, and anything that says of itself that it acts.
PRESSABLE = (
    "a[href], button, input:not([type=hidden]), select, textarea, summary, [role=button], [role=link], [role=tab], "
    "[role=checkbox], [role=menuitem], [onclick], [contenteditable]"
)
MARK = f"""() => {{
  let count = 0;
  document.querySelectorAll({PRESSABLE!r}).forEach((node) => {{
    const shown = node.checkVisibility({{ checkVisibilityCSS: true, checkOpacity: false }});
    if (!shown || node.disabled || node.closest("[inert]")) return;
    if (node.readOnly && node.classList.contains("hidden-visually")) return;  // for password managers alone
    const group = node.type === "radio" ? [...document.getElementsByName(node.name)] : [];
    if (group.length && group.some((other) => other.checked) ? !node.checked : group.indexOf(node) > 0) return;
    node.dataset.hand = String(count);
    count += 1;
  }});
  window.reached = new Set();
  document.addEventListener("focusin", (event) => {{
    if (event.target.dataset.hand) window.reached.add(event.target.dataset.hand);
  }});
  return count;
}}"""
LEFT = """() => [...document.querySelectorAll("[data-hand]")]
  .filter((node) => !window.reached.has(node.dataset.hand))
  .map((node) => node.outerHTML.slice(0, 120))"""
ORDERED = """() => [...document.querySelectorAll("[tabindex]")]
  .filter((node) => node.tabIndex > 0).map((node) => node.outerHTML.slice(0, 120))"""


def test_every_control_of_every_page_is_reached_with_tab(page: Page, everyone: User, addresses: dict[str, str]) -> None:
    page.goto("/login/")
    page.get_by_label("E-mail").fill(everyone.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.locator("header.top nav").wait_for()
    wrong: list[str] = []
    controls = 0
    for name, where in addresses.items():
        answer = page.request.get(where)
        if "text/html" not in answer.headers.get("content-type", "") or "<!doctype" not in answer.text()[:200]:
            continue  # a fragment or a file
        page.goto(where)
        page.evaluate("document.activeElement.blur()")
        count: int = page.evaluate(MARK)
        controls += count
        for _ in range(count + 10):
            page.keyboard.press("Tab")
        wrong += [f"{name}: never reached {left}" for left in page.evaluate(LEFT)]
        wrong += [f"{name}: jumps the order {node}" for node in page.evaluate(ORDERED)]
    assert "\n".join(wrong) == ""
    assert controls > 500
    page.complaints[:] = [text for text in page.complaints if "503" not in text]  # type: ignore[attr-defined]
