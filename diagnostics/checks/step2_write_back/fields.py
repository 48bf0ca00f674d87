"""Judge the fields of an HL7 v2 message: required ones filled, none too long, coded ones in their table."""

import re
from collections.abc import Iterator

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, warned
from diagnostics.checks.refusal import refusal_of
from diagnostics.checks.step2_write_back.framing import over_hl7
from diagnostics.checks.step2_write_back.truncation import cut_of
from diagnostics.checks.step2_write_back.weighing import offence, taken, weigh_hl7
from diagnostics.evidence.case_parts import Filed, Settings
from diagnostics.evidence.logs import NoteTrace
from diagnostics.evidence.note_text import NoteSections
from diagnostics.evidence.payload import Hl7Message
from diagnostics.findings import Result
from diagnostics.parsing.hl7_segments import length_limits, required_fields
from diagnostics.parsing.hl7_tables import TABLES, version_of
from diagnostics.vocabulary import Step, Strength


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
    weight = weigh_hl7(trace, ("101", "102"), [path for path, _ in gaps])
    return offence(
        f"The required field {gaps[0][0]}{more}{one} empty.",
        weight,
        fields=[path for path, _ in gaps][:8],
        offset=gaps[0][1],
    )


def _gaps(sent: Hl7Message) -> Iterator[tuple[str, int]]:
    """Yield each empty required field with its segment's offset; `""` means delete and is no value."""
    version = version_of(sent.version)
    for segment in sent.message.segments:
        for number in required_fields(segment.name, version):
            text = segment.text(number).strip()
            if not text.strip("^~& ") or text == '""':
                yield f"{segment.name}-{number}", segment.offset


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
    standard = length_limits(version_of(sent.version))
    over = list(_over(sent, site))
    if over:
        path, length, limit, offset = over[0]
        says = f"{path} has {length} characters; this interface takes {limit}."
        cut = cut_of(filed, sections)
        if cut is not None:
            return failed(f"{says} The chart holds only the beginning.", field=path, length=length, limit=limit,
                          offset=offset)  # fmt: skip
        named = _named_length(trace)
        weight = weigh_hl7(trace, ("102", "104", "207"), [path])
        most = None if named else Strength.STRONG
        return offence(says, weight, at_most=most, field=path, length=length, limit=limit, offset=offset)
    beyond = [o for o in _over(sent, standard) if o[0] not in site and o[0] != "MSH-10"]
    if beyond:
        path, length, limit, offset = beyond[0]
        says = f"{path} has {length} characters; the standard's length for it is {limit}."
        if _named_length(trace):
            return offence(
                says, weigh_hl7(trace, ("102", "104", "207"), [path]), field=path, length=length, limit=limit
            )
        if taken(trace):
            return passed(f"{says} The EHR took it.", field=path, length=length, limit=limit)
        return warned(says, strength=Strength.WEAK, field=path, length=length, limit=limit, offset=offset)
    return passed("No field is over a limit that is known.", site_limits=dict(site))


def _over(sent: Hl7Message, limits: object) -> Iterator[tuple[str, int, int, int]]:
    """Yield the fields over a limit, counted in characters: path, length, limit, byte offset."""
    known = limits if isinstance(limits, dict) else {}
    for segment in sent.message.segments:
        for field in segment.fields:
            limit = known.get(f"{segment.name}-{field.number}")
            if limit is None or len(field.raw) <= limit:
                continue
            length = len(segment.text(field.number))
            if length > limit:
                yield f"{segment.name}-{field.number}", length, limit, field.offset


def _named_length(trace: NoteTrace | None) -> bool:
    refusal = refusal_of(trace)
    if refusal is None:
        return False
    return "104" in refusal.error_codes or bool(
        re.search(r"too long|length|exceed|truncat|maximum|size limit", refusal.answer.says, re.IGNORECASE)
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
    wrong = [
        (f"{segment.name}-{field.number}", field.offset)
        for segment in sent.message.segments
        for field in segment.fields
        if (table := TABLES.get(f"{segment.name}-{field.number}")) is not None
        and (value := segment.value(field.number).strip().upper())
        and value not in table[1]
        and not (segment.name == "MSH" and field.number == 11)
    ]
    if not wrong:
        return passed("The coded fields that are known hold values of their tables.")
    weight = weigh_hl7(trace, ("103", "102"), [path for path, _ in wrong])
    return offence(
        f"{wrong[0][0]} holds a value that its HL7 table does not have.",
        weight,
        at_most=Strength.STRONG,
        fields=[path for path, _ in wrong][:8],
        offset=wrong[0][1],
    )
