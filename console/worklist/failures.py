"""Group failures by what they have in common: integration, failure mode, and the masked answer or where it broke.

Counted from traces alone, by the index of notes that are not in the chart; two statements a page, however many notes.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from console.accounts.models import User
from console.notes.models import FailureMode, Trace
from console.worklist.access import Scope, scope_of

MOST_GROUPS = 60
MOST_NOTES = 500  # on one ticket at once
MOST_COUNTED = 1000
FAILING = tuple(mode.value for mode in FailureMode if mode != FailureMode.DELIVERED)
LATELY = timedelta(days=7)

# What failures alike share. A digest of it stands in addresses: the masked text itself is long and nobody's reading.
_CAUSE = "md5(concat_ws(E'\\x1f', t.signature, t.status::text, t.ack, t.broke_at))"


@dataclass(frozen=True)
class Span:
    """Be a stretch of time, cut into equal columns for the small picture."""

    start: datetime
    end: datetime
    columns: int

    @property
    def step(self) -> timedelta:
        """Give the length of one column."""
        return (self.end - self.start) / self.columns


@dataclass(frozen=True)
class Narrowing:
    """Be what the groups are narrowed to."""

    scope: Scope
    span: Span
    modes: tuple[str, ...] = FAILING
    integration: uuid.UUID | None = None

    @property
    def params(self) -> dict[str, Any]:
        """Give the statement's parameters."""
        return {
            **self.scope.params, "modes": list(self.modes), "integration": self.integration, "start": self.span.start,
            "end": self.span.end, "step": self.span.step, "columns": self.span.columns,
        }  # fmt: skip


@dataclass(frozen=True)
class GroupKey:
    """Name a group: integration, mode and the digest of what its failures share."""

    integration_id: uuid.UUID
    mode: str
    digest: str


@dataclass(frozen=True)
class Group:
    """Be failures alike."""

    key: GroupKey
    count: int
    waiting: int
    first_at: datetime
    last_at: datetime
    sites: int
    providers: int
    signature: str
    status: int | None
    ack: str
    broke_at: str


@dataclass(frozen=True)
class Alike:
    """Be how many notes failed like one note lately."""

    key: GroupKey
    count: int


def _where(asked: Narrowing) -> str:
    parts = [
        "t.facility_id = ANY(%(facilities)s)",
        "t.failure_mode = ANY(%(modes)s)",
        "t.failure_mode <> 'delivered'",
        "t.note_id IS NOT NULL",
        "t.born_at >= %(start)s AND t.born_at < %(end)s",
    ]
    if asked.integration:
        parts.append("t.integration_id = %(integration)s")
    if asked.scope.closed:
        parts.append(
            "NOT EXISTS (SELECT FROM notes_note n WHERE n.id = t.note_id AND n.department_id = ANY(%(closed)s))"
        )
    return " AND ".join(parts)


def groups(asked: Narrowing) -> list[Group]:
    """Give the groups, the largest first."""
    sql = f"""
        SELECT t.integration_id, t.failure_mode, {_CAUSE} AS digest, count(*), count(*) FILTER (WHERE t.ended = ''),
               min(t.born_at), max(t.born_at), count(DISTINCT nullif(t.site, '')),
               count(DISTINCT nullif(t.provider, '')), min(t.signature), min(t.status), min(t.ack), min(t.broke_at)
          FROM notes_trace t
         WHERE {_where(asked)}
         GROUP BY 1, 2, 3
         ORDER BY 4 DESC, 7 DESC, 3
         LIMIT %(most)s"""
    rows = _fetch(sql, {**asked.params, "most": MOST_GROUPS + 1})
    return [Group(GroupKey(*row[:3]), *row[3:]) for row in rows]


def trends(asked: Narrowing) -> dict[GroupKey, list[int]]:
    """Count each group's failures in each column of the span."""
    sql = f"""
        SELECT t.integration_id, t.failure_mode, {_CAUSE} AS digest,
               least(floor(extract(epoch FROM t.born_at - %(start)s) / extract(epoch FROM %(step)s::interval))::int,
                     %(columns)s - 1) AS at_column, count(*)
          FROM notes_trace t
         WHERE {_where(asked)}
         GROUP BY 1, 2, 3, 4"""
    found: dict[GroupKey, list[int]] = {}
    for *key, column, count in _fetch(sql, asked.params):
        found.setdefault(GroupKey(*key), [0] * asked.span.columns)[column] = count
    return found


def _of_group(asked: Narrowing, key: GroupKey) -> tuple[str, dict[str, Any]]:
    where = f"{_where(asked)} AND {_CAUSE} = %(digest)s"
    params = {**asked.params, "modes": [key.mode], "integration": key.integration_id, "digest": key.digest}
    return where, params


def places_of(asked: Narrowing, key: GroupKey) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    """Give the sites and the providers that a group touched, the most touched first."""
    narrowed = Narrowing(asked.scope, asked.span, (key.mode,), key.integration_id)
    where, params = _of_group(narrowed, key)
    sql = f"""
        SELECT kind, name, times FROM (
          SELECT 'site' AS kind, t.site AS name, count(*) AS times FROM notes_trace t
           WHERE {where} AND t.site <> '' GROUP BY t.site
           UNION ALL
          SELECT 'provider', t.provider, count(*) FROM notes_trace t
           WHERE {where} AND t.provider <> '' GROUP BY t.provider) AS found
         ORDER BY times DESC, name LIMIT 200"""
    rows = _fetch(sql, params)
    return (
        [(name, times) for kind, name, times in rows if kind == "site"],
        [(name, times) for kind, name, times in rows if kind == "provider"],
    )


def note_ids(asked: Narrowing, key: GroupKey, *, only_waiting: bool, limit: int) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """Give (trace, note) of a group, newest first."""
    narrowed = Narrowing(asked.scope, asked.span, (key.mode,), key.integration_id)
    where, params = _of_group(narrowed, key)
    waits = "AND t.ended = ''" if only_waiting else ""
    sql = f"""
        SELECT t.id, t.note_id FROM notes_trace t WHERE {where} {waits}
         ORDER BY t.born_at DESC, t.id DESC LIMIT %(limit)s"""
    return [(trace, note) for trace, note in _fetch(sql, {**params, "limit": limit})]


def one_group(asked: Narrowing, key: GroupKey) -> Group | None:
    """Give one group, None where nothing of it lies in the span."""
    narrowed = Narrowing(asked.scope, asked.span, (key.mode,), key.integration_id)
    return next((group for group in groups(narrowed) if group.key == key), None)


def digest_of(trace: Trace) -> str:
    """Give the digest of what a trace's failure has in common with others."""
    sql = f"SELECT {_CAUSE} FROM notes_trace t WHERE t.id = %(id)s"
    return str(_fetch(sql, {"id": trace.id})[0][0])


def alike_of(user: User, trace: Trace) -> Alike:
    """Count the notes that failed like this one in the last days, itself included, as far as a page says it."""
    now = timezone.now()
    start = min(now - LATELY, trace.born_at)
    scope = scope_of(user, frozenset({trace.facility_id}))
    asked = Narrowing(scope, Span(start, now + timedelta(hours=1), 1), (trace.failure_mode,), trace.integration_id)
    key = GroupKey(trace.integration_id, trace.failure_mode, digest_of(trace))
    where, params = _of_group(asked, key)
    sql = f"SELECT count(*) FROM (SELECT FROM notes_trace t WHERE {where} LIMIT %(most)s) AS found"
    return Alike(key, int(_fetch(sql, {**params, "most": MOST_COUNTED})[0][0]))


def _fetch(sql: str, params: dict[str, Any]) -> Sequence[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())
