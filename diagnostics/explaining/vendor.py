"""Explain errors in a vendor's own JSON: by the vendor's documented codes where its name is known."""

from diagnostics.explaining.model import LIKELY, PROVEN, Explanation, Question, category_only, of_cause
from diagnostics.vendors import profile
from diagnostics.vendors.model import Surface

_ECW = ("eclinicalworks", "ecw", "healow")
_ATHENA = ("athena",)


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
