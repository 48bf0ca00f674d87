"""Check one line of a log as it came from outside: a row of the public contract, or a plain reason why it is none.

Pure: no database, no clock. Reasons name keys and expectations, never a value, so that they may be shown and logged.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from diagnostics.parsing.audit_event import audit_event_rows
from diagnostics.parsing.log_formats.pieces import LONGEST_LINE_BYTES

DEEPEST = 64
EPOCH = EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
EVENTS = {
    "scribe": ("generated", "packaged", "token", "sent", "acked", "failed", "queued"),
    "ehr": ("received", "accepted", "rejected", "filed", "token", "change"),
}
_MICROSECOND = timedelta(microseconds=1)
ACTIONS = ("allow", "drop", "deny", "reset")
ACKS = ("AA", "AE", "AR", "CA", "CE", "CR")
# Most characters of what becomes a hash or a column of its own; everything else may be as long as the line.
_LONGEST = {
    "note_id": 200,
    "transaction_id": 200,
    "request_id": 200,
    "encounter_id": 200,
    "patient_id": 200,
    "provider_id": 80,
}
_TEXTS = (*_LONGEST, "site", "method", "url", "ack_id", "content_type", "token_id", "client_id", "resource",
          "author_id")  # fmt: skip
_NUMBERS = ("latency_ms", "attempt", "expires_in")
_OBJECTS = ("response_headers", "fields", "change")
_OF_DEVICES = {"firewall": ("source", "destination"), "proxy": ("method", "url", "result", "client")}

Row = dict[str, Any]
Checked = tuple[Row, int]  # a row, and its time in microseconds since EPOCH


class BadLine(Exception):
    """A line that is no row; the message says why and holds nothing of the line."""


def read_line(line: bytes | str, *, log: str, zone: ZoneInfo | None, latest: datetime) -> list[Checked]:
    """Give the rows of one line: one as a rule, several for a bundle of audit events, each `at` with its offset.

    `zone` is where times without an offset belong; None refuses them. `latest` is the last plausible time.
    """
    row = _parse(_decoded(line))
    if log == "ehr" and row.get("resourceType") in ("AuditEvent", "Bundle"):
        rows = [dict(each) for each in audit_event_rows(row)]
        if not rows:
            raise BadLine("holds no AuditEvent with a usable time")
    else:
        rows = [row]
    return [(each, check_row(each, log=log, zone=zone, latest=latest)) for each in rows]


def check_row(row: Row, *, log: str, zone: ZoneInfo | None, latest: datetime) -> int:
    """Check a row that was read already, bring its words into their one spelling, and give its time."""
    _check(row, log)
    moment = _moment(row["at"], zone, latest)
    text = row["at"].strip()
    row["at"] = text if datetime.fromisoformat(text).tzinfo is not None else moment.isoformat()
    return micros(moment)


def micros(moment: datetime) -> int:
    """Give a time as PostgreSQL stores it: microseconds since the year 2000."""
    return (moment - EPOCH) // _MICROSECOND


def _decoded(line: bytes | str) -> str:
    if len(line) > LONGEST_LINE_BYTES:
        raise BadLine(f"is longer than 1 MB ({len(line):,} bytes)")
    if isinstance(line, bytes):
        try:
            line = line.decode("utf-8")
        except UnicodeDecodeError:
            raise BadLine("is not UTF-8 text") from None
    if "\x00" in line:
        raise BadLine("holds a NUL character")
    return line


def _parse(text: str) -> Row:
    try:
        row = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise BadLine("is not JSON: expected one object a line") from None
    if not isinstance(row, dict):
        raise BadLine("is not a JSON object")
    if text.count("[") + text.count("{") > DEEPEST and _depth(row) > DEEPEST:
        raise BadLine("is nested too deeply")
    if "\\u" in text:  # only an escape can bring in what UTF-8 text cannot hold
        try:
            json.dumps(row, ensure_ascii=False).encode()
        except ValueError:
            raise BadLine("holds half a character (a lone surrogate)") from None
        if any("\x00" in each for each in _texts_in(row)):
            raise BadLine("holds a NUL character")
    return row


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _texts_in(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, dict):
            waiting += [*each.keys(), *each.values()]
        elif isinstance(each, list):
            waiting += each


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level := [each for each in level if isinstance(each, dict | list)]:
        depth += 1
        level = [inner for each in level for inner in (each.values() if isinstance(each, dict) else each)]
    return depth


def _check(row: Row, log: str) -> None:
    _word(row, "at", None)
    if log != "proxy":
        _word(row, *(("action", ACTIONS) if log == "firewall" else ("event", EVENTS[log])))
    for key in _OF_DEVICES.get(log, _TEXTS):
        value = row.get(key)
        if isinstance(value, bool | dict | list):
            raise BadLine(f"{key} is not text")
        if value is not None and len(str(value)) > _LONGEST.get(key, LONGEST_LINE_BYTES):
            raise BadLine(f"{key} is longer than {_LONGEST[key]} characters")
    if log == "firewall":
        _check_number(row, "port")
        return
    _check_status(row, named=log == "ehr")
    if log == "proxy":
        return
    _check_ack(row)
    for key in _NUMBERS:
        _check_number(row, key)
    for key in _OBJECTS:
        if row.get(key) is not None and not isinstance(row[key], dict):
            raise BadLine(f"{key} is not an object")
    if isinstance(row.get("scope"), bool | int | float | dict):
        raise BadLine("scope is not text")


def _word(row: Row, key: str, known: tuple[str, ...] | None) -> None:
    """Check a word that every row must have, and bring it into small letters where only some are known."""
    value = row.get(key)
    if not isinstance(value, str) or not value.strip():
        raise BadLine(f"{key} is missing" if value in (None, "") else f"{key} is not text")
    if known is not None:
        row[key] = value.strip().lower()
        if row[key] not in known:
            raise BadLine(f"{key} is none of {', '.join(known)}")


def _check_status(row: Row, *, named: bool) -> None:
    """Check an HTTP status; an EHR may write the status of its resource there (`named`)."""
    status = row.get("status")
    if isinstance(status, str) and status.strip().isascii() and status.strip().isdigit() and len(status.strip()) < 10:
        row["status"] = status = int(status)
    if named and isinstance(status, str):
        return
    whole = isinstance(status, int) and not isinstance(status, bool)
    if status not in (None, "") and not (whole and 0 <= status < 1000):
        raise BadLine("status is no HTTP status")


def _check_ack(row: Row) -> None:
    ack = row.get("ack")
    if ack not in (None, ""):
        if not isinstance(ack, str) or ack.strip().upper() not in ACKS:
            raise BadLine(f"ack is none of {', '.join(ACKS)}")
        row["ack"] = ack.strip().upper()


def _check_number(row: Row, key: str) -> None:
    if row.get(key) is not None and not _is_number(row[key]):
        raise BadLine(f"{key} is not a number")


def _is_number(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    try:
        float(value)
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def _moment(text: str, zone: ZoneInfo | None, latest: datetime) -> datetime:
    try:
        value = datetime.fromisoformat(text.strip())
    except ValueError:
        raise BadLine("at is not an ISO 8601 time") from None
    if value.tzinfo is None:
        if zone is None:
            raise BadLine("at has no UTC offset, and the source names no time zone")
        local, value = value, value.replace(tzinfo=zone)
        if value.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local:
            raise BadLine("at does not exist in the source's time zone: the clocks went forward")
    try:
        value.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadLine("at is not a plausible time") from None
    if value < EARLIEST:
        raise BadLine("at lies before the year 2000")
    if value > latest:
        raise BadLine("at lies more than a day in the future")
    return value
