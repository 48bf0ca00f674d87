"""Judge what the token endpoint says of the assertion, and whether one was sent twice."""

import re
from datetime import timedelta
from typing import Any

from diagnostics import causes
from diagnostics.causes.model import Cause
from diagnostics.check import check, failed, not_applicable, passed, unknown, warned
from diagnostics.checks.logged_words import explained
from diagnostics.checks.step1_authentication.assertions import closed, signs
from diagnostics.checks.step1_authentication.refused_tokens import refusal
from diagnostics.checks.tokens_used import requests
from diagnostics.evidence.auth import TokenAnswer
from diagnostics.evidence.logs import NoteTrace, ScribeLog, TokenAttempt
from diagnostics.findings import Result
from diagnostics.vocabulary import Certainty, Step, Strength

_JTI = re.compile(r"[A-Za-z0-9._~:/+=@-]{1,200}\Z")

_SAID: dict[Cause, str] = {
    causes.ASSERTION_JTI_REUSE: "The token endpoint does not speak of an assertion that was used before",
    causes.ASSERTION_EXP: "The token endpoint does not speak of the assertion's end time",
    causes.ASSERTION_AUD: "The token endpoint does not speak of the assertion's audience",
    causes.ASSERTION_ISS_SUB: "The token endpoint does not speak of the assertion's issuer",
    causes.ASSERTION_ALG_TYP: "The token endpoint does not speak of the assertion's algorithm",
    causes.ASSERTION_KID: "The token endpoint does not speak of an unknown key",
    causes.ASSERTION_SIGNATURE: "The token endpoint does not speak of a bad signature",
    causes.JWKS_UNREACHABLE: "The token endpoint does not speak of a key set it could not fetch",
}


def _declare(cause: Cause, title: str) -> None:
    id = cause.id if cause is causes.ASSERTION_JTI_REUSE else f"{cause.id}.said"

    @check(id=id, step=Step.AUTHENTICATION, title=title, hints=cause, checklist=cause.checklist, applies=signs)
    def said(trace: NoteTrace | None, token: TokenAnswer | None) -> Result:
        """Some token servers do say which rule was broken; the words are a hint, the claims are the proof."""
        return _judge_words(cause, trace, token)


def _judge_words(cause: Cause, trace: NoteTrace | None, token: TokenAnswer | None) -> Result:
    refused = refusal(trace, token)
    if refused is None:
        asked = token is not None or (trace is not None and trace.tokens)
        return passed("The token endpoint refused nothing.") if asked else not_applicable("No token was asked for.")
    found = explained(refused.answer.text, status=refused.status, protocol="oauth")
    if found.cause != cause.id:
        return passed("The answer speaks of something else.", error=refused.error)
    strength = Strength.MODERATE if found.certainty is Certainty.POSSIBLE else Strength.STRONG
    return failed(found.says, strength=strength, instant=refused.instant, condemns=closed(token), error=refused.error)


for _cause, _title in _SAID.items():
    _declare(_cause, _title)


@check(
    id="auth.assertion.jti_reuse.log",
    step=Step.AUTHENTICATION,
    title="Each assertion was used once",
    hints=causes.ASSERTION_JTI_REUSE,
    applies=signs,
)
def assertions_are_used_once(trace: NoteTrace, log: ScribeLog | None) -> Result:
    """A retry that sends the same assertion again is a replay to the server."""
    first: dict[str, TokenAttempt] = {}
    for each in requests(log, trace):
        jti = each.asked.extra.get("jti")
        if not isinstance(jti, str) or not _JTI.match(jti):
            continue
        before = first.setdefault(jti, each)
        if before is each or each.at - before.at > timedelta(minutes=5):
            continue
        facts: dict[str, Any] = {"first": before.at, "again": each.at}
        if each.ok:
            return warned("The same assertion id (jti) was sent twice; this server does not mind.", **facts)
        return failed("The same assertion id (jti) was sent twice within five minutes.", **facts)
    if not first:
        return unknown("The log does not record assertion ids.", get="the jti of each token request")
    return passed("No assertion id was sent twice.", assertions=len(first))
