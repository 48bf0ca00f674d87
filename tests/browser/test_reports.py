"""The manager's way: from the report to the tickets behind a number, to CSV and PDF with the same numbers."""

import csv
import io
import re
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from console.accounts.models import User
from console.accounts.roles import Role
from console.demo.sample_reports import make_past_year
from console.diagnoses.workers import note_heartbeat
from tests.browser.conftest import PASSWORD, widths, with_password
from tests.browser.test_hands import violations
from tests.console.builders import a_person, a_ticket, an_integration
from tests.console.reports.printed import pieces_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def manager(facility) -> User:
    note_heartbeat("default")
    an_integration(facility)
    desk = a_person(facility)
    make_past_year({desk.email: desk}, timezone.now())
    a_ticket(an_integration(facility))
    return with_password(a_person(facility, Role.MANAGER))


def come_in(page: Page, person: User) -> None:
    page.goto("/login/")
    page.get_by_label("E-mail").fill(person.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("heading", name="Time to resolution", exact=True).wait_for()


def fetched(page: Page, name: str) -> bytes:
    with page.expect_download() as download:
        page.get_by_role("link", name=name, exact=True).click()
    return Path(download.value.path()).read_bytes()


def test_a_manager_reads_opens_and_takes_along_the_same_numbers(page: Page, manager) -> None:
    come_in(page, manager)
    shown = {name: page.locator(f'[data-stat="MTTR, {name}"] data').inner_text() for name in ("mean", "median")}
    count = int(page.locator(".stat", has_text="MTTR, mean").locator(".about").inner_text().split()[0])

    rows = list(csv.reader(io.StringIO(fetched(page, "CSV").decode("utf-8-sig"))))
    head = next(row for row in rows if row[:1] == ["By"])
    total = dict(zip(head, next(row for row in rows if row[:1] == ["All"]), strict=True))
    assert {name: total[f"MTTR {name}"] for name in shown} == shown
    assert int(total["Tickets"]) == count

    pieces = pieces_of(fetched(page, "PDF"))
    for name, value in shown.items():
        assert pieces[pieces.index(f"MTTR,{name}") + 1] == "".join(value.split())
    assert pieces[pieces.index("Ticketsresolved") + 1] == str(count)

    line = page.locator('[data-table="category"] tbody tr').first
    n = line.locator("data").first.inner_text()
    line.get_by_role("link").first.click()
    expect(page.locator("[data-count]")).to_have_attribute("data-count", n)
    page.locator("a[data-open]").first.click()
    expect(page.get_by_text("The evidence of this diagnosis is no longer kept.")).to_be_visible()
    assert page.get_by_role("button", name="Open the content of note").count() == 0


def test_the_switches_work_by_hand_and_the_address_says_what_is_shown(page: Page, manager) -> None:
    come_in(page, manager)
    page.get_by_role("link", name="Active time").click()
    expect(page.get_by_role("link", name="Active time")).to_have_attribute("aria-current", "true")
    page.get_by_role("link", name="6 months").click()
    expect(page).to_have_url(re.compile("clock=active&period=6m"))
    page.get_by_text("Other dates").click()
    page.get_by_label("From").fill("2001-01-01")
    page.get_by_label("to", exact=True).fill("2001-02-01")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("No ticket was resolved in this period")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_the_reports_and_nothing_overflows_a_phone(page: Page, manager, theme) -> None:
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    come_in(page, manager)
    wrong: list[str] = []
    wrong_dates = "period=dates&from=2026-02-01&to=2026-01-01"
    for where in ("", "?period=30d", f"?{wrong_dates}", "tickets/?by=category&is=network", "tickets/?show=open"):
        for width in widths(theme):
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(f"/reports/{where}")
            page.evaluate("document.querySelectorAll('main details').forEach((fold) => { fold.open = true; })")
            wrong += [f"{where} {width}: {each}" for each in violations(page)]
            over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            if over > 0:
                wrong.append(f"{where} {width}: overflows by {over} px")
    assert wrong == []
    page.complaints[:] = [text for text in page.complaints if "422" not in text]
