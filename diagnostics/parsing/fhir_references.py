"""Judge what references point to: their form, the kind of resource, contained resources, a Bundle's own entries.

FHIR R4, references and Bundle (resolving references in Bundles). Nothing is asked of a server here.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from diagnostics.parsing.fhir_definitions import known_names

_LITERAL = re.compile(r"(?:^|/)([A-Z][A-Za-z]{1,60})/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?$")
_RELATIVE = re.compile(r"([A-Z][A-Za-z]{1,60})/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?$")
_CONDITIONAL = re.compile(r"[A-Z][A-Za-z]{1,60}\?\S")
_SCHEME = re.compile(r"[a-z][a-z0-9+.\-]{1,20}:", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Holder:
    """Be a resource within the payload: the payload itself, one of a Bundle's, or a contained one."""

    path: str
    node: Mapping[str, Any] = field(repr=False)
    outer: "Holder | None" = None

    @property
    def container(self) -> "Holder":
        """Return the resource whose `contained` local references are looked up in."""
        return self.outer if self.outer is not None and ".contained[" in self.path[len(self.outer.path) :] else self

    def contained(self) -> dict[str, Mapping[str, Any]]:
        """Return its contained resources by id."""
        held = self.node.get("contained")
        found = [each for each in held if isinstance(each, Mapping)] if isinstance(held, list) else []
        return {str(each["id"]): each for each in found if isinstance(each.get("id"), str)}


@dataclass(frozen=True, eq=False)
class Pointer:
    """Be one Reference of the payload: where it stands, and which kinds of resource may stand there."""

    path: str
    node: Mapping[str, Any] = field(repr=False)
    targets: frozenset[str] | None
    holder: Holder

    @property
    def reference(self) -> str:
        """Return the literal reference, or an empty string."""
        literal = self.node.get("reference")
        return literal if isinstance(literal, str) else ""


def judge(
    resource: Mapping[str, Any], pointers: Sequence[Pointer], holders: Sequence[Holder]
) -> Iterator[tuple[str, str, str]]:
    """Yield the faults of a payload's references: path, kind of issue, and how the sentence goes on."""
    bundle = resource.get("type") if resource.get("resourceType") == "Bundle" else None
    entries = _entries(resource) if bundle is not None else {}
    contained: dict[int, dict[str, Mapping[str, Any]]] = {}
    used: set[tuple[int, str]] = set()
    for pointer in pointers:
        literal = pointer.reference
        if not literal:
            continue
        kind: str | None = None
        if literal.startswith("#"):
            container = pointer.holder.container
            used.add((id(container), literal[1:]))
            if literal == "#":
                used.add((id(container), str(pointer.holder.node.get("id"))))
                continue
            held = contained.setdefault(id(container), container.contained())
            found = held.get(literal[1:])
            if found is None:
                yield pointer.path, "reference", "points to a contained resource that is not there"
                continue
            kind = _type_of(found)
        elif literal in entries:
            kind = _type_of(entries[literal])
        elif literal.startswith("urn:"):
            says = "points to an entry that the Bundle does not hold" if bundle is not None else (
                "is a temporary id, which only a Bundle can resolve")  # fmt: skip
            yield pointer.path, "reference", says
            continue
        elif _CONDITIONAL.match(literal):
            if bundle != "transaction":
                yield pointer.path, "value", "is a conditional reference, which only a transaction may hold"
            continue
        elif "://" in literal:
            named = _LITERAL.search(literal.split("#", 1)[0])
            kind = named.group(1) if named and named.group(1) in known_names() else None
        else:
            named = _RELATIVE.match(literal)
            if named is None or named.group(1) not in known_names():
                if not _SCHEME.match(literal):
                    yield pointer.path, "value", "holds a reference that is not written as Type/id"
                continue
            kind = named.group(1)
        if kind and pointer.targets is not None and kind not in pointer.targets:
            yield pointer.path, "target", f"refers to a {kind}, which may not stand there"
    yield from _unused(holders, used)


def _entries(bundle: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return a Bundle's resources by full URL, and by Type/id where the full URL ends so."""
    found: dict[str, Mapping[str, Any]] = {}
    entries = bundle.get("entry")
    for entry in entries if isinstance(entries, list) else ():
        url = entry.get("fullUrl") if isinstance(entry, Mapping) else None
        inner = entry.get("resource") if isinstance(entry, Mapping) else None
        if isinstance(url, str) and isinstance(inner, Mapping):
            found[url] = inner
    return found


def _type_of(resource: Mapping[str, Any]) -> str | None:
    name = resource.get("resourceType")
    return name if isinstance(name, str) else None


def _unused(holders: Sequence[Holder], used: set[tuple[int, str]]) -> Iterator[tuple[str, str, str]]:
    """Yield contained resources that nothing refers to (dom-3) and that have no id to be referred to by."""
    for holder in holders:
        if holder.container is holder:
            continue
        name = holder.node.get("id")
        if not isinstance(name, str) or not name:
            yield (
                f"{holder.path}.id",
                "missing",
                "is required of a contained resource, so that something can refer to it",
            )
        elif (id(holder.container), name) not in used:
            yield holder.path, "invariant", "is contained, and nothing in the resource refers to it (dom-3)"
