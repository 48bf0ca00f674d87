"""Explain what a vendor alone can mean: its documented codes, and its answers without a number.

A code is looked up by surface and number, and only where the vendor is named beside the text: the same number means
other things on another surface and at another vendor. A code that is in no list is said to be unknown.
"""

import re

from diagnostics.explaining.model import LIKELY, POSSIBLE, PROVEN, Explanation, Question, category_only, of_cause
from diagnostics.vendors import profile
from diagnostics.vendors.model import Surface, VendorCode, VendorProfile
from diagnostics.vocabulary import Strength

_NAMES = {
    "epic": ("epic", "interconnect"),
    "oracle-health": ("oracle health", "oracle-health", "cerner", "millennium"),
    "athenahealth": ("athenahealth", "athenaone", "athenanet", "athena"),
    "athenapractice": ("athenapractice", "athena practice", "athenaflow", "athena flow", "centricity"),
    "eclinicalworks": ("eclinicalworks", "ecw", "healow"),
    "meditech": ("meditech", "greenfield"),
    "nextgen": ("nextgen(?! connect)",),
    "veradigm": ("veradigm", "allscripts"),
}
_NAMED = {slug: re.compile(rf"\b(?:{'|'.join(names)})\b") for slug, names in _NAMES.items()}
_CODE = re.compile(
    r"(?:\b(?:epic|ecw|eclinicalworks|error|code|status|errorcode|fault|reason)\b|#)[\s:=#(\[\"']{1,4}([0-9]{3,5})\b",
    re.IGNORECASE,
)
_CERTAINTY = {Strength.DECISIVE: PROVEN, Strength.STRONG: LIKELY, Strength.MODERATE: POSSIBLE}
_HTTP = range(100, 600)


def vendors_named(context: str) -> tuple[str, ...]:
    """Return the slugs of the vendors that a text in lower case names, as whole words."""
    return tuple(slug for slug, names in _NAMED.items() if names.search(context))


def explain_named_code(question: Question) -> Explanation | None:
    """Explain a vendor's code, or an answer known of it, written in plain words where the vendor is named beside it."""
    for slug in vendors_named(question.context):
        one = profile(slug)
        for code in _CODE.findall(question.answer.text[:8192]):
            found = _look_up(question, one, code)
            if found is not None and found.cause is not None:
                return _of_code(one, code, found)
    return _known(question)


def explain_vendor(question: Question) -> Explanation | None:
    """Explain a vendor's JSON error, or return None where nothing of it is known."""
    vendor = question.answer.vendor
    if vendor is None:
        return None
    named = vendors_named(question.context)
    for slug in named:
        found = _look_up(question, profile(slug), vendor.code)
        if found is not None and found.cause is not None:
            return _of_code(profile(slug), vendor.code, found)
        if found is not None:
            return category_only(None, None, f"{profile(slug).name} code {vendor.code[:20]}: {found.says}.")
    known = _known(question)
    if known is not None:
        return known
    if vendor.success is True and question.status is not None and question.status < 300:
        return category_only(None, None, "The EHR says that it succeeded; this is no error.")
    listed = [profile(slug).name for slug in named if profile(slug).codes]
    if listed and vendor.code.isdigit() and int(vendor.code[:9]) not in _HTTP:
        says = f"Code {vendor.code[:20]} is in no list that {listed[0]} publishes; ask its support what it means."
        return category_only(None, None, says)
    return None


def _look_up(question: Question, one: VendorProfile, code: str) -> VendorCode | None:
    for surface in _surfaces(question, one):
        found = one.code(surface, code)
        if found is not None:
            return found
    return None


def _surfaces(question: Question, one: VendorProfile) -> tuple[Surface, ...]:
    """Return the surfaces that may have answered, those first that the words around the text speak of."""
    if question.protocol in ("hl7v2", "oauth"):
        return one.surfaces(question.protocol)
    if question.circumstance("writeback", "write-back"):
        return (Surface.WRITEBACK,)
    if question.circumstance("/v1/"):
        return (Surface.V1,)
    return one.surfaces("fhir")


def _of_code(one: VendorProfile, code: str, found: VendorCode) -> Explanation:
    says = f"{one.name}'s own code {code[:20]}: {found.says}."
    return of_cause(found.cause or "", PROVEN if found.decisive else LIKELY, says)


def _known(question: Question) -> Explanation | None:
    for slug in vendors_named(question.context):
        one, answer = profile(slug), question.answer
        for known in one.answers:
            errors = frozenset({*answer.issue_codes, answer.oauth.error if answer.oauth else ""})
            if (
                known.cause is not None
                and known.surface in _surfaces(question, one)
                and known.words  # a status alone is explained for everybody
                and known.fits(question.status, errors, answer.text)
            ):
                says = f"From {one.name} this answer means: {known.says}."
                return of_cause(known.cause, _CERTAINTY[known.strength], says)
    return None
