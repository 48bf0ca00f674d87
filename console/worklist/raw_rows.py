"""The rows of one note as they came: opened for people with the right, one opening at a time, each recorded."""

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from console.accounts.models import User
from console.accounts.services import record
from console.notes.correlation.loading import Keys, by_keys
from console.notes.models import LogEntry, Note, Trace
from diagnostics.evidence.logs import EhrRow, NoteTrace, ScribeRow

MOST_ROWS = 500
DAY = timedelta(days=1)
_IDS = ("note_id", "transaction_id", "request_id")


@dataclass(frozen=True)
class RawRow:
    """Be one row as it came."""

    at: datetime
    log: str
    event: str
    text: str
    candidate: bool


@transaction.atomic
def open_rows(*, note: Note, told: NoteTrace | None, by: User) -> list[RawRow]:
    """Give the rows of which the trace was made, and record that somebody saw them."""
    ours = [*(told.rows if told else ()), *(told.ehr_rows if told else ())]
    perhaps = list(told.candidates if told else ())
    wanted = {_key(row): False for row in ours} | {_key(row): True for row in perhaps}
    entries = LogEntry.objects.filter(
        facility=note.facility_id, integration=note.integration_id, at__in=sorted({key[1] for key in wanted})
    )
    found = [
        _raw(entry, wanted[key])
        for entry in entries.order_by("at", "position", "id")[: 4 * MOST_ROWS]
        if (key := (entry.log, entry.at, *_told(entry.sealed))) in wanted
    ]
    record(by=by, action="log_rows.opened", subject=note, facility=note.facility_id, detail={"rows": len(found)})
    return found[:MOST_ROWS]


@transaction.atomic
def open_orphan_rows(*, trace: Trace, by: User) -> list[RawRow]:
    """Give the EHR's rows of a document that no scribe row tells of, and record that somebody saw them."""
    digest = {bytes(trace.orphan_hash or b"")}
    keys = Keys(document=digest, transaction=digest)
    near = by_keys(trace.integration_id, keys, trace.born_at - DAY, trace.last_at + DAY)
    own = sorted({(row[0], uuid.UUID(bytes=row[13])) for row in near})[:MOST_ROWS]
    entries = LogEntry.objects.filter(at__in=[at for at, _ in own], id__in=[entry_id for _, entry_id in own])
    found = [_raw(entry, False) for entry in entries.order_by("at", "position", "id")]
    record(by=by, action="log_rows.opened", subject=trace, facility=trace.facility_id, detail={"rows": len(found)})
    return found


def _key(row: ScribeRow | EhrRow) -> tuple[Any, ...]:
    log = LogEntry.Log.SCRIBE if isinstance(row, ScribeRow) else LogEntry.Log.EHR
    return (log, row.at, row.event, *(_text(getattr(row, name, None)) for name in _IDS))


def _told(row: Mapping[str, Any]) -> Iterable[str]:
    return (str(row.get("event", "")), *(_text(row.get(name)) for name in _IDS))


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _raw(entry: LogEntry, candidate: bool) -> RawRow:
    text = json.dumps(entry.sealed, indent=2, ensure_ascii=False)
    return RawRow(entry.at, entry.get_log_display(), entry.event, text, candidate)
