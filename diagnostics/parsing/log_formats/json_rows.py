"""Read rows out of JSON documents: FHIR AuditEvents (Bundle, array, NDJSON), and rows of the contract in an array."""

import codecs
import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from diagnostics.parsing.audit_event import NoRow, event_row
from diagnostics.parsing.log_formats.json_elements import elements
from diagnostics.parsing.log_formats.pieces import Line, Odd, Reading, Row, fill, lines_of, text_of

_HEAD = 64 * 1024
DEEPEST = 64


def read_audit_events(stream: BinaryIO, reading: Reading) -> Iterator[Line]:
    """Yield a line for every AuditEvent; rows of the contract may stand between them, as in a log of both."""
    head = fill(stream, _HEAD)
    pieces = elements(stream, lines=is_ndjson(head), before=head)
    return lines_of(pieces, _event, reading.start)


def read_array(stream: BinaryIO, reading: Reading) -> Iterator[Line]:
    """Yield a line for every row of a JSON array, or of objects one after another that each span several lines."""
    return lines_of(elements(stream, lines=False), _plain, reading.start)


def is_ndjson(head: bytes) -> bool:
    """Tell whether a beginning shows one object a line: a whole one stands in one line of its own."""
    first, *others = head.removeprefix(codecs.BOM_UTF8).split(b"\n")
    others = [first, *others[:-1]] if others else [first] if len(head) < _HEAD else []
    return any(
        line[:1] == b"{" and line.rstrip()[-1:] == b"}" and _parsed(line) is not None and b'"' in line
        for line in others[:20]
    )


def _parsed(raw: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _object(raw: bytes) -> Row:
    try:
        value = json.loads(text_of(raw), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Odd("is not JSON") from None
    if not isinstance(value, dict):
        raise Odd("is not a JSON object")
    return value


def _plain(raw: bytes) -> list[Row]:
    row = _object(raw)
    if _deep(row):
        raise Odd("is nested too deeply")
    return [row]


def _event(raw: bytes) -> list[Row]:
    value = _object(raw)
    if "resourceType" not in value and isinstance(value.get("resource"), dict):
        value = value["resource"]  # an entry of a Bundle
    if "resourceType" not in value and "event" in value:
        return _plain(raw)
    if value.get("resourceType") == "Bundle" and not value.get("entry"):
        return []  # a page without a match
    try:
        return [event_row(value)]
    except NoRow as reason:
        raise Odd(str(reason)) from None


def _deep(value: Any) -> bool:
    level, depth = [value], 0
    while level := [each for each in level if isinstance(each, dict | list)]:
        depth += 1
        if depth > DEEPEST:
            return True
        level = [inner for each in level for inner in (each.values() if isinstance(each, dict) else each)]
    return False


def _no_constant(name: str) -> None:
    raise ValueError(name)
