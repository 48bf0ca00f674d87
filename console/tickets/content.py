"""Make a note's payload readable: what cannot be shown as text says so."""

import contextlib
import json
from collections import Counter
from dataclasses import dataclass

from diagnostics.parsing.hl7 import read_message
from diagnostics.parsing.hl7_transliteration import preview, specials

SHOWN_CHARS = 200_000
SHOWN_KINDS = 40
_HL7_STARTS = (b"MSH", b"FHS", b"BHS")


@dataclass(frozen=True)
class Plain:
    """Be an HL7 message in plain characters: its text, and each special character with count and replacement."""

    text: str
    characters: tuple[tuple[str, str, int, str | None], ...]  # the character, its name, how often, what instead

    @property
    def kept(self) -> bool:
        """Tell whether some character has no safe replacement."""
        return any(instead is None for _, _, _, instead in self.characters)


def in_plain_characters(content: bytes | None) -> Plain | None:
    """Show an HL7 v2 message as a receiver of plain characters would get it; None where nothing would change."""
    if content is None or not content.lstrip(b"\x0b\xef\xbb\xbf\r\n ").startswith(_HL7_STARTS):
        return None
    message = read_message(content)
    found = Counter((one.character, one.name, one.replacement) for one in specials(message))
    if not found:
        return None
    listed = tuple((mark, name, count, instead) for (mark, name, instead), count in found.most_common(SHOWN_KINDS))
    return Plain(_cut(preview(message)), listed)


def _cut(text: str) -> str:
    more = len(text) - SHOWN_CHARS
    return text[:SHOWN_CHARS] + f"\n… {more} more characters" if more > 0 else text


def readable(content: bytes | None) -> str | None:
    """Give text for the page: JSON indented, HL7 one segment a line; long content is cut and says so."""
    if content is None:
        return None
    text = content.decode("utf-8", errors="replace").strip("\x0b\x1c\r\n")
    if text[:1] in "{[":
        with contextlib.suppress(ValueError):  # shown as it was sent: that it does not parse is worth seeing
            text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _cut(text)
