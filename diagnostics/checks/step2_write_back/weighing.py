"""Weigh an offence found in a payload by what the EHR did with the note. No checks live here.

A rule of a standard proves a cause only where the note was refused for it, or where nothing is known of its fate. An
EHR that took the note has shown that it does not enforce the rule; one that refused it for something else leaves the
offence as what would fail next.
"""

import re
from collections.abc import Iterable
from typing import Any

from diagnostics.causes.model import Cause
from diagnostics.check import failed, warned
from diagnostics.checks.refusal import ARRIVED, Refusal, refusal_of
from diagnostics.evidence.logs import NoteTrace
from diagnostics.findings import Result
from diagnostics.parsing.answers import AnswerKind
from diagnostics.vocabulary import FailureMode, Strength

# words by which an answer speaks of something else than the payload's form
_OTHER = re.compile(
    r"\b(?:closed|locked|signed|finali[sz]ed|scope|permission|privilege|not authori[sz]ed|unauthori[sz]ed|forbidden"
    r"|rate limit|quota|too many requests|break.the.glass|restricted|merged|duplicate|already exists|throttl)",
    re.IGNORECASE,
)
FORM_CODES = frozenset(
    {
        "invalid",
        "structure",
        "required",
        "value",
        "invariant",
        "processing",
        "extension",
        "code-invalid",
        "not-supported",
        "too-long",
    }
)
_INDEX = re.compile(r"\[\d+\]|\.where\([^)]{0,200}\)|\.ofType\([^)]{0,40}\)")


def taken(trace: NoteTrace | None) -> bool:
    """Tell whether the EHR took the note, so far as the logs and the chart say."""
    if trace is None or refusal_of(trace) is not None:
        return False
    accepted = any(a.outcome == "accepted" for a in trace.attempts) or bool(trace.ehr("accepted"))
    return accepted or trace.failure_mode in ARRIVED or trace.failure_mode is FailureMode.DELAYED


def weigh_fhir(
    trace: NoteTrace | None, codes: Iterable[str] = FORM_CODES, places: Iterable[str] = ()
) -> Strength | None:
    """Return how heavily an offence in a FHIR payload weighs; None where the EHR took the note all the same.

    `codes` are the issue codes by which a server would name this offence, `places` the FHIRPaths of it.
    """
    if taken(trace):
        return None
    refusal = refusal_of(trace)
    if refusal is None or refusal.status in (401, 403, 407, 429):
        return Strength.DECISIVE  # its fate is open, or it was stopped earlier: this stands on its own
    if refusal.status is not None and refusal.status >= 500:
        return Strength.STRONG
    answer = refusal.answer
    if answer.kind is AnswerKind.OPERATION_OUTCOME and answer.issue_codes and not answer.issue_codes & set(codes):
        return Strength.MODERATE
    if _OTHER.search(answer.says):
        return Strength.MODERATE
    named = [_bare(e) for issue in answer.errors for e in issue.expressions]
    mine = [_bare(place) for place in places]
    if named and mine and not any(a.startswith(b) or b.startswith(a) for a in named for b in mine):
        return Strength.STRONG
    return Strength.DECISIVE


def named_by_ehr(trace: NoteTrace | None, places: Iterable[str]) -> bool:
    """Tell whether the refusal's issues name one of these FHIRPaths, or what holds it."""
    refusal = refusal_of(trace)
    if refusal is None:
        return False
    named = [_bare(e) for issue in refusal.answer.errors for e in issue.expressions]
    named = [each for each in named if "." in each]  # the resource alone names nothing
    return any(a.startswith(b) or b.startswith(a) for a in named for b in map(_bare, places))


def _bare(path: str) -> str:
    """Return a FHIRPath, or the XPath-like location of older servers, as plain lower-case steps."""
    return _INDEX.sub("", path.replace("/f:", ".").replace("/", ".")).strip(".").lower()


def weigh_hl7(trace: NoteTrace | None, errors: Iterable[str], places: Iterable[str] = ()) -> Strength | None:
    """Return how heavily an offence in an HL7 message weighs; None where the EHR took the note all the same.

    `errors` are the codes of table 0357 that name this offence, `places` such as PID-3 or OBX.
    """
    if taken(trace):
        return None
    refusal = refusal_of(trace)
    if refusal is None or not refusal.of_business:
        return Strength.DECISIVE
    codes = {code for code in refusal.error_codes if code not in ("", "0")}
    if codes and not codes & set(errors):
        return Strength.STRONG if codes <= {"102"} else Strength.MODERATE
    if codes == {"207"}:
        return Strength.STRONG  # "internal error" may be the offence's doing, or the receiver's own
    if not codes and _OTHER.search(refusal.answer.says):
        return Strength.MODERATE
    named = {location.split("-")[0] for location in _locations(refusal)}
    mine = {place.split("-")[0] for place in places}
    if named and mine and not named & mine:
        return Strength.STRONG if not codes else Strength.MODERATE
    return Strength.DECISIVE


def _locations(refusal: Refusal) -> list[str]:
    return [error.location for error in refusal.answer.ack.errors if error.location] if refusal.answer.ack else []


def offence(
    says: str, weight: Strength | None, *, cause: Cause | None = None, at_most: Strength | None = None, **facts: Any
) -> Result:
    """Return a failed result of this weight, or a warning where the EHR took the note all the same."""
    if weight is None:
        return warned(f"{says} The EHR took the note all the same.", cause=cause, strength=Strength.WEAK, **facts)
    strength = min(weight, at_most) if at_most is not None else weight
    return failed(says, cause=cause, strength=strength, **facts)
