"""Read how a token was refused, by the log or just now, in one form. No checks live here."""

import re
from dataclasses import dataclass
from datetime import datetime

from diagnostics.checks.step1_authentication.enablement import enabled_row
from diagnostics.evidence.auth import TokenAnswer
from diagnostics.evidence.logs import AuditTrail, EhrRow, NoteTrace
from diagnostics.parsing.answers import AnswerKind, RecordedAnswer, read_answer
from diagnostics.vocabulary import Instant


@dataclass(frozen=True)
class RefusedToken:
    """Be one refusal of the token endpoint: the answer as read, and which moment it speaks of."""

    answer: RecordedAnswer
    status: int | None
    instant: Instant
    at: datetime | None = None

    @property
    def error(self) -> str:
        """Return the OAuth error code (RFC 6749 section 5.2), or an empty string."""
        return self.answer.oauth.error if self.answer.oauth else quoted_error(self.answer.text)

    @property
    def login_page(self) -> bool:
        """Tell whether a page for a person answered instead of a token server."""
        return self.answer.kind is AnswerKind.HTML_LOGIN


_QUOTED = re.compile(
    r"\b(invalid_(?:client|grant|scope|request)|unauthorized_client|unsupported_grant_type|access_denied)\b"
)


def quoted_error(text: str) -> str:
    """Return the OAuth error code that a client library quotes in its own words, or an empty string."""
    match = _QUOTED.search(text[:4096])
    return match[1] if match else ""


def recorded_refusal(trace: NoteTrace | None) -> RefusedToken | None:
    """Return the last refused token request of the log, unless a token came after it."""
    if trace is None or not trace.tokens or trace.tokens[-1].ok:
        return None
    last = trace.tokens[-1]
    if last.status is None and not last.error:
        return None
    answer = read_answer(last.error, last.status, last.headers)
    if last.status is None and answer.kind is AnswerKind.TEXT and not quoted_error(answer.text):
        return None  # no answer came: that is the network's, or the client's own, error
    return RefusedToken(answer, last.status, Instant.THEN, last.at)


def live_refusal(token: TokenAnswer | None) -> RefusedToken | None:
    """Return the refusal of the request made now, or None where a token came or no answer did."""
    if token is None or token.granted or token.answer.status is None:
        return None
    each = token.answer
    return RefusedToken(read_answer(each.body, each.status, each.headers, each.content_type), each.status, Instant.NOW)


def refusal(trace: NoteTrace | None, token: TokenAnswer | None) -> RefusedToken | None:
    """Return the recorded refusal, else the live one: what the log says of the failure outranks the probe."""
    return recorded_refusal(trace) or live_refusal(token)


def token_came(trace: NoteTrace | None, token: TokenAnswer | None) -> bool:
    """Tell whether the last thing known is that a token was issued: then no rule of the request was broken."""
    if trace is not None and trace.tokens:
        return trace.tokens[-1].ok
    return token is not None and token.granted


def proof_was_taken(trace: NoteTrace | None, token: TokenAnswer | None) -> bool:
    """Tell whether the token endpoint believed the client: it issued a token, or refused for the scope alone."""
    if token_came(trace, token):
        return True
    refused = refusal(trace, token)
    return refused is not None and refused.error == "invalid_scope"


def credential_changes(trail: AuditTrail | None, before: datetime | None) -> tuple[EhrRow, ...]:
    """Return the EHR's change rows about credentials that came before an instant; enabling one replaces none."""
    rows = [
        r for r in (trail.rows if trail else ()) if r.event == "change" and (r.change or {}).get("kind") == "credential"
    ]
    rows = [row for row in rows if not enabled_row(row)]
    return tuple(row for row in rows if before is None or row.at <= before)
