"""Read SMART scopes of both grammars (v1 `.read/.write/.*`, v2 `.cruds`)."""

from __future__ import annotations

import re

_SCOPE = re.compile(r"^(?:patient|user|system)/(?P<type>[A-Za-z]+|\*)\.(?P<rights>[a-z*]+)(?:\?(?P<query>.*))?$")
_V1 = {"read": "rs", "write": "cud", "*": "cruds"}


def rights_of(scope: str) -> tuple[str, str] | None:
    """Give (resource type, letters of cruds) of one scope, or None where it is no resource scope."""
    match = _SCOPE.match(scope)
    if not match:
        return None
    letters = _V1.get(match["rights"], match["rights"])
    if not re.fullmatch("c?r?u?d?s?", letters):
        return None  # out of order is undefined, so it grants nothing
    return match["type"], letters


def allows(scopes: str, resource_type: str, letter: str) -> bool:
    """Say whether a granted scope string allows one interaction on one type."""
    for scope in scopes.split():
        found = rights_of(scope)
        if found and found[0] in ("*", resource_type) and letter in found[1]:
            return True
    return False


def within(asked: str, registered: tuple[str, ...]) -> bool:
    """Say whether one asked scope lies inside what the client is registered for."""
    if asked in registered:
        return True
    found = rights_of(asked)
    return (
        bool(found) and all(allows(" ".join(registered), found[0], letter) for letter in found[1]) if found else False
    )
