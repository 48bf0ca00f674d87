"""A template change reviewed before it goes live, and an integration set up and tested, in a real browser."""

import threading
from typing import Any

import pytest
from django.db import connection
from playwright.sync_api import Page, expect

from console.accounts.models import User
from console.accounts.roles import Role
from console.changes.queries import in_force
from console.diagnoses.models import Run
from console.diagnoses.services import execute
from console.integrations.models import Integration
from tests.browser.conftest import PASSWORD, with_password
from tests.browser.test_hands import violations
from tests.console.builders import a_person, an_integration
from tests.console.changes.builders import as_text, in_use, renamed

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def enter(page: Page, person: User) -> None:
    """Log in whoever it is: not everybody lands on the queue."""
    page.context.clear_cookies()
    page.goto("/login/")
    page.get_by_label("E-mail").fill(person.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("Your menu").wait_for()


def clean(page: Page) -> None:
    """Find nothing wrong, wide and narrow."""
    for width in (1440, 360):
        page.set_viewport_size({"width": width, "height": 900})
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    page.set_viewport_size({"width": 1440, "height": 1000})


def work(run: Run) -> None:
    """Do a worker's part in a thread of its own: the browser's event loop runs in this one."""

    def act() -> None:
        execute(run.id)
        connection.close()

    worker = threading.Thread(target=act)
    worker.start()
    worker.join()


def test_informatics_see_what_a_version_breaks_and_a_colleague_approves(page: Page, facility: Any) -> None:
    proposer, colleague = (with_password(a_person(facility, Role.INFORMATICS)) for _ in range(2))
    lines = [in_use(an_integration(facility)) for _ in range(2)]
    enter(page, proposer)
    page.get_by_role("link", name="Templates").click()
    page.get_by_role("link", name="Propose a version").click()
    page.get_by_label("Template", exact=True).fill('{"template_id": "PROG-14",}')
    page.get_by_role("button", name="Show the impact").click()
    expect(page.get_by_role("alert").filter(has_text="Line 1, column")).to_be_visible()
    page.get_by_label("Template", exact=True).fill(as_text(renamed()))
    page.get_by_role("button", name="Show the impact").click()
    expect(page.get_by_text("Breaks 2 of 2 mappings")).to_be_visible()
    for line in lines:
        expect(page.get_by_role("checkbox", name=line.name)).to_be_checked()
    clean(page)
    page.get_by_role("button", name="Propose for review").click()
    expect(page.get_by_role("heading", name="Breaks 2 of 2 mappings")).to_be_visible()
    expect(page.get_by_text("PLAN_SECTION carries its label, Plan")).to_have_count(2)
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    clean(page)
    address = page.url

    enter(page, colleague)
    page.goto(address)
    page.get_by_role("button", name="Send back").click()
    expect(page.get_by_role("alert").filter(has_text="Say why it goes back")).to_be_visible()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("status").filter(has_text="Approved.")).to_be_visible()
    clean(page)
    page.goto("/templates/")
    expect(page.get_by_role("link", name="version 8, ")).to_have_count(2)
    clean(page)
    assert {version.version for version in in_force([line.id for line in lines]).values()} == {7}
    page.complaints[:] = [text for text in page.complaints if "422" not in text]  # type: ignore[attr-defined]


def test_an_engineer_sets_an_integration_up_and_tests_it(page: Page, facility: Any) -> None:
    engineer = with_password(a_person(facility, Role.INTEGRATION_ENGINEER))
    enter(page, engineer)
    page.goto("/integrations/")
    page.get_by_role("link", name="Add the first integration").click()
    page.get_by_label("Name", exact=True).fill("North clinics")
    page.get_by_label("EHR vendor").select_option("epic")
    page.get_by_label("FHIR base URL").fill("http://127.0.0.1:9/fhir")
    page.get_by_label("Flow").select_option("client-secret")
    page.get_by_label("Token URL").fill("http://127.0.0.1:9/token")
    page.get_by_label("Client secret", exact=True).fill("planted-secret")
    clean(page)
    page.get_by_role("button", name="Add integration").click()
    expect(page.get_by_text("North clinics is set up.")).to_be_visible()
    expect(page.get_by_text("Client secret: set")).to_be_visible()

    page.get_by_role("button", name="Test now").click()
    expect(page.get_by_role("heading", name="Asking the EHR")).to_be_visible()
    work(Run.objects.get())
    expect(page.get_by_role("heading", name="The EHR's host refuses connections on this port")).to_be_visible()
    expect(page.locator("details.step")).to_have_count(6)
    expect(page.get_by_role("button", name="Test now")).to_be_visible()
    clean(page)

    page.get_by_role("link", name="Settings").click()
    page.get_by_label("Token URL").fill("http://127.0.0.2:9/token")
    expect(page.get_by_label("Client secret", exact=True)).to_have_value("")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").filter(has_text="Enter them again")).to_contain_text("client secret")
    expect(page.get_by_text("Client secret: not set")).to_be_visible()
    assert Integration.objects.get().secrets is None
    page.goto("/integrations/")
    expect(page.get_by_text("cause found", exact=False).first).to_be_visible()
    clean(page)
