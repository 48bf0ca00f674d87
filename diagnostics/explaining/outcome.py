"""Explain an OperationOutcome by issue code, place, vendor code and HTTP status (domain: issue code table).

Diagnostics are free text, so they narrow a branch the codes have chosen, and never choose one.
"""

import re

from diagnostics.explaining.circumstances import DRIFT
from diagnostics.explaining.model import LIKELY, POSSIBLE, PROVEN, Explanation, Question, category_only, of_cause
from diagnostics.parsing.answers import Issue
from diagnostics.vendors import profile, slugs
from diagnostics.vendors.model import VendorCode
from diagnostics.vocabulary import Category, Certainty

_PROTO, _PERM, _AUTH, _MAP, _EHR = (
    Category.ENDPOINT_CONFIGURATION,
    Category.PERMISSIONS,
    Category.AUTHENTICATION,
    Category.FIELD_MAPPING,
    Category.EHR_DEFECT,
)
_REFERENCES = ("patient", "encounter", "subject", "author", "practitioner", "context", "reference")
_RECORD = re.compile(
    r"\b(?:patient|encounter|practitioner|subject|author|organization|location|reference)s?"
    r"(?:/|[\"'\]]|\s{1,3}(?:id|with|not|does|is|was|record|reference|could|identifier|cannot|number)\b"
    r"|\s{1,3}[^\s]{1,64} not\b)"
)
_FHIRPATH = re.compile(r"[A-Z][A-Za-z]{1,40}(?:\.[a-z][A-Za-z]{0,40}(?:\[[0-9]{1,4}\])?){0,8}$")
_CLOSED = ("closed", "locked", "signed", "finalized", "finalised", "discharged", "completed encounter", "is finished")
_INSIDE = frozenset({"lock-error", "no-store", "incomplete", "transient", "timeout", "exception"})
_CONTENT = frozenset({"invalid", "structure", "value", "invariant"})
_BY_STATUS = {
    405: "fhir.request.method_path",
    406: "fhir.request.accept",
    413: "fhir.request.size",
    415: "fhir.request.content_type",
}
_DENIED = frozenset({"forbidden", "suppressed"})
_UNPROVED = frozenset({"security", "login", "unknown", "expired"})


def explain_outcome(question: Question) -> Explanation:
    """Explain the worst issue; warnings alone in a success are named as such."""
    answer = question.answer
    if not answer.errors:
        if answer.issues and question.status is not None and question.status < 300:
            if question.about("ignored", "dropped", "discarded", "not supported", "unsupported", "not stored"):
                return of_cause("fhir.outcome.warning_in_2xx", POSSIBLE, category=_PROTO)
            says = "The note was accepted, with a remark: see whether an element was ignored."
            return category_only(None, None, says)
        return category_only(None, None, "The OperationOutcome holds no error.")
    vendor = _vendor_code(question)
    if vendor is not None and vendor.cause is not None:
        return of_cause(vendor.cause, PROVEN if vendor.decisive else LIKELY, f"The EHR's own code: {vendor.says}.")
    ranked = sorted(answer.errors, key=lambda issue: issue.code in ("processing", "informational", ""))
    return _by_code(question, ranked[0])


def _vendor_code(question: Question) -> VendorCode | None:
    """Look the codes of the details up, in the named vendor's table, else where the code's system names its owner."""
    named = [slug for slug in slugs() if slug in question.context or slug.replace("-", " ") in question.context]
    systems = " ".join(system for issue in question.answer.issues for system, _ in issue.details).lower()
    if "1.2.840.114350" in systems or "epic" in systems:
        named.append("epic")
    if "cerner" in question.context or "millennium" in question.context:
        named.append("oracle-health")
    if "ecw" in question.context:
        named.append("eclinicalworks")
    numbers = question.answer.vendor_codes
    if not named and any(code.isdigit() and len(code) in (4, 5) for code in numbers):
        named.append("epic")  # no other vendor known here puts bare numbers of this length into details.coding
    for slug in named:
        for code in numbers:
            found = profile(slug).code_of_answer(question.protocol or "fhir", code)
            if found is not None:
                return found[1]
    return None


def _by_code(question: Question, issue: Issue) -> Explanation:
    code, status = issue.code, question.status
    if code == "throttled" or status == 429:
        return of_cause("net.rate.limited", PROVEN)
    if status in _BY_STATUS:
        return of_cause(_BY_STATUS[status], PROVEN if status == 415 else LIKELY)
    if status == 501:
        return category_only(_PROTO, LIKELY, "The EHR does not offer this operation.")
    if code in _DENIED or (code in ("security", "processing") and status == 403):
        return _denied(question)
    if code in _UNPROVED or (status == 401 and code not in _CONTENT):
        return _unproved(question, code)
    if status is not None and status >= 500 and code not in _INSIDE:
        says = "The EHR itself failed with a server error; keep the request id and time for the vendor."
        return of_cause("ehr.server.error", LIKELY, says, firm=False)
    if code == "required":
        return of_cause("fhir.payload.required", _sure(status, issue), _at("A required element is missing", issue))
    if code in _CONTENT:
        return _content(question, issue)
    if code == "multiple-matches" and status == 412:
        return of_cause("fhir.outcome.duplicate", LIKELY)  # a conditional create met more than one
    if code in ("not-found", "deleted", "multiple-matches"):
        return _not_found(question, issue)
    if code == "business-rule":
        return _business_rule(question)
    if code in ("duplicate", "conflict"):
        return _conflict(question, code)
    if code == "lock-error":
        return category_only(_EHR, LIKELY, "The record is locked at the EHR at this moment; wait and try again.")
    if code in _INSIDE:
        says = f"The EHR reports a fault inside itself ({code}); retry once, then escalate."
        return of_cause("ehr.server.error", LIKELY if code == "exception" else POSSIBLE, says, firm=False)
    return _unsupported(question, issue)


def _sure(status: int | None, issue: Issue) -> Certainty:
    """Grade a content issue: proven where the EHR names the place and the status agrees."""
    return PROVEN if issue.expressions and status in (None, 400, 422) else LIKELY


def _at(says: str, issue: Issue) -> str:
    place = issue.expressions[0] if issue.expressions else ""
    return f"{says}: {place}." if _FHIRPATH.match(place) else f"{says}."


def _denied(question: Question) -> Explanation:
    if question.about("scope"):
        return of_cause("perm.scope.write_missing", LIKELY)
    if question.about("tenant"):
        says = "The server does not serve this tenant: the tenant in the address is wrong."
        return of_cause("fhir.base.environment", LIKELY, says)
    if question.about("encounter", "document", "chart", "note") and question.about(*_CLOSED):
        return of_cause("perm.encounter.closed", LIKELY)
    if question.about("break the glass", "break-the-glass", "behavioral health", "sensitive", "restricted department"):
        return of_cause("perm.department.restricted", LIKELY)
    if question.circumstance(*DRIFT):
        return of_cause("perm.drift", POSSIBLE)
    return category_only(_PERM, LIKELY, "The EHR knows who asks and refuses; it does not say which right is missing.")


def _unproved(question: Question, code: str) -> Explanation:
    if code == "expired" or question.about("expired", "expiration"):
        return of_cause("auth.token.expired", LIKELY)
    if question.about("scope"):
        return of_cause("perm.scope.write_missing", LIKELY)
    return category_only(_AUTH, LIKELY, "The EHR did not accept the proof of who is asking.")


def _content(question: Question, issue: Issue) -> Explanation:
    place = " ".join(issue.expressions).lower()
    if question.about("us-core-6"):  # an attachment has to hold data or say where they are
        return of_cause("fhir.payload.required", PROVEN, _at("The attachment holds neither data nor a url", issue))
    if "attachment" in place:
        return of_cause(
            "fhir.payload.attachment", _sure(question.status, issue), _at("The attachment is refused", issue)
        )
    if "extension" in place and "modifier" in place:
        return of_cause("fhir.payload.extension", LIKELY)
    if issue.code == "value" and question.about("reference", "does not exist", "not found"):
        return of_cause("fhir.payload.references", LIKELY, firm=False)
    sure = PROVEN if issue.code == "structure" and issue.expressions else LIKELY
    return of_cause("fhir.payload.structure", sure, _at("The EHR finds the resource invalid", issue), firm=False)


def _not_found(question: Question, issue: Issue) -> Explanation:
    place = " ".join(issue.expressions).lower()
    if any(word in place for word in _REFERENCES) or _RECORD.search(question.words):
        return of_cause("fhir.payload.references", LIKELY, "The note refers to a record that this EHR does not have.")
    if question.about("resource type", "endpoint", "url", "path", "unknown resource"):
        return of_cause("fhir.request.method_path", LIKELY)
    says = "The EHR did not find something the request names; look which id it was."
    return category_only(_MAP, POSSIBLE, says)


def _business_rule(question: Question) -> Explanation:
    if question.about("unsupported field", "not supported", "unsupported element"):
        return category_only(_PROTO, LIKELY, "The resource holds elements that this EHR does not take.")
    if question.about(*_CLOSED):
        return of_cause("perm.encounter.closed", LIKELY)
    if question.about("duplicate", "already exists"):
        return of_cause("fhir.outcome.duplicate", LIKELY)
    if question.about("not authorized", "not permitted", "privilege", "security", "not allowed to"):
        return category_only(_PERM, LIKELY, "A rule of the EHR denies this to the account.")
    if question.about("too many", "parameter", "format", "must be", "invalid"):
        return category_only(_PROTO, POSSIBLE, "A rule of the EHR refuses the request as it is formed.")
    return category_only(None, None, "A business rule of the EHR stopped the note; its text has to be read.")


def _conflict(question: Question, code: str) -> Explanation:
    if code == "duplicate" or question.about("duplicate", "already exists", "unique"):
        return of_cause("fhir.outcome.duplicate", LIKELY)
    says = "The record changed meanwhile or two requests met: read it again, then send once."
    return category_only(_PROTO, LIKELY, says)


def _unsupported(question: Question, issue: Issue) -> Explanation:
    code = issue.code
    if question.about("implicit rules", "implicitrules", "modifier extension", "modifierextension"):
        return of_cause("fhir.payload.extension", LIKELY)
    if code == "not-supported":
        if question.status == 404:
            return of_cause("fhir.request.method_path", LIKELY, firm=False)
        if question.about("create", "post ", "write", "interaction"):
            return of_cause("fhir.capability.create_missing", LIKELY)
        return category_only(_PROTO, LIKELY, "The EHR does not support something this request uses.")
    if code == "code-invalid":
        if any("type" in place.lower() for place in issue.expressions):
            return of_cause("fhir.payload.type_code", LIKELY, _at("The EHR does not take the note's type code", issue))
        return category_only(_PROTO, LIKELY, _at("The EHR does not take a code", issue))
    if code == "extension":
        return of_cause("fhir.payload.extension", LIKELY)
    if code == "too-long":
        return of_cause("fhir.request.size", LIKELY, _at("The content is longer than the EHR takes", issue))
    if code == "too-costly":
        return category_only(_PROTO, LIKELY, "The EHR finds the request too large or too costly.")
    return category_only(None, None, "")
