"""Judge the structure of a FHIR R4 resource: unknown elements, wrong shapes and types, codes, kinds of reference.

The element definitions are those of fhir.resources (R4B, whose clinical resources equal R4 for what a scribe sends);
required value sets and reference targets are listed here, because that library does not hold them. Messages name
elements, never their values.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from pydantic import ValidationError

JUDGED = (
    "Bundle", "Composition", "Condition", "DiagnosticReport", "DocumentReference", "Encounter", "Media",
    "MedicationRequest", "Observation", "Procedure", "QuestionnaireResponse", "ServiceRequest", "AllergyIntolerance",
    "Binary", "Communication", "ClinicalImpression", "Provenance",
)  # fmt: skip
_LIMIT = 20

_DOC_STATUS = frozenset({"current", "superseded", "entered-in-error"})
_NOTE_STATUS = frozenset({"preliminary", "final", "amended", "entered-in-error"})
_RESULT_STATUS = frozenset({
    "registered", "partial", "preliminary", "final", "amended", "corrected", "appended", "cancelled",
    "entered-in-error", "unknown",
})  # fmt: skip
# Required bindings: the code must be one of the set (FHIR R4, binding strength "required").
BINDINGS: Mapping[str, Mapping[str, frozenset[str]]] = {
    "DocumentReference": {
        "status": _DOC_STATUS,
        "docStatus": _NOTE_STATUS,
        "relatesTo.code": frozenset({"replaces", "transforms", "signs", "appends"}),
    },
    "Composition": {
        "status": _NOTE_STATUS,
        "attester.mode": frozenset({"personal", "professional", "legal", "official"}),
        "section.mode": frozenset({"working", "snapshot", "changes"}),
    },
    "DiagnosticReport": {"status": _RESULT_STATUS},
    "Observation": {"status": _RESULT_STATUS - {"partial", "appended"}},
    "Bundle": {
        "type": frozenset(
            {
                "document",
                "message",
                "transaction",
                "transaction-response",
                "batch",
                "batch-response",
                "history",
                "searchset",
                "collection",
            }
        ),
        "entry.request.method": frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"}),
    },
}
_PEOPLE = frozenset({"Practitioner", "PractitionerRole", "Patient", "RelatedPerson", "Organization", "Device"})
# Kinds of resource a reference may name (FHIR R4 element definitions).
TARGETS: Mapping[str, Mapping[str, frozenset[str]]] = {
    "DocumentReference": {
        "subject": frozenset({"Patient", "Practitioner", "Group", "Device"}),
        "author": _PEOPLE,
        "authenticator": frozenset({"Practitioner", "PractitionerRole", "Organization"}),
        "custodian": frozenset({"Organization"}),
        "relatesTo.target": frozenset({"DocumentReference"}),
        "context.encounter": frozenset({"Encounter", "EpisodeOfCare"}),
        "context.sourcePatientInfo": frozenset({"Patient"}),
    },
    "Composition": {
        "encounter": frozenset({"Encounter"}),
        "author": _PEOPLE,
        "custodian": frozenset({"Organization"}),
    },
    "DiagnosticReport": {
        "subject": frozenset({"Patient", "Group", "Device", "Location"}),
        "encounter": frozenset({"Encounter"}),
        "result": frozenset({"Observation"}),
        "performer": frozenset({"Practitioner", "PractitionerRole", "Organization", "CareTeam"}),
    },
    "Observation": {
        "subject": frozenset({"Patient", "Group", "Device", "Location"}),
        "encounter": frozenset({"Encounter"}),
    },
    "Condition": {
        "subject": frozenset({"Patient", "Group"}),
        "encounter": frozenset({"Encounter"}),
    },
}
_REFERENCE = re.compile(r"(?:^|/)([A-Z][A-Za-z]{2,40})/[A-Za-z0-9.\-]{1,64}(?:/_history/[A-Za-z0-9.\-]{1,64})?$")


@dataclass(frozen=True)
class StructureIssue:
    """Be one fault of structure. `kind`: resource_type, missing, unknown_element, shape, value, code, target."""

    path: str  # FHIRPath, such as DocumentReference.content[0].attachment
    kind: str
    says: str


def judge_structure(resource: Mapping[str, Any], form: str = "json") -> tuple[StructureIssue, ...]:
    """Return the faults of a resource, at most twenty; none for a kind of resource that is not judged here.

    `form` is json or xml: a single element of a list cannot be told from a plain one in XML.
    """
    name = resource.get("resourceType")
    if not isinstance(name, str) or not re.fullmatch(r"[A-Z][A-Za-z]{2,60}", name):
        return (StructureIssue("resourceType", "resource_type", "The payload does not say which resource it is."),)
    if name not in JUDGED:
        return ()
    issues = [issue for issue in _by_definition(name, resource) if not (form == "xml" and issue.kind == "shape")]
    for holder, path in _holders(resource, name):
        issues += _codes(holder, path)
        issues += _targets(holder, path)
    unique = {(issue.path, issue.kind): issue for issue in issues}
    return tuple(unique.values())[:_LIMIT]


def _by_definition(name: str, resource: Mapping[str, Any]) -> Iterator[StructureIssue]:
    model = getattr(import_module(f"fhir.resources.R4B.{name.lower()}"), name)
    try:
        model.model_validate(dict(resource))
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_context=False, include_input=False)[:60]:
            yield _issue(name, tuple(fault["loc"]), fault["type"])
    except (TypeError, ValueError, AttributeError, RecursionError):
        yield StructureIssue(name, "shape", f"{name} could not be read as a FHIR R4 resource.")


def _issue(name: str, place: tuple[int | str, ...], kind: str) -> StructureIssue:
    path = _fhirpath(name, place)
    if "missing" in kind:
        return StructureIssue(path, "missing", f"{path} is required by FHIR R4 and is not there.")
    if kind == "extra_forbidden":
        return StructureIssue(path, "unknown_element", f"{path} is no element of FHIR R4.")
    if kind == "list_type":
        return StructureIssue(path, "shape", f"{path} must be a list.")
    if kind == "model_validation_format" or kind.endswith("_type"):
        return StructureIssue(path, "shape", f"{path} has the wrong shape or data type.")
    return StructureIssue(path, "value", f"{path} holds a value that its data type does not allow.")


def _fhirpath(name: str, place: tuple[int | str, ...]) -> str:
    path = name
    for step in place:
        if isinstance(step, int):
            path += f"[{step}]"
        elif step not in ("root", "__root__"):
            path += "." + re.sub(r"[^A-Za-z0-9_]", "", step)[:60]
    return path


def _holders(resource: Mapping[str, Any], path: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Yield the resource itself and, in a Bundle, the resources of its entries."""
    yield resource, path
    entries = resource.get("entry")
    for index, entry in enumerate(entries[:200] if isinstance(entries, list) else ()):
        inner = entry.get("resource") if isinstance(entry, Mapping) else None
        if isinstance(inner, Mapping):
            yield inner, f"{path}.entry[{index}].resource"


def values_at(holder: Any, steps: str, path: str) -> Iterator[tuple[Any, str]]:
    """Yield every value at a path of plain steps, lists entered, with its FHIRPath."""
    head, _, rest = steps.partition(".")
    value = holder.get(head) if isinstance(holder, Mapping) else None
    each = enumerate(value) if isinstance(value, list) else None
    found = [(v, f"{path}.{head}[{i}]") for i, v in each] if each is not None else [(value, f"{path}.{head}")]
    for item, at in found:
        if item is None:
            continue
        if rest:
            yield from values_at(item, rest, at)
        else:
            yield item, at


def absent(holder: Any, steps: str, path: str) -> str | None:
    """Return the FHIRPath of the first place where a path of plain steps leads to nothing, or None.

    Every element of a list on the way must lead on; an empty list, object or text counts as nothing.
    """
    head, _, rest = steps.partition(".")
    value = holder.get(head) if isinstance(holder, Mapping) else None
    here = f"{path}.{head}"
    if value in (None, "", [], {}):
        return here + (f".{rest}" if rest else "")
    if not rest:
        return None
    for index, item in enumerate(value if isinstance(value, list) else [value]):
        gap = absent(item, rest, f"{here}[{index}]" if isinstance(value, list) else here)
        if gap:
            return gap
    return None


def _codes(holder: Mapping[str, Any], path: str) -> Iterator[StructureIssue]:
    for steps, allowed in BINDINGS.get(str(holder.get("resourceType")), {}).items():
        for value, at in values_at(holder, steps, path):
            if isinstance(value, str) and value not in allowed:
                yield StructureIssue(at, "code", f"{at} holds a code outside the set FHIR R4 requires.")


def _targets(holder: Mapping[str, Any], path: str) -> Iterator[StructureIssue]:
    for steps, allowed in TARGETS.get(str(holder.get("resourceType")), {}).items():
        for value, at in values_at(holder, steps, path):
            reference = value.get("reference") if isinstance(value, Mapping) else None
            named = _REFERENCE.search(reference) if isinstance(reference, str) else None
            if named and named.group(1) not in allowed:
                yield StructureIssue(at, "target", f"{at} refers to a {named.group(1)}, which may not stand there.")
