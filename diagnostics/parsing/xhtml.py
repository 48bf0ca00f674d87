"""Judge XHTML: a resource's narrative, and a note sent as application/xhtml+xml.

FHIR R4, narrative (txt-1, txt-2): well-formed XHTML without entities of HTML, only elements that format text. EHRs
that turn a note's XHTML into their own format stop at what is not well formed and drop active elements without a word.
"""

import re
from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError
from xml.parsers.expat import errors

from defusedxml import ElementTree  # type: ignore[import-untyped]
from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]

_XHTML = "{http://www.w3.org/1999/xhtml}"
_CODES: dict[str, int] = errors.codes
_VOID = re.compile(r"<(br|hr|img|meta|input|link|col|area|base|wbr|param)\b([^<>]{0,4000})>", re.IGNORECASE)
_ENTITY = re.compile(r"&(#?[A-Za-z0-9]{1,32})(;?)")
_XML_ENTITIES = frozenset({"amp", "lt", "gt", "quot", "apos"})
# Elements that receivers take out, with what stands in them (FHIR R4 forbids them in a narrative as well).
STRIPPED = ("script", "style", "iframe", "frame", "frameset", "object", "embed", "applet", "form", "link", "base",
            "meta")  # fmt: skip
_PARTS = frozenset({"html", "head", "title", "body"})
_FORMATTING = frozenset(
    """
    a abbr acronym address b bdo big blockquote br caption center cite code col colgroup dd del dfn dir div dl dt em
    font h1 h2 h3 h4 h5 h6 hr i img ins kbd li map area menu ol p pre q s samp small span strike strong sub sup table
    tbody td tfoot th thead tr tt u ul var
    """.split()  # noqa: SIM905
)
_MAX_FAULTS = 10


@dataclass(frozen=True)
class XhtmlFault:
    """Be one fault. `kind`: malformed, entity, namespace, stripped, element, event, image, empty."""

    kind: str
    rule: str  # txt-1 or txt-2 in a narrative
    says: str


def judge_narrative(div: str) -> tuple[XhtmlFault, ...]:
    """Return the faults of a Narrative.div, at most ten."""
    root, faults = _parse(div)
    if root is None:
        return faults
    found = list(faults)
    if root.tag != f"{_XHTML}div":
        wrong = "is not in the XHTML namespace" if root.tag == "div" else "does not begin with a div"
        found.append(XhtmlFault("namespace", "txt-1", f"{wrong} (txt-1)"))
    for element in root.iter():
        name = _local(element)
        if name and name not in _FORMATTING:
            found.append(XhtmlFault("element", "txt-1", f"holds <{_shown(name)}>, which a narrative may not (txt-1)"))
        if any(attribute.lower().startswith("on") for attribute in element.attrib):
            found.append(XhtmlFault("event", "txt-1", "holds an event handler, which a narrative may not (txt-1)"))
    if not "".join(root.itertext()).strip() and not any(_local(each) == "img" for each in root.iter()):
        found.append(XhtmlFault("empty", "txt-2", "holds no text (txt-2)"))
    return tuple(dict.fromkeys(found))[:_MAX_FAULTS]


def judge_document(text: str) -> tuple[XhtmlFault, ...]:
    """Return the faults of a note sent as application/xhtml+xml, at most ten."""
    root, faults = _parse(text)
    if root is None:
        return faults
    found = list(faults)
    for element in root.iter():
        name = _local(element)
        if name in STRIPPED:
            found.append(XhtmlFault("stripped", "", f"holds <{name}>, which the EHR takes out"))
        source = element.attrib.get("src", "") if name == "img" else ""
        if source and not source.startswith(("data:", "#", "cid:")):
            found.append(XhtmlFault("image", "", "shows an image from another place, which the EHR does not fetch"))
    if not "".join(root.itertext()).strip():
        found.append(XhtmlFault("empty", "", "holds no text"))
    return tuple(dict.fromkeys(found))[:_MAX_FAULTS]


def _parse(text: str) -> tuple[Element | None, tuple[XhtmlFault, ...]]:
    try:
        root: Element = ElementTree.fromstring(text.encode("utf-8", "replace"))
    except ParseError as error:
        return None, (_malformed(text, error),)
    except (DefusedXmlException, ValueError, LookupError, RecursionError):
        return None, (XhtmlFault("malformed", "txt-1", "declares entities or an encoding, which XHTML here may not"),)
    return root, ()


def _malformed(text: str, error: ParseError) -> XhtmlFault:
    """Say what breaks the XML: an element left open, an entity of HTML, or where the parser stopped."""
    line, column = error.position
    here = f"at line {line}, column {column + 1}"
    if error.code == _CODES[errors.XML_ERROR_UNDEFINED_ENTITY] or "undefined entity" in str(error):
        return XhtmlFault("entity", "txt-1", f"holds an entity of HTML that XML does not know, {here}")
    for match in _ENTITY.finditer(text[:200_000]):
        if not match.group(2) and (match.group(1).startswith("#") or match.group(1).isalpha()):
            return XhtmlFault("entity", "txt-1", f"holds an entity without its semicolon, or a bare ampersand, {here}")
    if error.code == _CODES[errors.XML_ERROR_TAG_MISMATCH] or error.code == _CODES[errors.XML_ERROR_NO_ELEMENTS]:
        for match in _VOID.finditer(text[:200_000]):
            if not match.group(2).endswith("/"):
                name = match.group(1).lower()
                return XhtmlFault("malformed", "txt-1", f"is not well-formed XML: <{name}> is not closed, {here}")
        return XhtmlFault("malformed", "txt-1", f"is not well-formed XML: an element is not closed, {here}")
    return XhtmlFault("malformed", "txt-1", f"is not well-formed XML {here}")


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2].lower() if isinstance(element.tag, str) else ""


def _shown(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name)[:30]
