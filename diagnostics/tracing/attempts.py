"""Pair the scribe's rows into attempts: token requests with their answers, writes with theirs.

How attempts look in the scribe's log (public contract): a connection that failed is `sent` then `failed` without
`status`; a token request that failed is `token` then `failed`; a negative answer may be logged as `failed` or `acked`.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

from diagnostics.evidence.logs import Attempt, ScribeRow, TokenAttempt
from diagnostics.explain import explain
from diagnostics.identity import same

NEGATIVE_ACKS = {"AE", "AR", "CE", "CR"}
POSITIVE_ACKS = {"AA", "CA"}

# What a client says when it had sent and then waited in vain: not the same as never having reached the peer.
_WAITED = re.compile(
    r"read(?:ing)?[ _-]?time?d?[ _-]?out|readtimeout|response time?d?[ _-]?out|sockettimeoutexception: read"
    r"|awaiting (?:response )?headers|waiting for (?:the )?(?:response|reply|ack|answer)"
    r"|no (?:ack(?:nowledge?ments?)?|response|answer|reply)\b"
    r"|ack(?:nowledge?ment)? time?d?[ _-]?out|client timeout|gave up waiting|timeout after (?:send|\d)"
    r"|did not (?:answer|respond)|without a response|esockettimedout|server disconnected|empty reply|socket hang up"
    r"|unexpected (?:eof|end of (?:file|stream))|remote end closed|prematurely closed|broken pipe"
    r"|connection (?:was )?(?:reset|aborted|closed)(?! .{0,20}handshake)",
    re.IGNORECASE,
)
_NEVER_REACHED = re.compile(
    r"connect(?:ion|ing)?[ _-]?time?d?[ _-]?out|connecttimeout|connect timed out|timed out .{0,30}connect"
    r"|refused|unreachable|no route|resolv|getaddrinfo|enotfound|eai_|nxdomain|servfail|name or service|unknown host"
    r"|unknownhost|no such host|(?<!read )etimedout|errno 110"
    r"|dial tcp|dns|certificate|handshake|\btls\b|\bssl\b|pkix|x509|tunnel|proxy",
    re.IGNORECASE,
)


def pair(rows: Iterable[ScribeRow]) -> tuple[tuple[Attempt, ...], tuple[TokenAttempt, ...]]:
    """Return the writes and the token requests in rows of one note, in time order."""
    writes: list[tuple[ScribeRow, ScribeRow | None]] = []
    tokens: list[tuple[ScribeRow, ScribeRow | None]] = []
    token_open = False
    for row in rows:
        if row.event == "token":
            tokens.append((row, None))
            token_open = True
        elif row.event == "sent":
            before = _answered_before(writes, row)
            if before is None:
                writes.append((row, None))
            else:
                writes[before] = (row, writes[before][0])
            token_open = False
        elif row.event in ("acked", "failed") or _tells_of_queue(row):
            at = _open_write(writes, row)
            if token_open and row.event == "failed" and (at is None or _about_token(row, tokens[-1][0])):
                tokens[-1] = (tokens[-1][0], row)
                token_open = False
            elif at is not None:
                writes[at] = (writes[at][0], row)
            elif row.event == "failed" and row.transaction_id is None and refuses_token(row.error):
                tokens.append((row, row))  # a token request whose `token` row is not at hand
            elif row.status is not None or row.ack is not None or row.url is not None:
                writes.append((row, row))  # an answer whose `sent` row is not at hand
    return (
        tuple(Attempt(sent, answer, outcome(answer)) for sent, answer in writes if not _is_read(sent)),
        tuple(TokenAttempt(asked, answer, _token_ok(asked, answer)) for asked, answer in tokens),
    )


_NO_TOKEN = re.compile(
    r'"error"\s{0,9}:\s{0,9}"(?:invalid_client|invalid_grant|invalid_scope|unauthorized_client|unsupported_grant_type)"'
)


def refuses_token(error: str | None) -> bool:
    """Tell whether a body is a token endpoint's refusal (RFC 6749, section 5.2): no server answers a write so."""
    return error is not None and _NO_TOKEN.search(error[:4096]) is not None


def _answered_before(writes: list[tuple[ScribeRow, ScribeRow | None]], row: ScribeRow) -> int | None:
    """Return the index of an answer that stands before its own sending: two threads of the scribe logged at once."""
    for i, (first, answer) in enumerate(writes):
        if first is answer and same(first.request_id, row.request_id) and row.at - first.at <= _AT_ONCE:
            return i
    return None


_AT_ONCE = timedelta(seconds=2)


def _is_read(row: ScribeRow) -> bool:
    """Tell whether a request only looked something up: it is no attempt to deliver the note."""
    return (row.method or "").upper() in ("GET", "HEAD", "OPTIONS")


def _tells_of_queue(row: ScribeRow) -> bool:
    """Tell whether a `queued` row is the EHR's answer that it queued the note, not the scribe's own queue."""
    return row.event == "queued" and (row.status is not None or row.ack is not None)


def _about_token(row: ScribeRow, asked: ScribeRow) -> bool:
    """Tell whether a `failed` row right after a `token` row speaks of that token request."""
    if row.url and asked.url:
        return row.url == asked.url
    return row.transaction_id is None or row.method is None


def _open_write(writes: list[tuple[ScribeRow, ScribeRow | None]], row: ScribeRow) -> int | None:
    """Return the index of the unanswered write this row answers, by its ids, else the latest one."""
    unanswered = [i for i, (_, answer) in enumerate(writes) if answer is None]
    for i in unanswered:
        sent = writes[i][0]
        if same(sent.request_id, row.request_id):
            return i
    for i in reversed(unanswered):
        sent = writes[i][0]
        if row.ack_id and sent.transaction_id and not same(row.ack_id, sent.transaction_id):
            continue
        if row.attempt is not None and sent.attempt is not None and row.attempt != sent.attempt:
            continue
        return i
    return unanswered[-1] if unanswered else None


def _token_ok(asked: ScribeRow, answer: ScribeRow | None) -> bool:
    if answer is not None:
        return False
    if asked.status is not None:
        return 200 <= asked.status < 300
    return asked.error is None


def outcome(answer: ScribeRow | None) -> str:
    """Classify an answer: accepted, rejected, unreached, lost or pending (see `Attempt`)."""
    if answer is None:
        return "pending"
    ack = (answer.ack or "").upper()
    if ack in NEGATIVE_ACKS:
        return "rejected"
    if ack in POSITIVE_ACKS:
        return "accepted"
    if answer.status is not None:
        if 200 <= answer.status < 300 and answer.event != "failed" and not _html(answer) and not says_failure(answer):
            return "accepted"
        return "rejected"
    if answer.event != "failed":
        return "accepted"
    return "lost" if waited_in_vain(answer.error) else "unreached"


def waited_in_vain(error: str | None) -> bool:
    """Tell whether an error without a status says that the request had gone out.

    What the known texts of products say goes first; else a text that names a step before sending (name, connection,
    certificate) says that nothing had gone out, and a bare "timed out" speaks of waiting for an answer.
    """
    text = (error or "")[:4096]
    known = explain(text, protocol="net").cause or ""
    if known in _AFTER_SENDING:
        return True
    if known.startswith(_BEFORE_SENDING):
        return False
    if _WAITED.search(text) and not re.search(r"handshake|certificate|connect(?:ion)? timed out", text, re.IGNORECASE):
        return True
    if _NEVER_REACHED.search(text):
        return False
    return bool(re.search(r"time?d?[ _-]?out", text, re.IGNORECASE))


_AFTER_SENDING = ("net.timeout.gateway", "hl7.ack.missing", "net.tcp.reset", "scribe.timeout.short")
_BEFORE_SENDING = ("net.dns.", "net.tcp.", "net.tls.", "net.proxy.")


def _html(row: ScribeRow) -> bool:
    kind = row.response_headers.get("content-type", "").lower()
    body = (row.error or "").lstrip()[:200].lower()
    return "text/html" in kind or body.startswith(("<!doctype html", "<html"))


def says_failure(row: ScribeRow) -> bool:
    """Tell whether a 2xx body says itself that it failed (domain.md trap 3).

    athenaOne v1 answers `success:false`; eClinicalWorks a `status` of its own, where 1 is success and three or four
    digits that are no good HTTP status are an error code.
    """
    text = (row.error or "")[:4096]
    if re.search(r'"success"\s{0,9}:\s{0,9}"?false', text, re.IGNORECASE):
        return True
    own = re.search(r'^\s{0,99}\{[^{}\[\]]{0,900}?"status"\s{0,9}:\s{0,9}"?(\d{3,4})"?\s{0,9}[,}]', text)
    return own is not None and not 200 <= int(own.group(1)) <= 299


def same_url(one: str | None, other: str | None) -> bool:
    """Compare two URLs by host and path."""
    if not one or not other:
        return False
    left, right = urlsplit(one), urlsplit(other)
    return (left.netloc.lower(), left.path.rstrip("/")) == (right.netloc.lower(), right.path.rstrip("/"))


def same_host(one: str | None, other: str | None) -> bool:
    """Tell whether two URLs name the same host, or one of them none; a URL that cannot be read names none."""
    try:
        left, right = urlsplit(one or "").netloc.lower(), urlsplit(other or "").netloc.lower()
    except ValueError:
        return True
    return not left or not right or left == right


def numbered(attempts: tuple[Attempt, ...]) -> tuple[Attempt, ...]:
    """Give attempts without a number their place in order."""
    return tuple(
        attempt if attempt.sent.attempt else replace(attempt, sent=replace(attempt.sent, attempt=number))
        for number, attempt in enumerate(attempts, 1)
    )
