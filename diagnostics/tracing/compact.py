"""Reduce a log row to what correlation asks of it: a small number for what it says, and the ids that join it. Pure.

A store keeps this beside the sealed row, so that correlating a million notes opens none of them. `what` is a code in
the low six bits with flags above; the numbers are stored and stay as they are.
"""

import json
from collections.abc import Mapping
from enum import IntEnum
from typing import Any, NamedTuple

from diagnostics.evidence.logs import ScribeRow
from diagnostics.parsing.logs import scribe_rows
from diagnostics.remembering import remembered
from diagnostics.tracing.attempts import outcome, refuses_token
from diagnostics.tracing.content import plain_fields

CODE = 63
PENDING = 64  # the answer or the EHR's row says that the note was queued, not filed
FAILED = 128  # the scribe's event was `failed`, which may answer a token request
OF_A_WRITE = 256  # it names method and transaction: a failed write, not a failed token request
ALONE = 512  # an answer that tells of an attempt even where its `sent` row is not at hand
OPEN = 1024  # a refusal behind which the note may have arrived all the same: a server's or gateway's fault, a conflict


class What(IntEnum):
    """Say what a row tells, in the numbers that are stored."""

    OTHER = 0
    GENERATED = 1
    PACKAGED = 2
    QUEUED = 3
    TOKEN_GRANTED = 4
    TOKEN_REFUSED = 5
    SENT = 7
    READ = 8  # a request that only looked something up
    ACCEPTED = 9
    REJECTED = 11
    UNREACHED = 12
    LOST = 13
    EHR_RECEIVED = 20
    EHR_ACCEPTED = 21
    EHR_REJECTED = 22
    EHR_FILED = 23
    EHR_OTHER = 25


class Compact(NamedTuple):
    """Be what is kept of a row beside its ids: `what`, and the ids in the clear, for whoever hashes them."""

    what: int
    transaction: str | None
    document: str | None
    content: str | None
    author: str | None
    origin: str
    attempt: int | None


_EHR = {
    "received": What.EHR_RECEIVED,
    "accepted": What.EHR_ACCEPTED,
    "rejected": What.EHR_REJECTED,
    "filed": What.EHR_FILED,
}
_PLAIN = {"generated": What.GENERATED, "packaged": What.PACKAGED, "queued": What.QUEUED}
_ANSWERS = {
    "accepted": What.ACCEPTED,
    "rejected": What.REJECTED,
    "unreached": What.UNREACHED,
    "lost": What.LOST,
}
_MAY_HAVE_ARRIVED = (408, 409, 412, 500, 502, 503, 504)
_WAITING = {"queued", "pending", "202", "held", "review"}
LONGEST_ORIGIN = 80


def compact(log: str, row: Mapping[str, Any]) -> Compact:
    """Reduce one row of the public contract; `log` is scribe, ehr, firewall or proxy."""
    if log == "scribe":
        return _of_scribe(row)
    if log == "ehr":
        return _of_ehr(row)
    return Compact(What.OTHER, None, None, None, None, "", None)


def _of_scribe(row: Mapping[str, Any]) -> Compact:
    event = row["event"]
    what = _scribe_what(event, row) if event not in _PLAIN or _answers(event, row) else _PLAIN[event]
    transaction = row.get("transaction_id")
    if not transaction and not row.get("note_id"):
        transaction = row.get("ack_id")
    attempt = row.get("attempt")
    return Compact(
        int(what),
        _text(transaction),
        _location(row.get("response_headers")),
        None,
        _text(row.get("provider_id")),
        (_text(row.get("site")) or "")[:LONGEST_ORIGIN],
        attempt if isinstance(attempt, int) and 0 <= attempt < 32000 else None,
    )


def _answers(event: str, row: Mapping[str, Any]) -> bool:
    """Tell whether a `queued` row is the EHR's answer that it queued the note."""
    return event == "queued" and (row.get("status") not in (None, "") or bool(row.get("ack")))


def _scribe_what(event: str, row: Mapping[str, Any]) -> int:
    if event == "sent":
        return What.READ if str(row.get("method") or "").upper() in ("GET", "HEAD", "OPTIONS") else What.SENT
    status, ack, error = row.get("status"), row.get("ack"), row.get("error")
    if event == "token":
        refused = error is not None if status is None else not 200 <= _number(status) < 300
        return What.TOKEN_REFUSED if refused else What.TOKEN_GRANTED
    if event not in ("acked", "failed", "queued"):
        return What.OTHER
    headers = row.get("response_headers")
    kind = str(headers.get("content-type", "")) if isinstance(headers, Mapping) else ""
    body = error if isinstance(error, str) or error is None else json.dumps(error, ensure_ascii=False)
    if event == "failed" and not row.get("transaction_id") and refuses_token(body):
        return What.TOKEN_REFUSED
    what = _answer(event, _number(status) if status not in (None, "") else None, str(ack or ""), body, kind)
    if event == "failed":
        what |= FAILED
    if row.get("method") and row.get("transaction_id"):
        what |= OF_A_WRITE
    if status not in (None, "") or ack or row.get("url"):
        what |= ALONE
    return what


@remembered(4096)  # answers repeat: a cause that failed a thousand notes wrote one text a thousand times
def _answer(event: str, status: int | None, ack: str, error: str | None, kind: str) -> int:
    """Classify an answer as the engine does, and tell whether it said that the note was queued."""
    row: dict[str, Any] = {"at": "2000-01-01T00:00:00+00:00", "event": event, "status": status, "error": error}
    if ack:
        row["ack"] = ack
    if kind:
        row["response_headers"] = {"content-type": kind}
    typed: ScribeRow = scribe_rows([row])[0]
    what: int = _ANSWERS[outcome(typed)]
    if what == What.REJECTED and typed.status in _MAY_HAVE_ARRIVED:
        what |= OPEN
    if what == What.ACCEPTED and (typed.status == 202 or (typed.ack or "").upper() == "CA"):
        what |= PENDING
    return what


def _of_ehr(row: Mapping[str, Any]) -> Compact:
    what = int(_EHR.get(row["event"], What.EHR_OTHER))
    status, fields = row.get("status"), row.get("fields")
    if (status is not None and str(status).lower() in _WAITING) or row.get("ack") == "CA":
        what |= PENDING
    resource = _text(row.get("resource"))
    return Compact(
        what,
        _text(row.get("transaction_id")),
        resource if resource and ("/" in resource or any(c.isdigit() for c in resource)) else None,
        _content(fields),
        _text(row.get("author_id")),
        (_text(row.get("client_id")) or "")[:LONGEST_ORIGIN],
        None,
    )


def _content(fields: Any) -> str | None:
    if not isinstance(fields, Mapping) or not fields:
        return None
    return json.dumps(plain_fields(fields), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _location(headers: Any) -> str | None:
    """Give the document that an answer says it made."""
    if not isinstance(headers, Mapping) or not headers:
        return None
    named = {str(name).lower(): value for name, value in headers.items()}
    location = _text(named.get("location") or named.get("content-location"))
    return location.split("/_history/", 1)[0] if location else None


def _text(value: Any) -> str | None:
    if value is None or value == "":
        return None
    return value if isinstance(value, str) else str(value)


def _number(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        return 0
