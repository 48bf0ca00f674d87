"""Reduce the rows of a case to what correlation takes, with plain ids as keys. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from diagnostics.identity import plain
from diagnostics.parsing.logs import moment
from diagnostics.tracing.compact import compact
from diagnostics.tracing.story import Row


def reduced(log: str, rows: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Give the rows of one log (`scribe` or `ehr`) in order of time; equal times keep their order."""
    found = [_row(log, row, number) for number, row in enumerate(rows)]
    return sorted(found, key=lambda row: (row.at, row.position))


def _row(log: str, row: Mapping[str, Any], number: int) -> Row:
    small = compact(log, row)
    return Row(
        at=moment(str(row["at"])),
        what=small.what,
        note=_text(row.get("note_id")) if log == "scribe" else None,
        transaction=plain(small.transaction),
        request=plain(_text(row.get("request_id"))),
        encounter=plain(_text(row.get("encounter_id"))),
        patient=plain(_text(row.get("patient_id"))),
        author=plain(small.author),
        document=plain(small.document),
        content=small.content,
        origin=small.origin,
        attempt=small.attempt,
        position=number,
        ref=number,
    )


def _text(value: Any) -> str | None:
    return None if value is None or value == "" else str(value)
