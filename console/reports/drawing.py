"""Draw a chart's specification on the server, and keep nothing of the drawing but shapes and text.

A drawing is kept in memory by its specification, which holds figures and names of causes, nothing of a patient.
"""

import json
import re
import xml.etree.ElementTree as ET
from functools import lru_cache
from typing import Any

from django.utils.safestring import SafeString, mark_safe

FONT = "Inter Variable, system-ui, sans-serif"

_SVG = "http://www.w3.org/2000/svg"
_TAGS = frozenset({"svg", "g", "path", "rect", "line", "circle", "text", "tspan"})
_ATTRIBUTES = frozenset(
    {
        "d", "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "rx", "width", "height", "viewBox", "transform",
        "fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-linejoin",
        "stroke-miterlimit", "stroke-opacity", "opacity", "text-anchor", "font-family", "font-size", "font-weight",
    }
)  # fmt: skip
# What the tokens of the style sheet are on paper.
_ON_PAPER = {
    "ink": "#182433", "ink-2": "#445064", "ink-3": "#5d6877", "line": "#e2e6eb", "surface": "#ffffff",
    "run": "#1c6fd1", "run-text": "#175fb5", "run-ground": "#eaf2fb", "run-line": "#8db4e3", "idle-line": "#8a94a3",
}  # fmt: skip
_FONT_ON_PAPER = "Libertinus Serif"


def for_page(specification: dict[str, Any], classes: str) -> SafeString:
    """Give the picture for a page; the chart's figure says in words what it shows."""
    svg = draw(json.dumps(specification, sort_keys=True))
    svg = svg.replace("<svg ", f'<svg class="{classes}" aria-hidden="true" focusable="false" ', 1)
    return mark_safe(svg)  # rebuilt by `clean` from allowed shapes and attributes, with every text escaped


def for_paper(specification: dict[str, Any]) -> str:
    """Give the picture for print, with fixed colours and the font that the PDF brings along."""
    text = json.dumps(specification, sort_keys=True).replace(json.dumps(FONT), json.dumps(_FONT_ON_PAPER))
    return draw(re.sub(r"var\(--([a-z0-9-]+)\)", lambda found: _ON_PAPER[found[1]], text))


@lru_cache(maxsize=128)
def draw(specification: str) -> str:
    """Draw a Vega-Lite specification as SVG; data come from the specification alone, never from an address."""
    import vl_convert  # big, and only reports need it

    return clean(vl_convert.vegalite_to_svg(specification, allowed_base_urls=[]))


def clean(svg: str) -> str:
    """Keep shapes and text of a drawing; leave out styles, scripts, links, ids and everything else."""
    ET.register_namespace("", _SVG)
    root = ET.fromstring(svg)
    _clean(root)
    for name in ("width", "height"):  # it takes the width of where it stands
        root.attrib.pop(name, None)
    return ET.tostring(root, encoding="unicode")


def _clean(element: ET.Element) -> None:
    hidden = [child for child in element if child.get("display") == "none"]
    for name, value in list(element.attrib.items()):
        if name not in _ATTRIBUTES or "url(" in value.lower():
            del element.attrib[name]
    for child in list(element):
        if child in hidden or child.tag.removeprefix(f"{{{_SVG}}}") not in _TAGS:
            element.remove(child)
        else:
            _clean(child)
