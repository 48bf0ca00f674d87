"""Explain errors in a vendor's own JSON: by the vendor's documented codes where its name is known."""

import re

from diagnostics.explaining.model import LIKELY, PROVEN, Explanation, Question, category_only, of_cause
from diagnostics.vendors import profile
from diagnostics.vendors.model import Surface

_ECW = ("eclinicalworks", "ecw", "healow")
_ATHENA = ("athena",)


_CODE = re.compile(
    r"(?:\b(?:epic|ecw|eclinicalworks|error|code|status|errorcode|fault|reason)\b|#)[\s:=#(\[\"']{1,4}([0-9]{3,5})\b",
    re.IGNORECASE,
)
_NAMES = {"epic": "epic", "eclinicalworks": "eclinicalworks", "ecw": "eclinicalworks", "healow": "eclinicalworks"}


def explain_named_code(question: Question) -> Explanation | None:
    """Explain a vendor's code written in plain words, where the vendor is named beside it."""
    slugs = {slug for name, slug in _NAMES.items() if re.search(rf"\b{name}\b", question.context)}
    for slug in sorted(slugs):
        for code in _CODE.findall(question.answer.text[:8192]):
            found = profile(slug).code_of_answer(question.protocol or "fhir", code)
            if found is not None and found[1].cause is not None:
                sure = PROVEN if found[1].decisive else LIKELY
                return of_cause(found[1].cause, sure, f"The EHR's own code {code}: {found[1].says}.")
    return None


def explain_vendor(question: Question) -> Explanation | None:
    """Explain a vendor's JSON error, or return None where its codes are not known."""
    vendor = question.answer.vendor
    if vendor is None:
        return None
    surfaces = []
    if question.circumstance(*_ECW):
        surfaces.append(("eclinicalworks", Surface.HL7 if question.protocol == "hl7v2" else Surface.WRITEBACK))
    if question.circumstance(*_ATHENA):
        surfaces.append(("athenahealth", Surface.V1))
    for slug, surface in surfaces:
        known = profile(slug).code(surface, vendor.code)
        if known is not None and known.cause is not None:
            says = f"The EHR's own code {vendor.code[:20]}: {known.says}."
            return of_cause(known.cause, PROVEN if known.decisive else LIKELY, says)
    if vendor.success is True and question.status is not None and question.status < 300:
        return category_only(None, None, "The EHR says that it succeeded; this is no error.")
    return None
