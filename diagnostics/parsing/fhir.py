"""Read a FHIR resource from JSON or XML into one dict form, and say exactly what is wrong with the text.

Duplicate keys, endless nesting and entity bombs are findings, not crashes. XML is read by the rules of the FHIR XML
format and the definitions of R4: `value` attributes become values of their type, elements that may repeat lists.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element, ParseError, tostring

from defusedxml import ElementTree  # type: ignore[import-untyped]
from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]

from diagnostics.parsing.fhir_definitions import Element as Known
from diagnostics.parsing.fhir_definitions import TypeDefinition, definition

MAX_BYTES = 10 * 1024 * 1024
MAX_DEPTH = 100
_FHIR = "{http://hl7.org/fhir}"
# For resources that R4 does not define (a server of an older version): elements that repeat wherever they stand, or
# only inside the parent named before the dot.
_LISTS = frozenset(
    """
    identifier category coding extension modifierExtension contained issue expression entry section relatesTo
    securityLabel tag profile supportedProfile given prefix suffix telecom address line rest interaction searchParam
    DocumentReference.author DocumentReference.content context.event context.encounter context.related issue.location
    rest.resource Composition.author Composition.attester Composition.event DiagnosticReport.result format
    DiagnosticReport.performer DiagnosticReport.presentedForm Observation.performer Observation.component
    Observation.interpretation Encounter.participant Encounter.location participant.type Encounter.type
    CapabilityStatement.instantiates security.service Patient.name Practitioner.name Bundle.link referencePolicy
    resource.searchInclude participant.role
    """.split()  # noqa: SIM905
)
_INTEGERS = frozenset({"size", "total", "height", "width", "rank"})


@dataclass(frozen=True, slots=True)
class TextProblem:
    """Be one fault of the text. `kind`: empty, encoding, too_large, syntax, duplicate_key, too_deep, not_resource.

    `place` is "line 3, column 7" or the path of the duplicate key; `says` quotes nothing of the content.
    """

    kind: str
    says: str
    place: str = ""

    @property
    def fatal(self) -> bool:
        """Tell whether no resource could be read because of it."""
        return self.kind != "duplicate_key"


_TOO_DEEP = TextProblem("too_deep", f"It nests deeper than {MAX_DEPTH} levels.")


@dataclass(frozen=True)
class ResourceText:
    """Be what a text held: `resource` is None when it could not be read at all; `form` is json or xml."""

    form: str
    resource: dict[str, Any] | None = field(default=None, repr=False)
    problems: tuple[TextProblem, ...] = ()

    @property
    def resource_type(self) -> str:
        """Return the resource's type, or an empty string."""
        return str(self.resource.get("resourceType", "")) if self.resource else ""


def read_resource(data: bytes) -> ResourceText:
    """Read a resource from JSON or XML, told apart by the first character; never raises."""
    head = data.lstrip(b"\xef\xbb\xbf\r\n\t ")[:1]
    form = "xml" if head == b"<" else "json"
    if not head:
        return ResourceText(form, None, (TextProblem("empty", "There is nothing in it."),))
    if len(data) > MAX_BYTES:
        return ResourceText(form, None, (TextProblem("too_large", f"It is larger than {MAX_BYTES // 2**20} MB."),))
    return _xml(data) if form == "xml" else _json(data)


def _json(data: bytes) -> ResourceText:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problem = TextProblem("encoding", "The text is not UTF-8.", f"byte {error.start}")
        return ResourceText("json", None, (problem,))
    doubled: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        held = dict(items)
        if len(held) != len(items):
            counted = Counter(name for name, _ in items)
            doubled.extend(re.sub(r"[^A-Za-z0-9_]", "", name[:80]) for name in counted if counted[name] > 1)
        return held

    try:
        value = json.loads(text, object_pairs_hook=pairs, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        return ResourceText("json", None, (TextProblem("syntax", "The JSON is broken here.", place),))
    except RecursionError:
        return ResourceText("json", None, (_TOO_DEEP,))
    except ValueError:
        return ResourceText("json", None, (TextProblem("syntax", "The JSON holds a number that is none."),))
    if _too_deep(value):
        return ResourceText("json", None, (_TOO_DEEP,))
    problems = tuple(
        TextProblem("duplicate_key", "The same key stands twice in one object.", name)
        for name in dict.fromkeys(doubled)
    )
    if not isinstance(value, dict):
        return ResourceText("json", None, (*problems, TextProblem("not_resource", "It is JSON, but no object.")))
    return ResourceText("json", value, problems)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON value")


def _too_deep(value: Any) -> bool:
    """Tell whether lists and objects nest deeper than anybody writes; level by level, so that nothing overflows."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for each in level
            if type(each) is dict or type(each) is list
            for inner in (each.values() if type(each) is dict else each)
            if type(inner) is dict or type(inner) is list
        ]
        if not level:
            return False
    return True


def _xml(data: bytes) -> ResourceText:
    try:
        root = ElementTree.fromstring(data)
    except DefusedXmlException:
        problem = TextProblem("syntax", "The XML declares entities or a document type, which FHIR forbids.")
        return ResourceText("xml", None, (problem,))
    except ParseError as error:
        line, column = error.position
        return ResourceText(
            "xml", None, (TextProblem("syntax", "The XML is broken here.", f"line {line}, column {column}"),)
        )
    except (ValueError, LookupError, RecursionError):
        return ResourceText("xml", None, (TextProblem("encoding", "The XML's encoding cannot be read."),))
    if not root.tag.startswith(_FHIR):
        return ResourceText("xml", None, (TextProblem("not_resource", "It is XML outside the FHIR namespace."),))
    try:
        return ResourceText("xml", _resource(root, 0))
    except RecursionError:
        return ResourceText("xml", None, (_TOO_DEEP,))


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _resource(element: Element, depth: int) -> dict[str, Any]:
    name = _local(element)
    return {"resourceType": name, **_children(element, name, definition(name), depth)}


def _children(element: Element, parent: str, kind: TypeDefinition | None, depth: int) -> dict[str, Any]:
    """Return an element's content; what has no definition in R4 is told apart by the names in `_LISTS`."""
    if depth > MAX_DEPTH:
        raise RecursionError
    found: dict[str, Any] = {name: value for name, value in element.attrib.items() if name in ("id", "url", "value")}
    for child in element:
        name = _local(child)
        if not str(child.tag).startswith(_FHIR):
            found[name] = tostring(child, encoding="unicode")  # the narrative's XHTML stays text
            continue
        known = kind.elements.get(name) if kind is not None else None
        many = known.many if known is not None else name in _LISTS or f"{parent}.{name}" in _LISTS
        value = _primitive(child, known) if known is not None else _guessed(child, name)
        if value is None:
            value = _complex(child, name, known, depth + 1)
        if name not in found:
            found[name] = [value] if many else value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
        if known is not None and known.holds is not None and (len(child) or "id" in child.attrib):
            _beside(found, name, child, depth + 1)
    return found


def _beside(found: dict[str, Any], name: str, child: Element, depth: int) -> None:
    """Keep id and extensions of a primitive as FHIR's JSON does: in an element of its own, `_name`."""
    held = _children(child, name, definition("Element"), depth)
    held.pop("value", None)
    if isinstance(found[name], list):
        others = found.setdefault(f"_{name}", [])
        others += [None] * (len(found[name]) - 1 - len(others)) + [held]
        if "value" not in child.attrib:
            found[name][-1] = None
    else:
        found[f"_{name}"] = held
        if "value" not in child.attrib:
            del found[name]


def _primitive(element: Element, known: Known) -> Any:
    """Return a primitive's value in its JSON type; text that is none stays text, for the judgement to see."""
    if known.holds is None:
        return None
    raw = element.attrib.get("value", "")
    if known.type == "boolean" and raw in ("true", "false"):
        return raw == "true"
    if known.type in ("integer", "unsignedInt", "positiveInt") and re.fullmatch(r"-?\d{1,18}", raw):
        return int(raw)
    if known.type == "decimal" and re.fullmatch(r"-?\d{1,40}(?:\.\d{1,40})?(?:[eE][+-]?\d{1,3})?", raw):
        return float(raw)
    return raw


def _complex(element: Element, name: str, known: Known | None, depth: int) -> Any:
    inner = known.type == "Resource" if known is not None else name in ("resource", "contained")
    if inner and len(element) == 1 and _local(element[0])[:1].isupper():
        return _resource(element[0], depth)
    return _children(element, name, definition(known.type) if known is not None else None, depth)


def _guessed(element: Element, name: str) -> Any:
    """Return the value of an element that R4 does not define, or None where it is an object."""
    raw = element.attrib.get("value")
    if raw in ("true", "false") and name not in ("valueString", "valueCode", "code"):
        return raw == "true"
    if raw is not None and name in _INTEGERS and re.fullmatch(r"-?\d{1,18}", raw):
        return int(raw)
    return raw
