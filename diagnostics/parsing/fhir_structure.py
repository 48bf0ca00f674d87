"""Judge the structure of a FHIR R4 resource: unknown elements, wrong shapes and types, codes, rules, references.

One walk over the resource by the definitions of R4; every fault is named by its FHIRPath, none by its value. What a
single node must obey beyond its definition is in `fhir_rules`, what references need in `fhir_references`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from diagnostics.parsing import fhir_references, fhir_rules
from diagnostics.parsing.fhir_definitions import Element, TypeDefinition, definition, known_names, resource_names
from diagnostics.parsing.fhir_types import reject

MAX_ISSUES = 100
_MAX_DEPTH = 100
_NAME = re.compile(r"[A-Z][A-Za-z]{2,60}").fullmatch


@dataclass(frozen=True, slots=True)
class StructureIssue:
    """Be one fault of structure, named by its FHIRPath.

    `kind`: resource_type, missing, unknown_element, shape, value, code, target, reference (points to nothing),
    invariant (a rule of FHIR R4; `rule` is its key, such as att-1) or xhtml (a narrative).
    """

    path: str  # such as DocumentReference.content[0].attachment
    kind: str
    says: str
    rule: str = ""


class _Full(Exception):
    """Be raised when as many faults were found as anybody reads."""


@dataclass(frozen=True, slots=True)
class Structure:
    """Be what one walk over a resource showed: its faults, and every literal reference with its FHIRPath."""

    issues: tuple[StructureIssue, ...] = ()
    references: tuple[tuple[str, str], ...] = ()


def judge_structure(resource: Mapping[str, Any]) -> Structure:
    """Return the faults of a resource in the order of its elements, at most a hundred; never raises.

    A kind of resource that FHIR R4 has and a scribe hardly sends is not judged inside.
    """
    name = resource.get("resourceType")
    if not isinstance(name, str) or not _NAME(name):
        says = "The payload does not say which resource it is."
        return Structure((StructureIssue("resourceType", "resource_type", says),))
    walk = _Walk(name)
    try:
        walk.resource(resource)
        for path, kind, says in fhir_references.judge(resource, walk.references, walk.holders):
            walk.add(path, kind, says)
    except _Full:
        pass
    unique = {(issue.path, issue.kind, issue.rule): issue for issue in walk.issues}
    literals = tuple((each.path, each.reference) for each in walk.references if each.reference)
    return Structure(tuple(unique.values()), literals)


class _Walk:
    """Go through a resource once; `path` is where we are, `issues` what was found on the way."""

    def __init__(self, name: str) -> None:
        self.path: list[str] = [name]
        self.issues: list[StructureIssue] = []
        self.references: list[fhir_references.Pointer] = []
        self.holders: list[fhir_references.Holder] = []
        self.holder: fhir_references.Holder | None = None

    def add(self, path: str, kind: str, says: str, rule: str = "") -> None:
        """Keep one fault; the sentence is `path says`."""
        self.issues.append(StructureIssue(path, kind, f"{path} {says}.", rule))
        if len(self.issues) >= MAX_ISSUES:
            raise _Full

    def at(self, *more: str) -> str:
        """Return the FHIRPath of where we are."""
        return "".join([*self.path, *more])

    def resource(self, node: Mapping[str, Any]) -> None:
        """Judge a resource at the present place: the payload itself, one of a Bundle's, or a contained one."""
        name = node.get("resourceType")
        if not isinstance(name, str) or not name:
            self.add(self.at(), "resource_type", "does not say which resource it is")
            return
        if name not in resource_names():
            if name not in known_names():
                self.add(self.at(), "resource_type", "names a resource type that FHIR R4 does not have")
            return
        kind = definition(name)
        if kind is not None:
            outer, self.holder = self.holder, fhir_references.Holder(self.at(), node, self.holder)
            self.holders.append(self.holder)
            self.node(node, kind, resource=True)
            self.holder = outer

    def node(self, node: Mapping[str, Any], kind: TypeDefinition, resource: bool = False) -> None:
        """Judge the elements of one object."""
        if len(self.path) > _MAX_DEPTH:
            self.add(self.at(), "shape", "nests deeper than anybody reads")
            return
        elements = kind.elements
        for name, value in node.items():
            element = elements.get(name)
            if element is None:
                if not (resource and name == "resourceType"):
                    self.add(self.at(".", _plain(name)), "unknown_element", "is no element of FHIR R4")
            elif element.holds is not None and not element.many:
                if not element.holds(value):
                    self.add(self.at(".", name), *reject(element.type, value))
                elif element.codes is not None and value not in element.codes:
                    self.add(self.at(".", name), "code", "holds a code outside the set FHIR R4 requires")
            else:
                self.other(element, value, node)
        for name in kind.required:
            if name not in node and f"_{name}" not in node:
                self.add(self.at(".", name), "missing", "is required by FHIR R4 and is not there")
        for group, members, must in kind.choices:
            self.choice(node, group, members, must)
        for path, rule, says in fhir_rules.of(kind.name, node):
            self.add(self.at(path), "xhtml" if rule.startswith("txt") else "invariant", says, rule)

    def choice(self, node: Mapping[str, Any], group: str, members: tuple[str, ...], must: bool) -> None:
        """Judge a group such as value[x], of which one element may stand."""
        held = [name for name in members if name in node]
        if len(held) > 1:
            says = f"stands beside {held[0]}; only one kind of {group}[x] may be given"
            self.add(self.at(".", held[1]), "shape", says)
        elif must and not held and not any(f"_{name}" in node for name in members):
            self.add(self.at(".", group), "missing", "is required by FHIR R4 and is not there")

    def other(self, element: Element, value: Any, node: Mapping[str, Any]) -> None:
        """Judge an element that repeats or is an object."""
        if not element.many:
            self.object(element, value, "." + element.name)
            return
        place = "." + element.name
        if type(value) is not list:
            self.add(self.at(place), "shape", "must be a list" if value is not None else "is null; leave it out")
            return
        if not value:
            empty = "missing" if element.least else "shape"
            self.add(self.at(place), empty, "is an empty list; an element without a value must be left out")
        for index, item in enumerate(value):
            if element.holds is None:
                if not (item is None and element.companion):
                    self.object(element, item, f"{place}[{index}]")
            elif item is None and f"_{element.name}" in node:
                continue
            elif not element.holds(item):
                self.add(self.at(f"{place}[{index}]"), *reject(element.type, item))
            elif element.codes is not None and item not in element.codes:
                says = "holds a code outside the set FHIR R4 requires"
                self.add(self.at(f"{place}[{index}]"), "code", says)

    def object(self, element: Element, value: Any, place: str) -> None:
        """Judge one value of a complex type."""
        if not isinstance(value, dict):
            shape = "is null; leave it out" if value is None else "must be a single object"
            if value is not None and not isinstance(value, list):
                shape = f"must be an object of type {element.type}, not a plain value"
            self.add(self.at(place), "shape", shape)
            return
        if not value:
            self.add(self.at(place), "shape", "is empty; an element without a value must be left out")
            return
        self.path.append(place)
        if element.type == "Resource":
            self.resource(value)
        else:
            kind = definition(element.type)
            if kind is not None:
                self.node(value, kind)
            if element.type == "Reference" and self.holder is not None:
                self.references.append(fhir_references.Pointer(self.at(), value, element.targets, self.holder))
        self.path.pop()


def _plain(name: str) -> str:
    """Return a name fit for a path: whoever misspells an element may have put anything there."""
    return re.sub(r"[^A-Za-z0-9_]", "", name[:200])[:60]


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
