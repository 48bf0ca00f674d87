"""Without JavaScript every page still works: each form can be sent by a button of its own, and nothing else acts."""

from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from console.accounts.roles import Role
from console.accounts.services import give_role
from tests.console.builders import a_department, a_facility, a_note, a_person, a_ticket, an_integration
from tests.console.pages.documents import a_document, a_run
from tests.console.test_url_walk import ROWS, patterns
from tests.console.walk import Place, furnishings

pytestmark = pytest.mark.django_db

# Buttons that only open or arrange what is there already; each says by its mark what it is for.
BY_SCRIPT_ALONE = frozenset({"data-show-keys", "data-close", "data-copy", "data-print"})


class Reader(HTMLParser):
    """Read forms and what stands in them."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, Any]] = []
        self.open: list[dict[str, Any]] = []
        self.loose: list[str] = []
        self.lent: set[str] = set()  # ids of forms that a button elsewhere sends

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        had = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.open.append({"attrs": had, "sends": False, "fields": []})
        sends = (tag == "button" and had.get("type", "submit") == "submit") or (
            tag == "input" and had.get("type") in ("submit", "image")
        )
        if tag in ("input", "select", "textarea") and self.open and had.get("type") != "hidden":
            self.open[-1]["fields"].append(had.get("name", ""))
        if sends and had.get("form"):
            self.lent.add(had["form"])
        elif sends and self.open:
            self.open[-1]["sends"] = True
        elif tag == "button" and not BY_SCRIPT_ALONE & set(had):
            self.loose.append(str(self.get_starttag_text())[:120])

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self.open:
            self.forms.append(self.open.pop())


@pytest.fixture
def pages() -> dict[str, str]:
    facility = a_facility()
    integration = an_integration(facility)
    department = a_department(facility)
    note = a_note(integration, department=department, payload=b"{}", payload_name="note.json")
    ticket = a_ticket(integration, note)
    a_run(ticket, document=a_document())
    place = Place(facility, department, integration, ticket, note.id, a_person(facility))
    ids = {name: value for furnish in furnishings() for name, value in furnish(place).items()}
    person = a_person(facility)
    for role in Role:
        give_role(user=person, facility=facility, role=role, by=None)
    client = Client()
    client.force_login(person)
    found = {}
    for name, pattern in patterns():
        wanted = pattern.pattern.converters
        if ROWS[name].method == "get" and set(wanted) <= set(ids):
            answer = client.get(reverse(name, kwargs={key: ids[key] for key in wanted}))
            if answer.headers.get("Content-Type", "").startswith("text/html") and not answer.streaming:
                found[name] = answer.content.decode()
    return found


def test_each_form_is_sent_by_a_button_of_its_own(pages: dict[str, str]) -> None:
    wrong: list[str] = []
    forms = 0
    for name, text in pages.items():
        reader = Reader()
        reader.feed(text)
        forms += len(reader.forms)
        for form in reader.forms:
            where = form["attrs"].get("action", "")
            if not form["sends"] and form["attrs"].get("id") not in reader.lent and len(form["fields"]) != 1:
                wrong.append(f"{name}: a form to {where or 'the same page'} has no button that sends it")
            if form["attrs"].get("hx-post") and not where:
                wrong.append(f"{name}: a form is sent by htmx alone: {form['attrs']['hx-post']}")
        wrong += [f"{name}: a button that nothing listens to without scripts: {button}" for button in reader.loose]
    assert "\n".join(wrong) == ""
    assert forms > 200
