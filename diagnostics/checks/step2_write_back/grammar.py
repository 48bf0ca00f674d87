"""Judge whether the segments stand in the order the message's structure asks for, and all are there."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from diagnostics import causes
from diagnostics.check import check, not_applicable, passed, warned
from diagnostics.checks.refusal import refusal_of
from diagnostics.checks.step2_write_back.framing import over_hl7, text_lines
from diagnostics.checks.step2_write_back.weighing import offence, weigh_hl7
from diagnostics.evidence.logs import NoteTrace
from diagnostics.evidence.payload import Hl7Message
from diagnostics.findings import Result
from diagnostics.parsing.hl7 import Message, Segment
from diagnostics.parsing.hl7_grammar import Match, match, structure_of
from diagnostics.parsing.hl7_tables import version_of
from diagnostics.vocabulary import Step, Strength

_WRAPPERS = frozenset({"FHS", "BHS", "BTS", "FTS"})


@dataclass(frozen=True)
class _Matched:
    """Be one message of the payload, matched against its structure."""

    found: Match
    segments: tuple[Segment, ...]
    type: str


def _matched(message: Message) -> tuple[_Matched, ...]:
    """Match each message of the payload whose structure is known here; a batch may hold several."""
    found = []
    for segments in _messages(message):
        header = segments[0] if segments[0].name == "MSH" else message.first("MSH")
        if header is None:
            continue
        code, event = header.value(9).upper(), header.value(9, 2).upper()
        structure = structure_of(code, event, version_of(header.value(12)))
        if structure is not None:
            names = [segment.name for segment in segments]
            found.append(_Matched(match(structure, names), segments, f"{code}^{event}"))
    return tuple(found)


def _messages(message: Message) -> Iterator[tuple[Segment, ...]]:
    """Yield the segments of each message: one, unless a batch or file wrapper holds more; lines of text are none."""
    lines = text_lines(message)
    real = [s for s in message.segments if s.index not in lines and s.name not in _WRAPPERS]
    starts = [at for at, segment in enumerate(real) if segment.name == "MSH"] if message.batch else []
    if len(starts) < 2:
        if real:
            yield tuple(real)
        return
    for start, end in zip(starts, [*starts[1:], len(real)], strict=True):
        yield tuple(real[start:end])


def _kind(sent: Hl7Message) -> str:
    return f"No structure is known here for {sent.code[:10] or 'this'} messages."


@check(
    id="hl7.grammar.order",
    step=Step.WRITE_BACK,
    title="The segments stand in the order of the message's structure",
    proves=causes.GRAMMAR_ORDER,
    checklist=("WRITE.8",),
    applies=over_hl7,
)
def order(sent: Hl7Message, trace: NoteTrace | None) -> Result:
    """A strict receiver reads segments as a sequence and stops at the first that does not fit."""
    matched = _matched(sent.message)
    if not matched:
        return not_applicable(_kind(sent))
    for one in matched:
        if one.found.unexpected is not None:
            wrong = one.found.unexpected
            segment = one.segments[wrong.index]
            wanted = " or ".join(wrong.expected[:4]) or "the end of the message"
            return offence(
                f"Segment {segment.index + 1} is {wrong.name}, where {wanted} was expected.",
                weigh_hl7(trace, ("100", "102", "207"), [wrong.name, *wrong.expected]),
                segment=wrong.name,
                position=segment.index + 1,
                offset=segment.offset,
                expected=list(wrong.expected),
                places=[segment.place().facts],
            )
    for one in matched:
        if one.found.foreign:
            index, name = one.found.foreign[0]
            return _foreign(one.segments[index], name, trace)
    return passed("The segments stand in the order of their structure.", segments=len(sent.message.segments))


def _foreign(segment: Segment, name: str, trace: NoteTrace | None) -> Result:
    """Judge a segment that this version's structure does not have: a remark, unless the refusal points to it."""
    refusal = refusal_of(trace)
    named = refusal is not None and refusal.answer.ack is not None and name in {
        error.location.split("-")[0] for error in refusal.answer.ack.errors
    }  # fmt: skip
    codes = {code for code in refusal.error_codes if code not in ("", "0")} if refusal is not None else set()
    elsewhere = refusal is not None and refusal.answer.ack is not None and any(
        error.location for error in refusal.answer.ack.errors
    )  # fmt: skip
    unexplained = refusal is not None and refusal.of_business and not elsewhere and codes <= {"100"}
    says = f"Segment {segment.index + 1}, {name}, does not belong to this message's structure."
    facts: dict[str, Any] = {"segment": name, "position": segment.index + 1, "offset": segment.offset}
    if named or unexplained:
        return offence(says, Strength.STRONG, **facts, places=[segment.place().facts])
    return warned(f"{says} Most receivers skip it.", strength=Strength.WEAK, **facts, places=[segment.place().facts])


@check(
    id="hl7.grammar.missing",
    step=Step.WRITE_BACK,
    title="Every segment the message must have is there once",
    proves=causes.GRAMMAR_MISSING,
    checklist=("WRITE.8",),
    applies=over_hl7,
)
def missing(sent: Hl7Message, trace: NoteTrace | None) -> Result:
    """Without its required segments a message has no patient, no visit or no text to file."""
    matched = _matched(sent.message)
    if not matched:
        return not_applicable(_kind(sent))
    for one in matched:
        result = _incomplete(one, trace)
        if result is not None:
            return result
    return passed("Every required segment is there.", segments=len(sent.message.segments))


def _incomplete(one: _Matched, trace: NoteTrace | None) -> Result | None:
    found, last = one.found, one.segments[-1]
    end = last.offset + len(last.raw)
    # a receiver names the segment it stumbled over, not the one it missed
    neighbours = {segment.name for segment in one.segments}
    if found.missing:
        return offence(
            f"The message has no {', '.join(found.missing)} segment, which {one.type} must have.",
            weigh_hl7(trace, ("100", "101", "102", "207"), [*found.missing, *neighbours]),
            missing=list(found.missing),
            offset=end,
        )
    if found.repeated:
        index, name = found.repeated[0]
        segment = one.segments[index]
        return offence(
            f"Segment {segment.index + 1} is a second {name}, which may stand only once.",
            weigh_hl7(trace, ("100", "102", "207"), [name]),
            repeated=name,
            offset=segment.offset,
            places=[segment.place().facts],
        )
    if found.unfinished:
        wanted = " or ".join(found.unfinished[:4])
        return offence(
            f"The message ends after {last.name}, where {wanted} has to follow.",
            weigh_hl7(trace, ("100", "101", "102", "207"), [*found.unfinished, *neighbours]),
            missing=list(found.unfinished),
            offset=end,
        )
    return None
