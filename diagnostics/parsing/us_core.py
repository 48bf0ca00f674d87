"""Hold what US Core 6.1 asks of a DocumentReference beyond FHIR R4 (StructureDefinition us-core-documentreference).

Elements that must be there are in `diagnostics.vendors.model.US_CORE_REQUIRED`; this module judges what they hold.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from diagnostics.parsing.fhir_structure import StructureIssue, values_at

PROFILE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-documentreference"
LOINC = "http://loinc.org"
_CATEGORY = "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category"
_NULL_FLAVOR = "http://terminology.hl7.org/CodeSystem/v3-NullFlavor"
_TARGET = re.compile(r"(?:^|/)([A-Z][A-Za-z]{2,40})/[A-Za-z0-9\-.]{1,64}(?:/_history/[A-Za-z0-9\-.]{1,64})?$")


def claimed(document: Mapping[str, Any], configured: str | None) -> bool:
    """Tell whether a document is meant to follow US Core: by its own meta.profile, or as the integration is set."""
    meta = document.get("meta")
    stated = meta.get("profile") if isinstance(meta, Mapping) else None
    named = [configured or "", *(stated if isinstance(stated, list) else [])]
    return any("us-core-documentreference" in str(profile) for profile in named)


def judge(document: Mapping[str, Any], path: str) -> Iterator[StructureIssue]:
    """Yield where a DocumentReference breaks the profile: subject, encounter, category."""
    for value, at in values_at(document, "subject.reference", path):
        named = _TARGET.search(value) if isinstance(value, str) else None
        if named and named.group(1) != "Patient":
            yield StructureIssue(at, "target", f"{at} must name a Patient by US Core.")
    encounters = list(values_at(document, "context.encounter", path))
    if len(encounters) > 1:
        at = f"{path}.context.encounter"
        yield StructureIssue(at, "shape", f"{at} holds {len(encounters)} encounters; US Core allows one.")
    for value, at in values_at(document, "category.coding", path):
        if isinstance(value, Mapping) and value.get("system") == _CATEGORY and value.get("code") != "clinical-note":
            yield StructureIssue(f"{at}.code", "code", f"{at}.code is no code of US Core's document categories.")


def type_fault(document: Mapping[str, Any], path: str) -> StructureIssue | None:
    """Return why a document's type is outside the US Core type set (LOINC documents, or UNK), or None.

    Without LOINC's own table the scale cannot be looked up; a code with a wrong check digit is no LOINC code at all.
    """
    codings = [each for each, _ in values_at(document, "type.coding", path) if isinstance(each, Mapping)]
    if not codings:
        return None
    known = [c for c in codings if c.get("system") == LOINC]
    if not known and not any(c.get("system") == _NULL_FLAVOR and c.get("code") == "UNK" for c in codings):
        at = f"{path}.type"
        return StructureIssue(at, "code", f"{at} holds no LOINC code, which US Core requires.")
    return None


def loinc_fault(document: Mapping[str, Any], path: str) -> StructureIssue | None:
    """Return the first coding of a document's type that says LOINC and cannot be a LOINC code, or None."""
    for coding, at in values_at(document, "type.coding", path):
        if isinstance(coding, Mapping) and coding.get("system") == LOINC and not is_loinc(coding.get("code")):
            return StructureIssue(f"{at}.code", "code", f"{at}.code is no LOINC code: form or check digit are wrong.")
    return None


def is_loinc(code: object) -> bool:
    """Tell whether a text has the form of a LOINC code and its check digit (Mod 10) is right."""
    match = re.fullmatch(r"(\d{1,7})-(\d)", code) if isinstance(code, str) else None
    if match is None:
        return False
    total = 0
    for place, digit in enumerate(reversed(match.group(1))):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return (10 - total % 10) % 10 == int(match.group(2))
