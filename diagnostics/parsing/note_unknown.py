"""Find lines in a note that look like its headings and name no section anybody knows; pure and linear.

A line counts as a heading only where it looks as the note's own headings look: marked, in capitals or in title case,
with a blank line before it where those have one. Names of body systems, problems listed under an assessment and the
lines around a note (date, signature) are no sections.
"""

import re
from dataclasses import dataclass

from diagnostics.parsing.note_headings import canonical
from diagnostics.parsing.note_sections import MAX_HEADING, split

SHORT = 40  # characters below a heading, up to which nothing is lost if nobody knows where they go

_SYSTEM_WORDS = """
general constitutional heent head eyes ears nose throat mouth neck cardiovascular cardiac cv respiratory lungs chest
heart pulmonary abdomen abdominal gastrointestinal gi gu genitourinary musculoskeletal msk extremities skin neuro
neurologic neurological psych psychiatric endocrine hematologic lymphatic lymph lymphatics back breast breasts vascular
integumentary immunologic allergic appearance behavior speech mood affect orientation insight judgment cognition memory
gait pelvic rectal spine left right
blood pressure temperature oxygen saturation pulse weight height bmi mother father sister brother sibling siblings
alcohol tobacco drugs smoking opioid use occupation exercise sleep
"""
_AROUND_LINES = """
date|date of service|date of visit|time|time spent|total time|provider|physician|clinician|patient|name|patient name
dob|date of birth|mrn|age|sex|gender|visit type|encounter|facility|location|department|scribe|interpreter|pcp
referring provider|attestation|scribe attestation|signature|signed|signed by|electronically signed by
electronically signed|consent|disclaimer|note|progress note|soap note|clinic note|cc to|billing|cpt|level of service
"""
# body systems, and what vital signs and the history of a family or of habits are listed by
_SYSTEMS = frozenset(_SYSTEM_WORDS.split())
_AROUND = frozenset(re.split(r"[|\n]", _AROUND_LINES))
_BY_PROBLEM = frozenset({"assessment", "plan", "assessment_plan", "problem_list"})
_LINE = re.compile(r"[^\n]*\n?")
_MARK = re.compile(r"[ \t]{0,20}(?P<mark>#{1,6}[ \t]*|\*\*|__)?(?P<item>(?:\d{1,2}[.)]|[-*\u2022\u00b7])[ \t]+)?")
_SMALL = frozenset({"of", "the", "and", "for", "to", "in", "with", "on", "by", "at", "or"})


@dataclass(frozen=True)
class UnknownHeading:
    """Be one heading nobody knows: `line` counts from 1, `length` is the text below it up to the next heading."""

    heading: str
    line: int
    offset: int
    length: int
    under: str | None


def unknown_headings(text: str) -> tuple[UnknownHeading, ...]:
    """Return the headings of the note that no synonym names, in its order."""
    sections = [section for section in split(text) if section.heading and not section.nested]
    known = [section for section in sections if section.name]
    if not known:
        return ()
    spaced = _spaced(text, [section.start for section in known[1:]])
    marked = text[: known[0].start].rstrip().rsplit("\n", 1)[-1].lstrip()[:1] in ("#", "*", "_")
    bodies = {_first_line(text, section.start) for section in known}
    shaped: list[tuple[str, int, int, int]] = []  # heading, line, offset, where its text begins
    offset, blank = 0, True
    for number, match in enumerate(_LINE.finditer(text), start=1):
        line = match.group()
        label = _label(line, marked) if blank or not spaced else None
        if label is not None and offset >= known[0].start and not _is_no_section(label):
            colon = line.find(":")
            shaped.append((label, number, offset, offset + (colon + 1 if colon >= 0 else len(line))))
        offset += len(line)
        blank = not line.strip() or offset in bodies
    stops = sorted({len(text), *(section.end for section in sections), *(start for _l, _n, start, _b in shaped)})
    found = []
    for label, line_number, start, begin in shaped:
        stop = next(place for place in stops if place > start)
        under = next((section.name for section in known if section.start <= start < section.end), None)
        found.append(UnknownHeading(label, line_number, start, len(text[begin:stop].strip()), under))
    # an assessment with several headings of its own is a list by problem
    listed = {one.under for one in found if one.under in _BY_PROBLEM and sum(o.under == one.under for o in found) > 1}
    return tuple(one for one in found if one.under not in listed)


def _first_line(text: str, start: int) -> int:
    """Return where a section's first line of text begins; a heading alone on its line has it on the next one."""
    end = text.find("\n", start)
    return end + 1 if end >= 0 and not text[start:end].strip() else start


def _label(line: str, marked: bool) -> str | None:
    """Return a line's label where the line is shaped like a heading and names no section that is known."""
    prefix = _MARK.match(line)
    mark = bool(prefix and prefix["mark"])
    if prefix is None or prefix["item"] or (marked and not mark):
        return None
    rest = line[prefix.end() :].rstrip()
    colon = rest.find(":", 0, MAX_HEADING + 1)
    label = (rest[:colon] if colon >= 0 else rest).strip(" \t*_#")
    words = label.split()
    if not 1 <= len(words) <= 6 or not 4 <= len(label) <= MAX_HEADING or any(c.isdigit() for c in label):
        return None
    if colon < 0 and not (mark or label.isupper()):
        return None
    titled = all(word[:1].isupper() or word.casefold() in _SMALL or not word[:1].isalpha() for word in words)
    if not titled or label[-1] in ".,;!?" or canonical(label) is not None:
        return None
    return label


def _is_no_section(label: str) -> bool:
    plain = " ".join(label.casefold().replace("&", "and").split())
    return plain in _AROUND or all(word in _SYSTEMS or word in _SMALL for word in re.split(r"[\s,/]+", plain))


def _spaced(text: str, starts: list[int]) -> bool:
    """Tell whether a blank line stands before each further heading of the note."""
    found = []
    for start in starts:
        line = text.rfind("\n", 0, max(0, start - 1))
        before = text[:line].rsplit("\n", 1)[-1] if line > 0 else ""
        found.append(not before.strip())
    return bool(found) and all(found)
