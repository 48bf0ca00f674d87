"""From rows that a system sends to a ticket that names the cause, in front of the people who look after it."""

import json
import threading
import urllib.request
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from playwright.sync_api import Page, expect

from console.accounts.roles import Role
from console.diagnoses.models import Run
from console.diagnoses.services import execute
from console.diagnoses.workers import note_heartbeat
from console.integrations.tokens import make_token, source_of
from console.monitoring.evaluating import evaluate
from console.monitoring.models import Alert
from tests.browser.conftest import PASSWORD, log_in, widths, with_password
from tests.browser.test_hands import violations
from tests.console.builders import a_person, an_integration
from tests.console.monitoring.rows import a_note_story, body, take

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

EXPIRED = "SSL: CERTIFICATE_VERIFY_FAILED certificate verify failed: certificate has expired (_ssl.c:1006)"


def post(live_server: Any, token: str, log: str, rows: bytes) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"}
    request = urllib.request.Request(f"{live_server.url}/api/v1/logs/{log}", data=rows, headers=headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert answer.status == 202
        return json.load(answer)


def elsewhere(act: Any) -> None:
    """Do something in a thread of its own: the browser's event loop runs in this one, and the engine brings one."""

    def run() -> None:
        act()
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


def test_rows_that_are_sent_become_an_alert_with_a_ticket_that_names_the_cause(
    page: Page, live_server, facility, desk
) -> None:
    note_heartbeat("default")
    engineer = with_password(a_person(facility, Role.INTEGRATION_ENGINEER))
    integration = an_integration(facility)
    token = make_token(source=source_of(integration), name="Scribe vendor", by=engineer)
    now = timezone.now()
    stories = [a_note_story(n, now - timedelta(minutes=9 - n), ends="failed") for n in range(4)]
    rows = [row | ({"error": EXPIRED} if row["event"] == "failed" else {}) for s in stories for row in s["scribe"]]
    assert post(live_server, token, "scribe", body(rows))["stored"] == len(rows)

    evaluate()
    alert = Alert.objects.get()
    log_in(page, desk)
    notice = page.locator(".bar.bad").filter(has_text=f"Sync success rate low at {integration.name} since")
    expect(notice).to_contain_text(f"ticket {alert.ticket.number}")
    expect(page.get_by_role("link", name="Monitoring 1 alert is open")).to_be_visible()
    notice.get_by_role("link", name="See alert").click()
    expect(page.get_by_role("heading", name="Sync success rate low")).to_be_visible()
    expect(page.get_by_text(engineer.email)).to_be_visible()
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_text("Acknowledged by Test Person")).to_be_visible()

    page.get_by_role("link", name=f"Ticket {alert.ticket.number}", exact=True).click()
    expect(page.get_by_text("opened this ticket for an alert")).to_be_visible()
    expect(page.get_by_text("4 waiting")).to_be_visible()
    Run.objects.filter(ticket_id=alert.ticket_id).update(offline=True)  # the logs alone; nothing listens there
    elsewhere(lambda: execute(alert.ticket.run_id))
    expect(page.locator("#verdict h2")).to_contain_text("certificate")

    good = [a_note_story(f"good{n}", timezone.now() - timedelta(minutes=2), took_s=3) for n in range(3)]
    take(integration, *good)
    evaluate(now=timezone.now() + timedelta(minutes=35))
    page.goto("/monitoring/")
    expect(page.get_by_role("heading", name="Over in the last 7 days")).to_be_visible()
    expect(page.get_by_text("No alert is open")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_the_monitoring_pages_and_nothing_overflows_a_phone(
    page: Page, facility, desk, theme
) -> None:
    note_heartbeat("default")
    engineer = with_password(a_person(facility, Role.INTEGRATION_ENGINEER))
    empty = an_integration(facility)
    integration = an_integration(facility)
    now = timezone.now()
    take(integration, *(a_note_story(n, now - timedelta(minutes=50 - n), took_s=4 + n) for n in range(12)))
    take(integration, *(a_note_story(f"f{n}", now - timedelta(minutes=9 - n), ends="failed") for n in range(4)))
    evaluate()
    alert = Alert.objects.get()
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    page.goto("/login/")
    page.get_by_label("E-mail").fill(engineer.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.locator("#main").wait_for()
    ways = {
        "overview": lambda: page.goto("/monitoring/?period=7d"),
        "integration": lambda: page.goto(f"/monitoring/{integration.id}/"),
        "integration without rows": lambda: page.goto(f"/monitoring/{empty.id}/?period=30d"),
        "alert": lambda: page.goto(f"/monitoring/alerts/{alert.id}/"),
        "rules": lambda: _rules(page),
        "import": lambda: _import(page, integration),
        "token": lambda: _token(page, integration),
    }
    wrong: list[str] = []
    for width in widths(theme):
        page.set_viewport_size({"width": width, "height": 900})
        for name, go in ways.items():
            go()
            wrong += [f"{name} {width}: {each}" for each in violations(page)]
            over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            if over > 0:
                wrong.append(f"{name} {width} overflows by {over} px")
    assert "\n".join(wrong) == ""


def _rules(page: Page) -> None:
    page.goto("/monitoring/rules/")
    page.evaluate("document.querySelectorAll('main details').forEach((fold) => { fold.open = true; })")


def _import(page: Page, integration: Any) -> None:
    page.goto("/monitoring/logs/")
    page.get_by_label("Integration").select_option(label=integration.name)
    page.get_by_label("AI scribe").check()
    page.get_by_label("Rows").fill("broken\n")
    page.get_by_role("button", name="Bring in").click()
    page.get_by_role("link", name="Download the lines set aside").wait_for()


def _token(page: Page, integration: Any) -> None:
    page.goto("/monitoring/sources/")
    page.get_by_label("Integration").select_option(label=integration.name)
    page.get_by_label("Who will hold it").fill("Scribe vendor")
    page.get_by_role("button", name="Make a token").click()
    page.get_by_text("it is shown this once").wait_for()
