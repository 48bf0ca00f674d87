"""Read a FHIR resource from JSON or XML into one dict form, and say exactly what is wrong with the text.

Duplicate keys, endless nesting and entity bombs are findings, not crashes. XML is read by the rules of the FHIR XML
format: `value` attributes become the values, repeated elements and those listed below become lists.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element, ParseError, tostring

from defusedxml import ElementTree  # type: ignore[import-untyped]
from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]

MAX_BYTES = 10 * 1024 * 1024
MAX_DEPTH = 100
_FHIR = "{http://hl7.org/fhir}"
# Elements that repeat wherever they stand in the resources we read, or only inside the parent named before the dot.
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
# Strings whole, also one that never ends: possessive, so that no hostile text makes it look twice at one place.
_MARKS = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[\[{]|[\]}]', re.DOTALL)
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
    if _depth(text) > MAX_DEPTH:
        return ResourceText("json", None, (TextProblem("too_deep", f"It nests deeper than {MAX_DEPTH} levels."),))
    doubled: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        seen: dict[str, Any] = {}
        for name, value in items:
            if name in seen:
                doubled.append(name[:80])
            seen[name] = value
        return seen

    try:
        value = json.loads(text, object_pairs_hook=pairs, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        return ResourceText("json", None, (TextProblem("syntax", "The JSON is broken here.", place),))
    except (ValueError, RecursionError):
        return ResourceText("json", None, (TextProblem("syntax", "The JSON holds a number that is none."),))
    problems = tuple(
        TextProblem("duplicate_key", "The same key stands twice in one object.", name)
        for name in dict.fromkeys(doubled)
    )
    if not isinstance(value, dict):
        return ResourceText("json", None, (*problems, TextProblem("not_resource", "It is JSON, but no object.")))
    return ResourceText("json", value, problems)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON value")


def _depth(text: str) -> int:
    deepest = depth = 0
    for match in _MARKS.finditer(text):
        mark = match.group()
        if mark in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif mark in "]}":
            depth -= 1
    return deepest


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
        return ResourceText("xml", None, (TextProblem("too_deep", f"It nests deeper than {MAX_DEPTH} levels."),))


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _resource(element: Element, depth: int) -> dict[str, Any]:
    return {"resourceType": _local(element), **_children(element, _local(element), depth)}


def _children(element: Element, parent: str, depth: int) -> dict[str, Any]:
    if depth > MAX_DEPTH:
        raise RecursionError
    found: dict[str, Any] = {}
    for name in ("id", "url"):
        if name in element.attrib:
            found[name] = element.attrib[name]
    for child in element:
        name = _local(child)
        if not str(child.tag).startswith(_FHIR):
            found[name] = tostring(child, encoding="unicode")  # the narrative's XHTML stays text
            continue
        value = _value(child, name, depth + 1)
        if name in found and isinstance(found[name], list):
            found[name].append(value)
        elif name in found:
            found[name] = [found[name], value]
        else:
            found[name] = [value] if name in _LISTS or f"{parent}.{name}" in _LISTS else value
    return found


def _value(element: Element, name: str, depth: int) -> Any:
    if name in ("resource", "contained") and len(element) == 1 and _local(element[0])[:1].isupper():
        return _resource(element[0], depth)
    raw = element.attrib.get("value")
    if raw is None:
        return _children(element, name, depth)
    if raw in ("true", "false") and name not in ("valueString", "valueCode", "code"):
        return raw == "true"
    if name in _INTEGERS and re.fullmatch(r"-?\d{1,18}", raw):
        return int(raw)
    return raw
