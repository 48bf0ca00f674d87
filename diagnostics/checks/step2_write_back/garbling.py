"""Judge whether special characters survived on their way into the chart."""

import re
from collections.abc import Iterator

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, unknown
from diagnostics.evidence.case_parts import Filed
from diagnostics.evidence.logs import NoteTrace
from diagnostics.evidence.note_text import NoteSections
from diagnostics.findings import Result
from diagnostics.vocabulary import Step, Strength

# what UTF-8 looks like when it is read as Latin-1 or Windows-1252, and the mark of a character that was lost
_GARBLED = re.compile(
    "[\u00c2\u00c3][\u0080-\u00bf\u0152-\u0192\u2013-\u2122]|\u00e2[\u0080-\u00bf\u20ac][\u0080-\u2122]|\ufffd"
)
_SPECIAL = re.compile(r"[^\x00-\x7f]")
_MARKS = re.compile(r"\?{1,12}")
_LOOKED_AT = 200  # of a field's question marks: one that was a special character is enough


@check(
    id="hl7.encoding.mojibake",
    step=Step.WRITE_BACK,
    title="Special characters of the note read in the chart as they were sent",
    proves=causes.ENCODING_MOJIBAKE,
    checklist=("WRITE.9", "MAP.1"),
)
def legible(filed: Filed, sections: NoteSections, trace: NoteTrace | None) -> Result:
    """A degree sign that turned into two strange letters makes a clinician doubt the number beside it."""
    if not filed.found:
        return not_applicable("The chart does not hold the note.")
    if not filed.has_fields:
        return unknown("What the chart's fields hold is not known.", get=Filed.how_to_get)
    if not _SPECIAL.search(sections.text):
        return not_applicable("The note holds plain characters only.")
    if _GARBLED.search(sections.text):
        return not_applicable("The note was garbled before it was sent.")
    spoiled = [name for name, text in filed.fields.items() if _GARBLED.search(text)]
    if spoiled:
        return failed(
            f"The field {spoiled[0]} shows UTF-8 text that was read in another character set.",
            strength=Strength.STRONG,
            fields=spoiled[:5],
        )
    asked = list(_replaced(filed, sections.text))
    if asked:
        return failed(
            f"In the field {asked[0]} question marks stand where the note had special characters.",
            strength=Strength.STRONG,
            fields=asked[:5],
        )
    return passed("The chart shows the note's special characters.", fields=len(filed.fields))


def _replaced(filed: Filed, sent: str) -> Iterator[str]:
    """Yield the fields in which special characters of the note have become question marks, one or one for each byte."""
    flat = " ".join(sent.split())
    for name, text in filed.fields.items():
        stored = " ".join(text.split())
        for number, mark in enumerate(_MARKS.finditer(stored)):
            if number >= _LOOKED_AT:
                break
            before, after = stored[max(0, mark.start() - 8) : mark.start()], stored[mark.end() : mark.end() + 8]
            if len(before) + len(after) < 8 or "?" in before + after:
                continue
            if re.search(re.escape(before) + r"[^\x00-\x7f]{1,4}" + re.escape(after), flat):
                yield name
                break
