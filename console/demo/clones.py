"""More notes like one: the same rows under other ids at another time."""

import json
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

from diagnostics.case import Case, Note

ID_KEYS = ("note_id", "transaction_id", "request_id", "encounter_id", "patient_id", "token_id", "ack_id", "resource")
Rows = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class NoteRows:
    """The rows of one note in each log, and its ids."""

    ids: dict[str, str]
    rows: Rows

    @property
    def first_at(self) -> datetime:
        """Give the time of the note's first row."""
        return min(moment(row) for rows in self.rows.values() for row in rows)


def moment(row: Mapping[str, Any]) -> datetime:
    """Give the time of a row, as the log reader left it."""
    at = row["at"]
    return at if isinstance(at, datetime) else datetime.fromisoformat(str(at))


def notes_in(case: Case) -> dict[str, NoteRows]:
    """Split the logs of a case by note; rows that name no note are left out."""
    notes: dict[str, NoteRows] = {}
    by_transaction: dict[str, str] = {}
    by_encounter: dict[str, str] = {}
    for row in case.logs.scribe or ():
        note_id = row.get("note_id")
        if not note_id:
            continue
        known = notes.setdefault(note_id, NoteRows({}, {"scribe": [], "ehr": []}))
        known.rows["scribe"].append(dict(row))
        for key in ("note_id", "transaction_id", "encounter_id", "patient_id", "provider_id"):
            if row.get(key):
                known.ids.setdefault(key, str(row[key]))
        by_transaction[str(row.get("transaction_id"))] = note_id
        by_encounter[str(row.get("encounter_id"))] = note_id
    for row in case.logs.ehr or ():
        note_id = by_transaction.get(str(row.get("transaction_id"))) or by_encounter.get(str(row.get("encounter_id")))
        if note_id:
            notes[note_id].rows["ehr"].append(dict(row))
    return notes


def clone(note: NoteRows, *, at: datetime, source: random.Random, provider: str | None = None) -> NoteRows:
    """Give the note again under new ids, moved to another time; whole texts are rewritten, bodies of errors too."""
    shift = at - note.first_at
    text = json.dumps(note.rows, default=lambda value: value.isoformat())
    swaps = {old: _like(old, source) for old in _ids(note.rows.values())}
    if provider and note.ids.get("provider_id"):
        swaps[note.ids["provider_id"]] = provider
    for old, new in sorted(swaps.items(), key=lambda pair: -len(pair[0])):
        text = text.replace(json.dumps(old)[1:-1], new)
    rows: Rows = json.loads(text)
    for row in (row for log in rows.values() for row in log):
        row["at"] = (datetime.fromisoformat(row["at"]) + shift).isoformat()
        _shift_date_header(row, shift)
        if isinstance(row.get("fields"), dict):
            # Two notes with the very same words would be one note filed twice: give each words of its own.
            row["fields"] = {key: f"sha256:{source.getrandbits(256):064x}" for key in row["fields"]}
    return NoteRows({key: swaps.get(value, value) for key, value in note.ids.items()}, rows)


def payload_like(note: Note | None, first: NoteRows, twin: NoteRows) -> bytes | None:
    """Give what was sent of a note, as it would be of its twin: the same words under the twin's ids."""
    if note is None or note.payload is None:
        return None
    payload = note.payload
    for key in sorted(first.ids, key=lambda key: -len(first.ids[key])):
        payload = payload.replace(first.ids[key].encode(), twin.ids[key].encode())
    return payload


def _ids(logs: Iterable[list[dict[str, Any]]]) -> set[str]:
    found = {str(row[key]) for log in logs for row in log for key in ID_KEYS if row.get(key)}
    # A bare type ("DocumentReference", on rows of a request that made nothing) names no resource.
    return {value for value in found if any(letter.isdigit() for letter in value)}


def _like(old: str, source: random.Random) -> str:
    """Make an id of the same shape: digits stay digits, hexadecimal stays so, the prefix stays."""
    start = max(old.find("-"), old.find("/")) + 1
    prefix, rest = old[:start], old[start:]
    alphabet = "0123456789" if rest.isdigit() else "0123456789abcdef" if rest.islower() else "0123456789ABCDEF"
    new = "".join(source.choice(alphabet) if letter.isalnum() else letter for letter in rest)
    return prefix + new


def _shift_date_header(row: dict[str, Any], shift: timedelta) -> None:
    headers = row.get("response_headers")
    if isinstance(headers, dict) and headers.get("date"):
        headers["date"] = format_datetime(parsedate_to_datetime(headers["date"]) + shift, usegmt=True)
