"""Judge the characters of an HL7 v2 message: declared, and escaped where they are delimiters."""

import re
import unicodedata
from collections.abc import Iterator

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed
from diagnostics.checks.step2_write_back.framing import over_hl7
from diagnostics.checks.step2_write_back.truncation import cut_of
from diagnostics.checks.step2_write_back.weighing import offence, taken, weigh_hl7
from diagnostics.evidence.case_parts import Filed, Settings
from diagnostics.evidence.logs import NoteTrace
from diagnostics.evidence.note_text import NoteSections
from diagnostics.evidence.payload import Hl7Message
from diagnostics.findings import Result
from diagnostics.parsing.hl7 import Message, Segment
from diagnostics.parsing.hl7_charset import python_charset
from diagnostics.parsing.hl7_tables import TABLES
from diagnostics.vocabulary import Step, Strength

_PLAIN = {
    "\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "-", "\u2014": "-", "\u2212": "-", "\u2018": "'",
    "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2026": "...", "\u00a0": " ", "\u2022": "*", "\u00b7": "*",
    "\u00b0": " deg", "\u00b5": "u", "\u03bc": "u", "\u00b1": "+/-", "\u00d7": "x", "\u2264": "<=", "\u2265": ">=",
    "\u2192": "->", "\u00bd": "1/2", "\u00bc": "1/4", "\u00be": "3/4",
}  # fmt: skip


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
    if not any(b > 0x7F for segment in message.segments for b in segment.raw):
        return passed("The message holds plain characters only.", declared=message.declared_charset or None)
    configured = settings.integration.hl7.charset
    why = _undeclared(message, configured)
    if why is None:
        return passed("The message's special characters are declared.", declared=message.declared_charset or None,
                      configured=configured)  # fmt: skip
    found = list(_special(message))[:5]
    named = ", ".join(f"{name} in {place}" for name, place, _, _ in found[:3])
    says = f"{why} The message contains {named}."
    characters = [name for name, _, _, _ in found]
    offsets = [offset for _, _, offset, _ in found]
    instead = {name: plain for name, _, _, plain in found}
    if taken(trace) and cut_of(filed, sections) is not None:
        says = f"{says} The chart's text breaks off early."
        return failed(says, characters=characters, offsets=offsets, plain_instead=instead)
    weight = weigh_hl7(trace, ("102", "207"), ["MSH", "OBX", "NTE"])
    return offence(says, weight, characters=characters, offsets=offsets, plain_instead=instead)


def _undeclared(message: Message, configured: str | None) -> str | None:
    """Say how declaration and bytes disagree; None where a reader that keeps to the declaration reads them right."""
    own = python_charset(message.declared_charset)
    theirs = python_charset(configured) if configured else None
    utf8 = _decodes(message.raw, "utf-8")
    if not message.declared_charset:
        if theirs and theirs != "ascii" and _decodes(message.raw, theirs) and not (utf8 and theirs.startswith("iso")):
            return None  # the receiver reads this set whatever MSH-18 says
        return "MSH-18 is empty, which declares plain ASCII."
    if own is None:
        return None  # a set we do not know: nothing can be said
    if own == "ascii" or not _decodes(message.raw, own):
        return f"MSH-18 declares {message.declared_charset[:20]}, which these bytes are not."
    if own.startswith("iso") and utf8:
        return f"MSH-18 declares {message.declared_charset[:20]}, and the bytes are UTF-8."
    if theirs is not None and theirs != own and not _representable(message.raw.decode(own), theirs):
        return f"The interface is configured for {str(configured)[:20]}, which does not have every character sent."
    return None


def _decodes(raw: bytes, charset: str) -> bool:
    try:
        raw.decode(charset)
    except (UnicodeDecodeError, LookupError):
        return False
    return True


def _representable(text: str, charset: str) -> bool:
    try:
        text.encode(charset)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _special(message: Message) -> Iterator[tuple[str, str, int, str]]:
    """Yield the special characters by name, with field, byte offset and a plain substitute; never the text around."""
    charset = "utf-8" if _decodes(message.raw, "utf-8") else "latin-1"
    for segment in message.segments:
        for field in segment.fields:
            if not any(b > 0x7F for b in field.raw):
                continue
            offset = field.offset
            for character in field.raw.decode(charset, errors="replace"):
                if ord(character) > 0x7F:
                    name = unicodedata.name(character, f"U+{ord(character):04X}").lower()
                    yield name, f"{segment.name}-{field.number}", offset, transliterated(character)
                offset += len(character.encode(charset, errors="replace"))


def transliterated(text: str) -> str:
    """Return the text in plain ASCII: dashes, quotes and bullets by their look, accents dropped."""
    replaced = "".join(_PLAIN.get(character, character) for character in text)
    return unicodedata.normalize("NFKD", replaced).encode("ascii", "ignore").decode("ascii")


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
    texts = [s for s in sent.message.all("OBX") if s.value(2) in ("TX", "FT", "ST")]
    if not texts:
        return not_applicable("The message holds no text field.")
    bare = [(delimiter, segment) for segment in texts for delimiter in _bare(segment)]
    if not bare:
        return passed("Every delimiter inside the text is escaped.", text_segments=len(texts))
    delimiter, segment = max(bare, key=lambda found: found[0] == segment_separator(found[1]))
    at = segment.delimiters
    kind = {at.field: "field", at.component: "component", at.subcomponent: "subcomponent", at.repetition: "repetition",
            at.escape: "escape"}.get(delimiter, "")  # fmt: skip
    says = f"OBX-5 of OBX {segment.value(1) or segment.index} contains a bare {kind} delimiter ({delimiter})."
    count = len({s.index for _, s in bare})
    if taken(trace) and cut_of(filed, sections) is not None:
        says = f"{says} The chart's text breaks off early."
        return failed(says, delimiter=kind, offset=segment.offset, segments=count)
    weight = weigh_hl7(trace, ("102", "103", "207"), ["OBX"])
    most = None if delimiter == at.field else Strength.STRONG
    return offence(says, weight, at_most=most, delimiter=kind, offset=segment.offset, segments=count)


def segment_separator(segment: Segment) -> str:
    """Return the delimiter that does the most harm in a text: the field separator."""
    return segment.delimiters.field


def _bare(segment: Segment) -> Iterator[str]:
    """Yield the delimiters that stand unescaped in the text of one OBX."""
    marks = segment.delimiters
    if _spilled(segment):
        yield marks.field
    text = _without_escapes(segment.text(5), marks.escape)
    if marks.component in text:
        yield marks.component
    # an ampersand or a tilde with no white space on one side joins codes and repetitions; in prose it has
    if re.search(
        rf"(?:^|\s){re.escape(marks.subcomponent)}|{re.escape(marks.subcomponent)}(?:\s|$)", text
    ) or re.search(rf"\b[A-Z]{re.escape(marks.subcomponent)}[A-Z]\b", text):
        yield marks.subcomponent
    if re.search(rf"(?:\s|^){re.escape(marks.repetition)}\s?\d", text):
        yield marks.repetition
    if marks.escape in text:
        yield marks.escape


def _without_escapes(text: str, mark: str) -> str:
    escape = re.escape(mark)
    return re.sub(rf"{escape}(?:[FSRTEHNPL]|\.[a-z]{{2}}[+-]?\d{{0,3}}|[XZCM][0-9A-Za-z]{{1,60}}){escape}", "", text,
                  flags=re.IGNORECASE)  # fmt: skip


def _spilled(segment: Segment) -> bool:
    """Tell whether the text has run over into later fields: the status is not in OBX-11 but further right."""
    table = TABLES["OBX-11"][1]
    if segment.text(11).strip().upper() in table:
        return False
    later = [f for f in segment.fields if f.number > 11 and f.raw.decode("latin-1").strip().upper() in table]
    prose = [n for n in (6, 7, 8, 9, 10, 11) if len(segment.text(n).split()) >= 3]
    return bool(later) or bool(prose)
