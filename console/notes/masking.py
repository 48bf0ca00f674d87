"""Reduce an error text to what every occurrence of it has in common."""

import re
from collections.abc import Callable

from diagnostics.signatures.model import vocabulary

_LETTERS = re.compile(r"[^\W\d_]+")
_WORDS = re.compile(rf"<\w+>|{_LETTERS.pattern}")
_QUOTED = re.compile(r"\"[^\"]{0,200}\"|'[^']{0,200}'")
_MASKS: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F-]{20,}"), "<id>"),
    (_QUOTED, lambda m: m[0] if _known(m[0]) else "<text>"),
    (re.compile(r"\b[A-Za-z]*[-/]?\w*\d[\w./:-]*"), "<n>"),
    (re.compile(r"\s+"), " "),
)


def mask(error: str) -> str:
    """Reduce an error text to what every occurrence has in common: strange words, ids and numbers are masked.

    What is left is indexed in the clear, so it may hold only words of which errors are made: a server that repeats a
    patient's name or a sentence of the note leaves none of them here.
    """
    text = error[:2000]
    for pattern, instead in _MASKS:
        text = pattern.sub(instead, text)
    text = _WORDS.sub(lambda m: m[0] if m[0][0] == "<" or _known(m[0]) else "<w>", text)
    return text.strip()[:300]


def _known(text: str) -> bool:
    known = vocabulary()
    return all(word.lower() in known for word in _LETTERS.findall(text))
