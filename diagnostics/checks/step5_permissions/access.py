"""Judge from logs and the role snapshot whether the account may write notes at all."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from diagnostics import causes
from diagnostics.causes.model import Cause
from diagnostics.check import check, failed, passed, unknown, warned
from diagnostics.checks.refusal import ARRIVED, NEVER_THERE, Refusal, refusal_of
from diagnostics.checks.step5_permissions import reasons
from diagnostics.evidence.case_parts import (
    Baseline,
    Encounters,
    Filed,
    NoteFacts,
    Roles,
    SectionMapping,
    Settings,
    Vendor,
)
from diagnostics.evidence.fhir import EncounterNow
from diagnostics.evidence.logs import AuditTrail, NoteTrace, ScribeLog
from diagnostics.evidence.note_text import NoteSections
from diagnostics.findings import Result
from diagnostics.identity import plain
from diagnostics.parsing.answers import AnswerKind, Emitter
from diagnostics.vocabulary import FailureMode, Step, Strength

_WINDOW_S = 300  # reading and writing within five minutes say something of one token


# a wrong tenant in the address reads like a permission (domain.md trap 13)
_TENANT = re.compile(r"\btenant\b.{0,60}\b(?:not|invalid|unknown|no)\b|\b(?:invalid|unknown|no such) tenant\b", re.I)


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
def scope_allowed_writing(trace: NoteTrace, settings: Settings) -> Result:
    """A token is good for what its scope says, whatever was asked for."""
    refusal = refusal_of(trace)
    at = refusal.at if refusal is not None else None
    scope = reasons.granted_scope(trace, at)
    if scope is None and any(token.ok for token in trace.tokens) and settings.integration.auth.scopes:
        scope = " ".join(settings.integration.auth.scopes)  # RFC 6749 section 5.1: none in the answer means as asked
    type = reasons.needed_type(trace, settings)
    lacking = reasons.lacks_create(scope, type) if scope else None
    refused_scope = refusal is not None and refusal.answer.bearer_error == "insufficient_scope"
    if lacking is None:
        if refused_scope:
            return failed("The EHR's challenge says that the token's scope is insufficient.", type=type)
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
    id="perm.read_ok_write_denied.log",
    step=Step.PERMISSIONS,
    title="The account that may read may also write",
    proves=causes.READ_OK_WRITE_DENIED,
    checklist=("PERM.1",),
    applies=lambda case: case.integration.protocol == "fhir",
)
def reads_and_writes(
    trace: NoteTrace,
    note: NoteFacts,
    settings: Settings,
    roles: Roles | None,
    encounters: Encounters | None,
    visit_now: EncounterNow | None,
    log: ScribeLog | None,
    trail: AuditTrail | None,
) -> Result:
    """Reading with the same account minutes before a refused write leaves only the right to write."""
    refusal = refusal_of(trace)
    if refusal is None or not refusal.forbidden or not reasons.by_the_ehr(refusal):
        return passed("No write was refused with 403 by the EHR.")
    reads = _reads(trace, log, trail, refusal.at)
    if not reads:
        return unknown("No read of that time is in the logs.", get="a read of the same patient with that token")
    visit, _live = reasons.visit_of(note, encounters, visit_now)
    scope = reasons.granted_scope(trace, refusal.at)
    lacking = reasons.lacks_create(scope, reasons.needed_type(trace, settings)) if scope else None
    other = reasons.reason_of_its_own(note, roles, visit, refusal, lacking)
    if other is not None:
        return failed(f"Reading worked and writing was refused; {other} says more.", strength=Strength.MODERATE)
    return failed("Reading worked at that time, and the write was refused with 403.", reads=reads)


def _reads(trace: NoteTrace, log: ScribeLog | None, trail: AuditTrail | None, at: datetime) -> int:
    """Count the reads of clinical data that went well within five minutes, in either system's log."""
    asked = 0
    for row in log.rows if log is not None else trace.rows:
        row_is_read = (row.method or "").upper() in ("GET", "HEAD")
        if row_is_read and row.status is not None and 200 <= row.status < 300 and _near(row.at, at):
            asked += not (row.url or "").rstrip("/").endswith(_PUBLIC)
    clients = {plain(row.client_id) for row in trace.ehr_rows} - {None}
    served = [
        row
        for row in (trail.rows if trail is not None else ())
        if row.event in ("received", "accepted")
        and row.status == 200
        and _READ_RESOURCE.match(row.resource or "")
        and _near(row.at, at)
        and (not clients or plain(row.client_id) in clients)
    ]
    return asked + len(served)


_PUBLIC = ("/metadata", "smart-configuration", "openid-configuration")
# what the EHR's trail calls a read: a patient, an encounter, or a search of any type
_READ_RESOURCE = re.compile(r"(?:Patient|Encounter|Practitioner)(?:/|$)|[A-Z][A-Za-z]{2,40}\?")


def _near(one: datetime, other: datetime) -> bool:
    return abs((one - other).total_seconds()) <= _WINDOW_S


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


@check(
    id="perm.drift",
    step=Step.PERMISSIONS,
    title="The account holds the grants it had when notes last arrived",
    proves=causes.DRIFT,
    strength=Strength.STRONG,
    checklist=("PERM.7",),
)
def grants_as_before(
    settings: Settings,
    roles: Roles | None,
    audit: AuditTrail | None,
    baseline: Baseline | None,
    trace: NoteTrace | None,
) -> Result:
    """Upgrades and access reviews take grants away quietly; the first refused note is the first to tell."""
    before = _of_baseline(baseline)
    if (roles is None or before is None) and audit is None:
        return unknown("Neither earlier grants nor the EHR's changes are known.", get=Baseline.how_to_get)
    refusal = refusal_of(trace)
    held = reasons.grants_in(roles.grants or ()) if roles is not None and roles.grants is not None else None
    lost = {grant for grant in before if reasons.lacks(held, grant)} if before and held is not None else set()
    for row in audit.rows if audit is not None else ():
        if row.event == "change" and row.change and row.change.get("kind") == "role" and _earlier(row.at, refusal):
            gone = _lost_by(row.change, settings)
            lost |= {grant for grant in gone if held is None or reasons.lacks(held, grant)}
    if not lost:
        return passed("No grant was lost.")
    says = f"The account lost {', '.join(sorted(lost))}."
    if refusal is not None and reasons.of_permission(refusal) and "document:write" in lost:
        return failed(f"{says} Then the EHR answered {refusal.named}.", strength=Strength.DECISIVE, lost=sorted(lost))
    if refusal is not None and refusal.forbidden and reasons.by_the_ehr(refusal):
        return failed(f"{says} Then the EHR answered {refusal.named}.", strength=Strength.MODERATE, lost=sorted(lost))
    if refusal is None and (trace is None or trace.failure_mode is FailureMode.UNKNOWN) and "document:write" in lost:
        return failed(says, lost=sorted(lost))
    return warned(f"{says} That does not explain this note.", lost=sorted(lost))


def _of_baseline(baseline: Baseline | None) -> frozenset[str] | None:
    """Return the grants of the last good run."""
    if baseline is None:
        return None
    held = baseline.facts.get("grants")
    held = held if held is not None else (baseline.facts.get("roles") or {})
    words = held.get("grants") if isinstance(held, Mapping) else held
    return reasons.grants_in(str(word) for word in words) if isinstance(words, list | tuple) else None


def _earlier(at: datetime, refusal: Refusal | None) -> bool:
    return refusal is None or at <= refusal.at


def _lost_by(change: Mapping[str, Any], settings: Settings) -> set[str]:
    """Return the grants a role change took away, whether it lists them before and after or names one as revoked."""
    before, after, what = (str(change.get(key) or "") for key in ("from", "to", "what"))
    had, has = _grants(before), _grants(after)
    if had:
        return {grant for grant in had if reasons.lacks(has, grant)}
    named = _grants(what)
    revoked = after.strip().lower() in ("", "none", "revoked", "removed", "denied", "false", "no", "off", "disabled")
    return set(named) if named and revoked else set()


def _grants(words: str) -> frozenset[str]:
    return reasons.grants_in(words.replace(",", " ").replace(";", " ").split())


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
    refusal = refusal_of(trace)
    tokens = [token for token in trace.tokens if not token.ok] if trace is not None else []
    if trace is not None and trace.failure_mode in ARRIVED:
        return warned("The account is switched off now; the note had arrived before.", account=roles.account)
    answered = refusal is not None and refusal.status in (401, 403)
    if answered or tokens or trace is None:
        return failed("The account is switched off, and the EHR refused it.", account=roles.account)
    return failed("The account is switched off.", strength=Strength.STRONG, account=roles.account)
