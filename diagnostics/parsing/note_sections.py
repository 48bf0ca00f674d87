"""Split the text of a clinical note into its sections (domain.md section 4); pure, linear in the text's length.

A heading is the start of a line, an optional number, bullet or markdown mark, a known name, then a colon or the end
of the line. SOAP, APSO or any other order is accepted; what stands before the first heading is the preamble.
"""

import re
from dataclasses import dataclass, field

from diagnostics.parsing.note_headings import LETTERS, canonical

MAX_HEADING = 60
_PREFIX = re.compile(
    r"[ \t]{0,20}(?P<mark>(?:#{1,6}|\*\*|__|>)[ \t]*)?"
    r"(?P<item>(?:\d{1,2}[.)]|[IVX]{1,4}[.)]|[-*\u2022\u00b7\u2013])[ \t]+)?(?P<bold>\*\*|__)?"
)
_BOLD_END = re.compile(r"(?:\*\*|__)")
_LINE = re.compile(r"[^\n]*\n?")


@dataclass(frozen=True)
class Section:
    """Be one section: `name` is canonical, None for the preamble or an unknown heading.

    `start` and `end` are offsets of the body in the note's text. `nested` marks a line such as "2. Labs: CBC" inside
    another section; its text belongs to that section as well.
    """

    name: str | None
    heading: str
    text: str = field(repr=False)
    start: int
    end: int
    nested: bool = False


@dataclass(frozen=True)
class _Heading:
    line_start: int
    body_start: int
    label: str
    name: str | None
    item: bool
    inline: bool
    keeps_line: bool = False

    @property
    def caps(self) -> bool:
        return self.label.isupper()


def split(text: str) -> tuple[Section, ...]:
    """Return the sections in the order of the text; empty ones are kept, an empty preamble is not."""
    headings = _headings(text)
    if not headings:
        return (Section(None, "", text.strip(), 0, len(text)),) if text.strip() else ()
    main = headings[0]
    nested = {id(h) for h in headings if _is_nested(h, main)}
    found: list[Section] = []
    next_any = next_top = len(text)
    for heading in reversed(headings):
        inner = id(heading) in nested
        end = next_any if inner else next_top
        start = heading.line_start if heading.keeps_line else heading.body_start
        found.append(Section(heading.name, heading.label, text[start:end].strip(), start, end, inner))
        next_any = heading.line_start
        next_top = next_top if inner else heading.line_start
    if text[: main.line_start].strip():
        found.append(Section(None, "", text[: main.line_start].strip(), 0, main.line_start))
    return tuple(reversed(found))


def merged(sections: tuple[Section, ...]) -> dict[str, str]:
    """Return the text of each canonical section, repeated headings joined; nested and empty ones left out."""
    texts: dict[str, str] = {}
    for section in sections:
        if section.name and section.text and not section.nested:
            texts[section.name] = f"{texts[section.name]}\n{section.text}" if section.name in texts else section.text
    return texts


def _headings(text: str) -> list[_Heading]:
    found: list[_Heading] = []
    letters: list[_Heading] = []
    offset = 0
    for match in _LINE.finditer(text):
        line = match.group()
        if line:
            heading = _heading(line, offset)
            if heading is not None:
                found.append(heading)
                if heading.label.casefold() in LETTERS:
                    letters.append(heading)
        offset += len(line)
    if len({h.label for h in letters}) < 2:  # a lone "P: 72" is a pulse
        found = [h for h in found if h not in letters]
    known = [h for h in found if h.name]
    if not known:
        return []
    # an unknown heading counts only in a note whose own headings look the same: capitals alone on their line
    capitals = known[0].caps and not known[0].inline
    return [h for h in found if h.name or (capitals and h.line_start > known[0].line_start)]


def _heading(line: str, offset: int) -> _Heading | None:
    prefix = _PREFIX.match(line)
    start = prefix.end() if prefix else 0
    rest = line[start:].rstrip("\r\n")
    colon = rest.find(":", 0, MAX_HEADING + 1)
    label = (rest[:colon] if colon >= 0 else rest).strip(" \t*_#")
    if not label or len(label) > MAX_HEADING:
        return None
    name = canonical(label)
    after = rest[colon + 1 :].strip(" \t*_") if colon >= 0 else ""
    item = bool(prefix and prefix["item"])
    if label.casefold() in LETTERS and (not label.isupper() or after[:1].isdigit()):
        return None
    if name is None:
        shaped = label.isupper() and len(label) >= 4 and label[-1].isalnum() and len(label.split()) <= 6
        unknown = shaped and not after and not item
        return _Heading(offset, offset + len(line), label, None, False, False) if unknown else None
    body = offset + len(line)
    if colon >= 0:
        closing = _BOLD_END.match(line, start + colon + 1)
        body = offset + (closing.end() if closing else start + colon + 1)
    return _Heading(offset, body, label, name, item, bool(after), keeps_line=label.casefold() == "nkda")


def _is_nested(heading: _Heading, main: _Heading) -> bool:
    """Tell a line within a section from a section: it is listed where the note's own headings are not, or it runs on
    in small letters where those stand in capitals alone."""
    if heading is main or heading.name is None:
        return False
    if heading.item and not main.item:
        return True
    return heading.inline and not heading.caps and main.caps and not main.inline
