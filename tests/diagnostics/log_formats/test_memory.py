"""Fifty megabytes stream through in flat memory, also where one line or element is all of it."""

import gzip
import tracemalloc
from collections.abc import Iterable, Iterator
from io import BytesIO, RawIOBase
from itertools import chain, repeat
from typing import BinaryIO, cast

import pytest

from diagnostics.parsing.log_formats import Line, ndjson_chunks, open_stream, read
from tests.diagnostics.log_formats.samples import ATNA, CSV, EVENTS, MIRTH, NACK, NDJSON, NOW, SQUID

MB = 1024 * 1024
FIFTY = 50 * MB
MOST = 8 * MB
_FILL = b"x" * 65_536
PADDED = NDJSON[:-1] + b" " * 1000 + b"\n"
_CLOSE = b"</raw></connectorMessage>"


class Made(RawIOBase):
    """A stream made while it is read."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self._parts = iter(parts)
        self._held = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        assert size is not None and size > 0
        if not self._held:
            self._held = next(self._parts, b"")
        given, self._held = self._held[:size], self._held[size:]
        return given


def giant(before: bytes, after: bytes, filling: bytes = _FILL) -> Iterator[bytes]:
    return chain([before], repeat(filling, FIFTY // len(filling)), [after])


STREAMS = {
    "short lines": ("scribe", "ndjson", lambda: repeat(PADDED, FIFTY // len(PADDED)), None, 0),
    "a line": ("scribe", "ndjson", lambda: giant(b'{"error": "', b'"}\n' + NDJSON), 2, 1),
    "a record": ("scribe", "csv", lambda: giant(CSV + b'"', b'"\n'), 3, 1),
    "an open quote": ("scribe", "csv", lambda: giant(CSV + b'2026,"', b"\n", b"y" * 99_999 + b"\n"), None, None),
    "a Bundle's entry": ("ehr", "audit_events", lambda: giant(
        b'{"entry": [{"a": "', b'"},' + EVENTS[:-1] + b"]}"), 3, 1),
    "an event without quotes": ("ehr", "audit_events", lambda: giant(b'[{"a": ', b"}]"), 1, 1),
    "brackets": ("ehr", "audit_events", lambda: giant(b"", b"", (b"[" + b" " * 511) * 128), None, None),
    "an audit message": ("ehr", "atna", lambda: giant(b"<AuditMessage a='", b"'/></AuditMessage>" + ATNA), 2, 1),
    "what is no audit message": ("ehr", "atna", lambda: giant(b"", b"\n" + ATNA), 2, 1),
    "a document in a message": ("scribe", "mirth", lambda: giant(
        b"<list>" + MIRTH[: MIRTH.index(b"</content>")], MIRTH[MIRTH.index(b"</content>") :]), 3, 0),
    "tags in a message": ("scribe", "mirth", lambda: giant(
        b"<connectorMessage><raw>", _CLOSE + MIRTH, (b"<x/>" + b" " * 508) * 128), 4, 1),
    "a message": ("scribe", "hl7_acks", lambda: giant(NACK, b"\r" + NACK), 2, 1),
    "an access line": ("proxy", "squid", lambda: giant(SQUID, b"\n" + SQUID), 3, 1),
}  # fmt: skip


@pytest.mark.parametrize("name", STREAMS)
def test_memory_does_not_grow_with_the_log(name: str) -> None:
    log, format, parts, wanted, bad = STREAMS[name]
    tracemalloc.start()
    try:
        source = read(open_stream(cast(BinaryIO, Made(parts()))), log=log, format=format, now=NOW)
        count = problems = longest = 0
        last: Line | None = None
        for last in source:
            count += 1
            problems += last.problem is not None
            longest = max(longest, len(last.raw))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MOST
    assert longest <= MB + 4096
    assert last is not None and last.end > FIFTY * 0.9
    if wanted is not None:
        assert (count, problems) == (wanted, bad)


def test_a_line_of_fifty_megabytes_stands_alone_in_its_chunk_with_its_length() -> None:
    chunks = ndjson_chunks(cast(BinaryIO, Made(giant(NDJSON + b'{"x": "', b'"}\n' + NDJSON))))
    found = [(number, len(lines), getattr(lines[0], "length", 0), len(lines[0])) for number, lines, _ in chunks]
    assert found == [(1, 1, 0, len(NDJSON) - 1), (2, 1, FIFTY + 9, 4096), (3, 1, 0, len(NDJSON) - 1)]


def test_a_small_gzip_that_unpacks_to_much_stays_small() -> None:
    packed = BytesIO(gzip.compress(NDJSON * (FIFTY // len(NDJSON)), compresslevel=1))
    tracemalloc.start()
    try:
        lines = sum(len(lines) for _, lines, _ in ndjson_chunks(open_stream(packed)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert lines == FIFTY // len(NDJSON)
    assert peak < MOST
