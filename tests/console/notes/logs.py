"""Bring generated logs into the database in parts, and look at the traces that come of them."""

import json
import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.db import connection

from console.integrations.models import Integration
from console.notes.correlation.writing import COLUMNS
from console.notes.log_rows import store_rows

Told = tuple[str, dict[str, Any]]  # whose log, and the row


def rows_in(folder: Path) -> list[Told]:
    """Give all rows of scribe.ndjson and ehr.ndjson."""
    found: list[Told] = []
    for log in ("scribe", "ehr"):
        text = (folder / f"{log}.ndjson").read_text(encoding="utf-8")
        found += [(log, json.loads(line)) for line in text.split("\n") if line]
    return found


def store(integration: Integration, rows: Iterable[Told]) -> None:
    """Store rows of both logs."""
    rows = list(rows)
    for log in ("scribe", "ehr"):
        mine = [row for name, row in rows if name == log]
        if mine:
            store_rows(facility_id=integration.facility_id, integration=integration, log=log, rows=mine)


def parted(rows: list[Told], parts: int, source: random.Random) -> Iterator[list[Told]]:
    """Yield the rows in so many parts of random sizes."""
    cuts = sorted(source.sample(range(1, len(rows)), parts - 1))
    for first, last in zip([0, *cuts], [*cuts, len(rows)], strict=True):
        yield rows[first:last]


def told(integration: Integration) -> dict[tuple[bytes | None, bytes | None], dict[str, Any]]:
    """Give every column of every trace, by the note's hash or the document's."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT n.external_hash, t.orphan_hash, {', '.join('t.' + name for name in COLUMNS)} FROM notes_trace t"
            " LEFT JOIN notes_note n ON n.id = t.note_id WHERE t.integration_id = %s",
            [integration.pk],
        )
        return {
            (row[0] and bytes(row[0]), row[1] and bytes(row[1])): dict(zip(COLUMNS, row[2:], strict=True))
            for row in cursor.fetchall()
        }


def differences(one: dict[Any, dict[str, Any]], other: dict[Any, dict[str, Any]]) -> list[Any]:
    """List what differs, few enough to read."""
    found: list[Any] = [("only one has", key, row["failure_mode"]) for key, row in one.items() if key not in other]
    found += [("only the other has", key, row["failure_mode"]) for key, row in other.items() if key not in one]
    for key, row in one.items():
        there = other.get(key, row)
        columns = {name: (row[name], there[name]) for name in COLUMNS if row[name] != there[name]}
        if columns:
            found.append((row["born_at"], columns))
    return found[:10]
