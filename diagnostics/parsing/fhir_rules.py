"""Judge what an object must obey beyond the definition of its elements: the invariants of FHIR R4 that matter here.

Each rule gets one object and yields the path below it, the invariant's key, and how the sentence goes on.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from diagnostics.parsing import fhir_bundle
from diagnostics.parsing.xhtml import judge_narrative

Fault = tuple[str, str, str]
_Node = Mapping[str, Any]


def of(kind: str, node: _Node) -> Iterable[Fault]:
    """Return the faults of one object of a type or resource."""
    rule = _RULES.get(kind)
    faults: Iterable[Fault] = rule(node) if rule is not None else ()
    return [*faults, *_domain_resource(node)] if "contained" in node else faults


def _attachment(node: _Node) -> Iterator[Fault]:
    if node.get("data") and not node.get("contentType"):
        yield ".contentType", "att-1", "is missing; data without a content type cannot be read (att-1)"


def _period(node: _Node) -> Iterator[Fault]:
    start, end = node.get("start"), node.get("end")
    if isinstance(start, str) and isinstance(end, str) and _later(start, end):
        yield ".end", "per-1", "lies before the start (per-1)"


def _later(start: str, end: str) -> bool:
    """Tell whether one FHIR dateTime is later than another, as far as both are precise."""
    if "T" in start and "T" in end:
        try:
            return _moment(start) > _moment(end)
        except ValueError:
            return False
    length = min(len(start.split("T")[0]), len(end.split("T")[0]))
    return start[:length] > end[:length]


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _extension(node: _Node) -> Iterator[Fault]:
    valued = any(name.lstrip("_").startswith("value") for name in node)
    if valued == bool(node.get("extension")):
        yield "", "ext-1", "must have either a value or extensions of its own, not both (ext-1)"


def _quantity(node: _Node) -> Iterator[Fault]:
    if node.get("code") and not node.get("system"):
        yield ".system", "qty-3", "is missing; a unit's code needs its system (qty-3)"


def _contact(node: _Node) -> Iterator[Fault]:
    if node.get("value") and not node.get("system"):
        yield ".system", "cpt-2", "is missing; a telephone or e-mail needs its kind (cpt-2)"


def _reference(node: _Node) -> Iterator[Fault]:
    if not any(name in node for name in ("reference", "identifier", "display", "extension", "_reference")):
        yield "", "ref-2", "names nothing: no reference, no identifier, no display"


def _narrative(node: _Node) -> Iterator[Fault]:
    div = node.get("div")
    if isinstance(div, str) and div:
        for fault in judge_narrative(div):
            yield ".div", fault.rule, fault.says


def _section(node: _Node) -> Iterator[Fault]:
    if not any(node.get(name) for name in ("text", "entry", "section")):
        yield "", "cmp-1", "holds neither text nor entries nor sections (cmp-1)"
    if node.get("emptyReason") and node.get("entry"):
        yield ".emptyReason", "cmp-2", "may stand only where there are no entries (cmp-2)"


def _observation(node: _Node) -> Iterator[Fault]:
    valued = [name for name in node if name.startswith("value")]
    if valued and "dataAbsentReason" in node:
        yield ".dataAbsentReason", "obs-6", "may stand only where there is no value (obs-6)"
    components = node.get("component")
    own = _codings(node.get("code"))
    for component in components if valued and own and isinstance(components, list) else ():
        if isinstance(component, Mapping) and own & _codings(component.get("code")):
            yield f".{valued[0]}", "obs-7", "may not stand beside a component of the same code (obs-7)"
            return


def _codings(concept: Any) -> set[tuple[str, str]]:
    held = concept.get("coding") if isinstance(concept, Mapping) else None
    return {
        (str(each.get("system")), str(each["code"]))
        for each in (held if isinstance(held, list) else ())
        if isinstance(each, Mapping) and each.get("code")
    }


def _component(node: _Node) -> Iterator[Fault]:
    if "dataAbsentReason" in node and any(name.startswith("value") for name in node):
        yield ".dataAbsentReason", "obs-6", "may stand only where there is no value (obs-6)"


def _range(node: _Node) -> Iterator[Fault]:
    if not any(name in node for name in ("low", "high", "text")):
        yield "", "obs-3", "must have a low value, a high value or text (obs-3)"


def _condition(node: _Node) -> Iterator[Fault]:
    clinical = {code for _, code in _codings(node.get("clinicalStatus"))}
    withdrawn = "entered-in-error" in {code for _, code in _codings(node.get("verificationStatus"))}
    if withdrawn and node.get("clinicalStatus"):
        yield ".clinicalStatus", "con-5", "may not stand on a condition that was entered in error (con-5)"
    abated = any(name.startswith("abatement") for name in node)
    if abated and clinical and not clinical & {"resolved", "remission", "inactive"}:
        yield ".clinicalStatus", "con-4", "must be inactive, resolved or remission once it has abated (con-4)"


def _allergy(node: _Node) -> Iterator[Fault]:
    withdrawn = "entered-in-error" in {code for _, code in _codings(node.get("verificationStatus"))}
    if withdrawn and node.get("clinicalStatus"):
        yield ".clinicalStatus", "ait-2", "may not stand on an allergy that was entered in error (ait-2)"
    if not withdrawn and not node.get("clinicalStatus"):
        yield ".clinicalStatus", "ait-1", "is required unless the allergy was entered in error (ait-1)"


def _domain_resource(node: _Node) -> Iterator[Fault]:
    held = node.get("contained")
    for index, each in enumerate(held if isinstance(held, list) else ()):
        if not isinstance(each, Mapping):
            continue
        here = f".contained[{index}]"
        meta = each.get("meta")
        if each.get("contained"):
            yield f"{here}.contained", "dom-2", "may not stand inside a contained resource (dom-2)"
        if isinstance(meta, Mapping) and (meta.get("versionId") or meta.get("lastUpdated")):
            yield f"{here}.meta", "dom-4", "gives a version, which a contained resource does not have (dom-4)"
        if isinstance(meta, Mapping) and meta.get("security"):
            yield f"{here}.meta.security", "dom-5", "may not stand on a contained resource (dom-5)"


_RULES: Mapping[str, Callable[[_Node], Iterable[Fault]]] = {
    "AllergyIntolerance": _allergy,
    "Attachment": _attachment,
    "Bundle": fhir_bundle.judge,
    "CompositionSection": _section,
    "Condition": _condition,
    "ContactPoint": _contact,
    "Extension": _extension,
    "Narrative": _narrative,
    "Observation": _observation,
    "ObservationComponent": _component,
    "ObservationReferenceRange": _range,
    "Period": _period,
    "Reference": _reference,
    **dict.fromkeys(("Age", "Count", "Distance", "Duration", "Quantity"), _quantity),
}
