"""The queue's statements: which tickets stand on a page, and how many each filter holds.

A desk has some thousand open tickets and a past that only grows, so nothing here walks the past: open tickets have an
index of their own that also holds what is counted, finished ones are read from the newest on, so many at a time.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.utils import timezone

from console.accounts.access import closed_departments, grants
from console.accounts.models import User
from console.accounts.roles import Right
from console.tickets.filters import LABELS, ME, NOBODY, Asked
from console.tickets.models import OPEN_STATES, TicketState

PAGE_SIZE = 50
MOST_COUNTED = 10_000  # beyond so many open tickets a count says "10,000+": nobody works by the exact number then
MOST_BADGE = 1000
WINDOWS = (8 * PAGE_SIZE, 5000)  # finished tickets looked through for one page
RECENT = 500  # finished tickets of a facility whose causes and people the filters offer

_STATES = ", ".join(f"'{state.value}'" for state in OPEN_STATES)
IS_OPEN = f"t.state IN ({_STATES})"
IS_DONE = f"t.state IN ('{TicketState.RESOLVED.value}', '{TicketState.CLOSED.value}')"
DONE_AT = "coalesce(t.resolved_at, t.opened_at)"
_ENTERED = " AND NOT t.departments && %(closed)s::uuid[]"

_COLUMNS = {
    "cause": "cause", "integration": "integration_id", "mode": "failure_mode", "severity": "severity",
    "state": "state", "owner": "owner_id", "waiting": "waiting_for",
}  # fmt: skip
_VIEWS = {
    "open": "true",
    "mine": "t.owner_id = %(me)s",
    "untaken": "t.owner_id IS NULL",
    "waiting": "t.state = 'waiting'",
    "late": "t.target_at < %(now)s AND t.paused_left_s IS NULL",
    "resolved": "true",
}
_ORDERS = {
    "worst": (("t.severity", "t.target_at", "t.id"), ">"),
    "due": (("t.target_at", "t.id"), ">"),
    "newest": (("t.opened_at", "t.id"), "<"),
}


@dataclass(frozen=True)
class Sight:
    """Be whose tickets are shown: facilities, without the departments that are closed to the person."""

    me: uuid.UUID | None
    facilities: tuple[uuid.UUID, ...]
    closed: tuple[uuid.UUID, ...]

    @property
    def entered(self) -> str:
        """Give the condition that hides what lies in a closed department."""
        return _ENTERED if self.closed else ""

    @property
    def params(self) -> dict[str, Any]:
        """Give it for a statement."""
        return {
            "me": self.me, "facilities": list(self.facilities), "closed": list(self.closed), "now": timezone.now(),
        }  # fmt: skip


def sight(user: User | AnonymousUser, places: Collection[uuid.UUID] | None = None) -> Sight:
    """Give what a person sees, narrowed to `places`: the same tickets that `access.visible` gives."""
    held = grants(user).where(Right.SEE_TICKETS)
    mine = held if places is None else held & frozenset(places)
    shut = closed_departments(user).filter(facility__in=held).order_by("id").values_list("id", flat=True)
    return Sight(user.pk, tuple(sorted(mine)), tuple(shut) if mine else ())


def count_open(sight: Sight, most: int = MOST_BADGE) -> int:
    """Count the open tickets, at most `most`: one stretch of one index."""
    sql = f"""
        SELECT count(*) FROM (
               SELECT FROM tickets_ticket t
                WHERE t.facility_id = ANY(%(facilities)s::uuid[]) AND {IS_OPEN}{sight.entered}
                LIMIT %(most)s) AS found"""
    return int(_fetch(sql, {**sight.params, "most": most})[0][0])


@dataclass(frozen=True)
class Counts:
    """Be how many tickets each view and each value of each filter holds; `capped` where there are too many to count."""

    of: dict[str, dict[str, int]]
    capped: bool


def counts(sight: Sight, asked: Asked) -> Counts:
    """Count in one statement: a filter's values under all the other filters, the views under all of them.

    Finished tickets are not counted: their values are those of the newest, offered without a number.
    """
    columns = ", ".join(f"t.{column}" for column in _COLUMNS.values())
    if asked.is_done:
        held = f"""SELECT f.* FROM unnest(%(facilities)s::uuid[]) AS place (id) CROSS JOIN LATERAL (
                   SELECT {columns}, t.target_at, t.paused_left_s FROM tickets_ticket t
                    WHERE t.facility_id = place.id AND {IS_DONE}{sight.entered}
                    ORDER BY {DONE_AT} DESC, t.id DESC LIMIT %(recent)s) AS f"""
    else:
        held = f"""SELECT {columns}, t.target_at, t.paused_left_s FROM tickets_ticket t
                    WHERE t.facility_id = ANY(%(facilities)s::uuid[]) AND {IS_OPEN}{sight.entered} LIMIT %(most)s"""
    found: dict[str, dict[str, int]] = {name: {} for name in (*LABELS, "view", "all")}
    params = {**sight.params, **_filters(sight, asked), "most": MOST_COUNTED, "recent": RECENT}
    names = tuple(_COLUMNS)
    conditions, sql = _counted(asked)
    places = {name: conditions.index(_conditions(asked, without=name)) for name in names}
    for which, value, *numbers in _fetch(f"WITH held AS MATERIALIZED ({held}) {sql}", params):
        if which < 0:
            found["all" if value == "all" else "view"][value] = numbers[0]
        else:
            name = names[_grouped(which, len(names))]
            found[name][value or (NOBODY if name == "owner" else "")] = numbers[places[name]]
    return Counts(found, found["all"]["all"] >= MOST_COUNTED)


def _counted(asked: Asked) -> tuple[list[str], str]:
    """Give the statement that reads what is held twice, once for all filters' values and once for the views.

    Its rows are (which column, value, a count for each of the conditions given with it); which is negative for views.
    """
    conditions = list(dict.fromkeys(_conditions(asked, without=name) for name in _COLUMNS))
    columns = [f"t.{column}" for column in _COLUMNS.values()]
    numbers = ", ".join(f"count(*) FILTER (WHERE {condition})" for condition in conditions)
    values = ", ".join(f"{column}::text" for column in columns)
    sets = ", ".join(f"({column})" for column in columns)
    kept = _conditions(asked, view=False)
    views = [view for view in _VIEWS if view != "resolved"]
    counted = ", ".join(f"count(*) FILTER (WHERE {kept} AND {_VIEWS[view]}) AS {view}" for view in views)
    nothing = ", 0" * (len(conditions) - 1)
    return (
        conditions,
        f"""
        SELECT grouping({", ".join(columns)}), coalesce({values}), {numbers} FROM held t GROUP BY GROUPING SETS ({sets})
         UNION ALL
        SELECT -1, told.view, told.number{nothing}
          FROM (SELECT count(*) AS everything, {counted} FROM held t) AS c
         CROSS JOIN LATERAL (VALUES ('all', c.everything), {", ".join(f"('{v}', c.{v})" for v in views)})
               AS told (view, number)""",
    )


def _grouped(which: int, count: int) -> int:
    """Read what `grouping` says: one bit a column, the first the highest, unset for the one that is grouped by."""
    return count - 1 - (~which & ((1 << count) - 1)).bit_length() + 1


@dataclass(frozen=True)
class Stretch:
    """Be one page's tickets in their order, and where the next page begins (empty: nowhere)."""

    ids: tuple[uuid.UUID, ...]
    after: str = ""
    more: bool = False  # whether the page ended because it was full, not because enough was looked through


def stretch(sight: Sight, asked: Asked, after: str = "", size: int = PAGE_SIZE) -> Stretch:
    """Give one page by its place in the order, so that the last page costs what the first does."""
    if not asked.is_done:
        return _open(sight, asked, after, size)
    found = Stretch(())
    for window in WINDOWS:
        found = _done(sight, asked, after, size, window)
        if found.more or not found.after:
            break
    return found


def _open(sight: Sight, asked: Asked, after: str, size: int) -> Stretch:
    keys, sign = _ORDERS[asked.order]
    place = _read_place(after, len(keys), asked.order)
    names = ", ".join(f"f.k{n}" for n in range(len(keys)))
    order = _order(keys, sign)
    sql = f"""
        SELECT {names} FROM unnest(%(facilities)s::uuid[]) AS place (id) CROSS JOIN LATERAL (
               SELECT {", ".join(f"{key} AS k{n}" for n, key in enumerate(keys))} FROM tickets_ticket t
                WHERE t.facility_id = place.id AND {IS_OPEN} AND {_conditions(asked)}{sight.entered}
                      {_beyond(keys, sign, place)}
                ORDER BY {order} LIMIT %(size)s) AS f
         ORDER BY {_order([f"f.k{n}" for n in range(len(keys))], sign)} LIMIT %(size)s"""
    rows = _fetch(sql, {**sight.params, **_filters(sight, asked), **place, "size": size + 1})
    more = len(rows) > size
    rows = rows[:size]
    return Stretch(tuple(row[-1] for row in rows), _write_place(rows[-1]) if more else "", more)


def _done(sight: Sight, asked: Asked, after: str, size: int, window: int) -> Stretch:
    keys = (DONE_AT, "t.id")
    place = _read_place(after, 2, "done")
    columns = ", ".join(f"t.{column}" for column in (*_COLUMNS.values(), "id", "departments"))
    sql = f"""
        WITH seen AS MATERIALIZED (
             SELECT f.* FROM unnest(%(facilities)s::uuid[]) AS place (id) CROSS JOIN LATERAL (
                    SELECT {DONE_AT} AS k0, {columns} FROM tickets_ticket t
                     WHERE t.facility_id = place.id AND {IS_DONE} {_beyond(keys, "<", place)}
                     ORDER BY {DONE_AT} DESC, t.id DESC LIMIT %(window)s) AS f
              ORDER BY f.k0 DESC, f.id DESC LIMIT %(window)s)
        (SELECT t.k0, t.id, true FROM seen t WHERE {_conditions(asked)}{sight.entered}
          ORDER BY t.k0 DESC, t.id DESC LIMIT %(size)s)
        UNION ALL
        (SELECT t.k0, t.id, false FROM seen t ORDER BY t.k0 DESC, t.id DESC OFFSET %(window)s - 1)"""
    found = _fetch(sql, {**sight.params, **_filters(sight, asked), **place, "size": size + 1, "window": window})
    rows = [row[:2] for row in found if row[2]]
    if len(rows) > size:
        return Stretch(tuple(row[1] for row in rows[:size]), _write_place(rows[size - 1]), True)
    last = next((row[:2] for row in found if not row[2]), None)
    return Stretch(tuple(row[1] for row in rows), _write_place(last) if last else "")


def matching(sight: Sight, asked: Asked, most: int) -> list[uuid.UUID]:
    """Give all tickets that a filter holds now, at most `most`, in the queue's order."""
    return list(stretch(sight, asked, size=most).ids)


# -- parts of statements -----------------------------------------------------------------------------------------------


def _conditions(asked: Asked, *, without: str = "", view: bool = True) -> str:
    parts = [_VIEWS[asked.view]] if view else ["true"]
    for name, value in asked.kept.items():
        if name == without:
            continue
        if name == "owner" and value == NOBODY:
            parts.append("t.owner_id IS NULL")
        else:
            parts.append(f"t.{_COLUMNS[name]} = %(by_{name})s")
    return " AND ".join(parts)


def _filters(sight: Sight, asked: Asked) -> dict[str, Any]:
    values = {f"by_{name}": value for name, value in asked.kept.items()}
    if asked.owner == ME:
        values["by_owner"] = sight.me
    return values


def _order(keys: Sequence[str], sign: str) -> str:
    return ", ".join(f"{key}{' DESC' if sign == '<' else ''}" for key in keys)


def _beyond(keys: Sequence[str], sign: str, place: dict[str, Any]) -> str:
    if not place:
        return ""
    return f"AND ({', '.join(keys)}) {sign} ({', '.join(f'%({name})s' for name in place)})"


def _write_place(row: Sequence[Any]) -> str:
    return "~".join(part.isoformat() if isinstance(part, datetime) else str(part) for part in row)


def _read_place(text: str, length: int, order: str) -> dict[str, Any]:
    """Read a place in the order; a broken one, or one of another order, counts as the beginning."""
    parts = text.split("~")
    if len(parts) != length:
        return {}
    try:
        moment, row = datetime.fromisoformat(parts[-2]), uuid.UUID(parts[-1])
    except ValueError:
        return {}
    if moment.tzinfo is None:
        return {}
    grave = {"after_severity": parts[0][:16]} if order == "worst" else {}
    return {**grave, "after_at": moment, "after_id": row}


def _fetch(sql: str, params: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())
