"""Judge what the EHR answered to a FHIR create: its issues, a duplicate, an answer that only means "later"."""

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from diagnostics import catalog, causes
from diagnostics.causes.model import Cause
from diagnostics.check import check, failed, not_applicable, passed, unknown, warned
from diagnostics.checks.logged_words import explained
from diagnostics.checks.refusal import Refusal, refusal_of
from diagnostics.checks.step2_write_back.issue_codes import Reading, read, votes_of, worst
from diagnostics.checks.step2_write_back.payload import over_fhir
from diagnostics.evidence.case_parts import Clock, Filed, Vendor
from diagnostics.evidence.logs import Attempt, NoteTrace
from diagnostics.evidence.payload import FhirNote
from diagnostics.findings import Result
from diagnostics.parsing.answers import AnswerKind, Issue, read_answer
from diagnostics.parsing.fhir_structure import absent
from diagnostics.vendors.model import VendorProfile
from diagnostics.vocabulary import Category, Certainty, FailureMode, Step, Strength

_DECISIVE, _STRONG, _MODERATE = Strength.DECISIVE, Strength.STRONG, Strength.MODERATE


@check(
    id="fhir.outcome.issue",
    step=Step.WRITE_BACK,
    title="The EHR's answer names no fault of the note",
    hints=(
        causes.OUTCOME_ISSUE, causes.PAYLOAD_STRUCTURE, causes.PAYLOAD_REQUIRED, causes.PAYLOAD_REFERENCES,
        causes.PAYLOAD_TYPE_CODE, causes.PAYLOAD_EXTENSION, causes.PAYLOAD_ATTACHMENT, causes.REQUEST_SIZE,
        causes.REQUEST_METHOD_PATH, causes.OUTCOME_DUPLICATE, causes.ENCOUNTER_CLOSED, causes.RATE_LIMITED,
        causes.SERVER_ERROR, causes.CODE_LOCAL_MISSING, causes.PATIENT_MISMATCH, causes.ENCOUNTER_MISMATCH,
        causes.DEPARTMENT_RESTRICTED, causes.RBAC_MATRIX, causes.PROXY_AUTH_STRIPPED,
    ),
    checklist=("WRITE.2",),
    applies=over_fhir,
)  # fmt: skip
def issues(trace: NoteTrace, vendor: Vendor, note: FhirNote | None) -> Result:
    """The answer's own codes say what the EHR objected to; its free text alone never decides."""
    refusal = refusal_of(trace)
    if refusal is None:
        return passed("The EHR refused nothing.") if trace.attempts else not_applicable("Nothing was sent.")
    told = worst(refusal.answer.errors)
    facts: dict[str, Any] = {
        "status": refusal.status,
        "codes": sorted(refusal.answer.issue_codes),
        "vendor_codes": list(refusal.answer.vendor_codes)[:5],
        "expressions": [e for issue in refusal.answer.errors for e in issue.expressions][:20],
        "issues": len(refusal.answer.issues),
        "speaks_for": votes_of(told, refusal.status),
    }
    if refusal.answer.kind not in (AnswerKind.OPERATION_OUTCOME, AnswerKind.VENDOR):
        return not_applicable("The answer holds no OperationOutcome and no code of the vendor's.", **facts)
    codes = _numbers(told) or _numbers(refusal.answer.errors)
    if refusal.answer.kind is AnswerKind.VENDOR:
        codes = list(refusal.answer.vendor_codes)
    by_vendor = [r for r in (_vendor(code, vendor.profile) for code in codes) if r]
    by_standard = [_borne_out(read(issue, refusal), issue, note) for issue in told]
    # the vendor's own number says more than the standard's code beside it
    for readings in (by_vendor, by_standard):
        telling = [r for r in readings if r.cause is not None]
        if telling:
            best = max(telling, key=lambda r: r.strength)
            weight = best.strength if readings is by_vendor else min(best.strength, _not_beside(refusal, best.cause))
            return failed(best.says, cause=best.cause, strength=weight, **facts)
    for readings in (by_vendor, by_standard):
        if readings:
            return failed(readings[0].says, cause=causes.OUTCOME_ISSUE, strength=_STRONG, **facts)
    return unknown("The answer names no issue that is an error.", get="the whole body of the EHR's answer", **facts)


def _not_beside(refusal: Refusal, cause: Cause | None) -> Strength:
    """Return how heavily a standard code may weigh: less where the answer's words speak of the token or the way.

    Some servers wrap an expired token or a rate limit in an issue of the code `invalid`.
    """
    found = explained(refusal.answer.text, status=refusal.status)
    named = found.cause is not None and (cause is None or found.cause != cause.id)
    elsewhere = named and found.category in (Category.AUTHENTICATION, Category.NETWORK)
    return Strength.MODERATE if elsewhere and found.certainty is not Certainty.POSSIBLE else Strength.DECISIVE


def _numbers(issues: Iterable[Issue]) -> list[str]:
    return list(dict.fromkeys(code for issue in issues for _system, code in issue.details if code))


def _vendor(code: str, profile: VendorProfile) -> Reading | None:
    found = profile.code_of_answer("fhir", code)
    if found is None:
        return None
    _surface, known = found
    cause = catalog.cause(known.cause) if known.cause else None
    says = f"The EHR answered with {profile.name} code {code[:20]}: {known.says}."
    return Reading(cause, _DECISIVE if known.decisive else _STRONG, says)


def _borne_out(reading: Reading, issue: Issue, note: FhirNote | None) -> Reading:
    """Lower a reading that the payload at hand contradicts: a sound resource, or an element that is there.

    A server of another FHIR version, or with rules of its own, refuses what is right by the standard.
    """
    if note is None or reading.strength < _STRONG:
        return reading
    if reading.cause is causes.PAYLOAD_STRUCTURE and not any(i.kind != "missing" for i in note.issues):
        return Reading(reading.cause, _MODERATE, f"{reading.says} By FHIR R4 the resource is well formed.")
    if reading.cause is causes.PAYLOAD_REQUIRED and _all_there(issue, note):
        return Reading(reading.cause, _MODERATE, f"{reading.says} The element is in the payload.")
    return reading


def _all_there(issue: Issue, note: FhirNote) -> bool:
    paths = [re.sub(r"\[\d+\]", "", e.replace("/f:", ".")).strip("/. ") for e in issue.expressions]
    inside = [p.partition(".")[2] for p in paths if re.fullmatch(rf"{note.type}(?:\.[A-Za-z]+)+", p)]
    return bool(inside) and all(absent(note.resource, steps, note.type) is None for steps in inside)


@check(
    id="fhir.outcome.duplicate",
    step=Step.WRITE_BACK,
    title="The EHR did not take the note for one it already holds",
    proves=causes.OUTCOME_DUPLICATE,
    applies=over_fhir,
)
def duplicate(trace: NoteTrace, vendor: Vendor, filed: Filed | None) -> Result:
    """A note taken for a copy is dropped without an error, and its new text never reaches the chart."""
    refusal = refusal_of(trace)
    if refusal is not None:
        known = [vendor.profile.code_of_answer("fhir", code) for code in refusal.answer.vendor_codes]
        if any(k is not None and k[1].cause == causes.OUTCOME_DUPLICATE.id for k in known):
            return failed("The EHR's own code says that it already holds this document.", status=refusal.status)
        codes = sorted(refusal.answer.issue_codes)
        if "duplicate" in codes or refusal.status == 412:
            return failed(
                "The EHR refused the note because it matches one that is there.",
                strength=_STRONG,
                status=refusal.status,
                codes=codes,
            )
        return passed("The refusal does not speak of a copy.", status=refusal.status)
    ignored = _ignored(trace)
    if ignored is None or vendor.profile.separate_write_route:
        return passed("The EHR created the note.") if trace.attempts else not_applicable("Nothing was sent.")
    says = "The create was answered 200, not 201: the EHR found a matching document and ignored this one."
    honours = vendor.profile.conditional_create
    if filed is not None and not filed.found:
        return failed(says, strength=_STRONG if honours else _MODERATE, sent_at=ignored.at)
    told = filed is not None and filed.has_fields  # what the chart holds is compared with the note elsewhere
    if not told and trace.ehr("received") and not trace.ehr("filed") and not trace.ehr("accepted"):
        return failed(says, strength=_MODERATE, sent_at=ignored.at)
    return warned(
        "The create was answered 200, not 201; some servers do so for a new document too.", sent_at=ignored.at
    )


def _ignored(trace: NoteTrace) -> Attempt | None:
    """Return the attempt whose create was answered 200 (conditional create: one match, nothing written)."""
    last = trace.last
    if last is None or last.outcome != "accepted" or last.status != 200:
        return None
    return last if (last.sent.method or "").upper() == "POST" else None


@check(
    id="fhir.outcome.accepted_202",
    step=Step.WRITE_BACK,
    title="The EHR has filed what it took",
    proves=causes.OUTCOME_ACCEPTED_202,
    applies=over_fhir,
)
def pending(trace: NoteTrace, clock: Clock, vendor: Vendor, filed: Filed | None) -> Result:
    """An answer of 202 promises nothing: somebody or something must still process the note."""
    taken = [a for a in trace.attempts if a.status == 202 and a.outcome == "accepted"]
    if not taken:
        return not_applicable("No answer was 202.")
    if (filed is not None and filed.found) or trace.ehr("filed"):
        return passed("The note was taken for later processing, and has been filed since.", sent_at=taken[-1].at)
    if trace.last is not None and trace.last.outcome == "accepted" and trace.last.status != 202:
        return passed("The note was not left pending: a later attempt was taken at once.")
    if refusal_of(trace) is not None:
        return passed("The note was not left pending: the EHR refused it afterwards.")
    waited = clock.now - taken[-1].at
    facts = {"sent_at": taken[-1].at, "waited_minutes": round(waited.total_seconds() / 60)}
    if waited < timedelta(minutes=vendor.profile.usual_filing_minutes):
        return unknown("The EHR took the note for later processing, and its usual delay is not over.",
                       get="the chart, once the EHR's usual delay is over",
                       sent_at=facts["sent_at"], waited_minutes=facts["waited_minutes"])  # fmt: skip
    says = f"The EHR answered 202 and has not filed the note for {facts['waited_minutes']} minutes."
    seen = (filed is not None and not filed.found) or trace.has_ehr_log
    return failed(says, strength=_DECISIVE if seen else _STRONG, sent_at=taken[-1].at)


@check(
    id="fhir.outcome.warning_in_2xx",
    step=Step.WRITE_BACK,
    title="The EHR took the note without leaving anything out",
    hints=causes.OUTCOME_WARNING_IN_2XX,
    strength=Strength.MODERATE,
    checklist=("MAP.1",),
    applies=over_fhir,
)
def warnings_in_success(trace: NoteTrace) -> Result:
    """An EHR may say yes and mention, where nobody reads it, that it ignored a part."""
    taken = [a for a in trace.attempts if a.outcome == "accepted" and a.error]
    for attempt in reversed(taken):
        answer = read_answer(attempt.error, attempt.status, attempt.headers)
        told = [issue for issue in answer.issues if issue.severity in ("warning", "error", "fatal")]
        if not told:
            continue
        facts: dict[str, Any] = {
            "codes": sorted({issue.code for issue in told}),
            "expressions": [expression for issue in told for expression in issue.expressions][:20],
        }
        says = "The EHR took the note and named something it did not take over."
        dropped = any(issue.code in _DROPPING or _DROPPED.search(issue.says[:2000]) for issue in told)
        if dropped and trace.failure_mode in (FailureMode.PARTIAL, FailureMode.MISPLACED):
            return failed(f"{says} The chart does not hold the whole note where it belongs.", **facts)
        return warned(says, **facts)
    return passed("No good answer carried a warning.") if trace.attempts else not_applicable("Nothing was sent.")


# issue codes and words by which a server says that it left a part out
_DROPPING = frozenset({"not-supported", "extension", "incomplete", "too-long", "code-invalid"})
_DROPPED = re.compile(
    r"\b(?:ignor|drop|discard|truncat|remov|strip|omit|unsupported|not (?:stored|saved|supported|imported|processed))",
    re.IGNORECASE,
)


@check(
    id="fhir.readback.absent.filed",
    step=Step.WRITE_BACK,
    title="A note the EHR said it created is in the chart",
    hints=causes.READBACK_ABSENT,
    checklist=("DONE.1",),
    applies=over_fhir,
)
def created_and_there(trace: NoteTrace, clock: Clock, vendor: Vendor, filed: Filed | None) -> Result:
    """An answer of 201 is a promise; only the chart shows whether it was kept."""
    created = [a for a in trace.attempts if a.status == 201 and a.outcome == "accepted"]
    if not created:
        return not_applicable("No answer was 201.")
    if filed is None:
        return unknown("What the chart holds is not known.", get=Filed.how_to_get)
    if filed.found:
        return passed("The created note is in the chart.", created_at=created[-1].at)
    seen_at = filed.at or clock.now
    if seen_at - created[-1].at < timedelta(minutes=vendor.profile.usual_filing_minutes):
        return unknown("The chart was looked at before the EHR's usual delay was over.", get="the chart as it is now")
    unsigned = (
        " This EHR files notes unsigned: look in its queue of unsigned documents."
        if vendor.profile.files_unsigned
        else ""
    )
    return failed(f"The EHR answered 201, and the chart does not hold the note.{unsigned}", created_at=created[-1].at)
