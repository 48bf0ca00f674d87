"""Judge whether the EHR has revoked the token in use, though it has not ended."""

import re
from datetime import datetime

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, unknown
from diagnostics.checks.logged_words import weight_of, words_of
from diagnostics.checks.step4_network.answers_seen import last_failure
from diagnostics.checks.tokens_used import ends_at, token_of
from diagnostics.evidence.auth import TokenIntrospection
from diagnostics.evidence.fhir import Reads
from diagnostics.evidence.logs import AuditTrail, NoteTrace, ScribeLog
from diagnostics.findings import Result
from diagnostics.vocabulary import Step, Strength

_REVOKED = re.compile(
    r"\b(?:revok|invalidat|kill|terminat|purg)\w{0,5}\b.{0,60}\b(?:token|session|grant)s?\b"
    r"|\b(?:token|session|grant)s?\b.{0,60}\b(?:revok|invalidat|kill|terminat|purg)",
    re.IGNORECASE,
)


@check(
    id="auth.token.inactive",
    step=Step.AUTHENTICATION,
    title="The authorization server calls its token active",
    proves=causes.TOKEN_INACTIVE,
    checklist=("TOKEN.1", "TOKEN.6"),
)
def token_is_active(said: TokenIntrospection, reads: Reads | None) -> Result:
    """A token that was granted a moment ago and counts as inactive was revoked, or never reached the other servers."""
    if said.active is None:
        return unknown("The introspection endpoint does not tell this client about its token.",
                       get=TokenIntrospection.how_to_get, status=said.answer.status)  # fmt: skip
    if said.active:
        return passed("The token is active.", expires_at=said.expires_at)
    if reads is not None and reads.allowed:
        return passed("The EHR takes the token, whatever the introspection endpoint calls it.")
    return failed("The authorization server calls the token it has just granted inactive.", status=said.answer.status)


@check(
    id="auth.token.inactive.log",
    step=Step.AUTHENTICATION,
    title="Nobody had revoked the token when the note was sent",
    hints=causes.TOKEN_INACTIVE,
    checklist=("TOKEN.1", "TOKEN.6"),
)
def token_was_not_revoked(trace: NoteTrace, log: ScribeLog | None, trail: AuditTrail | None) -> Result:
    """A token that still had time left and is refused has been taken back, by a person or by a rotation."""
    last = last_failure(trace)
    if last is None or last.what != "write" or last.status != 401 or last.at is None:
        return not_applicable("No write was answered with 401.")
    said = words_of(last.answer, 401)
    if said.cause == causes.TOKEN_INACTIVE.id:
        return failed(f"The answer says so: {said.says}", strength=weight_of(said), at=last.at)
    used = token_of(trace.last, trace, log)
    end = ends_at(used)
    if used is None or (end is not None and last.at >= end):
        return passed("The token had ended, or when it was issued is not recorded.")
    when = _revoked_at(trail, used.at, last.at)
    if when is not None:
        return failed(f"The EHR recorded at {when:%H:%M} UTC that tokens were revoked, and then refused this one.",
                      strength=Strength.STRONG, revoked_at=when, issued_at=used.at, at=last.at)  # fmt: skip
    if end is None or not last.answer.bearer_error:
        return passed("Nothing speaks of a revocation.")
    return unknown("The token had time left and was refused; whether it was revoked is open.",
                   get="the EHR's log of revocations and credential changes that day")  # fmt: skip


def _revoked_at(trail: AuditTrail | None, since: datetime, until: datetime) -> datetime | None:
    """Return when the EHR recorded a revocation between the token's issue and the failure."""
    for row in reversed(trail.rows if trail is not None else ()):
        change = row.change or {}
        told = f"{change.get('what')} {change.get('to')}"[:600]
        if row.event == "change" and since <= row.at <= until and _REVOKED.search(told):
            return row.at
    return None
