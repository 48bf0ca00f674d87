"""Judge how an HL7 v2 message is wrapped and begun, and whether its text keeps to its segment."""

import re

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
from diagnostics.parsing.hl7 import Frame, Message
from diagnostics.vocabulary import Step, Strength


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
        return passed("The message stands in exactly one frame.", bytes=len(payload.data))
    weight = weigh_hl7(trace, ("100", "102", "207"))
    return offence(_wrong(frame), weight, starts=frame.starts, ends=frame.ends, inner=list(frame.inner_controls[:5]))


def _wrong(frame: Frame) -> str:
    if frame.inner_controls:
        where = f"byte {frame.inner_controls[0]}"
        if frame.frames > 1:
            return f"Two messages stand in one frame: a frame byte lies inside the payload at {where}."
        return f"A frame byte (0x0B or 0x1C) lies inside the message at {where}."
    if not frame.starts:
        return "The frame does not begin with 0x0B."
    return "The frame does not end with 0x1C 0x0D."


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
        if payload.kind == "unparseable":
            return offence("The payload holds no HL7 segment at all.", weight)
        return offence("The payload is no HL7 message, and this integration sends HL7 v2.", weight)
    message = sent.message
    if message.batch:
        return not_applicable("The message stands in a batch, which begins with its own header.")
    if message.bom:
        return offence("A byte-order mark stands before MSH.", weight)
    if not message.starts_with_msh:
        return offence("The first three bytes are not MSH.", weight, first_segment=message.names[0])
    header = message.first("MSH")
    if header is None or len(header.raw_field(2)) < 4:
        return offence("MSH-1 and MSH-2 do not name the five delimiters.", weight)
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
    after, offset = broken[0]
    many = f"{len(broken)} lines" if len(broken) > 1 else "A line"
    says = f"{many} of the message begin with no segment id; the first follows {after} at byte {offset}."
    says = says if len(broken) > 1 else says.replace(" begin ", " begins ")
    cut = cut_of(filed, sections) if taken(trace) else None
    if cut is not None:
        return failed(f"{says} The chart's text breaks off early.", strength=Strength.DECISIVE, cause=causes.LINEBREAK,
                      lines=len(broken), after=after, offset=offset)  # fmt: skip
    return offence(says, weigh_hl7(trace, ("100", "101", "102", "207")), lines=len(broken), after=after, offset=offset)


def stray_lines(message: Message) -> tuple[tuple[str, int], ...]:
    """Return the lines that are no segments: the id of the segment before each, and its byte offset.

    A bare word of three capitals, such as a heading ROS on its own line, looks like a segment without fields.
    """
    found = [(message.segments[s.after].name if s.after >= 0 else "the start", s.offset) for s in message.strays]
    known = re.compile(r"Z[A-Z0-9]{2}|[A-Z]{2}[A-Z0-9]")
    for segment in message.segments[1:]:
        bare = len(segment.raw) == 3 and known.fullmatch(segment.name)
        if bare and segment.name in _HEADINGS:
            found.append((message.segments[segment.index - 1].name, segment.offset))
    return tuple(sorted(found, key=lambda line: line[1]))


_HEADINGS = frozenset({"HPI", "ROS", "PMH", "PSH", "CC:", "FHX", "SHX", "MSE", "EKG", "ECG", "LAB", "EXM"})
