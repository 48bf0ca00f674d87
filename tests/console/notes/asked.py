"""Hear which statements the console asks the tables of notes, and look at their plans."""

import ast
import importlib
import json
import re
import sys
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from unittest import mock

import psycopg
from django.db import connection

ROOT = Path(__file__).parents[3]
PLACES = ("console/notes", "console/notes/correlation", "console/worklist")
GUARDED = ("notes_logentry", "notes_trace", "notes_note", "notes_noteend", "notes_logbatch", "notes_clockoffset")
_ASKS = re.compile(r"\s*(WITH|SELECT|INSERT|UPDATE|DELETE)\b")
_IN_CODE = re.compile(r"\b(SELECT|INSERT INTO|UPDATE|DELETE FROM)\b")
_OF_NOTES = re.compile(r"\bnotes_[a-z]+\b(?!\()")
_PARTITION = re.compile(r"notes_logentry_(\d{4})(\d{2})(\d{2})$")


@dataclass(frozen=True)
class Asked:
    """Be a statement as it was asked: `bound` by the server or by the client, and by which function of the console."""

    sql: str
    values: Any
    bound: bool
    by: str
    within: frozenset[str]

    @property
    def reads(self) -> bool:
        """Tell whether it changes nothing, so that it may be asked again."""
        return _ASKS.match(self.sql)[1] in ("WITH", "SELECT") and " FOR " not in self.sql  # type: ignore[index]


@contextmanager
def listening() -> Iterator[list[Asked]]:
    """Give a list that fills with the statements on the tables of notes, whichever kind of cursor asks them."""
    heard: list[Asked] = []
    plain = psycopg.Cursor.execute

    def execute(cursor: Any, query: Any, params: Any = None, **how: Any) -> Any:
        if isinstance(query, str) and _ASKS.match(query) and any(table in query for table in GUARDED):
            callers = list(_callers())
            heard.append(
                Asked(query, params, not isinstance(cursor, psycopg.ClientCursor), callers[0], frozenset(callers))
            )
        return plain(cursor, query, params, **how)

    with mock.patch.object(psycopg.Cursor, "execute", execute):
        yield heard


def _callers() -> Iterator[str]:
    """Give the functions of the console that are on their way to the database, the nearest first."""
    frame = sys._getframe(2)
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        name = frame.f_code.co_name
        if module.startswith("console.") and name not in ("_fetch", "_rows") and not name.startswith("<"):
            yield f"{module.removeprefix('console.')}.{name}"
        frame = frame.f_back
    yield "tests"


def plan_of(asked: Asked, *, run: bool = False) -> dict[str, Any]:
    """Give the plan for the very values that were asked, on request with what running it read."""
    how = "ANALYZE, BUFFERS, TIMING OFF, " if run else ""
    sql = f"EXPLAIN ({how}FORMAT JSON) {asked.sql}"
    if asked.bound:
        connection.ensure_connection()
        with psycopg.Cursor(connection.connection) as cursor:
            told = cursor.execute(sql, asked.values, prepare=False).fetchone()[0]
    else:
        with connection.cursor() as cursor:
            cursor.execute(sql, asked.values)
            told = cursor.fetchone()[0]
    plan: dict[str, Any] = (told if isinstance(told, list) else json.loads(told))[0]["Plan"]
    return plan


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every step of a plan."""
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def empty_tables() -> set[str]:
    """Give the tables of which is known that they hold nothing: reading such a one whole is no walk."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relname LIKE 'notes\\_%' AND reltuples = 0")
        return {name for (name,) in cursor.fetchall()}


def walks(plan: dict[str, Any], empty: Collection[str] = ()) -> list[str]:
    """List what a plan reads from one end to the other: a table, or an index of which it asks no place."""
    found = []
    for node in nodes(plan):
        kind, table = node["Node Type"], node.get("Relation Name", "")
        if kind == "Seq Scan" and table.startswith(GUARDED) and table not in empty:
            found.append(f"reads all of {table}")
        if "Index" in kind and "Index Name" in node and "Index Cond" not in node:
            found.append(f"walks all of {node['Index Name']}")
    return found


def days_opened(plan: dict[str, Any]) -> set[date]:
    """Give the days of the log that a plan opens."""
    found = (_PARTITION.search(node.get("Relation Name", "")) for node in nodes(plan))
    return {date(int(day[1]), int(day[2]), int(day[3])) for day in found if day}


def days_named(values: Any) -> tuple[date, date] | None:
    """Give the first and the last day that a statement's values name; None where they name no time."""
    moments = sorted(at.astimezone(UTC).date() for at in _moments(values))
    return (moments[0], moments[-1]) if moments else None


def _moments(values: Any) -> Iterator[datetime]:
    if isinstance(values, datetime):
        yield values
    elif isinstance(values, dict):
        yield from _moments(list(values.values()))
    elif isinstance(values, list | tuple | set):
        for value in values:
            yield from _moments(value)


# What stands in the code -------------------------------------------------------------------------------------------


def statements() -> dict[str, str]:
    """Give each statement on the tables of notes that a module names, by `module.NAME`; of one with several, each."""
    return dict(_named())


def _named() -> Iterator[tuple[str, str]]:
    for module, tree in _modules():
        loaded = importlib.import_module(f"console.{module}")
        for name in _constants(tree):
            value = getattr(loaded, name)
            texts = value if isinstance(value, dict) else {"": value}
            for key, text in texts.items():
                if isinstance(text, str) and _IN_CODE.search(text) and _OF_NOTES.search(text):
                    yield f"{module}.{name}[{key}]" if key else f"{module}.{name}", text


def _constants(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        targets: Iterable[ast.expr] = ()
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign):
            targets = (node.target,)
        for target in targets:
            for part in ast.walk(target):
                if isinstance(part, ast.Name) and part.id.isupper():
                    yield part.id


def writers() -> set[str]:
    """Give every function that writes a statement on the tables of notes, or a part of one, by `module.name`."""
    found = set()
    for module, tree in _modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                texts = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant)]
                told = ast.get_docstring(node, clean=False)
                text = " ".join(text for text in texts if isinstance(text, str) and text != told)
                if _IN_CODE.search(text) and _OF_NOTES.search(text):
                    found.add(f"{module}.{node.name}")
    return found


def _modules() -> Iterator[tuple[str, ast.Module]]:
    for place in PLACES:
        for path in sorted((ROOT / place).glob("*.py")):
            module = ".".join(path.relative_to(ROOT / "console").with_suffix("").parts)
            yield module.removesuffix(".__init__"), ast.parse(path.read_text(encoding="utf-8"))
