"""Read the issues of an OperationOutcome by their codes of the standard (domain.md section 2.2.1). No checks live here.

A code speaks for a category at least; where it says more, together with place, status or words, for a cause. Words
alone never decide: they only tell apart what a code of wide meaning leaves open, and never above strong.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from diagnostics import causes
from diagnostics.causes.model import Cause
from diagnostics.checks.refusal import Refusal
from diagnostics.parsing.answers import Issue
from diagnostics.vocabulary import Category, Strength

_S, _M, _W = Strength.STRONG, Strength.MODERATE, Strength.WEAK
_PROTO, _AUTH, _PERM = Category.ENDPOINT_CONFIGURATION, Category.AUTHENTICATION, Category.PERMISSIONS
_MAP, _NET, _EHR, _TMPL = Category.FIELD_MAPPING, Category.NETWORK, Category.EHR_DEFECT, Category.TEMPLATE_CONFLICT
Votes = Mapping[Category, Strength]


def _each(codes: str, votes: Votes) -> dict[str, Votes]:
    return dict.fromkeys(codes.split(), votes)


ISSUE_VOTES: Mapping[str, Votes] = {
    **_each("invalid structure required value invariant", {_PROTO: _S}),
    **_each("not-supported code-invalid extension", {_PROTO: _S}),
    **_each("security login unknown expired", {_AUTH: _S}),
    **_each("forbidden suppressed", {_PERM: _S}),
    **_each("business-rule", {_PERM: _M, _MAP: _M}),
    **_each("too-long too-costly", {_PROTO: _M}),
    **_each("not-found deleted multiple-matches", {_MAP: _M, _PROTO: _W}),
    **_each("conflict duplicate", {_PROTO: _M}),
    **_each("lock-error no-store incomplete transient timeout exception", {_EHR: _M}),
    **_each("throttled", {_NET: _S}),
    **_each("processing informational", {}),
}
STATUS_VOTES: Mapping[int, Votes] = {
    400: {_PROTO: _M},
    401: {_AUTH: _S},
    403: {_PERM: _S, _AUTH: _W},
    404: {_PROTO: _M, _MAP: _M},
    **{key: {_PROTO: _S} for key in (405, 406, 415)},
    **{key: {_NET: Strength.DECISIVE} for key in (407, 511)},
    408: {_NET: _M},
    **{key: {_PROTO: _M} for key in (409, 412)},
    410: {_MAP: _M},
    413: {_PROTO: _M, _NET: _W},
    422: {_PROTO: _S, _TMPL: _M},
    **{key: {_NET: _S} for key in (425, 429)},
    500: {_EHR: _S},
    **{key: {_NET: _M, _EHR: _M} for key in (502, 503, 504)},
    **{key: {_AUTH: _M, _NET: _M} for key in (301, 302, 303, 307, 308)},
}

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
_TYPE = re.compile(r"\.(?:type|category)\b", re.I)
_FORM_STATUS = (400, 412, 422, None)


@dataclass(frozen=True)
class Reading:
    """Be what one issue or code speaks for; `cause` None means: for nothing in this step."""

    cause: Cause | None
    strength: Strength
    says: str


def votes_of(issues: Iterable[Issue], status: int | None) -> dict[str, str]:
    """Return which categories an answer speaks for and how strongly: by its codes, else by its status alone."""
    found: dict[Category, Strength] = {}
    rows = [ISSUE_VOTES.get(issue.code, {}) for issue in issues]
    if not any(rows):
        rows = [STATUS_VOTES.get(status or 0, {})]
    for row in rows:
        for category, strength in row.items():
            found[category] = max(strength, found.get(category, Strength.WEAK))
    return {category.value: strength.name.lower() for category, strength in found.items()}


def worst(issues: Iterable[Issue]) -> tuple[Issue, ...]:
    """Return the issues of the highest severity there is: what a fatal one says goes before an error."""
    held = tuple(issues)
    for severity in ("fatal", "error"):
        found = tuple(issue for issue in held if issue.severity == severity)
        if found:
            return found
    return ()


def read(issue: Issue, refusal: Refusal) -> Reading:
    """Return what one issue of a refusal speaks for."""
    place = issue.expressions[0][:120] if issue.expressions else ""
    says = f"The EHR refused the note with issue code {issue.code}{f' at {place}' if place else ''}."
    form = refusal.status in _FORM_STATUS
    business = bool(_BUSINESS.search(issue.says))
    if issue.code == "required" and form:
        return Reading(causes.PAYLOAD_REQUIRED, _S if business else Strength.DECISIVE, says)
    if _speaks_of_reference(issue):
        return Reading(causes.PAYLOAD_REFERENCES, _S, f"{says} It speaks of a resource that the note refers to.")
    if issue.code == "structure" and form:
        return Reading(causes.PAYLOAD_STRUCTURE, _S if business else Strength.DECISIVE, says)
    if issue.code in ("invalid", "value", "invariant") and form:
        if _CLOSED.search(issue.says):
            return Reading(causes.ENCOUNTER_CLOSED, _S, says)
        inside = causes.PAYLOAD_ATTACHMENT if "attachment" in place.lower() else causes.PAYLOAD_STRUCTURE
        return Reading(inside, _M if business else Strength.DECISIVE if place else _S, says)
    if issue.code in ("business-rule", "conflict", "processing", "lock-error") and _CLOSED.search(issue.says):
        return Reading(causes.ENCOUNTER_CLOSED, _S, f"{says} Its text speaks of a closed or signed encounter.")
    if issue.code == "not-supported":
        unserved = refusal.status in (404, 405, 501)
        cause = causes.REQUEST_METHOD_PATH if unserved else causes.PAYLOAD_EXTENSION
        return Reading(cause, _S if unserved or place else _M, says)
    if issue.code == "code-invalid" and place and not _TYPE.search(place):
        return Reading(causes.PAYLOAD_STRUCTURE, _S, f"{says} It does not take a code in that element.")
    if issue.code == "multiple-matches" and _REFERRING.search(place):
        return Reading(causes.PAYLOAD_REFERENCES, _M, f"{says} What the note refers to fits more than one resource.")
    if issue.code in _EHR_SIDE and refusal.status is not None and refusal.status < 500:
        return Reading(
            causes.SERVER_ERROR, _M, f"{says} That is a fault on the EHR's side; a later attempt may succeed."
        )
    known = _BY_CODE.get(issue.code)
    return Reading(known[0], known[1], says) if known else Reading(None, _S, says)


# codes of a passing fault on the EHR's side; with 5xx they are judged with the EHR's errors (step 6)
_EHR_SIDE = ("lock-error", "no-store", "incomplete", "transient", "timeout", "exception")
_BY_CODE: Mapping[str, tuple[Cause, Strength]] = {
    "extension": (causes.PAYLOAD_EXTENSION, _S),
    "code-invalid": (causes.PAYLOAD_TYPE_CODE, _S),
    "too-long": (causes.REQUEST_SIZE, _M),
    "too-costly": (causes.REQUEST_SIZE, _M),
    "not-found": (causes.PAYLOAD_REFERENCES, _M),
    "deleted": (causes.PAYLOAD_REFERENCES, _M),
    "duplicate": (causes.OUTCOME_DUPLICATE, _S),
    "multiple-matches": (causes.OUTCOME_DUPLICATE, _M),
    "throttled": (causes.RATE_LIMITED, _S),
}


def _speaks_of_reference(issue: Issue) -> bool:
    """Tell whether an issue says that something the note refers to is not there."""
    pointed = any(_REFERRING.search(e) for e in issue.expressions) or bool(_REFERENCE.search(issue.says))
    if issue.code in ("not-found", "deleted"):
        return pointed
    if issue.code not in ("invalid", "processing", "value", "business-rule", "invariant", "structure", "exception"):
        return False
    return pointed and bool(_UNKNOWN.search(issue.says))
