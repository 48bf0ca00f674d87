"""Judge whether delimiters inside the text of an HL7 v2 message are escaped."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed
from diagnostics.checks.step2_write_back.framing import over_hl7
from diagnostics.checks.step2_write_back.truncation import cut_of
from diagnostics.checks.step2_write_back.weighing import offence, taken, weigh_hl7
from diagnostics.evidence.case_parts import Filed
from diagnostics.evidence.logs import NoteTrace
from diagnostics.evidence.note_text import NoteSections
from diagnostics.evidence.payload import Hl7Message
from diagnostics.findings import Result
from diagnostics.parsing.hl7 import Delimiters, Place, Segment
from diagnostics.parsing.hl7_charset import effective
from diagnostics.parsing.hl7_segments import single_fields
from diagnostics.parsing.hl7_tables import TABLES, version_of
from diagnostics.vocabulary import Step, Strength

_TEXT_TYPES = ("TX", "FT", "ST")
_STATUSES = TABLES["OBX-11"][1]


@check(
    id="hl7.escape",
    step=Step.WRITE_BACK,
    title="Delimiters inside the note's text are escaped",
    proves=causes.ESCAPE,
    checklist=("WRITE.8",),
    applies=over_hl7,
)
def escaped(sent: Hl7Message, trace: NoteTrace | None, filed: Filed | None, sections: NoteSections | None) -> Result:
    """A bare delimiter in the text splits it: the receiver files the part before and loses the rest."""
    texts = [s for s in sent.message.all("OBX") if s.raw_field(2).strip().decode("latin-1") in _TEXT_TYPES]
    if not texts:
        return not_applicable("The message holds no text field.")
    bare = [found for segment in texts for found in _bare(segment)]
    if not bare:
        return passed("Every delimiter inside the text is escaped.", text_segments=len(texts))
    at = sent.message.delimiters
    kinds = {at.field: "field", at.component: "component", at.subcomponent: "subcomponent",
             at.repetition: "repetition", at.escape: "escape"}  # fmt: skip
    delimiter, place = max(bare, key=lambda found: found[0] == at.field)  # the field separator does the most harm
    kind = kinds[delimiter]
    says = f"OBX-5 of OBX {place.occurrence} contains a bare {kind} delimiter ({delimiter}) at byte {place.offset}."
    facts: dict[str, Any] = {
        "delimiter": kind,
        "offset": place.offset,
        "segments": len({found.occurrence for _, found in bare}),
        "places": [found.facts | {"delimiter": kinds[mark]} for mark, found in bare[:20]],
    }
    if taken(trace) and cut_of(filed, sections) is not None:
        return failed(f"{says} The chart's text breaks off early.", **facts)
    weight = weigh_hl7(trace, ("102", "103", "207"), ["OBX"])
    most = None if delimiter == at.field else Strength.STRONG
    return offence(says, weight, at_most=most, **facts)


def _bare(segment: Segment) -> Iterator[tuple[str, Place]]:
    """Yield the delimiters that stand unescaped in the text of one OBX, the first of each kind, with their places."""
    marks = segment.delimiters
    raw = segment.raw_field(5)
    start = segment.place(5).offset
    if _spilled(segment):
        yield marks.field, Place(segment.name, segment.occurrence, start + len(raw), 5)
    anything, sequences, patterns = _patterns(marks)
    if not anything.search(raw):
        return
    text = segment.text(5)
    without = sequences.sub(lambda match: "x" * len(match.group()), text)
    charset = effective(raw, segment.charset)
    for mark, pattern in patterns:
        found = pattern.search(without)
        if found:
            at = found.start() + found.group().index(mark)
            offset = start + len(text[:at].encode(charset, errors="replace"))
            yield mark, Place(segment.name, segment.occurrence, offset, 5, text.count(marks.repetition, 0, at) + 1)


@lru_cache(maxsize=64)
def _patterns(
    marks: Delimiters,
) -> tuple[re.Pattern[bytes], re.Pattern[str], tuple[tuple[str, re.Pattern[str]], ...]]:
    """Return what any delimiter inside a field, an escape sequence and a bare delimiter look like.

    A repetition of TX or FT is a further line and right; one right before a number stands for "about".
    """
    escape, again = re.escape(marks.escape), re.escape(marks.repetition)
    body = r"(?:[FSRTEHNPL]|\.[a-z]{2}[+-]?\d{0,3}|[XZCM][0-9A-Za-z]{1,400})"
    sequences = re.compile(rf"{escape}{body}{escape}", re.IGNORECASE)
    plain = ((mark, re.compile(re.escape(mark))) for mark in (marks.component, marks.subcomponent, marks.escape))
    anything = re.compile(b"[" + re.escape(marks.encoding).encode("latin-1") + b"]")
    return anything, sequences, (*plain, (marks.repetition, re.compile(rf"(?:\s|^){again}\s?\d")))


def _spilled(segment: Segment) -> bool:
    """Tell whether the text has run over into later fields: the status is not in OBX-11 but further right."""
    if segment.raw_field(11).strip().upper().decode("latin-1") in _STATUSES:
        return False
    later = any(field.raw.decode("latin-1").strip().upper() in _STATUSES for field in segment.fields[11:])
    return later or any(len(segment.raw_field(number).split()) >= 3 for number in range(6, 12))


@check(
    id="hl7.escape.repetition",
    step=Step.WRITE_BACK,
    title="Fields that may stand only once are not repeated",
    hints=causes.ESCAPE,
    strength=Strength.MODERATE,
    checklist=("WRITE.8",),
    applies=over_hl7,
)
def once(sent: Hl7Message, trace: NoteTrace | None) -> Result:
    """A repetition where none is allowed is nearly always a bare delimiter in a name or a code."""
    if not sent.is_note:
        return not_applicable("The message carries no note.")
    version = version_of(sent.version)
    mark = sent.message.delimiters.repetition
    bare = mark.encode("latin-1")
    found = [
        segment.place(number, repetition=2)
        for segment in sent.message.segments
        if bare in segment.raw
        for number in single_fields(segment.name, version)
        if bare in segment.raw_field(number)
    ]
    if not found:
        return passed("No field repeats that may stand only once.", version=version)
    return offence(
        f"{found[0].path} holds a second repetition, and version {version} allows one.",
        weigh_hl7(trace, ("101", "102", "103", "207"), [place.path for place in found]),
        at_most=Strength.MODERATE,
        fields=[place.path for place in found][:8],
        offset=found[0].offset,
        places=[place.facts for place in found[:20]],
    )
