"""Every page of the console, as the table of addresses knows them: accessible in both themes, whole on a phone.

What the table of the URL walk furnishes is what the pages show, so a new page is looked at without being named here.
With LOOK_AT_PAGES=<folder> each page is also kept as a picture for people, with ALL_LOOKS=1 both themes at both widths.
"""

import os
import re
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page

from console.accounts.models import User
from console.accounts.roles import Role
from console.accounts.services import give_role
from console.diagnoses.workers import note_heartbeat
from tests.browser.conftest import PASSWORD, widths, with_password
from tests.browser.test_hands import violations
from tests.console.builders import a_department, a_note, a_person, a_ticket, an_integration
from tests.console.pages.documents import a_document, a_run
from tests.console.test_url_walk import ROWS, patterns
from tests.console.walk import Place, furnishings

pytestmark = pytest.mark.browser
# Fragments, files and redirects: not pages that anybody looks at by themselves.
NO_PAGE = re.compile(r"^(ready|account_logout|home|api:|tickets:(live|attachment)|accounts:choose_password)")


@pytest.fixture
def everyone(facility: Any) -> User:
    """Give one person with every role, so that nothing is absent for want of a right."""
    person = a_person(facility)
    for role in Role:
        give_role(user=person, facility=facility, role=role, by=None)
    return with_password(person)


@pytest.fixture
def addresses(facility: Any) -> dict[str, str]:
    """Furnish one world and give the address of each page in it."""
    note_heartbeat("default")
    integration = an_integration(facility)
    department = a_department(facility)
    note = a_note(integration, department=department, payload=b"{}", payload_name="note.json")
    ticket = a_ticket(integration, note)
    a_run(ticket, document=a_document())
    place = Place(facility, department, integration, ticket, note.id, a_person(facility))
    ids = {name: value for furnish in furnishings() for name, value in furnish(place).items()}
    found = {}
    for name, pattern in patterns():
        wanted = pattern.pattern.converters
        if ROWS[name].method == "get" and not NO_PAGE.match(name) and set(wanted) <= set(ids):
            found[name] = reverse(name, kwargs={key: ids[key] for key in wanted})
    return found


def test_every_page_is_accessible_and_whole_on_a_phone(page: Page, everyone: User, addresses: dict[str, str]) -> None:
    folder = os.environ.get("LOOK_AT_PAGES")
    page.goto("/login/")
    page.get_by_label("E-mail").fill(everyone.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.locator("header.top nav").wait_for()
    wrong: list[str] = []
    seen = 0
    for theme, width in [(look, wide) for look in ("light", "dark") for wide in widths(look)]:
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 900})
        for name, where in addresses.items():
            answer = page.request.get(where)
            if "text/html" not in answer.headers.get("content-type", "") or "<!doctype" not in answer.text()[:200]:
                continue  # a fragment or a file
            page.goto(where)
            seen += 1
            wrong += [f"{name} {theme} {width}: {each}" for each in violations(page)]
            over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            if over > 0:
                wrong.append(f"{name} {theme} {width}: overflows by {over} px")
            if folder:
                Path(folder).mkdir(parents=True, exist_ok=True)
                page.screenshot(path=f"{folder}/{name.replace(':', '-')}-{width}-{theme}.png", full_page=True)
    assert "\n".join(wrong) == ""
    assert seen >= 2 * 20
    # No practice EHR runs here, so its page answers 503 and the browser says so.
    page.complaints[:] = [text for text in page.complaints if "503" not in text]  # type: ignore[attr-defined]
