"""Each role in a browser: where it lands, what it finds in the bar, and that the others' pages are refused."""

from typing import Any

import pytest
from playwright.sync_api import Page

from console.accounts.roles import Role
from tests.browser.conftest import PASSWORD, with_password
from tests.console.builders import a_person

pytestmark = pytest.mark.browser

ALL = {
    "Tickets": "/tickets/",
    "Notes": "/notes/worklist/",
    "Integrations": "/integrations/",
    "Monitoring": "/monitoring/",
    "Templates": "/templates/",
    "Knowledge base": "/knowledge/",
    "Reports": "/reports/",
    "People": "/people/",
    "Audit trail": "/audit/",
    "Checklists": "/checklists/",
    "Explain an error": "/explain/",
    "Resends": "/resends/waiting/",
    "Targets": "/targets/",
    "Practice faults": "/practice/",
    "Demo mailbox": "/practice/mailbox/",
}
_STAFF = [
    "Tickets", "Notes", "Integrations", "Monitoring", "Templates", "Knowledge base", "Checklists", "Explain an error",
]  # fmt: skip
_HANDS_ON = [*_STAFF, "Resends", "Practice faults", "Demo mailbox"]
SEES: dict[Role, tuple[str, list[str]]] = {
    Role.HELP_DESK: ("/tickets/", _HANDS_ON),
    Role.INTEGRATION_ENGINEER: ("/integrations/", _HANDS_ON),
    Role.INFORMATICS: ("/knowledge/review/", [*_HANDS_ON, "Reports"]),
    Role.MANAGER: ("/reports/", [*_STAFF, "Reports"]),
    Role.PRIVACY_OFFICER: (
        "/audit/",
        ["Tickets", "Notes", "Knowledge base", "Audit trail", "Checklists", "Explain an error"],
    ),
    Role.ADMINISTRATOR: (
        "/people/",
        ["Integrations", "Monitoring", "Templates", "People", "Targets", "Explain an error", "Demo mailbox"],
    ),
}
# Lists that anybody may open and that are empty for those without the right to any row.
OPEN_TO_ALL = {"/tickets/", "/explain/"}
NO_PRACTICE_EHR_RUNS_HERE = 503


@pytest.mark.parametrize("role", list(Role))
def test_a_role_lands_on_its_work_sees_its_pages_and_is_refused_the_others(
    page: Page, facility: Any, role: Role
) -> None:
    person = with_password(a_person(facility, role))
    landing, names = SEES[role]
    page.goto("/login/")
    page.get_by_label("E-mail").fill(person.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"**{landing}")
    shown = page.locator("header.top nav a").evaluate_all("links => links.map(a => a.getAttribute('href'))")
    assert sorted(shown) == sorted(ALL[name] for name in names)
    refused = []
    for name, where in ALL.items():
        answer = page.request.get(where)
        if name in names:
            assert answer.status in (200, NO_PRACTICE_EHR_RUNS_HERE), (name, answer.status)
        elif where not in OPEN_TO_ALL:
            assert answer.status == 403, (name, answer.status)
            refused.append(name)
    assert refused
    page.goto("/profile/")
    assert role.label in page.locator("main").inner_text()
