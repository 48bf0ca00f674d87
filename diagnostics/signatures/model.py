"""Read the rows of `signatures/*.toml` and find the one that fits an error text best.

A row matches by literals (`any`, `all`, `without`) or one bounded regular expression (`pattern`); `status`,
`protocol` and `context` narrow it. `certainty` says what the words alone allow: a text never proves more.
"""

import re
import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from diagnostics.causes.model import declared
from diagnostics.errors import DeclarationError
from diagnostics.vocabulary import Category, Certainty

_FOLDER = Path(__file__).parent
_KEYS = frozenset(
    {"id", "any", "all", "without", "pattern", "status", "known_status", "protocol", "context", "cause", "category"}
    | {"certainty", "says", "weight", "example", "examples", "source"}
)
_WORD = re.compile(r"[^\W\d_]{1,60}")
_NAME = re.compile(r"[A-Z][A-Z0-9_]{2,40}")
_UNBOUNDED = re.compile(r"(?<!\\)(?:\*|\+|\{\d{1,5},\})")


@dataclass(frozen=True)
class Example:
    """Be one text as a product writes it, with what was known beside it."""

    text: str
    status: int | None = None
    protocol: str | None = None
    context: str | None = None


@dataclass(frozen=True)
class Signature:
    """Be one known error text. `weight` ranks rows that fit at once; of equals the longer match wins."""

    id: str
    area: str
    category: Category | None
    cause: str | None
    certainty: Certainty
    says: str
    any: tuple[str, ...] = ()
    names: frozenset[str] = frozenset()  # those of `any` that are written in capitals and must stand alone
    all: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    pattern: re.Pattern[str] | None = None
    status: frozenset[int] = frozenset()
    known_status: bool = False  # the status must be known, not only not contradict
    protocol: frozenset[str] = frozenset()
    context: tuple[str, ...] = ()
    weight: int = 10
    source: str = ""
    examples: tuple[Example, ...] = field(default=(), repr=False)

    @property
    def _of_hl7_alone(self) -> bool:
        """Tell a row whose words mean something else elsewhere: it needs to be known that HL7 v2 is spoken."""
        return "hl7v2" in self.protocol and "fhir" not in self.protocol

    def _stands_alone(self, word: str, lowered: str) -> bool:
        """Tell whether an error name such as EPIPE stands as a word of its own, and not inside another."""
        return word not in self.names or re.search(rf"(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])", lowered) is not None

    def fit(self, text: str, lowered: str, status: int | None, protocol: str | None, context: str) -> int:
        """Return the length of what matched, or 0; `lowered` is the text and `context` the context, in lower case."""
        if self.status and (status not in self.status if status is not None else self.known_status):
            return 0
        if self.protocol and protocol not in self.protocol and (protocol is not None or self._of_hl7_alone):
            return 0
        if any(word in lowered for word in self.without) or not all(word in lowered for word in self.all):
            return 0
        if self.context and not any(word in context or word in lowered for word in self.context):
            return 0
        length = sum(len(word) for word in self.all)
        if self.any:
            found = [len(word) for word in self.any if word in lowered and self._stands_alone(word, lowered)]
            if not found:
                return 0
            length += max(found)
        if self.pattern is not None:
            match = self.pattern.search(text)
            if match is None:
                return 0
            length += match.end() - match.start()
        return length


def best(text: str, *, status: int | None, protocol: str | None, context: str) -> Signature | None:
    """Return the signature that fits best, or None: the heaviest, and of equals the one of the longest match."""
    lowered = text.lower()
    ranked = [
        (signature.weight, length, signature)
        for signature in load()
        if (length := signature.fit(text, lowered, status, protocol, context))
    ]
    return max(ranked, key=lambda entry: entry[:2])[2] if ranked else None


@cache
def load() -> tuple[Signature, ...]:
    """Read every row once; refuse unknown keys, doubled ids, unknown causes and rows that cannot match."""
    rows: list[Signature] = []
    for path in sorted(_FOLDER.glob("*.toml")):
        for row in tomllib.loads(path.read_text(encoding="utf-8")).get("signature", []):
            rows.append(_signature(row, path.stem))
    seen: set[str] = set()
    for signature in rows:
        if signature.id in seen:
            raise DeclarationError(f"signature {signature.id} is declared twice")
        seen.add(signature.id)
    return tuple(rows)


@cache
def vocabulary() -> frozenset[str]:
    """Return the words, in lower case, in which errors are known to be written: none of them is anybody's name."""
    texts = (text for row in load() for text in (*row.any, *row.all, row.says.lower()))
    return frozenset(word for text in texts for word in _WORD.findall(text))


def _signature(row: dict[str, Any], area: str) -> Signature:
    name = f"signature {row.get('id', '?')} ({area}.toml)"
    if unknown := set(row) - _KEYS:
        raise DeclarationError(f"{name}: unknown keys {sorted(unknown)}")
    if not (row.get("any") or row.get("all") or row.get("pattern")):
        raise DeclarationError(f"{name} has nothing to match")
    cause_id = row.get("cause")
    cause = declared().get(cause_id) if cause_id else None
    if cause_id and cause is None:
        raise DeclarationError(f"{name}: cause {cause_id} is not in the catalogue")
    category = Category(row["category"]) if "category" in row else cause.category if cause else None
    says = row.get("says") or (f"{cause.title}." if cause else "")
    if not says:
        raise DeclarationError(f"{name} says nothing")
    pattern = row.get("pattern")
    if pattern and _UNBOUNDED.search(re.sub(r"\[[^\]]*\]", "x", pattern)):
        raise DeclarationError(f"{name}: write {{0,n}} instead of * or + so that matching stays linear")
    examples = list(row.get("examples", []))
    if "example" in row:
        examples.append(row["example"])
    return Signature(
        id=row["id"],
        area=area,
        category=category,
        cause=cause_id,
        certainty=Certainty(row.get("certainty", "likely")),
        says=says,
        any=_lower(row.get("any")),
        names=frozenset(word.lower() for word in row.get("any", ()) if _NAME.fullmatch(word)),
        all=_lower(row.get("all")),
        without=_lower(row.get("without")),
        pattern=re.compile(pattern, re.IGNORECASE) if pattern else None,
        status=frozenset(row.get("status", ())),
        known_status=row.get("known_status", False),
        protocol=frozenset(row.get("protocol", ())),
        context=_lower(row.get("context")),
        weight=row.get("weight", 10),
        source=row.get("source", ""),
        examples=tuple(Example(text) if isinstance(text, str) else Example(**text) for text in examples),
    )


def _lower(words: list[str] | None) -> tuple[str, ...]:
    return tuple(word.lower() for word in words or ())
