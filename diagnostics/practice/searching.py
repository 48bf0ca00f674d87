"""Answer a search page by page, as FHIR servers do (R4 section 3.1.1.4)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from diagnostics.practice.store import Resource

_MOST = 500


def searchset(address: str, found: list[Resource], query: list[tuple[str, str]]) -> dict[str, Any]:
    """Return one page of what was found: `_count` bounds it, and `_offset` in its `next` link says where one begins."""
    count = _number(query, "_count", _MOST) or _MOST
    offset = _number(query, "_offset", 0)
    page = found[offset : offset + count]
    links = [{"relation": "self", "url": address}]
    if offset + count < len(found):
        rest = [(name, value) for name, value in query if name != "_offset"]
        links.append({"relation": "next", "url": f"{address}?{urlencode([*rest, ('_offset', str(offset + count))])}"})
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(found),
        "link": links,
        "entry": [
            {"fullUrl": f"{address}/{each['id']}", "resource": each, "search": {"mode": "match"}} for each in page
        ],
    }


def _number(query: list[tuple[str, str]], name: str, default: int) -> int:
    asked = next((value for key, value in query if key == name), "")
    return int(asked[:6]) if asked.isascii() and asked.isdigit() else default
