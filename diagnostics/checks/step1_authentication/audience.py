"""Judge the `aud` parameter of a provider's authorization request: the FHIR base, letter by letter.

It is another audience than that of a signed assertion, which is the token URL (anchors.md section 6, no. 4).
"""

from typing import Any

from diagnostics import causes
from diagnostics.case import Case
from diagnostics.check import check, failed, passed, unknown, warned
from diagnostics.checks.refusal import ARRIVED
from diagnostics.checks.step1_authentication.refused_tokens import refusal
from diagnostics.checks.step4_network.answers_seen import last_failure
from diagnostics.evidence.auth import TokenAnswer
from diagnostics.evidence.case_parts import Settings
from diagnostics.evidence.fhir import Reads
from diagnostics.evidence.logs import NoteTrace
from diagnostics.findings import Result
from diagnostics.vocabulary import Step, Strength

# what a server says when it does not know the resource that was asked for, or has kept no grant for it (RFC 8707)
_FITS = ("invalid_request", "invalid_target", "invalid_resource", "access_denied", "invalid_grant", "")


def _of_a_person(case: Case) -> bool:
    return case.integration.auth.flow == "provider-context"


@check(
    id="auth.audience.fhir_base",
    step=Step.AUTHENTICATION,
    title="The sign-in request names the FHIR base in use as its audience",
    hints=causes.AUDIENCE_FHIR_BASE,
    checklist=("WRITE.3",),
    applies=_of_a_person,
)
def authorized_for_this_base(
    settings: Settings, trace: NoteTrace | None, token: TokenAnswer | None, reads: Reads | None
) -> Result:
    """A token for another base, or for another tenant of it, is refused as if it were bad."""
    base = settings.integration.fhir_base_url
    named = settings.integration.auth.audience or base
    if base is None:
        return unknown("The FHIR base is not known.", get="the FHIR base URL of the integration")
    facts: dict[str, Any] = {"audience": named, "base": base}
    if named == base:
        return passed("The audience is the FHIR base in use.", **facts)
    says = "The audience of the sign-in request is not the FHIR base in use, letter by letter."
    if (trace is not None and trace.failure_mode in ARRIVED) or (reads is not None and reads.allowed):
        return warned(f"{says} This server does not mind.", **facts)
    last = last_failure(trace) if trace is not None else None
    if last is not None and last.what == "write" and last.status in (401, 403):
        return failed(f"{says} The EHR answered {last.status}.", at=last.at, **facts)
    refused = refusal(trace, token)
    if refused is None:
        return warned(f"{says} No refusal speaks of it.", **facts)
    if refused.error not in _FITS:
        return warned(f"{says} The token endpoint refused for another reason.", error=refused.error, **facts)
    spoken = any(word in refused.answer.says.lower() for word in ("aud", "resource", "tenant"))
    sure = spoken or refused.error != "invalid_grant"
    return failed(
        f"{says} The token endpoint answered {refused.error or refused.status}.",
        strength=Strength.STRONG if sure else Strength.MODERATE,
        instant=refused.instant,
        **facts,
    )
