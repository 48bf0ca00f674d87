"""Judge how long token requests have been failing (guide step 1: the last good token beside the first failure).

For an account that works without a person there is nothing to refresh: the last token that was issued counts.
"""

from datetime import timedelta
from typing import Any

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, unknown, warned
from diagnostics.checks.logged_words import words_of
from diagnostics.checks.tokens_used import requests
from diagnostics.evidence.case_parts import Vendor
from diagnostics.evidence.logs import NoteTrace, ScribeLog, TokenAttempt
from diagnostics.findings import Result
from diagnostics.parsing.answers import AnswerKind, read_answer
from diagnostics.vocabulary import Certainty, Step

_USUAL_LIFE_S = 3600.0  # where neither the log nor the vendor says how long a token lives


@check(
    id="auth.refresh.last_success_gap",
    step=Step.AUTHENTICATION,
    title="A token was issued shortly before the note failed",
    hints=causes.REFRESH_LAST_SUCCESS_GAP,
    checklist=("TOKEN.1",),
    applies=lambda case: case.integration.auth.flow not in ("none", "api-key"),
)
def tokens_are_still_issued(trace: NoteTrace, log: ScribeLog | None, vendor: Vendor) -> Result:
    """A scribe that has asked in vain for hours fails every note; the first refusal is the one to read."""
    at = trace.first_failure_at
    if at is None:
        return passed("Nothing failed.") if trace.attempts or trace.tokens else not_applicable("Nothing was tried.")
    until = max([one.at for one in trace.tokens] + [one.at for one in trace.failures], default=at)
    known = [one for one in requests(log, trace) if one.at <= until]
    good = [one for one in known if one.ok]
    if good and good[-1].at >= at:
        return passed("A token was issued since the first failure.", last_issued=good[-1].at)
    vain = [one for one in known if not one.ok and (not good or one.at > good[-1].at)]
    if not vain:
        return passed("No token was asked for in vain.", last_issued=good[-1].at if good else None)
    if not good:
        return unknown("The log begins after the last token that was issued.",
                       get="the scribe's token rows back to the last token that was issued")  # fmt: skip
    life = good[-1].asked.expires_in or vendor.profile.token_ttl_s or _USUAL_LIFE_S
    gap = until - good[-1].at
    facts: dict[str, Any] = {
        "last_issued": good[-1].at,
        "first_refused": vain[0].at,
        "requests": len(vain),
        "lifetime_s": life,
    }
    if gap <= timedelta(seconds=2 * min(life, 1e8)):
        return passed("The last token was issued within twice its lifetime of the failure.", **facts)
    says = f"{_times(len(vain))} a token was asked for in vain since the last one was issued, {_span(gap)} before."
    if all(_says_why(one) for one in vain):
        return warned(f"{says} The answers to those requests say more.", **facts)
    return failed(says, **facts)


def _says_why(request: TokenAttempt) -> bool:
    """Tell whether a failed request has an answer, or an error, that another check can read a cause from."""
    answer = read_answer(request.error, request.status, request.headers)
    if answer.kind not in (AnswerKind.TEXT, AnswerKind.EMPTY, AnswerKind.VENDOR):
        return True
    if request.status is not None and (request.status >= 500 or request.status in (404, 405, 407, 410, 429, 511)):
        return True
    found = words_of(answer, request.status, protocol="oauth" if request.status is not None else "net")
    return found.cause is not None and (bool(answer.text.strip()) or found.certainty is not Certainty.POSSIBLE)


def _times(count: int) -> str:
    return "Once" if count == 1 else f"{count} times"


def _span(time: timedelta) -> str:
    minutes = int(time.total_seconds() // 60)
    return f"{minutes // 60} hours" if minutes >= 120 else f"{minutes} minutes"
