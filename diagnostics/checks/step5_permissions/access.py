"""Judge from logs and the role snapshot whether the account may write notes at all."""

import re
from typing import Any

from diagnostics import causes
from diagnostics.causes.model import Cause
from diagnostics.check import check, failed, passed, unknown, warned
from diagnostics.checks.logged_words import weight_of, words_of
from diagnostics.checks.refusal import ARRIVED, NEVER_THERE, refusal_of
from diagnostics.checks.step1_authentication.refused_tokens import recorded_refusal
from diagnostics.checks.step5_permissions import reasons
from diagnostics.evidence.case_parts import (
    Filed,
    Roles,
    SectionMapping,
    Settings,
    Vendor,
)
from diagnostics.evidence.logs import NoteTrace, ScribeLog
from diagnostics.evidence.note_text import NoteSections
from diagnostics.findings import Result
from diagnostics.parsing.answers import AnswerKind, Emitter
from diagnostics.vocabulary import Certainty, Step, Strength

# a wrong tenant in the address reads like a permission (domain.md trap 13)
_TENANT = re.compile(r"\btenant\b.{0,60}\b(?:not|invalid|unknown|no)\b|\b(?:invalid|unknown|no such) tenant\b", re.I)


_SCOPE = re.compile(r"\bscopes?\b", re.I)
# what an answer's own words may name; the other causes of a 403 have checks that look at more than words
_NAMED = {c.id: c for c in (causes.SCOPE_WRITE_MISSING, causes.DEPARTMENT_RESTRICTED, causes.RBAC_MATRIX)}


@check(
    id="perm.http403.classify",
    step=Step.PERMISSIONS,
    title="The EHR did not answer 403",
    hints=(
        causes.HTTP403_CLASSIFY,
        causes.SCOPE_WRITE_MISSING,
        causes.DEPARTMENT_RESTRICTED,
        causes.ENCOUNTER_CLOSED,
        causes.RBAC_MATRIX,
        causes.PROXY_BLOCK_PAGE,
        causes.BASE_ENVIRONMENT,
    ),
    strength=Strength.STRONG,
    checklist=("PERM.1",),
)
def which_kind_of_403(trace: NoteTrace, settings: Settings, vendor: Vendor) -> Result:
    """A 403 alone says only "no"; its challenge, its codes and its author say whether scope, role or a rule said it."""
    refusal = refusal_of(trace)
    if refusal is None or not refusal.forbidden:
        return passed("The note was not refused with 403.")
    answer = refusal.answer
    if answer.kind in (AnswerKind.HTML_BLOCK, AnswerKind.HTML_GATEWAY) or answer.emitter is Emitter.PROXY:
        says = "The 403 is a page of something in front of the EHR, not the EHR's own answer."
        return failed(says, cause=causes.PROXY_BLOCK_PAGE, strength=Strength.MODERATE, emitter=str(answer.emitter))
    if answer.bearer_error == "insufficient_scope":
        return failed("The EHR's challenge says insufficient_scope.", cause=causes.SCOPE_WRITE_MISSING)
    if _TENANT.search(answer.says):
        says = "The server does not serve the tenant that the address names."
        return failed(says, cause=causes.BASE_ENVIRONMENT)
    known = _vendor_cause(vendor, settings, answer.vendor_codes)
    if known is not None:
        code, cause, says = known
        return failed(f"The EHR's code {code} means: {says}.", cause=cause, code=code)
    codes = answer.issue_codes
    if "suppressed" in codes:
        return failed("The EHR answered 403 and suppressed.", cause=causes.DEPARTMENT_RESTRICTED, codes=sorted(codes))
    if reasons.speaks_of_state(refusal):
        return failed("The EHR's words speak of a closed or signed record.", cause=causes.ENCOUNTER_CLOSED,
                      strength=Strength.MODERATE)  # fmt: skip
    said = words_of(answer, 403, context=vendor.profile.name)
    if said.cause in _NAMED and said.certainty is not Certainty.POSSIBLE:
        return failed(f"The EHR answered 403. {said.says}", cause=_NAMED[said.cause], strength=weight_of(said))
    if _SCOPE.search(answer.says):
        return failed("The EHR answered 403 and speaks of a scope.", cause=causes.SCOPE_WRITE_MISSING)
    return failed("The EHR answered 403 and gave no reason of its own.", codes=sorted(codes))


def _vendor_cause(vendor: Vendor, settings: Settings, codes: tuple[str, ...]) -> tuple[str, Cause, str] | None:
    """Return the first of the vendor's codes that names one of this check's causes."""
    mine = {c.id: c for c in (causes.DEPARTMENT_RESTRICTED, causes.ENCOUNTER_CLOSED, causes.RBAC_MATRIX)}
    for code in codes:
        found = vendor.profile.code_of_answer(settings.integration.protocol, code) if vendor.profile else None
        if found is not None and found[1].cause in mine:
            return code, mine[found[1].cause], found[1].says
    return None


@check(
    id="perm.scope.write_missing.log",
    step=Step.PERMISSIONS,
    title="The token granted before the failure allowed writing notes",
    proves=causes.SCOPE_WRITE_MISSING,
    checklist=("PERM.1",),
    applies=lambda case: case.integration.protocol == "fhir",
)
def scope_allowed_writing(trace: NoteTrace, settings: Settings, log: ScribeLog | None) -> Result:
    """A token is good for what its scope says, whatever was asked for."""
    refusal = refusal_of(trace)
    used = reasons.token_used(trace, log, refusal)
    scope = used.scope if used is not None else None
    if scope is None and used is not None and settings.integration.auth.scopes:
        scope = " ".join(settings.integration.auth.scopes)  # RFC 6749 section 5.1: none in the answer means as asked
    type = reasons.needed_type(trace, settings)
    lacking = reasons.lacks_create(scope, type) if scope else None
    refused_scope = refusal is not None and refusal.answer.bearer_error == "insufficient_scope"
    if lacking is None:
        if refused_scope:
            says = "The EHR's challenge says that the token's scope is insufficient; what was granted is not recorded."
            return failed(says, conclusive=False, type=type)
        return unknown("No token row says which scope was granted.", get="the scope in the token endpoint's answer")
    if not lacking:
        return passed(f"The scope allowed creating {type}.", scope=scope)
    says = f"The granted scope does not allow creating {type}."
    if trace.failure_mode in ARRIVED:
        return warned(f"{says} The EHR took the note all the same.", scope=scope)
    if refusal is None:
        if trace.failure_mode in NEVER_THERE or trace.attempts:
            return warned(f"{says} The note stopped before that mattered.", scope=scope)
        return failed(says, scope=scope)
    if refused_scope or (refusal.forbidden and reasons.by_the_ehr(refusal)):
        return failed(f"{says} The EHR answered {refusal.named}.", scope=scope, type=type)
    return warned(f"{says} The EHR refused the note for another reason first.", scope=scope)


@check(
    id="perm.rbac.matrix",
    step=Step.PERMISSIONS,
    title="The account's role holds every grant that this note needs",
    proves=causes.RBAC_MATRIX,
    strength=Strength.STRONG,
    checklist=("PERM.1", "PERM.2", "PERM.3", "PERM.4"),
)
def role_covers_output(
    roles: Roles,
    settings: Settings,
    mapping: SectionMapping | None,
    sections: NoteSections | None,
    filed: Filed | None,
    trace: NoteTrace | None,
) -> Result:
    """Each kind of data a note carries needs a grant of its own at the EHR."""
    grants = reasons.grants_in(roles.grants or ())
    if not grants and roles.grants != ():
        return unknown("The account's grants are not listed in a form that can be read.", get=Roles.how_to_get)
    refusal = refusal_of(trace)
    needed = _needed(settings, mapping, sections)
    if refusal is not None and refusal.forbidden:
        needed = (*needed, *(grant for grant in ("encounter:read", "encounter:write") if grant not in needed))
    lacking = [grant for grant in needed if reasons.lacks(grants, grant)]
    if not lacking:
        return passed("The role holds every grant that this note needs.", needed=list(needed))
    says = f"The role of the integration's account lacks {', '.join(lacking)}."
    facts: dict[str, Any] = {"lacking": lacking, "grants": sorted(grants)}
    documents = "document:write" in lacking
    if refusal is not None:
        fits = reasons.of_permission(refusal) and (documents or refusal.forbidden)
        if not fits:
            return warned(f"{says} The note was refused for another reason first.", **facts)
        if reasons.changed_since(roles, refusal.at):
            return warned(f"{says} That list was changed after the note had been refused.", **facts)
        if documents:
            return failed(f"{says} The EHR answered {refusal.named}.", lacking=lacking, grants=sorted(grants))
        associating = any(grant.startswith("encounter:") for grant in lacking)
        weight = Strength.STRONG if associating else Strength.MODERATE
        return failed(f"{says} The EHR answered {refusal.named}.", strength=weight, lacking=lacking)
    if trace is not None and trace.failure_mode in NEVER_THERE:
        return warned(f"{says} The note stopped before that mattered.", lacking=lacking)
    if (filed is not None and filed.found) or (trace is not None and trace.failure_mode in ARRIVED):
        if "problem:write" in lacking and _conditions_missing(sections, filed):
            return failed(f"{says} The note's diagnoses are not on the problem list.", lacking=lacking)
        return warned(f"{says} The note was taken all the same.", lacking=lacking)
    return failed(says, strength=Strength.STRONG if documents else Strength.MODERATE, lacking=lacking)


def _needed(settings: Settings, mapping: SectionMapping | None, sections: NoteSections | None) -> tuple[str, ...]:
    """Return the grants this note's output needs: documents always, the rest as the output says."""
    kinds = set(settings.integration.resources_needed)
    discrete = mapping is not None and "discrete" in mapping.output
    diagnoses = discrete and sections is not None and bool(sections.present_codes)
    needed = ["document:write"]
    needed += ["encounter:read"] if "Encounter" in kinds else []
    needed += ["problem:write"] if diagnoses or "Condition" in kinds else []
    needed += ["order:write"] if kinds & {"ServiceRequest", "MedicationRequest"} else []
    return tuple(needed)


def _conditions_missing(sections: NoteSections | None, filed: Filed | None) -> bool:
    if sections is None or filed is None or not filed.has_discrete or not sections.present_codes:
        return False
    return not any(item.get("kind") == "condition" for item in filed.discrete)


# a token endpoint's refusals that an account which is switched off brings about (RFC 6749 section 5.2)
_OF_THE_ACCOUNT = ("invalid_client", "invalid_grant", "unauthorized_client", "access_denied", "")


@check(
    id="perm.account.inactive",
    step=Step.PERMISSIONS,
    title="The integration's account at the EHR is switched on",
    proves=causes.ACCOUNT_INACTIVE,
    checklist=("TOKEN.7",),
)
def account_is_active(roles: Roles, trace: NoteTrace | None) -> Result:
    """An account that an access review switched off is refused whatever its grants are."""
    if roles.active is None:
        return unknown("The snapshot does not say whether the account is active.", get=Roles.how_to_get)
    if roles.active:
        return passed("The account is active.", account=roles.account)
    refusal, token = refusal_of(trace), recorded_refusal(trace)
    if trace is not None and trace.failure_mode in ARRIVED:
        return warned("The account is switched off now; the note had arrived before.", account=roles.account)
    at = trace.first_failure_at if trace is not None else None
    if reasons.changed_since(roles, at):
        return warned("The account was switched off after the note had failed.", account=roles.account,
                      changed_at=roles.changed_at)  # fmt: skip
    answered = refusal is not None and refusal.status in (401, 403) and reasons.by_the_ehr(refusal)
    if answered or (token is not None and token.error in _OF_THE_ACCOUNT) or trace is None:
        return failed("The account is switched off, and the EHR refused it.", account=roles.account)
    return failed("The account is switched off.", strength=Strength.STRONG, account=roles.account)
