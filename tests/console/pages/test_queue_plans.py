"""No statement of the queue walks the past: with ten times as many finished tickets each reads as much as before."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection

from console.search.tickets import named, with_words
from console.tickets.filters import Asked
from console.tickets.queue_rows import Sight, count_open, counts, sight, stretch
from tests.console.pages import many_tickets

pytestmark = pytest.mark.django_db(transaction=True)

FEW, MANY = 4000, 40_000
OPEN = 1000
SLACK_TIMES, SLACK_PAGES = 1.5, 250
MIDDLE = "b_undocumented~2026-01-01T00:00:00+00:00~00000000-0000-0000-0000-000000000000"

STATEMENTS: dict[str, Callable[[Any, Sight], object]] = {
    "open": lambda p, s: stretch(s, Asked()),
    "open, from the middle": lambda p, s: stretch(s, Asked(), MIDDLE),
    "open, due first": lambda p, s: stretch(s, Asked(order="due")),
    "open, newest first": lambda p, s: stretch(s, Asked(order="newest")),
    "mine": lambda p, s: stretch(s, Asked(view="mine")),
    "overdue": lambda p, s: stretch(s, Asked(view="late")),
    "some filters": lambda p, s: stretch(s, Asked(mode="partial", severity="d_delayed", state="waiting")),
    "counts": lambda p, s: counts(s, Asked()),
    "counts under filters": lambda p, s: counts(s, Asked(mode="partial", owner="me")),
    "badge": lambda p, s: count_open(s),
    "resolved": lambda p, s: stretch(s, Asked(view="resolved")),
    "resolved, of one mode": lambda p, s: stretch(s, Asked(view="resolved", mode="partial")),
    "resolved, what there is to choose": lambda p, s: counts(s, Asked(view="resolved")),
    "search: a number": lambda p, s: named(p, "1010"),
    "search: a rare word": lambda p, s: with_words(p, "cutover"),
    "search: a common word": lambda p, s: with_words(p, "missing"),
}


def plans(ask: Callable[[], object]) -> list[dict[str, Any]]:
    seen: list[tuple[str, Any]] = []

    def keep(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "tickets_ticket" in sql:
            seen.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(keep):
        ask()
    found = []
    with connection.cursor() as cursor:
        for sql, params in seen:
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", params)
            told = cursor.fetchone()[0]
            found.append((told if isinstance(told, list) else json.loads(told))[0]["Plan"])
    return found


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def pages_read(found: list[dict[str, Any]]) -> int:
    return sum(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] for plan in found)


def walked(found: list[dict[str, Any]]) -> list[str]:
    tables = ("tickets_ticket", "tickets_ticketnote")
    return [
        node["Relation Name"]
        for plan in found
        for node in nodes(plan)
        if node["Node Type"] == "Seq Scan" and node["Relation Name"] in tables
    ]


def test_every_statement_goes_by_an_index_and_does_not_grow_with_the_past(monkeypatch) -> None:
    monkeypatch.setattr("console.tickets.queue_rows.WINDOWS", (400, 1000))  # so that the smaller past holds as many
    crowd = many_tickets.a_crowd()
    read: list[dict[str, list[dict[str, Any]]]] = []
    for size in (FEW, MANY):
        crowd.grow(size, OPEN)
        many_tickets.analyze()
        mine = sight(crowd.person)
        read.append(
            {name: plans(lambda ask=ask, mine=mine: ask(crowd.person, mine)) for name, ask in STATEMENTS.items()}
        )
    few, many = read
    wrong = [f"{name}: reads all of {table}" for name, found in many.items() for table in walked(found)]
    wrong += [
        f"{name}: {pages_read(few[name])} pages became {pages_read(found)}"
        for name, found in many.items()
        if pages_read(found) > SLACK_TIMES * pages_read(few[name]) + SLACK_PAGES
    ]
    assert "\n".join(wrong) == ""
    assert all(many.values())
