"""The shape of a payload without its content: paths with types and lengths, or segments and fields with lengths."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from diagnostics.parsing.fhir import read_resource
from diagnostics.parsing.fhir_definitions import Element, definition, known_names
from diagnostics.parsing.hl7 import Message, read_message
from diagnostics.parsing.hl7_grammar import known_segments

MOST_LINES = 200
_HL7_STARTS = (b"MSH", b"FHS", b"BHS")
_VERSIONS = frozenset("2.1 2.2 2.3 2.3.1 2.4 2.5 2.5.1 2.6 2.7 2.7.1 2.8 2.8.1 2.8.2".split())  # noqa: SIM905


@dataclass(frozen=True)
class Place:
    """Be one place of a payload: what stands there, how often, how long the longest is (characters; None: no text)."""

    path: str
    type: str
    count: int
    longest: int | None


@dataclass(frozen=True)
class Shape:
    """Be a payload's shape; `form` is json, xml or hl7v2, `kind` the resource type or the message's version."""

    form: str
    kind: str
    bytes: int
    places: tuple[Place, ...]
    left_out: int  # places beyond MOST_LINES
    problems: tuple[str, ...]  # of what kind, where it could not be read whole


def shape_of(payload: bytes | None) -> Shape | None:
    """Give the shape of a FHIR resource or an HL7 v2 message; None where there is no payload.

    Names of elements and segments are given where the standard has them; all others are "[other]": a key that somebody
    made up may be a name.
    """
    if not payload:
        return None
    if payload.lstrip(b"\x0b\xef\xbb\xbf\r\n ").startswith(_HL7_STARTS):
        return _message(read_message(payload), len(payload))
    read = read_resource(payload)
    found: dict[str, Place] = {}
    kind = read.resource_type if read.resource_type in known_names() else "[other]"
    if read.resource is not None:
        _walk(read.resource, kind, kind, found)
    problems = tuple(dict.fromkeys(problem.kind for problem in read.problems))
    return _shape(read.form, kind if read.resource is not None else "", len(payload), found, problems)


def _shape(form: str, kind: str, size: int, found: Mapping[str, Place], problems: tuple[str, ...]) -> Shape:
    places = tuple(found.values())
    return Shape(form, kind, size, places[:MOST_LINES], max(0, len(places) - MOST_LINES), problems)


def _walk(value: Any, path: str, type_name: str, found: dict[str, Place]) -> None:
    """Note the place and what is inside, by the names that the type's definition has."""
    if isinstance(value, Mapping):
        kind = str(value.get("resourceType", ""))
        if kind in known_names():
            type_name = kind
        known = definition(type_name)
        elements = known.elements if known else {}
        for key, inner in value.items():
            if key == "resourceType":
                continue
            name, inner_type = _element(str(key), elements)
            _walk(inner, f"{path}.{name}", inner_type, found)
    elif isinstance(value, list):
        for inner in value:
            _walk(inner, path if path.endswith("[]") else f"{path}[]", type_name, found)
    else:
        _note(found, path, *_of_primitive(value))


def _element(key: str, elements: Mapping[str, Element]) -> tuple[str, str]:
    element = elements.get(key)
    if element is not None:
        return key, element.type
    return (key, "") if key in _EVERYWHERE else ("[other]", "")


# Elements that stand in every type, and those of the types whose inside the definitions leave out.
_EVERYWHERE = frozenset(
    """
    id meta text div status extension modifierExtension url contained identifier system value code coding display type
    reference subject encounter author content attachment contentType data size title date period start end name
    family given birthDate gender address telecom line city state postalCode country use prefix suffix versionId
    lastUpdated profile security tag language hash creation format category context section entry resource valueString
    valueCode valueCodeableConcept valueReference valueDateTime valueQuantity unit note
    """.split()  # noqa: SIM905
)


def _of_primitive(value: Any) -> tuple[str, int | None]:
    if isinstance(value, bool):
        return "boolean", None
    if isinstance(value, int | float):
        return "number", None
    if value is None:
        return "null", None
    return "text", len(str(value))


def _note(found: dict[str, Place], path: str, type_name: str, length: int | None) -> None:
    before = found.get(path)
    if before is None:
        found[path] = Place(path, type_name, 1, length)
        return
    longest = max(filter(lambda n: n is not None, (before.longest, length)), default=None)
    found[path] = Place(path, before.type if before.type == type_name else "mixed", before.count + 1, longest)


def _message(message: Message, size: int) -> Shape:
    """Give the fields of each segment, like segments together."""
    found: dict[str, Place] = {}
    for segment in message.segments:
        name = segment.name if segment.name in known_segments() else "Z.." if segment.name[:1] == "Z" else "[other]"
        _note(found, name, "segment", None)
        for number, length in _fields(segment):
            _note(found, f"{name}-{number}", "field", length)
    head = next((segment for segment in message.segments if segment.name == "MSH"), None)
    version = head.value(12) if head else ""
    problems = () if head else ("no MSH segment",)
    return _shape("hl7v2", version if version in _VERSIONS else "", size, found, problems)


def _fields(segment: Any) -> Iterable[tuple[int, int]]:
    for field in segment.fields:
        if field.raw:
            yield field.number, len(segment.text(field.number))
