"""The typed pass and the careful one agree: what the first vouches for, the second reads alike."""

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from console.notes.fast_lines import fast_reader
from console.notes.log_lines import ACKS, ACTIONS, EPOCH, EVENTS, BadLine, micros, read_line

LATEST = datetime(2026, 11, 25, tzinfo=UTC)
READERS = {log: fast_reader(log, LATEST) for log in ("scribe", "ehr", "firewall", "proxy")}
KEYS = ("note_id", "transaction_id", "request_id", "encounter_id", "patient_id", "provider_id", "site", "method", "url",
        "status", "ack", "ack_id", "latency_ms", "attempt", "expires_in", "error", "content_type", "response_headers",
        "fields", "change", "scope", "client_id", "resource", "author_id", "resourceType", "source", "destination",
        "port", "result", "client", "made_up")  # fmt: skip

texts = some.one_of(
    some.text(max_size=12),
    some.sampled_from(
        ("N-1", "Encounter/E-1", " ", "", "\x00", "\u2028", "\ud800", "x" * 81, "x" * 201, "201", "current")
    ),
)
values: some.SearchStrategy[Any] = some.recursive(
    some.one_of(
        some.none(),
        some.booleans(),
        some.integers(-5, 1200),
        some.integers(),
        some.floats(),
        texts,
        some.sampled_from((*ACKS, "aa", "AuditEvent", 201, 2.0, 10**400)),
    ),
    lambda inner: some.one_of(
        some.lists(inner, max_size=3), some.dictionaries(some.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
moments = some.one_of(
    some.datetimes(timezones=some.just(UTC)).map(datetime.isoformat),
    some.sampled_from((
        "2026-11-20T09:00:00Z", "2026-11-20T09:00:00.123456789+00:00", "20261120T090000-0600", "2026-11-20T09:00:00",
        " 2026-11-20T09:00:00Z ", "2026-11-20", "1999-12-31T23:59:59Z", "2026-11-26T00:00:00Z", "yesterday", "",
        "0001-01-01T00:00:00+14:00", "2026-03-08T02:30:00",
    )),
)  # fmt: skip
events = some.sampled_from((*EVENTS["scribe"], *EVENTS["ehr"], *ACTIONS, " Sent ", "FILED", "", "other", 3, None))
rows = some.fixed_dictionaries(
    {"at": moments}, optional={"event": events, "action": events, **dict.fromkeys(KEYS, values)}
)


def both(log: str, line: bytes) -> None:
    fast = READERS[log](line)
    try:
        slow = read_line(line, log=log, zone=ZoneInfo("America/Chicago"), latest=LATEST)
    except BadLine:
        assert fast is None, "the careful pass refuses what the typed one took"
        return
    if fast is not None:
        assert slow == [fast]
        assert fast[0] == json.loads(line)


@settings(max_examples=600)
@given(log=some.sampled_from(tuple(READERS)), row=rows, ascii=some.booleans())
def test_what_the_typed_pass_takes_the_careful_one_reads_alike(log, row, ascii) -> None:
    both(log, json.dumps(row, ensure_ascii=ascii).encode("utf-8", "surrogatepass"))


@settings(max_examples=300)
@given(log=some.sampled_from(tuple(READERS)), row=rows, cut=some.integers(0, 200), put=some.binary(max_size=3))
def test_damaged_lines_too(log, row, cut, put) -> None:
    line = json.dumps(row).encode()
    both(log, line[:cut] + put + line[cut:])
    both(log, line[:cut])


@pytest.mark.parametrize(
    ("log", "line"),
    [
        ("scribe", {"event": "sent", "note_id": "N-1", "status": 201, "response_headers": {"a": "b"}}),
        ("scribe", {"event": "acked", "ack": "AA", "latency_ms": 12.5, "attempt": 1, "made_up": [1, None]}),
        ("scribe", {"event": "failed", "error": "a\u2028b", "note_id": 17, "scope": ["a", "b"]}),
        ("ehr", {"event": "filed", "status": "current", "fields": {"HPI": "x"}, "client_id": "scribe"}),
        ("firewall", {"action": "drop", "source": "203.0.113.7", "port": 443}),
        ("proxy", {"method": "CONNECT", "url": "ehr.example:443", "status": 407, "client": "192.0.2.1"}),
    ],
)
def test_ordinary_lines_need_no_second_look(log, line) -> None:
    raw = json.dumps({"at": "2026-11-20T09:00:00.5+01:00", **line}).encode()
    fast = READERS[log](raw)
    assert fast is not None
    assert fast[1] == micros(datetime(2026, 11, 20, 8, 0, 0, 500_000, tzinfo=UTC))
    both(log, raw)


def test_microseconds_are_counted_as_postgresql_counts_them() -> None:
    assert micros(EPOCH) == 0
    assert micros(datetime(2026, 11, 20, 9, 0, 0, 1, tzinfo=UTC)) == 848_480_400_000_001
