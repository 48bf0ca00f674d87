"""A CSV file on its way into the log: uploaded, its columns named, brought in before somebody's eyes."""

import os
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone
from playwright.sync_api import Page, expect

from console.diagnoses.workers import note_heartbeat
from console.notes.import_jobs import execute
from console.notes.models import ImportJob, LogEntry
from tests.browser.conftest import log_in, widths
from tests.browser.test_hands import violations
from tests.console.builders import an_integration

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def look(page: Page, name: str) -> None:
    """Hold the page against the rules for pages, in both themes; keep pictures where somebody asked for them."""
    for theme in ("light", "dark"):
        for width in widths(theme):
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
            page.set_viewport_size({"width": width, "height": 900})
            assert violations(page) == []
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
            if folder := os.environ.get("LOOK_AT_PAGES"):
                page.screenshot(path=Path(folder) / f"{name}-{theme}-{width}.png", full_page=True)


def work() -> None:
    """Do a worker's part in a thread of its own: the browser's event loop runs in this one."""

    def run() -> None:
        execute(ImportJob.objects.get(state="queued").id)
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


def test_a_csv_files_columns_are_named_and_its_rows_come_in(page: Page, facility, desk, tmp_path: Path) -> None:
    note_heartbeat("default")
    integration = an_integration(facility)
    at = timezone.now() - timedelta(hours=1)
    file = tmp_path / "export.csv"
    rows = [f"{at + timedelta(seconds=n):%Y-%m-%d %H:%M:%S},sent,N-{n},201\n" for n in range(50)]
    file.write_text("When it was,What,Note ID,HTTP status\n" + "".join(rows) + "2026-11-20,sent\n", encoding="utf-8")
    log_in(page, desk)
    page.goto("/monitoring/logs/")
    look(page, "logs")
    page.get_by_label("Integration").select_option(label=integration.name)
    page.get_by_label("AI scribe").check()
    page.get_by_label("A file, up to").set_input_files(file)
    page.get_by_role("button", name="Bring in").click()
    expect(page.get_by_role("heading", name="Say what the columns mean")).to_be_visible()
    expect(page.get_by_label("Note ID")).to_have_value("note_id")
    page.get_by_label("When it was").select_option("at")
    page.get_by_label("What", exact=True).select_option("event")
    look(page, "columns")
    page.get_by_label("The times have no offset").check()
    page.get_by_role("button", name="Bring in").click()
    expect(page.get_by_text("The file is here and waits for a worker")).to_be_visible()
    look(page, "waiting")
    work()
    expect(page.get_by_text("51 rows taken in")).to_be_visible()
    expect(page.get_by_text("has 2 cells where the header has 4")).to_be_visible()
    look(page, "taken")
    assert LogEntry.objects.count() == 50
