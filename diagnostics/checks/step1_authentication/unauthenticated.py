"""Judge what a 401 to a write means: a bad token, a token that never arrived, or another proof that is missing."""

from typing import Any

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, unknown
from diagnostics.checks.logged_words import explained, weight_of, words_of
from diagnostics.checks.step1_authentication.sessions import INTERACTION
from diagnostics.checks.step4_network.answers_seen import SeenAnswer, last_failure, live_answers
from diagnostics.checks.tokens_used import ends_at, token_of
from diagnostics.evidence.case_parts import Settings, Vendor
from diagnostics.evidence.fhir import CanaryWrite, Reads
from diagnostics.evidence.logs import NoteTrace, ScribeLog
from diagnostics.findings import Result
from diagnostics.vocabulary import Certainty, Instant, Step, Strength

# what an answer's own words may name, beside an ended token
_NAMED = {
    cause.id: cause
    for cause in (
        causes.TOKEN_INACTIVE,
        causes.SESSION_ENDED,
        causes.AUDIENCE_FHIR_BASE,
        causes.CLIENT_DEACTIVATED,
        causes.ACCOUNT_INACTIVE,
    )
}


@check(
    id="auth.http401.classify",
    step=Step.AUTHENTICATION,
    title="The EHR takes the request as authenticated",
    hints=(causes.TOKEN_EXPIRED, causes.PROXY_AUTH_STRIPPED, causes.APIKEY_MISSING, *_NAMED.values()),
    strength=Strength.MODERATE,
    checklist=("TOKEN.1",),
)
def write_is_authenticated(trace: NoteTrace, settings: Settings, vendor: Vendor, log: ScribeLog | None) -> Result:
    """A 401 means one of three things: a bad token, a token that never arrived, or another proof that is missing."""
    last = last_failure(trace)
    if last is None or last.what != "write" or last.status != 401:
        return passed("No write was answered with 401.") if trace.attempts else not_applicable("Nothing was written.")
    end = ends_at(token_of(trace.last, trace, log))
    return _classified(last, settings, vendor, end is not None and last.at is not None and last.at < end)


def _classified(last: SeenAnswer, settings: Settings, vendor: Vendor, fresh: bool) -> Result:
    error = last.answer.bearer_error
    flow = settings.integration.auth.flow
    if error in INTERACTION:
        return passed("The 401 asks for a person; that is judged on its own.", error=error)
    said = words_of(last.answer, 401, context=f"{vendor.profile.name} {flow}")
    clear = said.certainty is not Certainty.POSSIBLE
    if said.cause in _NAMED and clear:
        return failed(f"The EHR answered 401. {said.says}", cause=_NAMED[said.cause], strength=weight_of(said),
                      instant=Instant.THEN, at=last.at)  # fmt: skip
    if error == "invalid_token" and fresh:
        return unknown("The EHR refuses a token that was issued a moment before; whether it was revoked is open.",
                       get="the EHR's introspection of that token, or its log of revocations")  # fmt: skip
    if error == "invalid_token" or (said.cause == causes.TOKEN_EXPIRED.id and clear and not fresh):
        return failed("The EHR saw a token and found it not valid (invalid_token).", cause=causes.TOKEN_EXPIRED,
                      instant=Instant.THEN, at=last.at, error=error)  # fmt: skip
    if flow == "api-key" or (vendor.profile.has_api_key_layer and not settings.integration.auth.api_key):
        return failed("The EHR answered 401, and a further key is asked for here.", cause=causes.APIKEY_MISSING,
                      instant=Instant.THEN, at=last.at)  # fmt: skip
    if flow not in ("none",) and any(
        c.scheme == "bearer" and not c.params.get("error") for c in last.answer.challenges
    ):
        return failed("The EHR answered 401 as if no token had come.", cause=causes.PROXY_AUTH_STRIPPED,
                      instant=Instant.THEN, at=last.at)  # fmt: skip
    if said.cause == causes.PROXY_AUTH_STRIPPED.id:
        return failed(f"The EHR answered 401. {said.says}", cause=causes.PROXY_AUTH_STRIPPED,
                      instant=Instant.THEN, at=last.at)  # fmt: skip
    return unknown("The 401 does not say what was wrong with the sign-in.",
                   get="the WWW-Authenticate header of the answer")  # fmt: skip


@check(
    id="auth.apikey.missing",
    step=Step.AUTHENTICATION,
    title="The extra API key is there where the EHR asks for one",
    proves=causes.APIKEY_MISSING,
    checklist=("TOKEN.6",),
)
def api_key_is_there(
    settings: Settings, vendor: Vendor, trace: NoteTrace | None, reads: Reads | None, canary: CanaryWrite | None
) -> Result:
    """A second key beside the token runs out on its own, and the answer looks like a bad token."""
    auth = settings.integration.auth
    wanted = auth.flow == "api-key" or vendor.profile.has_api_key_layer or auth.api_key_header is not None
    last = last_failure(trace) if trace is not None else None
    live = [each for each in live_answers(reads=reads, canary=canary) if each.status in (401, 403)]
    if not wanted:
        return not_applicable("This EHR asks for no key beside the token.")
    for each, instant in [(last, Instant.THEN)] + [(e, Instant.NOW) for e in live]:
        if each is None or each.status not in (401, 403):
            continue
        found = explained(each.answer.text, status=each.status, protocol="fhir").cause
        named = found == causes.APIKEY_MISSING.id
        facts: dict[str, Any] = {"status": each.status, "key_configured": auth.api_key is not None}
        if named or (auth.flow == "api-key" and each.status == 401 and not each.answer.bearer_error):
            return failed("The EHR refuses the request for want of its API key.", instant=instant, **facts)
        elsewhere = found is not None or bool(each.answer.vendor_codes)  # the answer names another fault itself
        if auth.api_key is None and not each.answer.bearer_error and not elsewhere:
            return failed("The EHR refuses the request, and the integration holds no API key.", conclusive=False,
                          instant=instant, **facts)  # fmt: skip
    if auth.api_key is None and last is None and trace is None and not (reads and reads.allowed):
        return unknown("The integration holds no API key; whether the EHR asks for it is not known.",
                       get="the answer to a write")  # fmt: skip
    return passed("No answer speaks of a missing API key.", key_configured=auth.api_key is not None)
