"""Judge whether the segments stand in the order the message's structure asks for, and all are there."""

from diagnostics import causes
from diagnostics.check import check, not_applicable, passed, warned
from diagnostics.checks.refusal import refusal_of
from diagnostics.checks.step2_write_back.framing import over_hl7
from diagnostics.checks.step2_write_back.weighing import offence, weigh_hl7
from diagnostics.evidence.logs import NoteTrace
from diagnostics.evidence.payload import Hl7Message
from diagnostics.findings import Result
from diagnostics.parsing.hl7_grammar import Match, match, structure_of
from diagnostics.parsing.hl7_tables import version_of
from diagnostics.vocabulary import Step, Strength


def _matched(sent: Hl7Message) -> tuple[Match, tuple[int, ...]] | None:
    """Match the message against its structure; bare three-letter lines are text, no segments."""
    structure = structure_of(sent.code, sent.event, version_of(sent.version))
    if structure is None or sent.message.batch:
        return None
    real = [s for s in sent.message.segments if s.fields or s.name.startswith("Z")]
    return match(structure, [s.name for s in real]), tuple(s.offset for s in real)


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
    matched = _matched(sent)
    if matched is None:
        return not_applicable(f"No structure is known here for {sent.code or 'this'} messages.")
    found, offsets = matched
    if found.unexpected is not None:
        wrong = found.unexpected
        wanted = " or ".join(wrong.expected[:4])
        return offence(
            f"Segment {wrong.index + 1} is {wrong.name}, where {wanted} was expected.",
            weigh_hl7(trace, ("100", "102", "207"), [wrong.name, *wrong.expected]),
            segment=wrong.name,
            position=wrong.index + 1,
            offset=offsets[wrong.index],
            expected=list(wrong.expected),
        )
    if found.foreign:
        index, name = found.foreign[0]
        refusal = refusal_of(trace)
        named = refusal is not None and refusal.answer.ack is not None and name in {
            error.location.split("-")[0] for error in refusal.answer.ack.errors
        }  # fmt: skip
        says = f"Segment {index + 1}, {name}, does not belong to this message's structure."
        unexplained = refusal is not None and refusal.of_business and not refusal.error_codes
        if named or (unexplained and not name.startswith("Z")):
            return offence(says, Strength.STRONG, segment=name, position=index + 1)
        return warned(f"{says} Most receivers skip it.", strength=Strength.WEAK, segment=name, position=index + 1)
    return passed("The segments stand in the order of their structure.", segments=len(offsets))


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
    matched = _matched(sent)
    if matched is None:
        return not_applicable(f"No structure is known here for {sent.code or 'this'} messages.")
    found, offsets = matched
    if found.missing:
        gone = ", ".join(found.missing)
        return offence(
            f"The message has no {gone} segment, which {sent.code}^{sent.event} must have.",
            weigh_hl7(trace, ("100", "101", "102", "207"), [*found.missing, *_neighbours(sent)]),
            missing=list(found.missing),
        )
    if found.repeated:
        index, name = found.repeated[0]
        return offence(
            f"Segment {index + 1} is a second {name}, which may stand only once.",
            weigh_hl7(trace, ("100", "102", "207"), [name]),
            repeated=name,
            offset=offsets[index],
        )
    return passed("Every required segment is there.", segments=len(offsets))


def _neighbours(sent: Hl7Message) -> tuple[str, ...]:
    """Return all ids of the message: a receiver names the segment it stumbled over, not the one it missed."""
    return sent.message.names
