"""Propose plain ASCII for the special characters of a message, and say where there is no safe way to do so.

For a receiver that cannot be set to UTF-8 the scribe may write dashes, quotes, bullets and accents by plain characters
(domain.md 2.3, hl7.encoding.undeclared). A number, its sign and its unit must mean the same afterwards: "µg" becomes
"mcg" (never "ug", which is misread), "1½" becomes "1 1/2", and what cannot be said safely, such as the exponent of
10⁹ or a letter of another script, is kept and told, never dropped. What stands before and after a character decides,
so the functions here see whole texts; what they report holds single characters and places only.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from diagnostics.parsing.hl7 import Delimiters, Message, Place
from diagnostics.parsing.hl7_charset import effective

# by their look, whatever stands around them
_SAME = {
    "\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "-", "\u2014": "-", "\u2015": "-", "\u2212": "-",
    "\u2043": "-", "\u2018": "'", "\u2019": "'", "\u201a": "'", "\u201b": "'", "\u2032": "'", "\u02bc": "'",
    "\u00b4": "'", "\u2039": "'", "\u203a": "'", "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u201f": '"',
    "\u2033": '"', "\u00ab": '"', "\u00bb": '"',
    "\u2026": "...", "\u2022": "*", "\u2023": "*", "\u25aa": "*", "\u25cf": "*", "\u25e6": "*", "\u2219": "*",
    "\u00b1": "+/-", "\u00d7": "x", "\u2264": "<=", "\u2265": ">=", "\u2260": "!=", "\u2192": "->", "\u2190": "<-",
    "\u2044": "/", "\u2215": "/", "\u00f7": "/", "\u2191": "(up)", "\u2193": "(down)", "\u2713": "(check)",
    "\u2714": "(check)", "\u2610": "[ ]", "\u2611": "[x]", "\u00ae": "(R)", "\u00a9": "(C)", "\u2122": "(TM)",
    "\u00df": "ss", "\u1e9e": "SS", "\u00e6": "ae", "\u00c6": "AE", "\u0153": "oe", "\u0152": "OE", "\u00f8": "o",
    "\u00d8": "O", "\u0142": "l", "\u0141": "L", "\u0111": "d", "\u0110": "D", "\u0131": "i", "\u2116": "No.",
    "\u2103": " deg C", "\u2109": " deg F", "\u338d": "mcg", "\u338c": "mcF", "\u3395": "mcL", "\u339b": "mcm",
}  # fmt: skip
# nothing is seen of these; taking them out changes no word
_UNSEEN = frozenset("\u00ad\u200b\u200c\u200e\u200f\u2060\ufeff")
_MICRO = frozenset("\u00b5\u03bc")
# what may follow a micro sign that stands for a millionth: the first letter of a unit
_UNIT_STARTS = frozenset("gGlLmMsSIUKVAF")
_RAISED = frozenset("\u00b2\u00b3\u00b9\u2070") | frozenset(map(chr, range(0x2074, 0x207E)))
_LOWERED = frozenset(map(chr, range(0x2080, 0x208D)))
_LENGTHS = frozenset({"m", "cm", "mm", "dm", "km", "in", "ft"})  # their squares and cubes are written m2, cm3
_FRACTION_SLASH = "\u2044"


def plain_character(text: str, at: int) -> str | None:
    """Return plain ASCII for the character at an index of the text, or None where no safe replacement is known."""
    character = text[at]
    if character < "\x80":
        return character
    before, after = text[at - 1] if at else "", text[at + 1] if at + 1 < len(text) else ""
    if character in _MICRO:
        return "mc" if after in _UNIT_STARTS and not before.isalpha() else None
    if character in ("\u00b0", "\u00ba"):
        return _degree(character, before, after)
    if character in ("\u2013", "\u2014", "\u2015") and after.isdigit() and before.isalpha():
        return " - "  # a dash between a word and a number must not read as its sign
    if character == "\u00b7":  # a decimal point in Britain, a times sign or a bullet elsewhere
        return None if before.isdigit() or after.isdigit() else "*"
    if character in ("\u2248", "\u223c"):
        return "approx. "
    if character in _RAISED or character in _LOWERED:
        return _raised(character, before, text, at)
    if character in _SAME:
        return _SAME[character]
    if character in _UNSEEN:
        return ""
    if unicodedata.category(character) == "Zs":
        return " "
    return _by_decomposition(character, before, after)


def _degree(character: str, before: str, after: str) -> str | None:
    """Write a degree sign as a word; the raised o is taken for one only between a number and its scale."""
    if character == "\u00ba" and not ((before.isdigit() or before.isspace()) and after in ("C", "F")):
        return None
    left = "" if not before or before.isspace() else " "
    return f"{left}deg{' ' if after.isalnum() else ''}"


def _raised(character: str, before: str, text: str, at: int) -> str | None:
    """Write kg/m² as kg/m2 and CO₂ as CO2; after a number an exponent would become part of it."""
    plain = unicodedata.normalize("NFKD", character)
    if not plain.isdigit():
        return plain if before.isalpha() and plain in "+-" else None
    word = _word_before(text, at)
    if character in _RAISED:
        return plain if word in _LENGTHS and plain in "23" else None
    return plain if word else None


def _word_before(text: str, at: int) -> str:
    """Return the plain letters right before an index, at most eight; further lowered figures are passed over."""
    end = at
    while end > max(0, at - 8) and text[end - 1] in _LOWERED:
        end -= 1
    start = end
    while start > max(0, end - 8) and text[start - 1].isascii() and text[start - 1].isalpha():
        start -= 1
    return text[start:end]


def _by_decomposition(character: str, before: str, after: str) -> str | None:
    """Take accents off, and write compatibility forms (full width, ligatures, fractions) by what they stand for."""
    if unicodedata.combining(character):
        return "" if before.isalpha() else None
    parts = unicodedata.normalize("NFKD", character)
    if _FRACTION_SLASH in parts:
        if after.isdigit() or not parts.replace(_FRACTION_SLASH, "").isdigit():
            return None
        return f"{' ' if before.isdigit() else ''}{parts.replace(_FRACTION_SLASH, '/')}"
    plain = "".join(part for part in parts if not unicodedata.combining(part))
    if not plain.isascii() or not plain.strip():
        return None
    if any(part.isdigit() for part in plain) and unicodedata.decimal(character, None) is None:
        # a circled figure is no digit of the number it stands beside; a sign for square metres may be written m2
        return plain if plain[0].isalpha() and not after.isdigit() else None
    return plain


def transliterated(text: str) -> str:
    """Return the text in plain ASCII as far as that is safe; characters without a safe replacement stay as they are."""
    if text.isascii():
        return text
    found = (plain_character(text, at) for at in range(len(text)))
    return "".join(character if plain is None else plain for character, plain in zip(text, found, strict=True))


@dataclass(frozen=True, slots=True)
class Special:
    """Be one special character of a message: where it stands and what could be written instead (None: nothing safe)."""

    character: str
    place: Place
    replacement: str | None

    @property
    def name(self) -> str:
        """Return its Unicode name in lower case, or its code point where it has none."""
        return unicodedata.name(self.character, self.code_point).lower()

    @property
    def code_point(self) -> str:
        """Return U+2014 and the like."""
        return f"U+{ord(self.character):04X}"

    @property
    def facts(self) -> dict[str, Any]:
        """Return it as plain data for a finding; nothing of the text around it."""
        return {"code_point": self.code_point, "name": self.name, **self.place.facts, "replacement": self.replacement}


def specials(message: Message) -> Iterator[Special]:
    """Yield every character beyond ASCII of a message in order, with its place and its replacement."""
    if message.raw.isascii():
        return
    charset = effective(message.raw, message.charset)
    for segment in message.segments:
        if segment.raw.isascii():
            continue
        for field in segment.fields:
            if field.raw.isascii():
                continue
            text = field.raw.decode(charset, errors="replace")
            offset, repetition, component = 0, 1, 1
            for at, character in enumerate(text):
                if character == segment.delimiters.repetition:
                    repetition, component = repetition + 1, 1
                elif character == segment.delimiters.component:
                    component += 1
                elif character > "\x7f":
                    place = Place(segment.name, segment.occurrence, field.offset + offset, field.number, repetition,
                                  component)  # fmt: skip
                    yield Special(character, place, plain_character(text, at))
                offset += len(character.encode(charset, errors="replace"))


def preview(message: Message) -> str:
    r"""Return the message as the receiver would get it after safe transliteration, one segment a line.

    A replacement that holds a delimiter of the message is escaped (chapter 2), so that it cannot split the field.
    """
    charset = effective(message.raw, message.charset)
    return "\n".join(_line(segment.raw.decode(charset, errors="replace"), message) for segment in message.segments)


def _line(text: str, message: Message) -> str:
    if text.isascii():
        return text
    parts = []
    for at, character in enumerate(text):
        plain = character if character < "\x80" else plain_character(text, at)
        if plain is None:
            parts.append(character)
        else:
            parts.append(plain if character < "\x80" else escaped(plain, message.delimiters))
    return "".join(parts)


def escaped(text: str, delimiters: Delimiters) -> str:
    """Return the text with the delimiters of a message escaped, the escape character first."""
    mark = delimiters.escape
    for character, letter in ((mark, "E"), (delimiters.field, "F"), (delimiters.component, "S"),
                              (delimiters.subcomponent, "T"), (delimiters.repetition, "R")):  # fmt: skip
        if character in text:
            text = text.replace(character, f"{mark}{letter}{mark}")
    return text
