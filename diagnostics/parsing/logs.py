"""Read log rows of both systems and of the network's devices: text → rows → typed rows. Pure.

Rows are NDJSON as the public contract spells them; they end at a line feed only, because other separators may
stand inside a text. FHIR `AuditEvent` (R4, NDJSON or Bundle) is read as EHR rows. Unknown keys are kept and
ignored.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from diagnostics.errors import CaseError
from diagnostics.evidence.logs import EhrRow, FirewallRow, ProxyRow, ScribeRow
from diagnostics.parsing.ack import read_ack
from diagnostics.parsing.audit_event import audit_event_rows

Row = Mapping[str, Any]
_NEEDED = {"scribe": ("at", "event"), "ehr": ("at", "event"), "firewall": ("at", "action"), "proxy": ("at",)}


def read_file(raw: bytes, kind: str, name: str) -> tuple[Row, ...]:
    """Return the rows of one log file; raise CaseError naming the line that cannot be read."""
    text = _text(raw, name)
    whole = _bundle(text) if kind == "ehr" else None
    if whole is not None:
        return tuple(audit_event_rows(whole))
    rows: list[Row] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        row = _row(line, kind, name, number)
        if kind == "ehr" and row.get("resourceType") == "AuditEvent":
            rows.extend(audit_event_rows(row))
            continue
        check_row(row, kind, name, f"line {number}")
        rows.append(row)
    return tuple(rows)


def _text(raw: bytes, name: str) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise CaseError(name, f"line {line}", "is not UTF-8 text") from None


def _bundle(text: str) -> Row | None:
    head = text.lstrip()[:4096]
    if not head.startswith("{") or '"resourceType"' not in head:
        return None
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return whole if isinstance(whole, dict) and whole.get("resourceType") in ("Bundle", "AuditEvent") else None


def _row(line: str, kind: str, name: str, number: int) -> Row:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        raise CaseError(name, f"line {number}", "expected one JSON object a line") from None
    if not isinstance(row, dict):
        raise CaseError(name, f"line {number}", "expected a JSON object")
    return row


def check_row(row: Row, kind: str, name: str, where: str) -> None:
    """Raise CaseError where a row lacks what every row of its log must have."""
    for key in _NEEDED[kind]:
        if not isinstance(row.get(key), str) or not row[key]:
            expected = "ISO 8601 time with its UTC offset" if key == "at" else "a word such as 'sent'"
            raise CaseError(name, f"{where}: {key}", f"expected {expected}")
    try:
        moment(str(row["at"]))
    except ValueError:
        raise CaseError(name, f"{where}: at", "expected an ISO 8601 time with its UTC offset, 1970 to 2199") from None


YEARS = range(1970, 2200)
"""The years a log or a snapshot may speak of; beside them, time windows could not be computed."""


def moment(text: str) -> datetime:
    """Return an aware datetime; raise ValueError for anything without an offset (section 5, time traps)."""
    value = datetime.fromisoformat(text.strip())
    if value.tzinfo is None:
        raise ValueError("no UTC offset")
    if value.year not in YEARS:
        raise ValueError("no year a log could be from")
    return value


def scribe_rows(rows: Iterable[Row]) -> tuple[ScribeRow, ...]:
    """Type the scribe's rows and put them in time order (stable: equal times keep the file's order)."""
    return tuple(sorted((_scribe(row) for row in rows), key=lambda row: row.at))


def ehr_rows(rows: Iterable[Row]) -> tuple[EhrRow, ...]:
    """Type the EHR's rows and put them in time order."""
    return tuple(sorted((_ehr(row) for row in rows), key=lambda row: row.at))


def firewall_rows(rows: Iterable[Row]) -> tuple[FirewallRow, ...]:
    """Type the firewall's rows and put them in time order."""
    typed = (
        FirewallRow(
            at=moment(str(row["at"])),
            action=str(row["action"]).lower(),
            source=_string(row.get("source")),
            destination=_string(row.get("destination")),
            port=_whole(row.get("port")),
        )
        for row in rows
    )
    return tuple(sorted(typed, key=lambda row: row.at))


def proxy_rows(rows: Iterable[Row]) -> tuple[ProxyRow, ...]:
    """Type the proxy's rows and put them in time order."""
    typed = (
        ProxyRow(
            at=moment(str(row["at"])),
            method=_string(row.get("method")),
            url=_string(row.get("url")),
            status=_whole(row.get("status")),
            result=_string(row.get("result")),
            client=_string(row.get("client")),
        )
        for row in rows
    )
    return tuple(sorted(typed, key=lambda row: row.at))


_SCRIBE_TEXT = (
    "note_id",
    "transaction_id",
    "request_id",
    "encounter_id",
    "patient_id",
    "provider_id",
    "site",
    "method",
    "url",
    "ack",
    "ack_id",
    "content_type",
    "scope",
    "token_id",
)
_EHR_TEXT = (
    "transaction_id",
    "request_id",
    "client_id",
    "resource",
    "encounter_id",
    "patient_id",
    "author_id",
    "ack",
)
_SCRIBE_OTHER = ("at", "event", "status", "latency_ms", "attempt", "error", "response_headers", "expires_in")
_EHR_OTHER = ("at", "event", "status", "error", "fields", "change")


def _scribe(row: Row) -> ScribeRow:
    told = read_ack(_body(row.get("error")) or "") if not row.get("ack") else None
    if told is not None and told.code:  # the acknowledgement itself was logged, not its code
        row = {**row, "ack": told.code, "ack_id": row.get("ack_id") or told.control_id}
    return ScribeRow(
        at=moment(str(row["at"])),
        event=str(row["event"]).strip().lower(),
        status=_whole(row.get("status")),
        latency_ms=_number(row.get("latency_ms")),
        attempt=_whole(row.get("attempt")),
        error=_body(row.get("error")),
        response_headers=_headers(row.get("response_headers")),
        expires_in=_number(row.get("expires_in")),
        extra={k: v for k, v in row.items() if k not in _SCRIBE_TEXT and k not in _SCRIBE_OTHER},
        **{key: _string(row.get(key)) for key in _SCRIBE_TEXT},
    )


def _ehr(row: Row) -> EhrRow:
    status = row.get("status")
    number = _whole(status)
    fields = row.get("fields")
    change = row.get("change")
    return EhrRow(
        at=moment(str(row["at"])),
        event=str(row["event"]).strip().lower(),
        status=number if number is not None else _string(status),
        error=_body(row.get("error")),
        fields={str(k): "" if v is None else str(v) for k, v in fields.items()} if isinstance(fields, dict) else None,
        change=change if isinstance(change, dict) else None,
        extra={k: v for k, v in row.items() if k not in _EHR_TEXT and k not in _EHR_OTHER},
        **{key: _string(row.get(key)) for key in _EHR_TEXT},
    )


def _string(value: Any) -> str | None:
    if value is None or value == "":
        return None
    return value if isinstance(value, str) else str(value)


def _whole(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit() and len(value.strip()) < 10:
        return int(value)
    return None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if number == number and abs(number) < 1e15 else None


def _body(value: Any) -> str | None:
    """Return an error as text; a whole body may have been logged as a JSON object."""
    if value is None or value == "":
        return None
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _headers(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {
        str(name).lower(): ", ".join(map(str, text)) if isinstance(text, list) else str(text)
        for name, text in value.items()
    }
