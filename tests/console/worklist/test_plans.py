"""Every statement of the pages about notes goes by an index, and costs the same when ten times as many notes exist."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from console.accounts.models import User
from console.notes.by_error import with_error
from console.notes.models import Trace
from console.notes.queries import find
from console.worklist import failures, finding, gaps, waiting
from console.worklist.access import Scope
from console.worklist.failures import FAILING, GroupKey, Narrowing, Span
from console.worklist.finding import Listed
from console.worklist.waiting import GRACE, GROUPS, Key, Narrowed
from tests.console.builders import a_department, a_facility, a_person, an_integration
from tests.console.worklist import crowd

pytestmark = pytest.mark.django_db(transaction=True)

FEW, MANY = 4_000, 40_000
GUARDED = ("notes_note", "notes_trace", "notes_noteend", "notes_logbatch", "notes_logentry")
# What an index and its table may cost more because they are ten times as large: a level, a few pages.
SLACK_TIMES, SLACK_PAGES = 1.5, 250


@dataclass
class World:
    """What the statements are asked about."""

    open: Scope
    closed: Scope
    integration: Any
    ids: dict[str, str]


Ask = Callable[[World], object]


def _narrowed(scope: Scope, group: str = "all", **more: Any) -> Narrowed:
    return Narrowed(scope, timezone.now() - GRACE, GROUPS[group], **more)


def _middle() -> Key:
    import uuid

    return Key(timezone.now() - timedelta(hours=30), uuid.UUID(int=0))


def _leads(world: World, scope: Scope, **more: Any) -> list[Any]:
    return waiting.leads(_narrowed(scope, **more), None, 51)


def _day(world: World) -> Narrowing:
    now = timezone.now()
    return Narrowing(world.open, Span(now - timedelta(hours=24), now, 24), FAILING)


def _group(world: World) -> GroupKey:
    return failures.groups(_day(world))[0].key


def _desk(world: World) -> User:
    return a_person(world.integration.facility)


def _failed(world: World) -> Trace:
    return Trace.objects.filter(integration=world.integration, failure_mode="rejected").latest("born_at")


STATEMENTS: dict[str, Ask] = {
    "worklist": lambda w: _leads(w, w.open),
    "worklist, closed departments": lambda w: _leads(w, w.closed),
    "worklist, from the middle": lambda w: waiting.leads(_narrowed(w.open), _middle(), 51),
    "worklist, absent": lambda w: _leads(w, w.open, group="absent"),
    "worklist, to check": lambda w: _leads(w, w.open, group="check"),
    "worklist, one integration": lambda w: _leads(w, w.open, integration=w.integration.id),
    "worklist, further notes": lambda w: waiting.alike(_narrowed(w.open), _leads(w, w.open)),
    "worklist, badge": lambda w: waiting.count_waiting(w.open, timezone.now() - GRACE, 100),
    "worklist, counts": lambda w: waiting.counts(w.open, timezone.now() - GRACE),
    "worklist, counts, closed departments": lambda w: waiting.counts(w.closed, timezone.now() - GRACE),
    "orphans": lambda w: waiting.orphans(w.open, None, 51),
    "orphans, from the middle": lambda w: waiting.orphans(w.open, _middle(), 51),
    "ended": lambda w: waiting.ended(w.open, None, 51),
    "ended, closed departments": lambda w: waiting.ended(w.closed, _middle(), 51),
    "find a note id": lambda w: finding.by_id(w.open, w.ids["note"]),
    "find a transaction": lambda w: finding.by_id(w.open, w.ids["transaction"]),
    "find an encounter": lambda w: finding.by_id(w.closed, w.ids["encounter"]),
    "find a request": lambda w: finding.by_id(w.open, w.ids["request"]),
    "find a document": lambda w: finding.by_id(w.open, w.ids["document"]),
    "find what nobody knows": lambda w: finding.by_id(w.open, "N-none"),
    "find a provider": lambda w: finding.knows_provider(w.open, "prov-7"),
    "newest notes": lambda w: finding.newest(w.open, Listed(), None, 51),
    "newest notes, closed departments": lambda w: finding.newest(w.closed, Listed(), _middle(), 51),
    "notes of a provider": lambda w: finding.newest(w.open, Listed(provider="prov-7"), None, 51),
    "notes of an hour": lambda w: finding.newest(
        w.open, Listed(start=timezone.now() - timedelta(hours=2), end=timezone.now()), None, 51
    ),
    "failures of a day": lambda w: failures.groups(_day(w)),
    "failures' trends": lambda w: failures.trends(_day(w)),
    "one group's places": lambda w: failures.places_of(_day(w), _group(w)),
    "one group's notes": lambda w: failures.note_ids(_day(w), _group(w), only_waiting=True, limit=51),
    "one group": lambda w: failures.one_group(_day(w), _group(w)),
    "failures like one note": lambda w: failures.alike_of(_desk(w), _failed(w)),
    "a pasted id": lambda w: list(find(_desk(w), w.ids["note"])),
    "a pasted error": lambda w: list(with_error(_desk(w), "unknown profile")),
    "silent logs": lambda w: gaps.read_gaps(timezone.now()),
}


@pytest.fixture
def world() -> Iterator[World]:
    facility = a_facility()
    integration = an_integration(facility)
    shut = a_department(facility, restricted=True)
    crowd.make(integration, 1, FEW)
    ids = crowd.bear_ids(integration, 300)
    yield World(Scope((facility.id,), ()), Scope((facility.id,), (shut.id,)), integration, ids)


def plans(ask: Ask, world: World) -> list[dict[str, Any]]:
    """Run something and give the plan of each statement on the tables of notes, as it ran."""
    seen: list[tuple[str, Any]] = []

    def keep(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if any(table in sql for table in GUARDED):
            seen.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(keep):
        ask(world)
    found = []
    with connection.cursor() as cursor:
        for sql, params in seen:
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", params)
            told = cursor.fetchone()[0]
            found.append((told if isinstance(told, list) else json.loads(told))[0])
    return found


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def whole_tables(plan: dict[str, Any]) -> list[str]:
    return [
        node["Relation Name"]
        for node in nodes(plan["Plan"])
        if node["Node Type"] == "Seq Scan"
        and node["Relation Name"].startswith(GUARDED)
        and node["Actual Rows"] * node["Actual Loops"] + node.get("Rows Removed by Filter", 0) > 0
    ]


def pages_read(found: list[dict[str, Any]]) -> int:
    return sum(one["Plan"]["Shared Hit Blocks"] + one["Plan"]["Shared Read Blocks"] for one in found)


def test_every_statement_goes_by_an_index_and_does_not_grow_with_the_past(world, monkeypatch) -> None:
    monkeypatch.setattr(waiting, "MOST_COUNTED", 100)  # so that the smaller past holds as many too
    crowd.analyze()
    few = {name: plans(ask, world) for name, ask in STATEMENTS.items()}
    crowd.make(world.integration, FEW + 1, MANY)
    crowd.analyze()
    many = {name: plans(ask, world) for name, ask in STATEMENTS.items()}
    wrong = [
        f"{name}: reads all of {table}" for name, found in many.items() for one in found for table in whole_tables(one)
    ]
    wrong += [
        f"{name}: {pages_read(few[name])} pages became {pages_read(found)}"
        for name, found in many.items()
        if pages_read(found) > SLACK_TIMES * pages_read(few[name]) + SLACK_PAGES
    ]
    assert "\n".join(wrong) == ""
    assert all(many.values())  # each asked the tables something
