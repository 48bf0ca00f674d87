"""Read the worklist: encounters whose notes are not in the chart, oldest first; and who ended what.

One line is one encounter, led by its oldest waiting note; a page is a fixed number of statements and costs the same
wherever it begins, because it goes on from a key and never counts past a thousand.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from console.notes.models import FailureMode
from console.worklist.access import Scope

GRACE = timedelta(minutes=30)  # domain.md section 6: a younger note may still be on its way
PAGE_SIZE = 50
MOST_COUNTED = 1000
MOST_ALIKE = 20  # further notes of one encounter that a line names

M = FailureMode
GROUPS: dict[str, tuple[str, ...]] = {
    "all": (),
    "absent": (M.NOT_GENERATED, M.NEVER_SENT, M.REJECTED, M.DELAYED, M.UNKNOWN),
    "wrong": (M.MISPLACED, M.PARTIAL, M.DUPLICATE),
    "check": (M.DELIVERED,),
}

# The index trace_waiting holds exactly these rows; the words must stay those of its condition.
_NOTE = "SELECT * FROM notes_note WHERE id = {t}.note_id OFFSET 0"  # one probe each, whatever the planner guesses
_WAITS = "{t}.ended = '' AND {t}.note_id IS NOT NULL AND ({t}.failure_mode <> 'delivered' OR {t}.confidence < 0.7)"


@dataclass(frozen=True)
class Narrowed:
    """Be what a person narrowed the list to; `modes` empty means all."""

    scope: Scope
    due: datetime
    modes: tuple[str, ...] = ()
    integration: uuid.UUID | None = None
    provider: str = ""

    @property
    def params(self) -> dict[str, Any]:
        """Give the statement's parameters."""
        return {
            **self.scope.params,
            "due": self.due,
            "modes": list(self.modes),
            "mode": self.modes[0] if len(self.modes) == 1 else "",
            "integration": self.integration,
            "provider": self.provider,
        }


@dataclass(frozen=True)
class Key:
    """Be the place in the list after which a page begins."""

    at: datetime
    id: uuid.UUID


def _conditions(asked: Narrowed, trace: str, note: str) -> str:
    """Give the WHERE of one waiting note; a condition that narrows nothing is left out, so that no plan carries it."""
    parts = [_WAITS.format(t=trace), f"{trace}.born_at < %(due)s"]
    if len(asked.modes) == 1:
        parts.append(f"{trace}.failure_mode = %(mode)s")
    elif asked.modes:
        parts.append(f"{trace}.failure_mode = ANY(%(modes)s)")
    if asked.integration:
        parts.append(f"{trace}.integration_id = %(integration)s")
    if asked.provider:
        parts.append(f"{trace}.provider = %(provider)s")
    return " AND ".join([*parts, *_open_departments(asked.scope, note)])


def _open_departments(scope: Scope, note: str) -> list[str]:
    return [f"({note}.department_id IS NULL OR {note}.department_id <> ALL(%(closed)s))"] if scope.closed else []


def leads(asked: Narrowed, after: Key | None, limit: int) -> list[uuid.UUID]:
    """Give the traces that lead the next encounters: the oldest waiting note of each."""
    beyond = "AND (t.born_at, t.id) > (%(after_at)s, %(after_id)s)" if after else ""
    sql = f"""
        SELECT found.id
          FROM unnest(%(facilities)s::uuid[]) AS place (id)
         CROSS JOIN LATERAL (
              SELECT t.id, t.born_at
                FROM notes_trace t JOIN notes_note n ON n.id = t.note_id
               WHERE t.facility_id = place.id AND {_conditions(asked, "t", "n")} {beyond}
                 AND NOT EXISTS (
                     SELECT FROM notes_note m JOIN notes_trace o ON o.note_id = m.id
                      WHERE m.facility_id = n.facility_id AND m.encounter_hash = n.encounter_hash
                        AND (o.born_at, o.id) < (t.born_at, t.id) AND {_conditions(asked, "o", "m")})
               ORDER BY t.born_at, t.id
               LIMIT %(limit)s) AS found
         ORDER BY found.born_at, found.id
         LIMIT %(limit)s"""
    place = {"after_at": after.at, "after_id": after.id} if after else {}
    return [row[0] for row in _rows(sql, {**asked.params, **place, "limit": limit})]


def alike(asked: Narrowed, lead_ids: Sequence[uuid.UUID]) -> list[tuple[uuid.UUID, uuid.UUID, bool]]:
    """Give (lead, trace, whether it waits) of the other notes of the leads' encounters: waiting ones and those filed.

    At most `MOST_ALIKE` of each encounter, oldest first.
    """
    filed = " AND ".join(["o.failure_mode = 'delivered'", "o.confidence >= 0.7", *_open_departments(asked.scope, "m")])
    sql = f"""
        SELECT lead.id, found.id, found.waits
          FROM unnest(%(leads)s::uuid[]) AS wanted (id)
         CROSS JOIN LATERAL (SELECT id, note_id FROM notes_trace WHERE id = wanted.id OFFSET 0) AS lead
         CROSS JOIN LATERAL ({_NOTE.format(t="lead")}) AS n
         CROSS JOIN LATERAL (
              SELECT o.id, o.born_at, ({_conditions(asked, "o", "m")}) AS waits
                FROM notes_note m JOIN notes_trace o ON o.note_id = m.id
               WHERE m.facility_id = n.facility_id AND m.encounter_hash = n.encounter_hash AND m.id <> n.id
                 AND (({_conditions(asked, "o", "m")}) OR ({filed}))
               ORDER BY o.born_at, o.id
               LIMIT %(most)s) AS found
         ORDER BY lead.id, found.born_at, found.id"""
    if not lead_ids:
        return []
    return [tuple(row) for row in _rows(sql, {**asked.params, "leads": list(lead_ids), "most": MOST_ALIKE})]


def counts(scope: Scope, due: datetime) -> dict[str, int]:
    """Count the waiting notes of each group, and orphans, none further than `MOST_COUNTED`."""
    groups = {name: Narrowed(scope, due, modes) for name, modes in GROUPS.items()}
    parts = [f"(SELECT count(*) FROM ({_some(one, name)}) AS group_{name})" for name, one in groups.items()]
    parts.append("""(SELECT count(*) FROM (SELECT FROM notes_trace t WHERE t.facility_id = ANY(%(facilities)s)
                      AND t.note_id IS NULL LIMIT %(most)s) AS orphans)""")
    params: dict[str, Any] = {**groups["all"].params, "most": MOST_COUNTED}
    for name, one in groups.items():
        params |= {f"modes_{name}": list(one.modes), f"mode_{name}": one.params["mode"]}
    row = _rows("SELECT " + ", ".join(parts), params)[0]
    return dict(zip((*groups, "orphans"), row, strict=True))


def _some(asked: Narrowed, name: str) -> str:
    """Give the rows to count, in the index's own order, so that no plan reads a whole table to count a thousand."""
    conditions = _conditions(asked, "t", "n").replace("%(mode)s", f"%(mode_{name})s")
    conditions = conditions.replace("%(modes)s", f"%(modes_{name})s")
    note = f"CROSS JOIN LATERAL ({_NOTE.format(t='t')}) AS n" if asked.scope.closed else ""
    return f"""
        SELECT FROM unnest(%(facilities)s::uuid[]) AS place (id)
         CROSS JOIN LATERAL (SELECT FROM notes_trace t {note} WHERE t.facility_id = place.id AND {conditions}
                              ORDER BY t.born_at, t.id LIMIT %(most)s) AS each LIMIT %(most)s"""


def count_waiting(scope: Scope, due: datetime, most: int) -> int:
    """Count the waiting notes up to `most`, as cheaply as a badge on every page needs it."""
    sql = f"SELECT count(*) FROM ({_some(Narrowed(scope, due), 'all')}) AS found"
    return int(_rows(sql, {**Narrowed(scope, due).params, "most": most})[0][0])


def orphans(scope: Scope, after: Key | None, limit: int) -> list[uuid.UUID]:
    """Give documents at the EHR that no scribe row tells of, newest first."""
    beyond = "AND (t.born_at, t.id) < (%(after_at)s, %(after_id)s)" if after else ""
    sql = f"""
        SELECT found.id
          FROM unnest(%(facilities)s::uuid[]) AS place (id)
         CROSS JOIN LATERAL (
              SELECT t.id, t.born_at FROM notes_trace t
               WHERE t.facility_id = place.id AND t.note_id IS NULL {beyond}
               ORDER BY t.born_at DESC, t.id DESC LIMIT %(limit)s) AS found
         ORDER BY found.born_at DESC, found.id DESC LIMIT %(limit)s"""
    place = {"after_at": after.at, "after_id": after.id} if after else {}
    return [row[0] for row in _rows(sql, {**scope.params, **place, "limit": limit})]


def ended(scope: Scope, after: Key | None, limit: int) -> list[uuid.UUID]:
    """Give the newest ends of notes, newest first; those that were opened again since are not among them."""
    beyond = "AND (e.at, e.id) < (%(after_at)s, %(after_id)s)" if after else ""
    hidden = "".join(f"AND {one}" for one in _open_departments(scope, "n"))
    sql = f"""
        SELECT found.id
          FROM unnest(%(facilities)s::uuid[]) AS place (id)
         CROSS JOIN LATERAL (
              SELECT e.id, e.at FROM notes_noteend e JOIN notes_note n ON n.id = e.note_id
               WHERE e.facility_id = place.id AND e.how <> 'open' {beyond} {hidden}
                 AND NOT EXISTS (SELECT FROM notes_noteend later
                                  WHERE later.note_id = e.note_id AND (later.at, later.id) > (e.at, e.id))
               ORDER BY e.at DESC, e.id DESC LIMIT %(limit)s) AS found
         ORDER BY found.at DESC, found.id DESC LIMIT %(limit)s"""
    place = {"after_at": after.at, "after_id": after.id} if after else {}
    return [row[0] for row in _rows(sql, {**scope.params, **place, "limit": limit})]


def _rows(sql: str, params: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def in_order(ids: Collection[uuid.UUID], found: dict[uuid.UUID, Any]) -> list[Any]:
    """Bring rows into the order of their ids; one that vanished meanwhile is left out."""
    return [found[one] for one in ids if one in found]
