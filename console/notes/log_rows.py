"""Store and read log rows: the row as it came is sealed, its ids hashed, its error text masked."""

import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Max, Min, Q

from console.accounts.keys import keyring
from console.integrations.models import Integration
from console.notes.models import LogEntry, Note
from console.notes.partitions import ensure_days
from console.shared.identifiers import new_id
from diagnostics.signatures.model import vocabulary

_LETTERS = re.compile(r"[^\W\d_]+")
_WORDS = re.compile(rf"<\w+>|{_LETTERS.pattern}")
BATCH = 1000
BEFORE, AFTER = timedelta(hours=12), timedelta(hours=3)
MOST_ROWS = 3000
_QUOTED = re.compile(r"\"[^\"]{0,200}\"|'[^']{0,200}'")
_MASKS: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F-]{20,}"), "<id>"),
    (_QUOTED, lambda m: m[0] if _known(m[0]) else "<text>"),
    (re.compile(r"\b[A-Za-z]*[-/]?\w*\d[\w./:-]*"), "<n>"),
    (re.compile(r"\s+"), " "),
)


def store_rows(
    *, facility_id: uuid.UUID, integration: Integration | None, log: str, rows: Iterable[Mapping[str, Any]]
) -> int:
    """Store rows of one log; give how many."""
    batch: list[LogEntry] = []
    count = 0
    for row in rows:
        batch.append(entry_of(facility_id, integration, log, row))
        if len(batch) >= BATCH:
            count += _flush(batch)
    return count + _flush(batch)


def rows_of(note: Note, log: str) -> tuple[dict[str, Any], ...] | None:
    """Give one log around a note, in its order; None where the integration has no such log at all.

    The note's own rows come whatever their time. Those of other notes in the same hours come along because only
    they tell whether one note failed, or one provider's, or all.
    """
    entries = LogEntry.objects.filter(facility_id=note.facility_id, integration_id=note.integration_id, log=log)
    if not entries.exists():
        return None
    own = _own(note)
    ends = LogEntry.objects.filter(facility_id=note.facility_id, integration_id=note.integration_id).filter(own)
    span = ends.aggregate(first=Min("at"), last=Max("at"))
    first = span["first"] or note.generated_at or note.created_at
    last = span["last"] or first
    around = Q(at__gte=first - BEFORE, at__lte=last + AFTER)
    near = entries.filter(around).order_by("at", "position", "id")[:MOST_ROWS]
    found = {entry.pk: entry for entry in [*near, *entries.filter(own)[:MOST_ROWS]]}
    in_order = sorted(found.values(), key=lambda entry: (entry.at, entry.position, entry.pk))
    return tuple(entry.sealed for entry in in_order)


def _own(note: Note) -> Q:
    own = Q(note_hash=bytes(note.external_hash))
    if note.transaction_hash:
        own |= Q(transaction_hash=bytes(note.transaction_hash))
    if note.encounter_hash:
        own |= Q(encounter_hash=bytes(note.encounter_hash))
    return own


def entry_of(
    facility_id: uuid.UUID,
    integration: Integration | None,
    log: str,
    row: Mapping[str, Any],
    *,
    entry_id: uuid.UUID | None = None,
    position: int = 0,
) -> LogEntry:
    """Give the entry of a row, not stored yet.

    An id of the caller's lets him tell the same row when it comes again; ids of ours keep the order of equal times by
    themselves, others need the line as `position`.
    """
    ring = keyring(facility_id)

    def hashed(key: str, kind: str) -> bytes | None:
        value = row.get(key)
        return ring.hash(str(value), kind) if value else None

    status = row.get("status")
    return LogEntry(
        id=entry_id or new_id(),
        at=_at(row["at"]),
        facility_id=facility_id,
        integration=integration,
        log=log,
        event=str(row.get("event") or row.get("action") or "")[:16],
        status=status if isinstance(status, int) and 0 <= status < 1000 else None,
        ack=str(row.get("ack") or "")[:2],
        signature=mask(str(row.get("error") or "")),
        note_hash=hashed("note_id", "note"),
        transaction_hash=hashed("transaction_id", "transaction"),
        request_hash=hashed("request_id", "request"),
        encounter_hash=hashed("encounter_id", "encounter"),
        position=position,
        sealed=_plain(row),
    )


def _flush(batch: list[LogEntry]) -> int:
    if not batch:
        return 0
    ensure_days(entry.at.astimezone(UTC).date() for entry in batch)
    LogEntry.objects.bulk_create(batch)
    count = len(batch)
    batch.clear()
    return count


def _at(value: Any) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in row.items()}


def mask(error: str) -> str:
    """Reduce an error text to what every occurrence has in common: strange words, ids and numbers are masked.

    What is left is indexed in the clear, so it may hold only words of which errors are made: a server that repeats a
    patient's name or a sentence of the note leaves none of them here.
    """
    text = error[:2000]
    for pattern, instead in _MASKS:
        text = pattern.sub(instead, text)
    text = _WORDS.sub(lambda m: m[0] if m[0][0] == "<" or _known(m[0]) else "<w>", text)
    return text.strip()[:300]


def _known(text: str) -> bool:
    known = vocabulary()
    return all(word.lower() in known for word in _LETTERS.findall(text))
