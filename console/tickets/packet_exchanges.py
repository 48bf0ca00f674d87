"""The exchanges of a packet: every write of the ticket's notes, and every token request that failed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from console.tickets.packet_cleaning import Cleaner
from console.tickets.packet_headers import Header, headers
from diagnostics.case import Case
from diagnostics.evidence.logs import Attempt, NoteTrace, ScribeRow, TokenAttempt
from diagnostics.gather import read_parts

_METHODS = frozenset(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "MLLP"])
_ACKS = frozenset(["AA", "AE", "AR", "CA", "CE", "CR"])


@dataclass(frozen=True)
class Request:
    """Be one exchange as both sides can find it in their logs."""

    at: str  # UTC, ISO 8601
    kind: str  # write or token
    method: str
    path: str
    answer: str
    error: str
    request_id: str
    transaction_id: str
    latency_ms: int | None
    attempt: int | None
    request_headers: tuple[Header, ...]
    response_headers: tuple[Header, ...]


def requests(cases: list[Case], clean: Cleaner) -> list[Request]:
    """Give the exchanges in the order of time."""
    return sorted(_found(cases, clean), key=lambda request: request.at)


def _found(cases: list[Case], clean: Cleaner) -> Iterable[Request]:
    for case in cases:
        trace = read_parts(case).get(NoteTrace)
        if trace is None:
            continue
        yield from (_write(attempt, case, clean) for attempt in trace.attempts)
        yield from (_token(asked, case, clean) for asked in trace.tokens if not asked.ok)


def _write(attempt: Attempt, case: Case, clean: Cleaner) -> Request:
    ack = attempt.ack if attempt.ack in _ACKS else None
    return Request(
        at=utc(attempt.at),
        kind="write",
        method=_method(attempt.sent),
        path=clean.address(attempt.url or ""),
        answer=str(attempt.status or ack or attempt.outcome),
        error=clean.error(attempt.error or ""),
        request_id=_request_id(attempt, case, clean),
        transaction_id=clean.id(attempt.sent.transaction_id or ""),
        latency_ms=_ms(attempt.answer.latency_ms if attempt.answer else attempt.sent.latency_ms),
        attempt=attempt.sent.attempt,
        request_headers=headers(_sent(attempt.sent), clean, case.vendor.request_id_headers),
        response_headers=headers(attempt.headers, clean, case.vendor.request_id_headers),
    )


def _token(asked: TokenAttempt, case: Case, clean: Cleaner) -> Request:
    answered = asked.answer or asked.asked
    return Request(
        at=utc(asked.at),
        kind="token",
        method=_method(asked.asked),
        path=clean.address(asked.asked.url or "") or "token request",
        answer=str(asked.status or "no answer"),
        error=clean.error(asked.error or ""),
        request_id=clean.id(asked.asked.request_id or ""),
        transaction_id="",
        latency_ms=_ms(answered.latency_ms),
        attempt=asked.asked.attempt,
        request_headers=headers(_sent(asked.asked), clean, case.vendor.request_id_headers),
        response_headers=headers(asked.headers, clean, case.vendor.request_id_headers),
    )


def _sent(row: ScribeRow) -> dict[str, object]:
    """Give what is known of a request's headers: its content type, and all of them where the log keeps them."""
    kept = row.extra.get("request_headers")
    found = {str(name).lower(): value for name, value in kept.items()} if isinstance(kept, Mapping) else {}
    return {"content-type": row.content_type, **found} if row.content_type else dict(found)


def _request_id(attempt: Attempt, case: Case, clean: Cleaner) -> str:
    """Give the EHR's own request id, by the headers its vendor is known to send it in, else the one that was sent.

    An id that may not be sent as it is makes way for the next.
    """
    answered = attempt.answer.request_id if attempt.answer else None
    theirs = (attempt.headers[name] for name in case.vendor.request_id_headers if attempt.headers.get(name))
    given = [id for id in (*theirs, attempt.sent.request_id, answered) if id]
    return next((id for id in given if clean.id(id) == id.strip()), clean.id(given[0]) if given else "")


def _method(row: ScribeRow) -> str:
    method = (row.method or "POST").upper()
    return method if method in _METHODS else "other"


def _ms(value: float | None) -> int | None:
    return None if value is None else round(value)


def utc(moment: datetime) -> str:
    """Write a time as packets do: UTC, with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
