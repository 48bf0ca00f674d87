"""Judge what the EHR answered to a FHIR create: its issues, a duplicate, an answer that only means "later"."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from diagnostics import catalog, causes
from diagnostics.causes.model import Cause
from diagnostics.check import check, failed, not_applicable, passed, unknown, warned
from diagnostics.checks.refusal import Refusal, refusal_of
from diagnostics.checks.step2_write_back.payload import over_fhir
from diagnostics.evidence.case_parts import Clock, Filed, Vendor
from diagnostics.evidence.logs import Attempt, NoteTrace
from diagnostics.evidence.payload import FhirNote
from diagnostics.findings import Result
from diagnostics.parsing.answers import AnswerKind, Issue, read_answer
from diagnostics.parsing.fhir_structure import absent
from diagnostics.vendors.model import VendorProfile
from diagnostics.vocabulary import Step, Strength

_DECISIVE, _STRONG, _MODERATE = Strength.DECISIVE, Strength.STRONG, Strength.MODERATE
# words by which an issue of a general code speaks of the chart's state rather than of the payload's form
_BUSINESS = re.compile(
    r"\b(?:closed|locked|signed|finali[sz]ed|scope|permission|privilege|authori[sz]ed|restricted|break.the.glass|merged"
    r"|not found|does not exist|unknown (?:patient|encounter)|could not be resolved|duplicate|already exists)",
    re.IGNORECASE,
)
_CLOSED = re.compile(
    r"\b(?:encounter|visit|note|chart)\b.{0,60}\b(?:closed|locked|signed|finali[sz]ed|finished)\b", re.I
)
_UNKNOWN = re.compile(r"not found|does not exist|unknown|could not be (?:resolved|found)|no such|not known", re.I)
_REFERENCE = re.compile(r"\b(?:Patient|Encounter|Practitioner(?:Role)?|Organization|Location)/", re.I)
_REFERRING = re.compile(r"\.(?:subject|encounter|author|custodian|authenticator|performer|context)\b", re.I)


@dataclass(frozen=True)
class _Reading:
    """Be what one issue or code speaks for; `cause` None means: for nothing in this step."""

    cause: Cause | None
    strength: Strength
    says: str


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
    facts: dict[str, Any] = {
        "status": refusal.status,
        "codes": sorted(refusal.answer.issue_codes),
        "vendor_codes": list(refusal.answer.vendor_codes)[:5],
        "expressions": [e for issue in refusal.answer.errors for e in issue.expressions][:5],
    }
    if refusal.answer.kind not in (AnswerKind.OPERATION_OUTCOME, AnswerKind.VENDOR):
        return not_applicable("The answer holds no OperationOutcome and no code of the vendor's.", **facts)
    readings = [r for r in (_vendor(code, vendor.profile) for code in refusal.answer.vendor_codes) if r]
    readings += [_borne_out(_standard(issue, refusal), issue, note) for issue in refusal.answer.errors]
    telling = [r for r in readings if r.cause is not None]
    if telling:
        best = max(telling, key=lambda r: r.strength)
        return failed(best.says, cause=best.cause, strength=best.strength, **facts)
    if readings:
        return failed(readings[0].says, cause=causes.OUTCOME_ISSUE, strength=_STRONG, **facts)
    return unknown("The answer names no issue that is an error.", get="the whole body of the EHR's answer", **facts)


def _vendor(code: str, profile: VendorProfile) -> _Reading | None:
    found = profile.code_of_answer("fhir", code)
    if found is None:
        return None
    _surface, known = found
    cause = catalog.cause(known.cause) if known.cause else None
    says = f"The EHR answered with {profile.name} code {code[:20]}: {known.says}."
    return _Reading(cause, _DECISIVE if known.decisive else _STRONG, says)


def _standard(issue: Issue, refusal: Refusal) -> _Reading:
    """Read one issue by its code of the standard (domain.md table 2.2.1)."""
    place = issue.expressions[0][:120] if issue.expressions else ""
    at = f" at {place}" if place else ""
    says = f"The EHR refused the note with issue code {issue.code}{at}."
    valid = refusal.status in (400, 412, 422, None)
    business = bool(_BUSINESS.search(issue.says))
    if issue.code == "required" and valid:
        return _Reading(causes.PAYLOAD_REQUIRED, _STRONG if business else _DECISIVE, says)
    if _speaks_of_reference(issue):
        return _Reading(causes.PAYLOAD_REFERENCES, _STRONG, f"{says} It speaks of a resource that the note refers to.")
    if issue.code == "structure" and valid:
        return _Reading(causes.PAYLOAD_STRUCTURE, _STRONG if business else _DECISIVE, says)
    if issue.code in ("invalid", "value", "invariant") and valid:
        weight = _MODERATE if business else _DECISIVE if place else _STRONG
        inside = causes.PAYLOAD_ATTACHMENT if "attachment" in place.lower() else causes.PAYLOAD_STRUCTURE
        return _Reading(_closed(issue) or inside, weight if not _closed(issue) else _STRONG, says)
    if issue.code in ("business-rule", "conflict", "processing") and _closed(issue):
        return _Reading(causes.ENCOUNTER_CLOSED, _STRONG, f"{says} Its text speaks of a closed or signed encounter.")
    if issue.code == "not-supported":
        cause = causes.REQUEST_METHOD_PATH if refusal.status in (404, 405, 501) else causes.PAYLOAD_EXTENSION
        return _Reading(cause, _STRONG if refusal.status in (404, 405, 501) or place else _MODERATE, says)
    simple = _BY_CODE.get(issue.code)
    return _Reading(simple[0], simple[1], says) if simple else _Reading(None, _STRONG, says)


def _borne_out(reading: _Reading, issue: Issue, note: FhirNote | None) -> _Reading:
    """Lower a reading that the payload at hand contradicts: a sound resource, or an element that is there.

    A server of another FHIR version, or with rules of its own, refuses what is right by the standard.
    """
    if note is None or reading.strength < _STRONG:
        return reading
    if reading.cause is causes.PAYLOAD_STRUCTURE and not any(i.kind != "missing" for i in note.issues):
        return _Reading(reading.cause, _MODERATE, f"{reading.says} By FHIR R4 the resource is well formed.")
    if reading.cause is causes.PAYLOAD_REQUIRED and _all_there(issue, note):
        return _Reading(reading.cause, _MODERATE, f"{reading.says} The element is in the payload.")
    return reading


def _all_there(issue: Issue, note: FhirNote) -> bool:
    paths = [re.sub(r"\[\d+\]", "", e.replace("/f:", ".")).strip("/. ") for e in issue.expressions]
    inside = [p.partition(".")[2] for p in paths if re.fullmatch(rf"{note.type}(?:\.[A-Za-z]+)+", p)]
    return bool(inside) and all(absent(note.resource, steps, note.type) is None for steps in inside)


_BY_CODE: dict[str, tuple[Cause, Strength]] = {
    "extension": (causes.PAYLOAD_EXTENSION, _STRONG),
    "code-invalid": (causes.PAYLOAD_TYPE_CODE, _STRONG),
    "too-long": (causes.REQUEST_SIZE, _MODERATE),
    "too-costly": (causes.REQUEST_SIZE, _MODERATE),
    "not-found": (causes.PAYLOAD_REFERENCES, _MODERATE),
    "deleted": (causes.PAYLOAD_REFERENCES, _MODERATE),
    "duplicate": (causes.OUTCOME_DUPLICATE, _STRONG),
    "multiple-matches": (causes.OUTCOME_DUPLICATE, _MODERATE),
    "throttled": (causes.RATE_LIMITED, _STRONG),
}


def _closed(issue: Issue) -> Cause | None:
    return causes.ENCOUNTER_CLOSED if _CLOSED.search(issue.says) else None


def _speaks_of_reference(issue: Issue) -> bool:
    """Tell whether an issue says that something the note refers to is not there."""
    if issue.code in ("not-found", "deleted"):
        return any(_REFERRING.search(e) for e in issue.expressions) or bool(_REFERENCE.search(issue.says))
    if issue.code not in ("invalid", "processing", "value", "business-rule", "invariant", "structure", "exception"):
        return False
    pointed = any(_REFERRING.search(e) for e in issue.expressions) or bool(_REFERENCE.search(issue.says))
    return pointed and bool(_UNKNOWN.search(issue.says))


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
    if honours and trace.has_ehr_log and not trace.ehr("filed") and not trace.ehr("accepted"):
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
    checklist=("MAP.1",),
    applies=over_fhir,
)
def warnings_in_success(trace: NoteTrace) -> Result:
    """An EHR may say yes and mention, where nobody reads it, that it ignored a part."""
    taken = [a for a in trace.attempts if a.outcome == "accepted" and a.error]
    for attempt in reversed(taken):
        answer = read_answer(attempt.error, attempt.status, attempt.headers)
        told = [issue for issue in answer.issues if issue.severity in ("warning", "error")]
        if told:
            return warned(
                "The EHR took the note and named something it did not take over.",
                codes=sorted({issue.code for issue in told}),
                expressions=[expression for issue in told for expression in issue.expressions][:5],
            )
    return passed("No good answer carried a warning.") if trace.attempts else not_applicable("Nothing was sent.")


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
