"""Judge how an HL7 v2 message is wrapped and begun, and whether its text keeps to its segment."""

import re
from typing import Any

from diagnostics import causes
from diagnostics.case import Case
from diagnostics.check import check, failed, not_applicable, passed
from diagnostics.checks.step2_write_back.truncation import cut_of
from diagnostics.checks.step2_write_back.weighing import offence, taken, weigh_hl7
from diagnostics.evidence.case_parts import Filed
from diagnostics.evidence.logs import NoteTrace
from diagnostics.evidence.note_text import NoteSections
from diagnostics.evidence.payload import Hl7Message, NotePayload
from diagnostics.findings import Result
from diagnostics.parsing.hl7 import Message, Place
from diagnostics.parsing.hl7_grammar import known_segments
from diagnostics.vocabulary import Step, Strength

_WIDE = re.compile(rb"M\x00S\x00H|\x00M\x00S\x00H")


def over_hl7(case: Case) -> bool:
    """Tell whether this integration writes by HL7 v2."""
    return case.integration.protocol == "hl7v2"


@check(
    id="hl7.mllp.framing",
    step=Step.WRITE_BACK,
    title="The message was framed as MLLP asks for",
    proves=causes.MLLP_FRAMING,
    checklist=("WRITE.8",),
    applies=over_hl7,
)
def framed(payload: NotePayload, sent: Hl7Message | None, trace: NoteTrace | None) -> Result:
    """A receiver that does not find the frame waits for the rest of the message, or reads two messages as one."""
    if sent is None:
        return not_applicable("The payload is no HL7 message.")
    frame = sent.message.frame
    if not frame.present:
        return not_applicable("The capture holds the message without its frame.")
    if frame.sound:
        each = "in exactly one frame" if frame.frames == 1 else "each in a frame of its own"
        return passed(f"The capture's bytes stand {each}.", bytes=len(payload.data), frames=frame.frames)
    weight = weigh_hl7(trace, ("100", "102", "207"))
    says, offset = _wrong(sent.message)
    return offence(says, weight, starts=frame.starts, ends=frame.ends, inner=list(frame.inner_controls[:5]),
                   offset=offset)  # fmt: skip


def _wrong(message: Message) -> tuple[str, int]:
    """Say what is wrong with a frame, and at which byte."""
    frame = message.frame
    if frame.inner_controls:
        where = frame.inner_controls[0]
        if message.raw.count(b"MSH", where) or frame.frames > 1:
            return f"Two messages stand in one frame: a frame byte lies inside the payload at byte {where}.", where
        return f"A frame byte (0x0B or 0x1C) lies inside the message at byte {where}.", where
    if not frame.starts:
        return "The frame does not begin with 0x0B.", 0
    return "The frame does not end with 0x1C 0x0D.", len(message.raw)


@check(
    id="hl7.msh.first",
    step=Step.WRITE_BACK,
    title="The message begins with its MSH segment and delimiters",
    proves=causes.MSH_FIRST,
    checklist=("WRITE.8",),
    applies=over_hl7,
)
def begins_with_msh(payload: NotePayload, sent: Hl7Message | None, trace: NoteTrace | None) -> Result:
    """A receiver reads the delimiters from the first nine bytes; without them it understands nothing."""
    weight = weigh_hl7(trace, ("100", "102", "200", "207"))
    if sent is None:
        if _WIDE.search(payload.data[:64]):
            return offence("The message is written in UTF-16, which an HL7 v2 connection cannot carry.", weight,
                           offset=0)  # fmt: skip
        if payload.kind == "unparseable":
            return offence("The payload holds no HL7 segment at all.", weight, offset=0)
        return offence("The payload is no HL7 message, and this integration sends HL7 v2.", weight, offset=0)
    message = sent.message
    if message.bom:
        return offence("A byte-order mark stands before the first segment.", weight, offset=int(message.frame.starts))
    if message.raw[message.payload_offset : message.payload_offset + 3] in (b"FHS", b"BHS"):
        return not_applicable("The message stands in a batch, which begins with its own header.")
    if not message.starts_with_msh:
        return offence("The first three bytes are not MSH.", weight, first_segment=message.names[0],
                       offset=message.payload_offset)  # fmt: skip
    header = message.first("MSH")
    if header is None or len(header.raw_field(2)) < 4:
        return offence("MSH-1 and MSH-2 do not name the five delimiters.", weight, offset=message.payload_offset + 3)
    return passed("The message begins with MSH and its delimiters.")


@check(
    id="hl7.linebreak",
    step=Step.WRITE_BACK,
    title="No line break stands inside a field",
    proves=causes.LINEBREAK,
    checklist=("WRITE.8",),
    applies=over_hl7,
)
def unbroken(sent: Hl7Message, trace: NoteTrace | None, filed: Filed | None, sections: NoteSections | None) -> Result:
    """A line break ends the segment: what follows is read as a segment that nobody knows."""
    broken = stray_lines(sent.message)
    if not broken:
        return passed("Every line of the message is a segment.", segments=len(sent.message.segments))
    first = broken[0]
    many = f"{len(broken)} lines" if len(broken) > 1 else "A line"
    after = "the start" if not first.segment else first.path
    says = f"{many} of the message begin with no segment id; the first follows {after} at byte {first.offset}."
    says = says if len(broken) > 1 else says.replace(" begin ", " begins ")
    facts: dict[str, Any] = {"lines": len(broken), "after": first.segment or "the start", "offset": first.offset}
    places = [place.facts for place in broken[:20]]
    cut = cut_of(filed, sections) if taken(trace) else None
    if cut is not None:
        return failed(f"{says} The chart's text breaks off early.", strength=Strength.DECISIVE, cause=causes.LINEBREAK,
                      places=places, **facts)  # fmt: skip
    return offence(says, weigh_hl7(trace, ("100", "101", "102", "207")), places=places, **facts)


def stray_lines(message: Message) -> tuple[Place, ...]:
    """Return the lines that are no segments, each as the place in the field of the segment it was torn from."""
    lines = text_lines(message)
    found = [(stray.offset, stray.after) for stray in message.strays]
    found += [(message.segments[index].offset, index - 1) for index in lines]
    return tuple(_torn(message, offset, after, lines) for offset, after in sorted(found))


def _torn(message: Message, offset: int, after: int, lines: frozenset[int]) -> Place:
    while after in lines:
        after -= 1
    if after < 0:
        return Place("", 0, offset)
    segment = message.segments[after]
    number = len(segment.fields)
    return Place(segment.name, segment.occurrence, offset, number or None)


def text_lines(message: Message) -> frozenset[int]:
    """Return the indexes of segments that are lines of the note's text.

    A bare word of three capitals, such as a heading ROS on its own line, looks like a segment without fields; no
    segment of a message that carries a note may be without any.
    """
    return frozenset(
        segment.index
        for segment in message.segments[1:]
        if segment.empty and segment.name not in known_segments() and not segment.name.startswith("Z")
    )
