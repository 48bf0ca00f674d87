"""A real Chromium on a live server, with a real worker where a test asks for one."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from playwright.sync_api import Browser, Page, sync_playwright

from console.accounts.models import User
from console.accounts.roles import Role
from tests.console.builders import a_facility, a_person
from tests.faults.stack import wait_for

PASSWORD = "a-sentence-for-tests"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


def widths(theme: str) -> tuple[int, ...]:
    """Give the widths at which a theme is looked at: each has its own, and with ALL_LOOKS set both have both."""
    if os.environ.get("ALL_LOOKS"):
        return (1440, 360)
    return (1440,) if theme == "light" else (360,)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Start the machine's Chromium for one module; in CI its absence is a failure.

    Not longer: while it is held, an event loop runs in this thread, and other tests start loops of their own.
    """
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("No Chromium was found, and CI is set: .ci/run installs it.")
        pytest.skip("No Chromium was found on this machine.")
    # Playwright's synchronous face runs an event loop in this thread; the ORM is used between its calls, never inside.
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
            yield browser
            browser.close()
    finally:
        if before is None:
            del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def facility(transactional_db: None) -> Any:
    return a_facility()


@pytest.fixture
def desk(facility: Any) -> User:
    return with_password(a_person(facility, Role.HELP_DESK))


def with_password(person: User) -> User:
    person.set_password(PASSWORD)
    person.save(update_fields=["password"])
    return person


@pytest.fixture
def page(chromium: Browser, live_server: Any) -> Iterator[Page]:
    """Give a page of a fresh profile; whatever its console complains of fails the test."""
    context = chromium.new_context(base_url=live_server.url, viewport={"width": 1440, "height": 1000})
    context.set_default_timeout(15_000)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda e: complaints.append(str(e)))
    page.complaints = complaints  # type: ignore[attr-defined]
    yield page
    context.close()
    settle()
    assert complaints == []


def settle() -> None:
    """Wait until the server has answered what the page had still asked: the tables are emptied next, under no one."""
    busy = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"

    def is_quiet() -> bool:
        with connection.cursor() as cursor:
            cursor.execute(f"{busy} AND backend_type = 'client backend' AND state <> 'idle'")
            return bool(cursor.fetchone()[0] == 0)

    wait_for("the end of the last requests", is_quiet)


def log_in(page: Page, person: User) -> None:
    page.goto("/login/")
    page.get_by_label("E-mail").fill(person.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("heading", name="Tickets").wait_for()
