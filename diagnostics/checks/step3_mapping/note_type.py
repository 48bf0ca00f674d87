"""Judge whether the note was filed under the document type it was sent with."""

import re
from collections.abc import Mapping

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, unknown
from diagnostics.evidence.case_parts import Filed
from diagnostics.evidence.payload import FhirNote
from diagnostics.findings import Result
from diagnostics.parsing.fhir_structure import values_at
from diagnostics.vocabulary import Step, Strength

_LOINC = re.compile(r"\d{1,6}-\d")


@check(
    id="map.notetype.wrong",
    step=Step.MAPPING,
    title="The note was filed under the document type it was sent with",
    proves=causes.NOTETYPE_WRONG,
    checklist=("MAP.1",),
)
def same_type(note: FhirNote, filed: Filed) -> Result:
    """A progress note filed as a referral letter is in the chart, and nobody who looks for it will find it."""
    if not filed.found:
        return not_applicable("The chart does not hold the note.")
    sent = {
        str(coding.get("code"))
        for resource, path in note.resources()
        if resource.get("resourceType") in ("DocumentReference", "Composition")
        for coding, _ in values_at(resource, "type.coding", path)
        if isinstance(coding, Mapping) and coding.get("code")
    }
    if not filed.document_type or not sent:
        return unknown("The document type, as sent or as filed, is not known.", get="the filed note's document type")
    # a local code may mean the same type: only two codes of one system can contradict each other
    loinc = {code for code in sent if _LOINC.fullmatch(code)}
    if filed.document_type in sent:
        return passed("The note was filed under the type it was sent with.", document_type=filed.document_type)
    if not loinc or not _LOINC.fullmatch(filed.document_type):
        return unknown("The chart names the type by a code of its own.", get="which type this code stands for")
    return failed(
        f"The note was sent as {', '.join(sorted(loinc))[:60]} and filed as {filed.document_type}.",
        strength=Strength.STRONG,
        sent=sorted(loinc),
        filed=filed.document_type,
    )
