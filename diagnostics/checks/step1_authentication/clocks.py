"""Judge whether the scribe's clock and the EHR's agree: a signed assertion is good for five minutes of them."""

from statistics import median

from diagnostics import causes
from diagnostics.check import check, failed, passed, unknown, warned
from diagnostics.checks.logged_words import words_of
from diagnostics.checks.step1_authentication.assertions import closed, signs
from diagnostics.checks.step1_authentication.refused_tokens import RefusedToken, recorded_refusal, refusal
from diagnostics.evidence.auth import ClientAssertion, Discovery, TokenAnswer
from diagnostics.evidence.base import Evidence
from diagnostics.evidence.logs import NoteTrace, TokenAttempt
from diagnostics.evidence.network import HttpAnswer
from diagnostics.findings import Result
from diagnostics.parsing.http_dates import parse_http_date
from diagnostics.vocabulary import Certainty, Instant, Step, Strength

_WARN_SKEW_S, _MAX_SKEW_S = 60.0, 300.0


@check(
    id="auth.assertion.clock_skew",
    step=Step.AUTHENTICATION,
    title="Our clock and the EHR's agree within a minute",
    proves=causes.ASSERTION_CLOCK_SKEW,
)
def clocks_agree(token: TokenAnswer, discovery: Discovery | None, trace: NoteTrace | None) -> Result:
    """Five minutes are the whole life of an assertion: a clock that far off makes every one of them bad."""
    answers = [token.answer, *(discovery.answers if discovery else ())]
    offset = _offset(answers)
    if offset is None:
        return unknown("No answer carried a fresh Date header.", get="an uncached answer of the token server")
    refused = refusal(trace, token)
    blamed = refused is not None and _may_be_the_clock(refused)
    return _judge_skew(offset, blamed, token.flow == "backend-services", closed(token), None)


def _offset(answers: list[HttpAnswer]) -> float | None:
    found = [each.clock_offset_s for each in answers if each.clock_offset_s is not None]
    return median(found) if found else None


def _judge_skew(
    offset: float, refused: bool, signed: bool, closed: tuple[Evidence, ...], instant: Instant | None
) -> Result:
    side = "ahead of" if offset > 0 else "behind"
    says = f"The EHR's clock is {abs(round(offset))} seconds {side} ours."
    if abs(offset) > _MAX_SKEW_S and signed and refused:
        return failed(says, strength=Strength.DECISIVE, condemns=closed, instant=instant, offset_s=round(offset, 1))
    if abs(offset) > _MAX_SKEW_S and refused:
        return failed(says, strength=Strength.MODERATE, instant=instant, offset_s=round(offset, 1))
    if abs(offset) > _WARN_SKEW_S:
        return warned(says, offset_s=round(offset, 1))
    return passed("The clocks agree within a minute.", offset_s=round(offset, 1))


@check(
    id="auth.assertion.clock_skew.log",
    step=Step.AUTHENTICATION,
    title="The scribe's clock and the EHR's agreed when the token was refused",
    proves=causes.ASSERTION_CLOCK_SKEW,
    applies=signs,
)
def clocks_agreed(trace: NoteTrace, assertion: ClientAssertion | None) -> Result:
    """The Date header that the token server sent then, beside the scribe's own time, needs no probe."""
    refused = recorded_refusal(trace)
    blamed = refused is not None and _may_be_the_clock(refused)
    offsets = [found for each in trace.tokens if (found := _recorded_offset(each)) is not None]
    ahead = _made_ahead(assertion, trace)
    if offsets:
        return _judge_skew(median(offsets), blamed, True, (), Instant.THEN)
    if ahead is not None and ahead > _WARN_SKEW_S and blamed:
        return failed(
            f"The assertion counts as made {round(ahead)} seconds after it was sent: the scribe's clocks differ.",
            conclusive=False, instant=Instant.THEN, ahead_s=round(ahead, 1),
        )  # fmt: skip
    return unknown("The scribe did not record when the token server answered.",
                   get="the response headers of the token request")  # fmt: skip


def _recorded_offset(each: TokenAttempt) -> float | None:
    """Return the token server's clock minus the scribe's in seconds, or None where a cache may have answered.

    The server wrote its Date about half the time of the exchange before the scribe logged the answer.
    """
    row = each.answer or each.asked
    date = parse_http_date(each.headers.get("date", ""))
    cached = each.headers.get("age", "0").strip() not in ("", "0") or "hit" in each.headers.get("x-cache", "").lower()
    if date is None or cached:
        return None
    took = row.latency_ms / 1000 if row.latency_ms is not None else (row.at - each.asked.at).total_seconds()
    return (date - row.at).total_seconds() + min(max(took, 0.0), 60.0) / 2


def _made_ahead(assertion: ClientAssertion | None, trace: NoteTrace) -> float | None:
    """Return by how many seconds the assertion's iat or nbf lies after the moment it was sent."""
    if assertion is None or not assertion.readable or not trace.tokens:
        return None
    named = [found for name in ("iat", "nbf") if (found := assertion.when(name)) is not None]
    return max(((found - trace.tokens[-1].at).total_seconds() for found in named), default=None)


def _may_be_the_clock(refused: RefusedToken) -> bool:
    """Tell whether a refusal is one that an assertion at the wrong time gets, and its words name nothing else."""
    if refused.error not in ("invalid_client", "invalid_grant", "invalid_request", ""):
        return False
    said = words_of(refused.answer, refused.status, protocol="oauth", context="client assertion")
    return said.cause in _BY_THE_CLOCK or said.certainty is Certainty.POSSIBLE or said.cause is None


_BY_THE_CLOCK = {
    cause.id
    for cause in (
        causes.ASSERTION_CLOCK_SKEW,
        causes.ASSERTION_EXP,
        causes.CLIENT_INVALID,
        causes.REFRESH_INVALID,
        causes.REQUEST_MALFORMED,
    )
}
