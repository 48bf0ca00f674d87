"""Judge what the token endpoint's own words name, where no log or setting shows it."""

from diagnostics import causes
from diagnostics.causes.model import Cause
from diagnostics.check import check, failed, not_applicable, passed
from diagnostics.checks.logged_words import weight_of, words_of
from diagnostics.checks.step1_authentication.refused_tokens import refusal
from diagnostics.evidence.auth import TokenAnswer
from diagnostics.evidence.case_parts import Settings, Vendor
from diagnostics.evidence.logs import NoteTrace
from diagnostics.findings import Result
from diagnostics.vocabulary import Certainty, Step

_SAID: dict[Cause, str] = {
    causes.CLIENT_DEACTIVATED: "The token endpoint does not speak of a client that was switched off",
    causes.AUDIENCE_FHIR_BASE: "The token endpoint does not speak of another audience",
}


def _declare(cause: Cause, title: str) -> None:
    @check(id=f"{cause.id}.said", step=Step.AUTHENTICATION, title=title, hints=cause, checklist=cause.checklist)
    def said(trace: NoteTrace | None, token: TokenAnswer | None, settings: Settings, vendor: Vendor) -> Result:
        """Some token servers do say why; the words of the failure's instant outrank what is asked now."""
        return judge_words(cause, trace, token, settings, vendor)


def judge_words(
    cause: Cause, trace: NoteTrace | None, token: TokenAnswer | None, settings: Settings, vendor: Vendor
) -> Result:
    """Fail where the refusal's words name a cause clearly."""
    refused = refusal(trace, token)
    if refused is None:
        asked = token is not None or (trace is not None and trace.tokens)
        return passed("The token endpoint refused nothing.") if asked else not_applicable("No token was asked for.")
    context = f"{vendor.profile.name} {settings.integration.auth.flow}"
    found = words_of(refused.answer, refused.status, protocol="oauth", context=context)
    if found.cause != cause.id or found.certainty is Certainty.POSSIBLE:
        return passed("The answer speaks of something else.", error=refused.error)
    closed = (token,) if token is not None and not token.granted else ()
    return failed(found.says, strength=weight_of(found), instant=refused.instant, condemns=closed, error=refused.error)


for _cause, _title in _SAID.items():
    _declare(_cause, _title)
