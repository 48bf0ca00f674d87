"""Judge the fields of an HL7 v2 message: required ones filled, none too long, coded ones in their table."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, warned
from diagnostics.checks.refusal import refusal_of
from diagnostics.checks.step2_write_back.framing import over_hl7, text_lines
from diagnostics.checks.step2_write_back.truncation import Cut, cut_of
from diagnostics.checks.step2_write_back.weighing import offence, taken, weigh_hl7
from diagnostics.evidence.case_parts import Filed, Settings
from diagnostics.evidence.logs import NoteTrace
from diagnostics.evidence.note_text import NoteSections
from diagnostics.evidence.payload import Hl7Message
from diagnostics.findings import Result
from diagnostics.parsing.hl7 import HEADERS, Message, Place, Segment
from diagnostics.parsing.hl7_charset import decode
from diagnostics.parsing.hl7_segments import length_limits, required_fields
from diagnostics.parsing.hl7_tables import SUGGESTED, TABLES, table_of, version_of
from diagnostics.vocabulary import Step, Strength

_SHOWN = 20


@check(
    id="hl7.field.required",
    step=Step.WRITE_BACK,
    title="Every field the message must carry is filled",
    proves=causes.FIELD_REQUIRED,
    checklist=("WRITE.8",),
    applies=over_hl7,
)
def filled(sent: Hl7Message, trace: NoteTrace | None) -> Result:
    """A receiver cannot file a document without its patient, its type or its completion status."""
    if not sent.is_note:
        return not_applicable("The message carries no note.")
    gaps = list(_gaps(sent))
    if not gaps:
        return passed("Every required field is filled.", version=version_of(sent.version))
    more = f", and {len(gaps) - 1} more fields" if len(gaps) > 1 else ""
    one = " is" if len(gaps) == 1 else " are"
    weight = weigh_hl7(trace, ("101", "102"), [place.path for place in gaps])
    return offence(
        f"The required field {gaps[0].path}{more}{one} empty.",
        weight,
        fields=[place.path for place in gaps][:8],
        offset=gaps[0].offset,
        places=[place.facts for place in gaps[:_SHOWN]],
    )


def _gaps(sent: Hl7Message) -> Iterator[Place]:
    """Yield each empty required field; `""` means delete and is no value. OBX-2 is required where OBX-5 has one."""
    version = version_of(sent.version)
    lines = text_lines(sent.message)
    for segment in sent.message.segments:
        if segment.index in lines:
            continue
        for number in required_fields(segment.name, version):
            if _blank(segment, number):
                yield segment.place(number)
        if segment.name == "OBX" and _blank(segment, 2) and not _blank(segment, 5):
            yield segment.place(2)


def _blank(segment: Segment, number: int) -> bool:
    raw = segment.raw_field(number).strip()
    return raw == b'""' or not raw.strip(_between(segment))


def _between(segment: Segment) -> bytes:
    marks = segment.delimiters
    return f"{marks.component}{marks.repetition}{marks.subcomponent} ".encode("latin-1")


@check(
    id="hl7.field.length",
    step=Step.WRITE_BACK,
    title="No field is longer than the interface takes",
    proves=causes.FIELD_LENGTH,
    checklist=("WRITE.10",),
    applies=over_hl7,
)
def short_enough(
    sent: Hl7Message,
    settings: Settings,
    trace: NoteTrace | None,
    filed: Filed | None,
    sections: NoteSections | None,
) -> Result:
    """A field over the limit is refused, or cut without a word."""
    site = {name.upper().strip(): limit for name, limit in settings.integration.hl7.field_limits.items()}
    over = next(_over(sent.message, site, whole=True), None)
    if over is not None:
        place, length, limit = over
        says = f"{place.path} has {length} characters; this interface takes {limit}."
        facts: dict[str, Any] = {"field": place.path, "length": length, "limit": limit, "offset": place.offset,
                                 "places": [place.facts]}  # fmt: skip
        cut = cut_of(filed, sections)
        if cut is not None and cut.stored <= limit:
            sure = Strength.DECISIVE if _at(cut, limit) else Strength.STRONG
            return failed(f"{says} The chart holds only the beginning.", strength=sure, **facts)
        weight = weigh_hl7(trace, ("102", "104", "207"), [place.path])
        return offence(says, weight, at_most=None if _named_length(trace) else Strength.STRONG, **facts)
    standard = {
        path: limit
        for path, limit in length_limits(version_of(sent.version)).items()
        if path not in site and path != "MSH-10"  # the control id has a check of its own
    }
    beyond = next(_over(sent.message, standard, whole=False), None)
    if beyond is None:
        return passed("No field is over a limit that is known.", site_limits=site)
    place, length, limit = beyond
    says = f"{place.path} has {length} characters; the standard's length for it is {limit}."
    facts = {"field": place.path, "length": length, "limit": limit}
    facts |= {"offset": place.offset, "places": [place.facts]}
    if _named_length(trace):
        return offence(says, weigh_hl7(trace, ("102", "104", "207"), [place.path]), **facts)
    return warned(f"{says} The EHR took it." if taken(trace) else says, strength=Strength.WEAK, **facts)


def _at(cut: Cut, limit: int) -> bool:
    """Tell whether a stored text ends where the limit lies; headings and trimming take off a little."""
    return limit - max(40, limit // 20) <= cut.stored <= limit


def _over(message: Message, limits: Mapping[str, int], *, whole: bool) -> Iterator[tuple[Place, int, int]]:
    """Yield what is over a limit in characters: place, length, limit.

    An interface's limit holds for the whole field as it stands, the standard's for each repetition of it.
    """
    numbers: dict[str, list[tuple[int, int]]] = {}
    for path, limit in limits.items():
        name, _, field = path.partition("-")
        if field.isdecimal():
            numbers.setdefault(name, []).append((int(field), limit))
    for segment in message.segments:
        for number, limit in numbers.get(segment.name, ()):
            raw = segment.raw_field(number)
            if len(raw) <= limit or (segment.name in HEADERS and number <= 2):
                continue
            parts = [raw] if whole else raw.split(segment.delimiters.repetition.encode("latin-1"))
            for repetition, part in enumerate(parts, start=1):
                if len(part) > limit and (length := len(decode(part, segment.charset))) > limit:
                    yield segment.place(number, repetition=None if len(parts) == 1 else repetition), length, limit


def _named_length(trace: NoteTrace | None) -> bool:
    refusal = refusal_of(trace)
    if refusal is None:
        return False
    return "104" in refusal.error_codes or bool(
        re.search(r"too long|length|exceed|truncat|maximum|size limit", refusal.answer.says[:4096], re.IGNORECASE)
    )


@check(
    id="hl7.field.table",
    step=Step.WRITE_BACK,
    title="Coded fields hold values of their tables",
    proves=causes.FIELD_TABLE,
    checklist=("WRITE.4", "WRITE.8"),
    applies=over_hl7,
)
def in_table(sent: Hl7Message, trace: NoteTrace | None) -> Result:
    """A status the receiver does not know is refused, or filed as if it were final."""
    if not sent.is_note:
        return not_applicable("The message carries no note.")
    wrong = list(_outside(sent))
    if wrong:
        place, table = wrong[0]
        weight = weigh_hl7(trace, ("103", "102"), [one.path for one, _ in wrong])
        return offence(
            f"{place.path} holds a value that its HL7 table {table} does not have.",
            weight,
            at_most=Strength.STRONG,
            fields=[one.path for one, _ in wrong][:8],
            tables=sorted({number for _, number in wrong}),
            offset=place.offset,
            places=[one.facts for one, _ in wrong[:_SHOWN]],
        )
    named = _named_outside(sent, trace)
    if named is not None:
        place, table = named
        says = f"{place.path} holds a value that table {table} does not suggest, and the interface names this place."
        return failed(says, strength=Strength.STRONG, fields=[place.path], tables=[table], offset=place.offset,
                      places=[place.facts])  # fmt: skip
    return passed("The coded fields that are known hold values of their tables.")


def _outside(sent: Hl7Message) -> Iterator[tuple[Place, str]]:
    """Yield every value outside the table its field is bound to. MSH-11 has a check of its own."""
    version = version_of(sent.version)
    bound = {name: [(number, table_of(f"{name}-{number}", version)) for number in numbers]
             for name, numbers in _BOUND.items()}  # fmt: skip
    for segment in sent.message.segments:
        for number, table in bound.get(segment.name, ()):
            raw = segment.raw_field(number)
            if raw and table is not None and raw.decode("latin-1") not in table[1]:
                yield from ((place, table[0]) for place in _strangers(segment, number, table[1]))


def _strangers(segment: Segment, number: int, values: frozenset[str]) -> Iterator[Place]:
    """Yield the repetitions of a field whose first component is none of the values; `""` is an empty one."""
    repetitions = segment.repetitions(number)
    for index in range(len(repetitions)):
        value = segment.value(number, repetition=index).strip()
        if value and value != '""' and value not in values:
            yield segment.place(number, repetition=index + 1 if len(repetitions) > 1 else None)


def _named_outside(sent: Hl7Message, trace: NoteTrace | None) -> tuple[Place, str] | None:
    """Find a value outside a suggested table where the acknowledgement says 103 of this very field."""
    refusal = refusal_of(trace)
    if refusal is None or refusal.answer.ack is None:
        return None
    named = {error.location for error in refusal.answer.ack.errors if error.code == "103"}
    for path, (table, values) in SUGGESTED.items():
        name, _, number = path.partition("-")
        for segment in sent.message.all(name) if path in named else ():
            for place in _strangers(segment, int(number), values):
                return place, table
    return None


_BOUND: dict[str, tuple[int, ...]] = {}
for _path in TABLES:
    if _path != "MSH-11":
        _name, _, _number = _path.partition("-")
        _BOUND[_name] = (*_BOUND.get(_name, ()), int(_number))
