"""Judge what the EHR's words say of the person or account that writes: a missing relationship, a closed account."""

import re

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, unknown
from diagnostics.checks.logged_words import words_of
from diagnostics.checks.refusal import Refusal, refusal_of
from diagnostics.checks.step1_authentication.refusal_words import judge_words
from diagnostics.checks.step5_permissions import reasons
from diagnostics.evidence.auth import TokenAnswer
from diagnostics.evidence.case_parts import Settings, Vendor
from diagnostics.evidence.logs import NoteTrace
from diagnostics.findings import Result
from diagnostics.vocabulary import Certainty, Instant, Step, Strength

# "no active relationship with the patient", "patient relationship required", "not related to the patient"
_RELATIONSHIP = re.compile(
    r"\b(?:no|not|without|lacks?|missing|inactive|requires?|required|needs?|must)\b[^.\n]{0,60}"
    r"\b(?:relationship|related)\b|\brelationship\b[^.\n]{0,60}\b(?:not|no|missing|required|inactive|expired|needed)\b",
    re.IGNORECASE,
)
_WITHOUT_A_PERSON = ("backend-services", "client-secret")


@check(
    id="perm.relationship",
    step=Step.PERMISSIONS,
    title="The provider has a relationship with the patient in the EHR",
    hints=causes.RELATIONSHIP,
    checklist=("PERM.5",),
    applies=lambda case: case.integration.auth.flow not in _WITHOUT_A_PERSON,
)
def provider_knows_the_patient(trace: NoteTrace, settings: Settings, vendor: Vendor) -> Result:
    """Some EHRs let a provider write only for patients they treat; an account without a person needs no such tie."""
    refusal = refusal_of(trace)
    if refusal is None:
        return passed("The note was not refused.") if trace.attempts else not_applicable("Nothing was sent.")
    if not reasons.by_the_ehr(refusal) or not (refusal.forbidden or refusal.of_business):
        return passed("The refusal is not one of permission.", status=refusal.status)
    if refusal.answer.bearer_error:
        return passed("The refusal speaks of the token.", error=refusal.answer.bearer_error)
    said = words_of(refusal.answer, refusal.status, context=vendor.profile.name)
    named = said.cause == causes.RELATIONSHIP.id and said.certainty is not Certainty.POSSIBLE
    if named or _says_relationship(refusal):
        return failed(
            f"The EHR answered {refusal.named} and speaks of the provider's relationship with the patient.",
            strength=Strength.STRONG, instant=Instant.THEN, codes=sorted(refusal.answer.issue_codes),
        )  # fmt: skip
    if refusal.forbidden and not refusal.answer.issue_codes - {"forbidden", "security", "processing"}:
        return unknown(
            "The EHR gave no reason; whether the provider treats this patient is open.",
            get="whether the provider has an active relationship with the patient, from the EHR team",
        )
    return passed("The refusal does not speak of a relationship.", codes=sorted(refusal.answer.issue_codes))


def _says_relationship(refusal: Refusal) -> bool:
    return bool(_RELATIONSHIP.search(refusal.answer.says))


@check(
    id="perm.account.inactive.said",
    step=Step.PERMISSIONS,
    title="No answer speaks of an account that was switched off",
    hints=causes.ACCOUNT_INACTIVE,
    checklist=("TOKEN.7",),
)
def account_not_called_inactive(
    trace: NoteTrace | None, token: TokenAnswer | None, settings: Settings, vendor: Vendor
) -> Result:
    """A locked user, an expired password or a missing licence is told in words, if at all."""
    refusal = refusal_of(trace)
    if refusal is None or refusal.status not in (401, 403):
        return judge_words(causes.ACCOUNT_INACTIVE, trace, token, settings, vendor)
    if not reasons.by_the_ehr(refusal):
        return passed("The refusal is not the EHR's own.")
    found = words_of(refusal.answer, refusal.status, context=vendor.profile.name)
    if found.cause != causes.ACCOUNT_INACTIVE.id or found.certainty is Certainty.POSSIBLE:
        return passed("The answer speaks of something else.", status=refusal.status)
    return failed(found.says, instant=Instant.THEN, status=refusal.status, at=refusal.at)
