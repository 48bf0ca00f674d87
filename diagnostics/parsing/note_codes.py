"""Find ICD-10-CM codes written in a note's text, each with the words it stands for (domain.md section 4).

The shape alone is no code: B12, T4, L5, C5 and A1c are a vitamin, a hormone, vertebrae and a laboratory value. So a
code without a dot counts only in brackets or after "ICD", and none counts behind a word such as "vitamin" or "level".
"""

import re
from dataclasses import dataclass

from diagnostics.parsing.note_cues import cue_before


@dataclass(frozen=True)
class DiagnosisCode:
    """Be one ICD-10-CM code as written in the text.

    `context` holds the code's own words in lower case: those between it and the code before, or, where a line gives
    the code first, those behind it.
    """

    code: str
    offset: int
    context: str
    cue: str = ""


# A letter, a digit, a digit or A or B, then a dot and up to four more; U only for its few codes, QA0 since April 2026.
_ICD = re.compile(r"\b(?P<code>(?:[A-TV-Z]\d[0-9AB]|U(?:07|09)|QA0)(?:\.[0-9A-Z]{1,4})?)(?![0-9A-Za-z]|\.\d)")
_ICD_WORD = re.compile(
    r"\bICD(?:[- ]?10)?(?:[- ]?CM)?\b\W{0,6}(?:codes?\W{0,4})?(?:[A-Z]\d[0-9AB][0-9A-Z.]{0,5}[,;/ ]{1,3}){0,8}$", re.I
)
_ANATOMY = re.compile(
    r"\b(?:vitamin|vit\.?|vertebra\w{0,3}|level|disc|disk|lead|grade|stage|type|nerve|root|factor|room|bed|suite"
    r"|dermatome|complement|cranial nerve|free|total)\W{1,3}$",
    re.I,
)
_SPINE = re.compile(r"^\s{0,1}[-/\u2013]\s{0,1}(?:[CTLS]?\d{1,2})\b")
_SENTENCE_END = re.compile(r"[.;]\s|\n")
_REACH = 160


def find_codes(text: str) -> tuple[DiagnosisCode, ...]:
    """Return the ICD-10-CM codes written in the text, in its order."""
    places = [match for match in _ICD.finditer(text) if _is_code(text, match)]
    found = []
    for number, match in enumerate(places):
        before = places[number - 1].end() if number else 0
        after = places[number + 1].start() if number + 1 < len(places) else len(text)
        context = _own_words(text, match.start(), match.end(), before, after)
        found.append(DiagnosisCode(match["code"], match.start(), context, cue_before(text, match.start())))
    return tuple(found)


def _is_code(text: str, match: re.Match[str]) -> bool:
    start, end = match.start(), match.end()
    before, after = text[max(0, start - 60) : start], text[end : end + 1]
    if _ANATOMY.search(before) or _SPINE.match(text[end : end + 6]):
        return False
    if "." in match["code"]:
        return True
    opened = before[-1:] in ("(", "[") and after in (")", "]", ",", ";", " ")
    return opened or _listed_in_brackets(before, after) or bool(_ICD_WORD.search(before))


def _listed_in_brackets(before: str, after: str) -> bool:
    """Tell whether the code is a later one of a bracket such as (E11.9, I10)."""
    opened = before.rfind("(")
    inside = before[opened + 1 :] if opened >= 0 else ""
    listed = bool(inside) and ")" not in inside and after in (")", ",", ";")
    return listed and all(_ICD.fullmatch(part.strip()) or not part.strip() for part in re.split(r"[,;/]", inside))


def _own_words(text: str, start: int, end: int, previous: int, following: int) -> str:
    """Return the words a code stands for: before it, unless its line or sentence gives the code first."""
    head = text[max(previous, start - _REACH) : start]
    cuts = [m.end() for m in _SENTENCE_END.finditer(head)]
    head = head[cuts[-1] :] if cuts else head
    tail = text[end : min(following, end + _REACH)]
    stop = _SENTENCE_END.search(tail)
    tail = tail[: stop.start()] if stop else tail
    if re.search(r"[A-Za-z]{3}", re.sub(r"\bICD\b|\bcodes?\b", "", head, flags=re.I)):
        # words behind the code belong to it only as far as they run on in its own clause
        return head.casefold() + re.split(r"[,)]", tail)[0].casefold()
    return tail.casefold()
