"""Judge whether a person is asked to sign in where the scribe must work alone, and what a 401 means."""

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, unknown
from diagnostics.checks.step1_authentication.refused_tokens import live_refusal
from diagnostics.checks.step4_network.answers_seen import SeenAnswer, last_failure, live_answers
from diagnostics.evidence.auth import TokenAnswer
from diagnostics.evidence.base import Evidence
from diagnostics.evidence.case_parts import Settings, Vendor
from diagnostics.evidence.fhir import CanaryWrite, Reads
from diagnostics.evidence.logs import AuditTrail, NoteTrace
from diagnostics.explain import explain
from diagnostics.findings import Result
from diagnostics.parsing.answers import AnswerKind, RecordedAnswer
from diagnostics.vocabulary import Instant, Step, Strength

# OpenID Connect Core 3.1.2.6 and RFC 9470: a server that says it wants the person back
_INTERACTION = frozenset({
    "interaction_required", "login_required", "consent_required", "account_selection_required", "mfa_required",
    "insufficient_user_authentication", "step_up_required", "unmet_authentication_requirements",
})  # fmt: skip


def asks_a_person(answer: RecordedAnswer, status: int | None, url: str) -> str:
    """Return how an answer asks for a person, or an empty string: by code, by a login page, by a redirect elsewhere."""
    code = answer.oauth.error if answer.oauth else ""
    for said in (code, answer.bearer_error):
        if said in _INTERACTION:
            return f"the answer says {said}"
    if answer.kind is AnswerKind.HTML_LOGIN:
        return "a sign-in page answered"
    if code and explain(answer.text, status=status, protocol="oauth").cause == causes.MFA_CHALLENGE.id:
        return f"the answer ({code}) says that a further factor is wanted"
    if status in (302, 303, 307):
        target, asked = urlsplit(answer.headers.get("location", "")), urlsplit(url)
        if target.netloc and target.netloc != asked.netloc:
            return f"the request is sent on to {target.hostname}"
    return ""


@check(
    id="auth.mfa.challenge",
    step=Step.AUTHENTICATION,
    title="The token endpoint asks nobody to sign in",
    proves=causes.MFA_CHALLENGE,
    checklist=("TOKEN.7",),
)
def nobody_is_asked(token: TokenAnswer, reads: Reads | None, canary: CanaryWrite | None, settings: Settings) -> Result:
    """A second factor shows its page to a program, which can only fail."""
    refused = live_refusal(token)
    seen = [e for e in live_answers(reads=reads, canary=canary) if asks_a_person(e.answer, e.status, e.url)]
    if refused is not None:
        asked = asks_a_person(refused.answer, refused.status, token.answer.url)
        if asked:
            return _challenged(asked, settings, Instant.NOW, (token,), refused.status)
    if seen:
        asked = asks_a_person(seen[0].answer, seen[0].status, seen[0].url)
        closed = (seen[0].source,) if seen[0].source is not None else ()
        return _challenged(asked, settings, Instant.NOW, closed, seen[0].status)
    return passed("No answer asks for a person.", status=token.answer.status)


@check(
    id="auth.mfa.challenge.log",
    step=Step.AUTHENTICATION,
    title="Nobody was asked to sign in when the note failed",
    proves=causes.MFA_CHALLENGE,
    checklist=("TOKEN.7",),
)
def nobody_was_asked(trace: NoteTrace, settings: Settings) -> Result:
    """A recorded sign-in page or its code says that the EHR wanted a person at that moment."""
    last = last_failure(trace)
    if last is None:
        return passed("Nothing failed.") if trace.attempts or trace.tokens else not_applicable("Nothing was sent.")
    asked = asks_a_person(last.answer, last.status, last.url)
    if not asked:
        return passed("The recorded answer asks for no person.", status=last.status)
    return _challenged(asked, settings, Instant.THEN, (), last.status)


def _challenged(
    asked: str, settings: Settings, instant: Instant, closed: tuple[Evidence, ...], status: int | None
) -> Result:
    person = settings.integration.auth.flow == "provider-context"
    return failed(
        f"The EHR wants a person to sign in: {asked}.",
        strength=Strength.DECISIVE if person else Strength.STRONG,
        instant=instant, condemns=closed, status=status,
    )  # fmt: skip


@check(
    id="auth.http401.classify",
    step=Step.AUTHENTICATION,
    title="The EHR takes the request as authenticated",
    hints=(causes.TOKEN_EXPIRED, causes.PROXY_AUTH_STRIPPED, causes.APIKEY_MISSING),
    strength=Strength.MODERATE,
    checklist=("TOKEN.1",),
)
def write_is_authenticated(trace: NoteTrace, settings: Settings, vendor: Vendor) -> Result:
    """A 401 means one of three things: a bad token, a token that never arrived, or another proof that is missing."""
    last = last_failure(trace)
    if last is None or last.what != "write" or last.status != 401:
        return passed("No write was answered with 401.") if trace.attempts else not_applicable("Nothing was written.")
    return _classified(last, settings, vendor, _was_fresh(trace))


def _was_fresh(trace: NoteTrace) -> bool:
    """Tell whether the log shows that the token sent was well within its life."""
    granted = [t.asked for t in trace.tokens if t.ok and trace.last is not None and t.at <= trace.last.at]
    if not granted or granted[-1].expires_in is None or trace.last is None:
        return False
    return (trace.last.at - granted[-1].at).total_seconds() < granted[-1].expires_in


def _classified(last: SeenAnswer, settings: Settings, vendor: Vendor, fresh: bool) -> Result:
    error = last.answer.bearer_error
    flow = settings.integration.auth.flow
    if error in _INTERACTION:
        return passed("The 401 asks for a person; that is judged on its own.", error=error)
    if error == "invalid_token" and fresh:
        return unknown("The EHR refuses a token that was issued a moment before; whether it was revoked is open.",
                       get="the EHR's introspection of that token, or its log of revocations")  # fmt: skip
    if error == "invalid_token":
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
    said = explain(last.answer.text, status=401, protocol="fhir", context=vendor.profile.name)
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
        found = explain(each.answer.text, status=each.status, protocol="fhir").cause
        named = found == causes.APIKEY_MISSING.id
        facts: dict[str, Any] = {"status": each.status, "key_configured": auth.api_key is not None}
        if named or (auth.flow == "api-key" and each.status == 401 and not each.answer.bearer_error):
            return failed("The EHR refuses the request for want of its API key.", instant=instant, **facts)
        if auth.api_key is None and not each.answer.bearer_error:
            return failed("The EHR refuses the request, and the integration holds no API key.", conclusive=False,
                          instant=instant, **facts)  # fmt: skip
    if auth.api_key is None and last is None and trace is None and not (reads and reads.allowed):
        return unknown("The integration holds no API key; whether the EHR asks for it is not known.",
                       get="the answer to a write")  # fmt: skip
    return passed("No answer speaks of a missing API key.", key_configured=auth.api_key is not None)


@check(
    id="auth.practice.scope",
    step=Step.AUTHENTICATION,
    title="The credential is enabled for the practice in the address",
    hints=causes.PRACTICE_SCOPE,
    checklist=("WRITE.3",),
)
def practice_is_the_enabled_one(
    settings: Settings, trace: NoteTrace | None, trail: AuditTrail | None, reads: Reads | None
) -> Result:
    """A credential is bound to a practice; after a move to another number every request is somebody else's."""
    integration = settings.integration
    practice = integration.auth.practice_id
    if practice is None:
        return not_applicable("This integration is bound to no practice number.")
    last = last_failure(trace) if trace is not None else None
    refused = last is not None and last.status in (400, 401, 403, 404)
    live = any(each.answer.status in (401, 403, 404) for each in (reads.results if reads else ()))
    moved = _moved(trail, practice, trace)
    if moved is not None and (refused or live):
        return failed(f"The EHR recorded a move of practice {practice} before the note failed.", moved_at=moved,
                      instant=Instant.THEN if refused else Instant.NOW, practice=practice)  # fmt: skip
    urls = [url for url in (integration.write_url, integration.fhir_base_url) if url]
    named = [url for url in urls if practice in urlsplit(url).path.split("/")]
    numbers = {part for url in urls for part in urlsplit(url).path.split("/") if part.isdigit()}
    if refused and numbers and not named:
        return failed(f"The address names practice {', '.join(sorted(numbers))}, the credential is for {practice}.",
                      instant=Instant.STANDING, practice=practice)  # fmt: skip
    return passed("Nothing speaks of another practice.", practice=practice)


def _moved(trail: AuditTrail | None, practice: str, trace: NoteTrace | None) -> datetime | None:
    before = trace.first_failure_at if trace is not None else None
    for row in reversed(trail.rows if trail else ()):
        change = row.change or {}
        same = str(change.get("from")) == practice
        if row.event == "change" and same and (before is None or row.at <= before) and change.get("to") != practice:
            return row.at
    return None
