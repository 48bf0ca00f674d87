"""Show what would be sent without what it says: names and sizes stay, a patient's values go."""

import json
from typing import Any

# Values that say what kind of message it is, never anything of a patient.
_PLAIN = frozenset({"resourceType", "status", "docStatus", "contentType", "language"})
_MSH_PLAIN = frozenset({2, 9, 11, 12, 18})
_DEEPEST = 40
MOST_CHARACTERS = 20_000


def shape_of(body: bytes) -> str:
    """Give the body with every value masked; what is neither JSON nor HL7 v2 shows its size alone."""
    text = body.decode("utf-8", "replace").lstrip("\ufeff\x0b")
    if text.startswith("MSH") and len(text) > 8:
        shown = _message(text)
    else:
        try:
            shown = json.dumps(_masked(json.loads(text), 0), indent=2, ensure_ascii=False)
        except (ValueError, RecursionError):
            shown = f"[{len(body)} bytes]"
    return shown if len(shown) <= MOST_CHARACTERS else shown[:MOST_CHARACTERS] + "\n…"


def _masked(value: Any, depth: int) -> Any:
    if depth > _DEEPEST:
        return "…"
    if isinstance(value, dict):
        return {str(key)[:60]: _plain_or_masked(key, item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item, depth + 1) for item in value]
    if isinstance(value, str):
        return f"[{len(value)} characters]"
    return value if isinstance(value, bool) or value is None else "[number]"


def _plain_or_masked(key: str, value: Any, depth: int) -> Any:
    return value if key in _PLAIN and isinstance(value, str) and len(value) < 60 else _masked(value, depth)


def _message(text: str) -> str:
    separator = text[3]
    lines = []
    for segment in text.replace("\r\n", "\r").replace("\n", "\r").split("\r"):
        name, *fields = segment.split(separator)
        if not name:
            continue
        first = 2 if name == "MSH" else 1
        kept = [
            field if name == "MSH" and place in _MSH_PLAIN else f"[{len(field)}]" if field else ""
            for place, field in enumerate(fields, first)
        ]
        lines.append(separator.join([name[:3], *kept]))
    return "\n".join(lines)
