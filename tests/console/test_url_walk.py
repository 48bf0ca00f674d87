"""A walk over every address × who asks: own facility, other facility, restricted department, manager, anonymous.

The addresses come from the resolver. One without a row here fails: who may see a new page is decided, not forgotten.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from console.accounts.roles import Role
from console.tickets.services import attach
from tests.console.builders import a_department, a_facility, a_note, a_person, a_ticket, an_integration
from tests.console.pages.documents import a_document, a_run

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Row:
    """Who gets which status. `login` stands for a redirect to the login."""

    own: int
    other: int
    restricted: int
    manager: int
    anonymous: int | str = "login"
    method: str = "get"
    data: tuple[tuple[str, str], ...] = ()


def posts(own: int, manager: int = 403, **data: str) -> Row:
    """Give the row of an act on a ticket: unseen tickets do not exist, a role without the right is refused."""
    return Row(own, 404, 404, manager, method="post", data=tuple(data.items()))


EVERYONE = Row(200, 200, 200, 200)

ROWS: dict[str, Row] = {
    "ready": Row(200, 200, 200, 200, anonymous=200),
    "account_login": Row(302, 302, 302, 302, anonymous=200),
    "account_logout": Row(200, 200, 200, 200, anonymous=302),
    "theme": Row(302, 302, 302, 302, anonymous=302, method="post", data=(("theme", "dark"),)),
    "tickets:queue": EVERYONE,
    "tickets:open": Row(200, 200, 200, 403),
    "tickets:ticket": Row(200, 404, 404, 200),
    "tickets:live": Row(200, 404, 404, 200),
    "tickets:attachment": Row(200, 404, 404, 200),
    "tickets:take": posts(302),
    "tickets:assign": posts(302, owner=""),
    "tickets:state": posts(302, state="in_progress", seen="diagnosed"),
    "tickets:severity": posts(302, severity="d_delayed"),
    "tickets:run": posts(302),
    "tickets:comment": posts(302, text="Seen."),
    "tickets:attach": posts(422),
    "tickets:item": posts(302, item="TOKEN.1", state="done"),
    "tickets:answer": posts(302, question="When?", value="At noon."),
    "tickets:disagree": posts(302, text="No."),
    "tickets:end_note": posts(302, end="in_chart"),
    "tickets:payload": posts(200),
    "diagnoses:explain": EVERYONE,
    # No practice EHR runs in this suite: 503 is the page that says so.
    "demo:practice": Row(503, 503, 503, 403),
    "demo:switch": Row(422, 422, 422, 403, method="post"),
}


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
        insider = a_person(facility)
        file = attach(ticket=ticket, name="a.txt", content_type="text/plain", content=b"x", by=insider)
        return {"number": ticket.number, "note_id": note.id, "attachment_id": file.id}

    World.open = a_world(a_department(facility))
    World.shut = a_world(a_department(facility, restricted=True))
    World.people = {
        "own": a_person(facility),
        "other": a_person(a_facility()),
        "restricted": a_person(facility),
        "manager": a_person(facility, Role.MANAGER),
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


@pytest.mark.parametrize("who", ["own", "other", "restricted", "manager", "anonymous"])
@pytest.mark.parametrize("name", sorted(ROWS))
def test_everyone_gets_what_the_table_says(world, name, who) -> None:
    pattern = dict(patterns())[name]
    row = ROWS[name]
    answer = ask(world, who, name, pattern, row)
    wanted = getattr(row, who)
    if wanted == "login":
        assert answer.status_code == 302
        assert answer.url.startswith("/login/?next=")
    else:
        assert answer.status_code == wanted, answer.content[:300]
