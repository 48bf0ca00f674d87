"""Two people who change the same thing of a ticket at once, over HTTP, on the real web server: nothing is lost.

Each pair loads the ticket's page, then sends its forms after random delays. `COLLIDING_PAIRS=1000` is the full run.
"""

import os
import random
import re
import threading
import uuid
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from html import unescape
from http.client import HTTPConnection
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from console.accounts.models import User
from console.diagnoses.models import ChecklistItemState
from console.tickets.models import Comment, Severity, Ticket, TicketEvent, TicketNote, TicketState
from console.tickets.moves import state_of
from console.tickets.services import change_state
from console.tickets.states import NEXT
from tests.console.builders import a_facility, a_note, a_person, a_ticket, an_integration
from tests.faults.stack import web_server

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]
PAIRS = int(os.environ.get("COLLIDING_PAIRS", "48"))
DESKS = 4
MOST_DELAY_S = 0.03
TOKEN = "a" * 32
ITEM = "TOKEN.2"
SAME = ("state", "owner", "severity", "title", "end", "item")
APART = ("comments", "owner and severity")


class Desk:
    """One ticket, and the two people who are at it at the same time."""

    def __init__(self, port: int, ticket: Ticket, people: list[User], sessions: list[str]) -> None:
        self.ticket, self.people, self.sessions = ticket, people, sessions
        self.links = [HTTPConnection("127.0.0.1", port, timeout=120) for _ in people]
        self.note = str(ticket.ticket_notes.get().note_id)
        self.now = {"state": "in_progress", "owner": "", "severity": str(ticket.severity), "title": ticket.title}
        self.now |= {"end": "waiting", "item": "open"}

    def ask(self, who: int, method: str, path: str, data: dict[str, str] | None = None) -> tuple[int, str]:
        headers = {"Cookie": f"sessionid={self.sessions[who]}; csrftoken={TOKEN}"}
        body = None
        if data is not None:
            body = urlencode({**data, "csrfmiddlewaretoken": TOKEN})
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self.links[who].request(method, f"/tickets/{self.ticket.number}/{path}", body, headers)
        answer = self.links[who].getresponse()
        return answer.status, answer.read().decode()

    def seen(self, page: str, path: str) -> dict[str, str]:
        """Read what a form of the page carries along."""
        form = page.split(f'action="/tickets/{self.ticket.number}/{path}"', 1)[1].split("</form>", 1)[0]
        found = dict(re.findall(r'name="(seen|seen_version)" value="([^"]*)"', form))
        return {name: unescape(value) for name, value in found.items()}


@dataclass
class Told:
    """What came of all pairs."""

    answers: Counter[tuple[str, tuple[int, int]]] = field(default_factory=Counter)
    accepted: dict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    comments: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    lock: Any = field(default_factory=threading.Lock)


def wishes(desk: Desk, what: str, chance: random.Random) -> list[tuple[str, str, dict[str, str]]]:
    """Give what each of the two wants: the field, where the form goes, and what it holds."""
    if what == "comments":
        return [("comment", "comment/", {"text": f"Comment {uuid.uuid4()}"}) for _ in range(2)]
    if what == "owner and severity":
        return [wishes(desk, "owner", chance)[0], wishes(desk, "severity", chance)[0]]
    values = [value for value in options(desk, what) if value != desk.now[what]]
    return [form(desk, what, value) for value in chance.sample(values, 2)]


def options(desk: Desk, what: str) -> list[str]:
    match what:
        case "state":
            return ["in_progress", "fixed", "waiting:vendor", "waiting:ehr_team", "waiting:provider"]
        case "owner":
            return ["", *(str(person.pk) for person in desk.people)]
        case "severity":
            return list(Severity.values)
        case "title":
            return [f"Title {uuid.uuid4()}" for _ in range(2)]
        case "end":
            return list(TicketNote.End.values)
    return ["open", "done", "not_applicable"]


def form(desk: Desk, what: str, value: str) -> tuple[str, str, dict[str, str]]:
    if what == "state":
        state, _, whom = value.partition(":")
        return what, "state/", {"state": state, "waiting_for": whom}
    if what == "end":
        return what, f"notes/{desk.note}/end/", {"end": value, "seen": desk.now["end"]}
    if what == "item":
        return (
            what,
            "checklist/",
            {"item": ITEM, "state": value, "note": "It does not apply.", "seen": desk.now["item"]},
        )
    return what, {"owner": "assign/"}.get(what, f"{what}/"), {what: value}


def collide(desk: Desk, what: str, chance: random.Random, told: Told) -> None:
    """Let both look at the page, then both send."""
    wanted = wishes(desk, what, chance)
    delays = [chance.uniform(0, MOST_DELAY_S) for _ in wanted]
    both, got = threading.Barrier(2), [(0, ""), (0, "")]

    def one(who: int) -> None:
        field_name, path, data = wanted[who]
        status, page = desk.ask(who, "GET", "")
        assert status == 200, page[:200]
        if field_name in ("state", "owner", "severity", "title"):
            data = {**data, **desk.seen(page, path)}
        both.wait(60)
        threading.Event().wait(delays[who])
        got[who] = desk.ask(who, "POST", path, data)

    with ThreadPoolExecutor(2) as pair:
        list(pair.map(one, range(2)))
    statuses = tuple(sorted(status for status, _ in got))
    with told.lock:
        told.answers[what, statuses] += 1
        for who, (status, page) in enumerate(got):
            field_name, _, data = wanted[who]
            if status == 302 and field_name == "comment":
                told.comments.append(data["text"])
            elif status == 302:
                told.accepted[desk.ticket.number][field_name] += 1
                desk.now[field_name] = value_of(field_name, data)
            elif status != 409 or "Theirs, in force now" not in page or "Yours, not saved" not in page:
                told.problems.append(f"{what}: {status} {page[:300]}")
            elif field_name == "item" and data["note"] not in page:
                told.problems.append("what was typed is not on the page")


def value_of(name: str, data: dict[str, str]) -> str:
    if name == "state" and data["waiting_for"]:
        return f"{data['state']}:{data['waiting_for']}"
    return data[{"item": "state"}.get(name, name)]


def work(desk: Desk, number: int, told: Told) -> None:
    chance = random.Random(number)
    kinds = [*SAME, *APART]
    for turn in range(PAIRS // DESKS):
        try:
            collide(desk, kinds[turn % len(kinds)], chance, told)
        except Exception as problem:
            told.problems.append(repr(problem))
            return


def test_a_thousand_pairs_of_colliding_edits_lose_nothing(tmp_path: Path, capsys: Any) -> None:
    facility = a_facility()
    integration = an_integration(facility)
    with web_server(tmp_path) as port:
        desks = []
        for _ in range(DESKS):
            people = [named(a_person(facility)), named(a_person(facility))]
            ticket = a_ticket(integration, a_note(integration))
            change_state(ticket=ticket, to="in_progress", by=people[0])
            desks.append(Desk(port, ticket, people, [session_of(person) for person in people]))
        before = {desk.ticket.number: Ticket.objects.get(pk=desk.ticket.pk).version for desk in desks}
        told = Told()
        with ThreadPoolExecutor(DESKS) as all_desks:
            list(all_desks.map(lambda pair: work(pair[1], pair[0], told), enumerate(desks)))
        for link in [link for desk in desks for link in desk.links]:
            link.close()
    assert told.problems == []
    for (what, statuses), count in told.answers.items():
        assert statuses == ((302, 409) if what in SAME else (302, 302)), (what, statuses, count)
    for desk in desks:
        kept_whole(desk, told.accepted[desk.ticket.number], before[desk.ticket.number])
    assert sorted(row.text for row in Comment.objects.all()) == sorted(told.comments)
    with capsys.disabled():
        pairs = sum(told.answers.values())
        refused = sum(count for (what, _), count in told.answers.items() if what in SAME)
        print(f"\n{pairs} pairs of edits, {refused} of which collided and answered 409: 0 lost, 0 illegal jumps")


def named(person: User) -> User:
    person.name = f"Person {person.email}"
    person.save(update_fields=["name"])
    return person


def session_of(person: User) -> str:
    client = Client()
    client.force_login(person)
    return client.cookies["sessionid"].value


def kept_whole(desk: Desk, accepted: Counter[str], before: int) -> None:
    """See that every accepted edit left its event, each built on the one before, and that the last one stands."""
    ticket = Ticket.objects.get(pk=desk.ticket.pk)
    row = ticket.ticket_notes.get()
    item = ChecklistItemState.objects.filter(ticket_id=ticket.pk, item=ITEM).first()
    stands = {
        "state": state_of(ticket), "owner": str(ticket.owner_id or ""), "severity": ticket.severity,
        "title": ticket.title, "end": row.end, "item": item.state if item else "open",
    }  # fmt: skip
    assert stands == desk.now
    kinds = {"state": "state", "owner": "owner", "severity": "severity", "title": "title", "end": "note_ended"}
    for name, kind in {**kinds, "item": "checklist"}.items():
        events = list(ticket.events.filter(kind=kind).order_by("at", "id"))
        if name == "state":
            events = events[1:]  # the first is how the test began
            assert_legal(events)
        assert len(events) == accepted[name], name
        if name in ("owner", "severity", "title", "end"):
            assert all(a.after == b.before for a, b in pairwise(events)), name
    own = ("state", "owner", "severity", "title")
    assert ticket.version - before == sum(accepted[name] for name in own)


def assert_legal(events: list[TicketEvent]) -> None:
    state = TicketState.IN_PROGRESS.value
    for event in events:
        assert event.before == state
        after = event.after.partition(":")[0]
        assert after in NEXT[state] or after == state == TicketState.WAITING, event
        state = after
