"""A walk over every address × who asks: each role, other facility, restricted department, nobody.

The addresses come from the resolver. One without a row in tests/console/walk/ fails: who may see a new page is decided,
not forgotten.
"""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from console.accounts.roles import Role
from tests.console.builders import a_department, a_facility, a_note, a_person, a_ticket, an_integration
from tests.console.pages.documents import a_document, a_run
from tests.console.walk import Place, Row, furnishings, rows

pytestmark = pytest.mark.django_db

ROWS = rows()
WHO = ("own", "other", "restricted", "manager", "engineer", "informatics", "privacy", "administrator", "anonymous")


def patterns(resolver: Any = None, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLResolver):
            space = f"{prefix}{entry.namespace}:" if entry.namespace else prefix
            yield from patterns(entry, space)
        else:
            yield f"{prefix}{entry.name}", entry


@pytest.fixture
def world() -> Any:
    facility = a_facility()
    integration = an_integration(facility)

    class World:
        pass

    def a_world(department: Any) -> dict[str, Any]:
        note = a_note(integration, department=department, payload=b"{}", payload_name="note.json")
        ticket = a_ticket(integration, note)
        a_run(ticket, document=a_document())
        place = Place(facility, department, integration, ticket, note.id, a_person(facility))
        return {name: value for furnish in furnishings() for name, value in furnish(place).items()}

    World.open = a_world(a_department(facility))
    World.shut = a_world(a_department(facility, restricted=True))
    World.people = {
        "own": a_person(facility),
        "other": a_person(a_facility()),
        "restricted": a_person(facility),
        "manager": a_person(facility, Role.MANAGER),
        "engineer": a_person(facility, Role.INTEGRATION_ENGINEER),
        "informatics": a_person(facility, Role.INFORMATICS),
        "privacy": a_person(facility, Role.PRIVACY_OFFICER),
        "administrator": a_person(facility, Role.ADMINISTRATOR),
        "anonymous": None,
    }
    return World


def ask(world: Any, who: str, name: str, pattern: URLPattern, row: Row) -> Any:
    client = Client()
    person = world.people[who]
    if person is not None:
        client.force_login(person)
    ids = world.shut if who == "restricted" else world.open
    wanted = {key: ids.get(key, uuid.uuid4()) for key in pattern.pattern.converters}
    where = reverse(name, kwargs=wanted)
    return getattr(client, row.method)(where, dict(row.data))


def test_every_address_has_a_row_and_every_row_an_address() -> None:
    found = [name for name, _ in patterns()]
    assert sorted(set(found) - set(ROWS)) == []
    assert sorted(set(ROWS) - set(found)) == []
    assert not [name for name in found if name.endswith("None")]


@pytest.mark.parametrize("name", sorted(ROWS))
def test_everyone_gets_what_the_table_says(world, name) -> None:
    """Ask as each of them in turn; what one of them changed is taken back before the next one asks."""
    row, wrong = ROWS[name], {}
    for who in WHO:
        with transaction.atomic():
            answer = ask(world, who, name, dict(patterns())[name], row)
            transaction.set_rollback(True)
        got: int | str = answer.status_code
        if got == 302 and answer.url.startswith("/login/?next="):
            got = "login"
        if got != row.wanted(who):
            wrong[who] = f"{got} instead of {row.wanted(who)}"
    assert wrong == {}
