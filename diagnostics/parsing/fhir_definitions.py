"""Hold the element definitions of FHIR R4, read once from `fhir_r4.json`.

The file is written by `tests/tools/fhir_definitions.py`. Definitions of a type are made when it is first asked for.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from diagnostics.parsing.fhir_types import HOLDS

_FILE = Path(__file__).with_name("fhir_r4.json")


@dataclass(frozen=True, slots=True)
class Element:
    """Be one element of a type. `holds` is the test of a primitive's value, None for a complex type.

    `codes` is a required value set known whole; `targets` are the kinds of resource a reference may name.
    """

    name: str
    type: str
    least: int
    many: bool
    holds: Callable[[Any], bool] | None
    codes: frozenset[str] | None = None
    targets: frozenset[str] | None = None
    choice: str = ""
    companion: bool = False  # `_name`: id and extensions of the primitive beside it


@dataclass(frozen=True)
class TypeDefinition:
    """Be one type: its elements by the name they have in JSON, and what must be there.

    `required` are names; `choices` are groups such as value[x]: name, the elements of it, whether one must be there.
    """

    name: str
    elements: Mapping[str, Element]
    required: tuple[str, ...]
    choices: tuple[tuple[str, tuple[str, ...], bool], ...]


@cache
def _data() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    return loaded


@cache
def resource_names() -> frozenset[str]:
    """Return the names of the resources whose inside is judged."""
    return frozenset(_data()["resources"])


@cache
def known_names() -> frozenset[str]:
    """Return the names of all resources of FHIR R4."""
    return resource_names() | frozenset(_data()["others"])


@cache
def definition(name: str) -> TypeDefinition | None:
    """Return a type's definition, or None where FHIR R4 has no such type or it is not judged inside."""
    raw = _data()["types"].get(name)
    if raw is None:
        return None
    elements: dict[str, Element] = {}
    groups: dict[str, tuple[list[str], bool]] = {}
    for title, (kind, cardinality, *rest) in raw.items():
        allowed = frozenset(rest[0]) if rest and rest[0] else None
        choice = rest[1] if len(rest) > 1 else ""
        element = Element(
            name=title,
            type=kind,
            least=int(cardinality[0]),
            many=cardinality.endswith("*"),
            holds=HOLDS.get(kind),
            codes=allowed if kind == "code" else None,
            targets=allowed if kind == "Reference" else None,
            choice=choice.rstrip("!"),
        )
        elements[title] = element
        if choice:
            members, must = groups.setdefault(element.choice, ([], False))
            members.append(title)
            groups[element.choice] = (members, must or choice.endswith("!"))
        if element.holds is not None and title != "id":
            elements[f"_{title}"] = Element(f"_{title}", "Element", 0, element.many, None, companion=True)
    return TypeDefinition(
        name=name,
        elements=elements,
        required=tuple(each.name for each in elements.values() if each.least),
        choices=tuple((group, tuple(members), must) for group, (members, must) in groups.items()),
    )
