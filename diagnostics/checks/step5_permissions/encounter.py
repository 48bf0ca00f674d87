"""Judge whether this encounter takes this note: its state, its owner, its department, and who stands as author."""

from collections.abc import Mapping

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, unknown, warned
from diagnostics.checks.refusal import ARRIVED, NEVER_THERE, Refusal, refusal_of
from diagnostics.checks.step5_permissions import reasons
from diagnostics.evidence.case_parts import EncounterFacts, Encounters, Filed, NoteFacts, Roles, Settings, Vendor
from diagnostics.evidence.fhir import EncounterNow
from diagnostics.evidence.logs import NoteTrace
from diagnostics.evidence.payload import FhirNote, Hl7Message
from diagnostics.findings import Result
from diagnostics.identity import plain, same
from diagnostics.vocabulary import Instant, Step, Strength

_OF_STATE = frozenset({"business-rule", "conflict", "lock-error", "forbidden", "processing", "unknown", "no-store"})


@check(
    id="perm.encounter.closed",
    step=Step.PERMISSIONS,
    title="The encounter was open for the note",
    proves=causes.ENCOUNTER_CLOSED,
    checklist=("PERM.5",),
)
def encounter_open(
    note: NoteFacts,
    settings: Settings,
    vendor: Vendor,
    encounters: Encounters | None,
    visit_now: EncounterNow | None,
    trace: NoteTrace | None,
    filed: Filed | None,
) -> Result:
    """A note that comes after the visit was signed needs an addendum, not another attempt."""
    refusal = refusal_of(trace)
    named = _vendor_says(vendor, settings, refusal, causes.ENCOUNTER_CLOSED.id)
    if named:
        return failed(f"The EHR's code {named} says that the encounter is closed or locked.", code=named)
    visit, live = reasons.visit_of(note, encounters, visit_now)
    at = refusal.at if refusal is not None else note.note.generated_at
    shut = reasons.closed(visit, at)
    if refusal is not None:
        return _refused(refusal, visit, shut, live)
    if not shut:
        if visit is None:
            return unknown("The encounter's state is not known.", get=Encounters.how_to_get)
        return passed("The encounter was not closed before the note came.", status=visit.status)
    if (trace is not None and trace.failure_mode in ARRIVED) or (filed is not None and filed.found):
        return passed("The encounter is closed, and the EHR takes late notes: this one is in the chart.")
    if trace is not None and trace.failure_mode in NEVER_THERE:
        return warned("The encounter is closed by now: the note may be refused when it is sent.")
    signed = visit is not None and visit.signed is True
    return failed(
        "The encounter was signed before the note came."
        if signed
        else "The encounter was finished before the note came.",
        strength=Strength.STRONG if signed else Strength.MODERATE,
        instant=Instant.NOW if live else None,
    )


def _refused(refusal: Refusal, visit: EncounterFacts | None, shut: bool, live: bool) -> Result:
    """Weigh the encounter's state against what the EHR said when it refused."""
    codes, words = refusal.answer.issue_codes, reasons.speaks_of_state(refusal)
    other = bool(codes) and not codes & _OF_STATE and not words
    no_scope = refusal.answer.bearer_error == "insufficient_scope"
    mine = reasons.by_the_ehr(refusal) and (refusal.forbidden or refusal.of_business) and not other and not no_scope
    if not mine:
        return passed("The refusal does not speak of the encounter's state.") if not shut else warned(
            "The encounter is closed, but the refusal speaks of something else."
        )  # fmt: skip
    facts = {"refusal": refusal.named, "codes": sorted(codes)}
    instant = Instant.NOW if live else None
    if shut:
        sure = words or refusal.forbidden or refusal.status == 423 or bool(codes & {"business-rule", "lock-error"})
        sure = sure or "206" in refusal.error_codes
        if visit is not None and visit.signed is False and not words and refusal.status != 423:
            sure = False  # finished is not signed: many EHRs take late notes until somebody signs
        strength = Strength.DECISIVE if sure else Strength.STRONG
        state = "signed" if visit is not None and visit.signed else (visit.status if visit is not None else "closed")
        says = f"The encounter was {state} when the EHR refused the note with {refusal.named}."
        return failed(says, strength=strength, instant=instant, facts=facts)
    if visit is not None:
        return passed("The encounter was not closed when the note was refused.", status=visit.status)
    if words or refusal.status == 423 or "lock-error" in codes or "206" in refusal.error_codes:
        return failed("The EHR's answer speaks of a closed, signed or locked record.", conclusive=False, facts=facts)
    return unknown("The encounter's state is not known.", get=Encounters.how_to_get)


def _vendor_says(vendor: Vendor, settings: Settings, refusal: Refusal | None, cause: str) -> str:
    """Return the vendor's code in the answer that is documented to mean this cause, or an empty string."""
    for code in refusal.answer.vendor_codes if refusal is not None else ():
        found = vendor.profile.code_of_answer(settings.integration.protocol, code) if vendor.profile else None
        if found is not None and found[1].cause == cause and found[1].decisive:
            return code
    return ""


@check(
    id="perm.encounter.owner",
    step=Step.PERMISSIONS,
    title="The encounter belongs to the note's provider",
    proves=causes.ENCOUNTER_OWNER,
    strength=Strength.STRONG,
    checklist=("PERM.5",),
)
def encounter_of_the_provider(
    note: NoteFacts, encounters: Encounters | None, visit_now: EncounterNow | None, trace: NoteTrace | None
) -> Result:
    """Many EHRs let only the encounter's own provider, or a role above, write to it."""
    visit, live = reasons.visit_of(note, encounters, visit_now)
    if visit is None or visit.owner is None or note.note.provider_id is None:
        return unknown("The encounter's owner or the note's provider is not known.", get=Encounters.how_to_get)
    if not reasons.another_owner(visit, note):
        return passed("The encounter belongs to the note's provider.")
    refusal = refusal_of(trace)
    if not reasons.of_permission(refusal) or refusal is None:
        return passed("The encounter belongs to a colleague; no refusal speaks of that.")
    codes = refusal.answer.issue_codes
    if refusal.answer.bearer_error or "suppressed" in codes or reasons.closed(visit, refusal.at):
        return passed("The encounter belongs to a colleague; the refusal has another reason.")
    return failed(
        f"The encounter belongs to another provider, and the EHR answered {refusal.named}.",
        instant=Instant.NOW if live else None,
        codes=sorted(codes),
    )


@check(
    id="perm.department.restricted",
    step=Step.PERMISSIONS,
    title="The account may write in the note's department",
    proves=causes.DEPARTMENT_RESTRICTED,
    checklist=("PERM.6",),
)
def department_open(
    note: NoteFacts,
    settings: Settings,
    vendor: Vendor,
    roles: Roles | None,
    encounters: Encounters | None,
    visit_now: EncounterNow | None,
    trace: NoteTrace | None,
) -> Result:
    """Behavioral health and other restricted units need a grant of their own, and compliance decides on it."""
    refusal = refusal_of(trace)
    named = _vendor_says(vendor, settings, refusal, causes.DEPARTMENT_RESTRICTED.id)
    if named:
        return failed(f"The EHR's code {named} says that the chart is protected.", code=named)
    visit, live = reasons.visit_of(note, encounters, visit_now)
    department = reasons.department_of(note, visit)
    beyond = reasons.outside(roles, department)
    restricted = visit is not None and (visit.confidentiality or "").upper() in reasons.RESTRICTED
    instant = Instant.NOW if live else None
    if refusal is None:
        if not beyond:
            return _nothing_speaks_against(roles, visit)
        if trace is None or trace.failure_mode not in (*ARRIVED, *NEVER_THERE):
            return failed(f"The account's grants do not reach {department}.", conclusive=False, department=department)
        return warned(f"The account's grants do not reach {department}; this note did not fail for it.")
    suppressed = "suppressed" in refusal.answer.issue_codes
    fits = reasons.of_permission(refusal) and refusal.answer.bearer_error != "insufficient_scope"
    if not fits:
        return passed("The refusal does not speak of a department.")
    if beyond:
        says = f"The account's grants do not reach {department}, and the EHR answered {refusal.named}."
        return failed(says, department=department, instant=instant)
    if restricted:
        known = roles is not None and roles.departments is not None  # the department is on the account's list
        sure = suppressed or (refusal.forbidden and not known and not reasons.closed(visit, refusal.at))
        says = f"The encounter is marked confidential, and the EHR answered {refusal.named}."
        return failed(says, strength=Strength.DECISIVE if sure else Strength.MODERATE, instant=instant)
    if suppressed:
        return failed("The EHR hides this record from the account (issue code suppressed).", conclusive=False)
    return _nothing_speaks_against(roles, visit)


def _nothing_speaks_against(roles: Roles | None, visit: EncounterFacts | None) -> Result:
    if roles is None and visit is None:
        return unknown("Neither the account's departments nor the encounter's are known.", get=Roles.how_to_get)
    return passed("Nothing shows that the department is closed to the account.")


@check(
    id="perm.attribution.wrong",
    step=Step.PERMISSIONS,
    title="The note stands under the responsible provider's name",
    proves=causes.ATTRIBUTION_WRONG,
    strength=Strength.MODERATE,
    checklist=("PERM.8",),
)
def author_is_the_provider(
    note: NoteFacts,
    filed: Filed | None,
    trace: NoteTrace | None,
    roles: Roles | None,
    resource: FhirNote | None,
    message: Hl7Message | None,
) -> Result:
    """A note signed by a service account has no clinician who answers for it."""
    rows = trace.ehr("filed") if trace is not None else ()
    if filed is not None and not filed.found:
        return not_applicable("The note is not in the chart.")
    author = plain(filed.author_id) if filed is not None else None
    author = author or next((plain(row.author_id) for row in rows if row.author_id), None)
    if author is None or plain(note.note.provider_id) is None:
        return unknown("The author in the chart or the responsible provider is not known.", get=Filed.how_to_get)
    if same(author, note.note.provider_id):
        return passed("The responsible provider is the author.")
    service = roles is not None and same(author, roles.account)
    who = "the integration's own account" if service else "somebody else than the responsible provider"
    if service and _authenticated_by(note, resource, message):
        return warned(f"The EHR records {who} as author; the note names the provider as the one who authenticates it. "
                      "Where the site delegates authorship, that is as it should be.")  # fmt: skip
    return failed(f"The EHR records {who} as author.", service_account=service)


def _authenticated_by(note: NoteFacts, resource: FhirNote | None, message: Hl7Message | None) -> bool:
    """Tell whether the note as sent names the responsible provider as its authenticator, beside another author."""
    provider = note.note.provider_id
    named: list[object] = [message.message.get("TXA-10.1")] if message is not None else []
    for one, _path in resource.documents() if resource is not None else ():
        held = one.get("authenticator")
        named.append(held.get("reference") if isinstance(held, Mapping) else None)
    return any(isinstance(each, str) and same(each, provider) for each in named)
