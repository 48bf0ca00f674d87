"""Judge whether a person is asked to sign in where the scribe must work alone."""

import re
from urllib.parse import SplitResult, urlsplit

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed
from diagnostics.checks.logged_words import explained
from diagnostics.checks.step1_authentication.refused_tokens import live_refusal
from diagnostics.checks.step4_network.answers_seen import last_failure, live_answers
from diagnostics.evidence.auth import TokenAnswer
from diagnostics.evidence.base import Evidence
from diagnostics.evidence.case_parts import Settings
from diagnostics.evidence.fhir import CanaryWrite, Reads
from diagnostics.evidence.logs import NoteTrace
from diagnostics.findings import Result
from diagnostics.parsing.answers import AnswerKind, RecordedAnswer
from diagnostics.vocabulary import Instant, Step, Strength

# OpenID Connect Core 3.1.2.6 and RFC 9470: a server that says it wants the person back
INTERACTION = frozenset({
    "interaction_required", "login_required", "consent_required", "account_selection_required", "mfa_required",
    "insufficient_user_authentication", "step_up_required", "unmet_authentication_requirements",
})  # fmt: skip


def asks_a_person(answer: RecordedAnswer, status: int | None, url: str) -> str:
    """Return how an answer asks for a person, or an empty string: by code, by a login page, by a redirect elsewhere."""
    code = answer.oauth.error if answer.oauth else ""
    for said in (code, answer.bearer_error):
        if said in INTERACTION:
            return f"the answer says {said}"
    if answer.kind is AnswerKind.HTML_LOGIN:
        return "a sign-in page answered"
    if code and explained(answer.text, status=status, protocol="oauth").cause == causes.MFA_CHALLENGE.id:
        return f"the answer ({code}) says that a further factor is wanted"
    target = _sent_on(answer, status)
    if target is None or _FILTER.search(f"{target.netloc}{target.path}"[:400]):
        return ""  # a filter or a captive portal sends on as well, and that is the network's
    if _SIGN_IN.search(f"{target.netloc}{target.path}"[:400]) or target.netloc not in ("", urlsplit(url).netloc):
        return f"the request is sent on to {target.hostname or 'a sign-in page'}"
    return ""


# what hosts and paths of identity providers are called, and those of filters and captive portals
_SIGN_IN = re.compile(
    r"(?:^|[./_-])(?:log-?[io]n|sign-?in|sso|idp|sts|adfs|auth|oauth2?|authorize|authn|saml2?|openid|oidc|cas|mfa|duo"
    r"|accounts?|identity|okta|auth0|keycloak|pingone|pingidentity|microsoftonline|b2clogin)(?:[./_?-]|$)",
    re.IGNORECASE,
)
_FILTER = re.compile(
    r"captive|hotspot|guest|wpad|zscaler|websense|forcepoint|forti(?:net|gate|guard)|fgtauth|blue-?coat|netskope|umbrella"
    r"|(?:^|[./_-])(?:block(?:ed|page)?|filter|webfilter|coaching|proxy|portal)(?:[./_:-]|$)",
    re.IGNORECASE,
)


def _sent_on(answer: RecordedAnswer, status: int | None) -> SplitResult | None:
    """Return where a redirect that a person would follow leads to, or None."""
    if status not in (302, 303, 307):
        return None
    try:
        target = urlsplit(answer.headers.get("location", "")[:2000])
        return target if target.netloc or target.path else None
    except ValueError:
        return None


def _certain(answer: RecordedAnswer, status: int | None) -> bool:
    """Tell whether nothing but a sign-in can be meant: a redirect to an unnamed host may lead anywhere."""
    target = _sent_on(answer, status)
    return target is None or bool(_SIGN_IN.search(f"{target.netloc}{target.path}"[:400]))


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
            return _challenged(asked, settings, Instant.NOW, (token,), refused.answer, refused.status)
    if seen:
        asked = asks_a_person(seen[0].answer, seen[0].status, seen[0].url)
        closed = (seen[0].source,) if seen[0].source is not None else ()
        return _challenged(asked, settings, Instant.NOW, closed, seen[0].answer, seen[0].status)
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
    return _challenged(asked, settings, Instant.THEN, (), last.answer, last.status)


def _challenged(
    asked: str,
    settings: Settings,
    instant: Instant,
    closed: tuple[Evidence, ...],
    answer: RecordedAnswer,
    status: int | None,
) -> Result:
    person = settings.integration.auth.flow == "provider-context" and _certain(answer, status)
    return failed(
        f"The EHR wants a person to sign in: {asked}.",
        strength=Strength.DECISIVE if person else Strength.STRONG,
        instant=instant, condemns=closed, status=status,
    )  # fmt: skip
