"""Make the notes known that the scribe's rows tell of: their ids are opened from the rows, many at once."""

import json
import logging
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db import connection
from django.utils import timezone

from console.accounts.keys import keyring
from console.accounts.models import Department
from console.notes.correlation.state import Scope
from console.shared.identifiers import new_id
from console.shared.sealing import Address, Keyring, SealError
from diagnostics.tracing.compact import CODE, What
from diagnostics.tracing.thread import Thread

log = logging.getLogger(__name__)
_IDS = {"transaction_id": 3, "encounter_id": 5, "patient_id": 6, "provider_id": 7}  # and where a Row holds the hash
SEALED_ROWS = """
SELECT wanted.id, entry.sealed
  FROM unnest(%s::timestamptz[], %s::uuid[]) AS wanted(at, id), LATERAL (
    SELECT sealed FROM notes_logentry
     WHERE at = wanted.at AND id = wanted.id AND at >= %s AND at <= %s OFFSET 0
) AS entry
"""
_COLUMNS = {
    "id": "uuid", "facility_id": "uuid", "integration_id": "uuid", "department_id": "uuid", "external_id": "bytea",
    "external_hash": "bytea", "identifiers": "bytea", "transaction_hash": "bytea", "encounter_hash": "bytea",
    "patient_hash": "bytea", "provider": "text", "generated_at": "timestamptz", "failure_mode": "text",
    "payload_name": "text", "created_at": "timestamptz",
}  # fmt: skip
_INSERT = (
    f"INSERT INTO notes_note ({', '.join(_COLUMNS)}) SELECT * FROM unnest("
    f"{', '.join(f'%s::{kind}[]' for kind in _COLUMNS.values())}) "
    "ON CONFLICT (integration_id, external_hash) DO NOTHING"
)
_UPDATE = """
UPDATE notes_note AS n SET
    identifiers = f.identifiers, transaction_hash = f.transaction_hash, encounter_hash = f.encounter_hash,
    patient_hash = f.patient_hash, provider = f.provider, generated_at = f.generated_at
  FROM unnest(%s::uuid[], %s::bytea[], %s::bytea[], %s::bytea[], %s::bytea[], %s::text[], %s::timestamptz[])
    AS f(id, identifiers, transaction_hash, encounter_hash, patient_hash, provider, generated_at)
 WHERE n.id = f.id
"""


@dataclass(slots=True)
class Known:
    """Be what a stored note knows of itself: hashes, provider, time; `identifiers` still sealed."""

    id: uuid.UUID
    transaction: bytes | None
    encounter: bytes | None
    patient: bytes | None
    provider: str
    generated_at: datetime | None
    identifiers: bytes | None


def make(scope: Scope, threads: Mapping[bytes, Thread], modes: Mapping[bytes, str]) -> dict[bytes, str]:
    """Make notes of threads, by the hash of their id; give their providers.

    What cannot be opened any more, because a row went in the meantime, makes no note.
    """
    if not threads:
        return {}
    ring, tellers = keyring(scope.facility), {key: _telling(thread) for key, thread in threads.items()}
    rows = _opened(ring, {row for telling in tellers.values() for row in telling.values() if row is not None})
    made, providers, now = [], {}, timezone.now()
    for key, telling in tellers.items():
        said = {name: rows.get(row[13], {}) for name, row in telling.items() if row is not None}
        external_id = said.get("note_id", {}).get("note_id")
        if not external_id:
            continue
        ids = {name: str(said[name][name]) for name in _IDS if name in said and said[name].get(name)}
        note_id = new_id()
        thread = threads[key]
        providers[key] = ids.get("provider_id", "")
        made.append(
            (
                note_id,
                scope.facility,
                scope.integration,
                _department(scope.facility, said["note_id"]),
                ring.seal(str(external_id).encode(), _address(scope, note_id, "external_id")),
                key,
                _sealed(ring, scope, note_id, ids),
                *_hashes(telling),
                providers[key],
                _generated(thread),
                modes[key],
                "",
                now,
            )
        )
    if made:
        with connection.cursor() as cursor:
            cursor.execute(_INSERT, [list(column) for column in zip(*made, strict=True)])
    return providers


def fill_in(scope: Scope, known: Mapping[bytes, Known], threads: Mapping[bytes, Thread]) -> dict[bytes, str]:
    """Add to stored notes what their rows tell and they do not know; give the providers that became known."""
    lacking = {}
    for key, note in known.items():
        thread = threads[key]
        if _knows_all(note, thread):
            continue
        telling = _telling(thread)
        new = {
            name: row
            for name, row in telling.items()
            if row is not None and name != "note_id" and _is_news(note, name, row, thread)
        }
        begun = _generated(thread)
        earlier = begun is not None and (note.generated_at is None or begun < note.generated_at)
        if new or earlier:
            lacking[key] = (new, begun if earlier else note.generated_at)
    if not lacking:
        return {}
    ring = keyring(scope.facility)
    rows = _opened(ring, {row for new, _ in lacking.values() for row in new.values()})
    changed, providers = [], {}
    for key, (new, generated_at) in lacking.items():
        note = known[key]
        ids = _identifiers(ring, scope, note)
        ids |= {name: str(rows[row[13]][name]) for name, row in new.items() if rows.get(row[13], {}).get(name)}
        if ids.get("provider_id"):
            providers[key] = ids["provider_id"]
        hashes = {name: row[_IDS[name]] for name, row in new.items()}
        changed.append(
            (
                note.id,
                _sealed(ring, scope, note.id, ids),
                hashes.get("transaction_id", note.transaction),
                hashes.get("encounter_id", note.encounter),
                hashes.get("patient_id", note.patient),
                ids.get("provider_id") or note.provider,
                generated_at,
            )
        )
    with connection.cursor() as cursor:
        cursor.execute(_UPDATE, [list(column) for column in zip(*changed, strict=True)])
    return providers


def _telling(thread: Thread) -> dict[str, Any]:
    """Give for each id the row that tells it: the last one, as a retry may bear another transaction id."""
    telling: dict[str, Any] = dict.fromkeys(("note_id", *_IDS))
    for row in thread.scribe:
        if row[2] is None:
            continue
        telling["note_id"] = telling["note_id"] or row
        for name, place in _IDS.items():
            if row[place] is not None:
                telling[name] = row
    return telling


def _knows_all(note: Known, thread: Thread) -> bool:
    """Tell at a glance that nothing is to be added, as of nearly all notes that were told before."""
    last, first = thread.scribe[-1], thread.scribe[0]
    return (
        last[3] is not None
        and last[3] == note.transaction
        and note.encounter is not None
        and note.patient is not None
        and bool(note.provider)
        and note.generated_at is not None
        and (first[1] & CODE != What.GENERATED or first[0] >= note.generated_at)
    )


def _is_news(note: Known, name: str, row: Any, thread: Thread) -> bool:
    """Tell whether a note does not know an id yet, or knows of its transactions an earlier one of the log's."""
    if name == "provider_id":
        return not note.provider
    if name == "encounter_id":
        return note.encounter is None
    if name == "patient_id":
        return note.patient is None
    if note.transaction is None:
        return True
    return note.transaction != row[3] and any(each[3] == note.transaction for each in thread.scribe)


def _generated(thread: Thread) -> datetime | None:
    return next((row.at for row in thread.scribe if row.what & CODE == What.GENERATED and row.note is not None), None)


def _hashes(telling: Mapping[str, Any]) -> tuple[bytes | None, ...]:
    return tuple(
        telling[name][_IDS[name]] if telling[name] is not None else None
        for name in ("transaction_id", "encounter_id", "patient_id")
    )


def _opened(ring: Keyring, rows: Iterable[Any]) -> dict[bytes, dict[str, Any]]:
    """Open sealed log rows; give their contents by the bytes of their ids."""
    rows = sorted(rows, key=lambda row: row[0])
    if not rows:
        return {}
    times, ids = [row[0] for row in rows], [uuid.UUID(bytes=row[13]) for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(SEALED_ROWS, (times, ids, times[0], times[-1]))
        sealed = cursor.fetchall()
    opened: dict[bytes, dict[str, Any]] = {}
    for entry_id, value in sealed:
        try:
            plain = ring.open(value, Address("notes_logentry", "sealed", entry_id, ring.facility))
        except SealError as problem:  # one row that was changed must not keep all other notes from being told
            log.warning("log row %s does not open: %s", entry_id, problem)
        else:
            opened[entry_id.bytes] = json.loads(plain)
    return opened


def _identifiers(ring: Keyring, scope: Scope, note: Known) -> dict[str, Any]:
    if note.identifiers is None:
        return {}
    opened: dict[str, Any] = json.loads(ring.open(note.identifiers, _address(scope, note.id, "identifiers")))
    return opened


def _sealed(ring: Keyring, scope: Scope, note_id: uuid.UUID, ids: Mapping[str, str]) -> bytes | None:
    if not ids:
        return None
    plain = json.dumps(ids, ensure_ascii=False, separators=(",", ":")).encode()
    return ring.seal(plain, _address(scope, note_id, "identifiers"))


def _address(scope: Scope, note_id: uuid.UUID, column: str) -> Address:
    return Address("notes_note", column, note_id, scope.facility)


def _department(facility: uuid.UUID, row: Mapping[str, Any]) -> uuid.UUID | None:
    """Give the department that a row names, where the facility has it."""
    named = row.get("department")
    return _departments(facility, timezone.now().replace(second=0, microsecond=0)).get(named) if named else None


@lru_cache(maxsize=8)
def _departments(facility: uuid.UUID, _minute: datetime) -> dict[Any, uuid.UUID]:
    """Give a facility's departments by slug, as they are within this minute."""
    found: Sequence[tuple[str, uuid.UUID]] = Department.objects.filter(facility=facility).values_list("slug", "id")
    return dict(found)
