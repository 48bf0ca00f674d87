"""Read SMART scopes of both grammars and answer what they grant (SMART App Launch 1.0 and 2.x).

v1: `system/DocumentReference.write` (read = rs, write = cud, * = cruds).
v2: `system/DocumentReference.c?category=…` with the letters in the order c r u d s; another order is undefined by
the specification and grants nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qsl

_LIMIT = 2000
_FORM = re.compile(r"(patient|user|system)/([A-Z][A-Za-z]{0,63}|\*)\.([a-z]{1,20}|\*)(?:\?(\S{1,2000}))?\Z")
_V1 = {"read": frozenset("rs"), "write": frozenset("cud"), "*": frozenset("cruds")}
_V2 = re.compile(r"^c?r?u?d?s?$")


@dataclass(frozen=True)
class Scope:
    """Be one resource scope: `letters` are the granted interactions, `query` a constraint on them (v2)."""

    raw: str
    context: str
    resource: str
    letters: frozenset[str]
    version: int
    query: str | None = None

    def grants(self, resource: str, letter: str) -> bool:
        """Tell whether this scope allows an interaction ("c", "r", "u", "d", "s") on a resource type."""
        return self.resource in (resource, "*") and letter in self.letters


def parse_scope(text: str) -> Scope | None:
    """Return a resource scope, or None for any other (openid, launch, an unknown form, a wrong letter order)."""
    match = _FORM.match(text) if len(text) <= _LIMIT else None
    if match is None:
        return None
    context, resource, access, query = match.groups()
    if access in _V1:  # the older grammar knows no query: one behind it is undefined and grants nothing
        return None if query else Scope(text, context, resource, _V1[access], 1)
    if access and _V2.match(access):
        return Scope(text, context, resource, frozenset(access), 2, query)
    return None


def constraints(scope: Scope) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the parameters of a scope's query with the values that each may have (a comma means or)."""
    try:
        pairs = parse_qsl(scope.query or "", keep_blank_values=True, max_num_fields=20)
    except ValueError:
        return (("", ()),)  # too many to read: nobody can say what it allows
    return tuple((name, tuple(value.split(","))) for name, value in pairs)


def split_scopes(text: str | Iterable[str]) -> tuple[str, ...]:
    """Return the single scopes of a space-separated list, each once, in order."""
    words = text.split() if isinstance(text, str) else [word for each in text for word in each.split()]
    return tuple(dict.fromkeys(words))


def parse_scopes(text: str | Iterable[str]) -> tuple[Scope, ...]:
    """Return the resource scopes of a list; the others are left out."""
    return tuple(scope for each in split_scopes(text) if (scope := parse_scope(each)) is not None)


def granting(scopes: Iterable[Scope], resource: str, letter: str) -> tuple[Scope, ...]:
    """Return the scopes that allow an interaction on a resource type; unconstrained ones first."""
    found = [scope for scope in scopes if scope.grants(resource, letter)]
    return tuple(sorted(found, key=lambda scope: scope.query is not None))
