"""Turn log rows into what PostgreSQL's binary COPY takes: ids hashed, the row sealed, the error's text masked.

Layout of a tuple (PostgreSQL manual, COPY, "Binary Format"): number of columns (int16), then each column as its length
(int32, -1 for NULL) and its bytes. A time is microseconds since the year 2000 (int64).
"""

import hashlib
import json
import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from struct import Struct
from typing import Any

import msgspec

from console.notes.log_lines import Row
from console.notes.masking import mask
from console.shared.identifiers import new_id
from console.shared.sealing import Keyring
from diagnostics.tracing.compact import compact

HEADER, TRAILER = b"PGCOPY\n\xff\r\n\0" + b"\0" * 8, b"\xff\xff"
ENTRY_COLUMNS = (
    "facility_id", "integration_id", "source_id", "log", "event", "id", "at", "status", "ack", "signature",
    "note_hash", "transaction_hash", "request_hash", "encounter_hash", "patient_hash", "author_hash", "document_hash",
    "content_hash", "what", "origin", "attempt", "position", "sealed", "batch",
)  # fmt: skip
LINE_COLUMNS = ("facility_id", "log_import_id", "id", "number", "reason", "line")
MOST_POSITION = 2**31 - 1
_KEPT = 20_000  # rows of one note lie near one another; more would only fill memory
_LONGEST_WORD = 80
_VERSION_0, _VERSION_8 = ~(0xF << 76) & ~(0x3 << 62), 0x8 << 76 | 0x2 << 62  # RFC 9562, section 5.8
_NULL = b"\xff\xff\xff\xff"
_LENGTH, _INT2, _INT4, _INT8, _COUNT = Struct(">i"), Struct(">ih"), Struct(">ii"), Struct(">iq"), Struct(">h")
_KEY, _EMPTY = Struct(">i16siq"), _LENGTH.pack(0)
_UUID = _LENGTH.pack(16)
_encode = msgspec.json.Encoder(order="deterministic").encode


Entry = tuple[int, bytes, bytes]
"""A row ready for COPY, all but its batch: its time and id, which are its primary key, and its bytes."""
Pack = Callable[[Row, int, int], Entry]
PackNew = Callable[[Mapping[str, Any], int], Entry]


def packers(
    ring: Keyring, log: str, *, integration: uuid.UUID | None, source: uuid.UUID | None = None
) -> tuple[Pack, PackNew]:
    """Give the two ways to pack rows of one log of one source (or of an integration where no source told them).

    The first takes (a checked row, its time, its line) and gives it the id that this very row always gets; the row is
    used up. The second takes (row, time) of a row that nobody will send again; its id keeps the order of equal times.
    Everything that is the same for all rows is made once, here: this runs for every row of every log.
    """
    head = _COUNT.pack(len(ENTRY_COLUMNS)) + _uuid(ring.facility) + _uuid(integration) + _uuid(source) + _text(log)
    note, transaction, request, encounter, patient, author, document, content = (
        _hasher(ring, kind)
        for kind in ("note", "transaction", "request", "encounter", "patient", "author", "document", "content")
    )
    seal, key, length = ring.sealer("notes_logentry", "sealed"), _KEY.pack, _LENGTH.pack
    same = hashlib.blake2b(key=ring.hash_key, digest_size=16, person=b"notetrace-row")
    same.update((source.bytes if source else b"") + log.encode() + b"\0")
    words, numbers = _Words(), _Numbers()

    def packed(row: Row, told: Any, body: bytes, at: int, entry_id: bytes, position: int) -> Entry:
        what, of_transaction, of_document, of_content, of_author, origin, attempt = compact(log, row)
        get = row.get
        status, ack, error = get("status"), get("ack"), get("error")
        note_id, request_id, encounter_id, patient_id = (
            get("note_id"), get("request_id"), get("encounter_id"), get("patient_id"),
        )  # fmt: skip
        clear = b'{"at":' + _encode(told) + (b"," + body[1:] if len(body) > 2 else b"}")
        sealed = seal(clear, entry_id)
        return at, entry_id, b"".join((
            head,
            words[get("event") or get("action") or ""],
            key(16, entry_id, 8, at),
            numbers[status] if type(status) is int and 0 <= status < 1000 else _NULL,
            words[ack] if ack else _EMPTY,
            _text(mask(str(error))) if error else _EMPTY,
            note(note_id) if note_id else _NULL,
            transaction(of_transaction) if of_transaction else _NULL,
            request(request_id) if request_id else _NULL,
            encounter(encounter_id) if encounter_id else _NULL,
            patient(patient_id) if patient_id else _NULL,
            author(of_author) if of_author else _NULL,
            document(of_document) if of_document else _NULL,
            content(of_content) if of_content else _NULL,
            numbers[what],
            words[origin],
            _NULL if attempt is None else numbers[attempt],
            _INT4.pack(4, position if position < MOST_POSITION else MOST_POSITION),
            length(len(sealed)),
            sealed,
        ))  # fmt: skip

    def pack(row: Row, at: int, position: int) -> Entry:
        told = row.pop("at")
        body = _json(row)
        digest = same.copy()
        digest.update(at.to_bytes(8, "big") + body)
        number = int.from_bytes(digest.digest(), "big") & _VERSION_0 | _VERSION_8
        return packed(row, told, body, at, number.to_bytes(16, "big"), position)

    def pack_new(row: Mapping[str, Any], at: int) -> Entry:
        plain = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}
        told = plain.pop("at")
        return packed(plain, told, _json(plain), at, new_id().bytes, 0)

    return pack, pack_new


class _Words(dict[Any, bytes]):
    """Remember how short words are packed: events, answers and sites are few."""

    def __missing__(self, word: Any) -> bytes:
        if len(self) > _KEPT:
            self.clear()
        packed = self[word] = _text(str(word)[:_LONGEST_WORD])
        return packed


class _Numbers(dict[int, bytes]):
    """Remember how small numbers are packed."""

    def __missing__(self, number: int) -> bytes:
        packed = self[number] = _INT2.pack(2, number)
        return packed


def entries_of(entries: Iterable[Entry], batch: int) -> bytes:
    """Give the COPY stream of packed rows as rows of one batch."""
    end = _INT8.pack(8, batch)
    return HEADER + b"".join([part for _, _, packed in entries for part in (packed, end)]) + TRAILER


def lines_of(ring: Keyring, log_import: uuid.UUID, lines: Iterable[tuple[int, str, bytes]]) -> bytes:
    """Give the COPY stream of lines that are set aside: (number, reason, the line as it came)."""
    head = _COUNT.pack(len(LINE_COLUMNS)) + _uuid(ring.facility) + _uuid(log_import)
    seal = ring.sealer("notes_quarantinedline", "line")
    parts = [HEADER]
    for number, reason, line in lines:
        row_id = new_id().bytes
        sealed = seal(line, row_id)
        parts += (head, _UUID, row_id, _INT4.pack(4, min(number, MOST_POSITION)), _text(reason[:200]))
        parts += (_LENGTH.pack(len(sealed)), sealed)
    return b"".join([*parts, TRAILER])


def _json(row: Row) -> bytes:
    """Write a row so that the same row is the same bytes, whatever the order of its keys."""
    try:
        return _encode(row)
    except (OverflowError, RecursionError, TypeError):
        return json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str).encode()


def _hasher(ring: Keyring, kind: str) -> Callable[[Any], bytes]:
    """Give a function that packs the hash of an id, and remembers the last ones."""
    kept: dict[str, bytes] = {}
    digest, head = ring.hasher(kind), _LENGTH.pack(20)

    def packed(value: Any) -> bytes:
        if type(value) is not str:
            value = str(value)
        found = kept.get(value)
        if found is None:
            if len(kept) > _KEPT:
                kept.clear()
            found = kept[value] = head + digest(value) if not value.isspace() else _NULL
        return found

    return packed


def _uuid(value: uuid.UUID | None) -> bytes:
    return _NULL if value is None else _UUID + value.bytes


def _text(value: str) -> bytes:
    data = value.encode()
    return _LENGTH.pack(len(data)) + data
