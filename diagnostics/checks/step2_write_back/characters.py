"""Judge whether the characters of an HL7 v2 message are those its header declares."""

from typing import Any

from diagnostics import causes
from diagnostics.check import check, failed, passed
from diagnostics.checks.step2_write_back.framing import over_hl7
from diagnostics.checks.step2_write_back.truncation import cut_of
from diagnostics.checks.step2_write_back.weighing import offence, taken, weigh_hl7
from diagnostics.evidence.case_parts import Filed, Settings
from diagnostics.evidence.logs import NoteTrace
from diagnostics.evidence.note_text import NoteSections
from diagnostics.evidence.payload import Hl7Message
from diagnostics.findings import Result
from diagnostics.parsing.hl7 import Message
from diagnostics.parsing.hl7_charset import decodes, python_charset, represents
from diagnostics.parsing.hl7_transliteration import specials
from diagnostics.vocabulary import Step

_SHOWN = 40  # of a text in another script every character is special


@check(
    id="hl7.encoding.undeclared",
    step=Step.WRITE_BACK,
    title="The message declares the characters it contains",
    proves=causes.ENCODING_UNDECLARED,
    checklist=("WRITE.9",),
    applies=over_hl7,
)
def declared(
    sent: Hl7Message,
    settings: Settings,
    trace: NoteTrace | None,
    filed: Filed | None,
    sections: NoteSections | None,
) -> Result:
    """A dash or a curly quote in a message that declares plain ASCII is refused, garbled, or ends the text."""
    message = sent.message
    weight = weigh_hl7(trace, ("102", "207"), ["MSH", "OBX", "NTE"])
    if _wide(message):
        header = message.first("MSH")
        return offence(
            f"MSH-18 declares {message.declared_charset[:20]}, and the bytes are not written in it.",
            weight,
            declared=message.declared_charset[:20],
            places=[header.place(18).facts] if header else [],
            offset=header.place(18).offset if header else message.payload_offset,
        )
    if all(segment.raw.isascii() for segment in message.segments):
        return passed("The message holds plain characters only.", declared=message.declared_charset or None)
    configured = settings.integration.hl7.charset
    why = _undeclared(message, configured)
    if why is None:
        return passed("The message's special characters are declared.", declared=message.declared_charset or None,
                      configured=configured)  # fmt: skip
    found = list(specials(message))
    named = ", ".join(f"{one.name} in {one.place.segment}-{one.place.field}" for one in found[:3])
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    kept = sorted({one.name for one in found if one.replacement is None})
    says = f"{why} The message contains {named}{more}."
    facts: dict[str, Any] = {
        "declared": message.declared_charset[:20] or None,
        "count": len(found),
        "characters": [one.name for one in found[:5]],
        "offsets": [one.place.offset for one in found[:5]],
        "plain_instead": {one.name: one.replacement for one in found[:_SHOWN] if one.replacement is not None},
        "no_safe_replacement": kept[:_SHOWN],
        "places": [one.facts for one in found[:_SHOWN]],
    }
    if taken(trace) and cut_of(filed, sections) is not None:
        return failed(f"{says} The chart's text breaks off early.", **facts)
    return offence(says, weight, **facts)


def _wide(message: Message) -> bool:
    """Tell whether MSH-18 declares two or four bytes a character: a header read byte by byte shows otherwise."""
    own = python_charset(message.declared_charset)
    return own is not None and own.startswith(("utf-16", "utf-32"))


def _undeclared(message: Message, configured: str | None) -> str | None:
    """Say how declaration and bytes disagree; None where a reader that keeps to the declaration reads them right."""
    own = python_charset(message.declared_charset)
    theirs = python_charset(configured) if configured else None
    utf8 = decodes(message.raw, "utf-8")
    if not message.declared_charset:
        if theirs and theirs != "ascii" and decodes(message.raw, theirs) and not (utf8 and theirs.startswith("iso")):
            return None  # the receiver reads this set whatever MSH-18 says
        return "MSH-18 is empty, which declares plain ASCII."
    if own is None:
        return None  # a set we do not know: nothing can be said
    if own == "ascii" or not decodes(message.raw, own):
        return f"MSH-18 declares {message.declared_charset[:20]}, which these bytes are not."
    if own.startswith("iso8859") and utf8:
        return f"MSH-18 declares {message.declared_charset[:20]}, and the bytes are UTF-8."
    if theirs is not None and theirs != own and not represents(message.raw.decode(own), theirs):
        return f"The interface is configured for {str(configured)[:20]}, which does not have every character sent."
    return None
