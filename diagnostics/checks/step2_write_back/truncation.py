"""Judge whether the chart holds the whole of the note's text."""

from dataclasses import dataclass

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, unknown
from diagnostics.evidence.case_parts import Filed
from diagnostics.evidence.logs import NoteTrace
from diagnostics.evidence.note_text import NoteSections
from diagnostics.findings import Result
from diagnostics.parsing.similarity import is_truncated, normalise
from diagnostics.vocabulary import Step, Strength

# lengths at which databases and interfaces cut: a text that ends exactly there did not end by itself
ROUND = frozenset(
    {80, 100, 200, 250, 255, 256, 500, 512, 1000, 1024, 2000, 2048, 3999, 4000, 4096, 8000, 8192, 16384, 32000, 32767,
     32768, 65535, 65536, 99999}
)  # fmt: skip
_SHORTEST = 20  # of fewer characters a common beginning says nothing


@dataclass(frozen=True)
class Cut:
    """Be one stored text that is only the beginning of what was sent."""

    field: str
    stored: int
    sent: int
    at_limit: bool
    inside_word: bool

    @property
    def sure(self) -> bool:
        """Tell whether the end itself shows that something cut it."""
        return self.at_limit or self.inside_word


def cut_of(filed: Filed | None, sections: NoteSections | None) -> Cut | None:
    """Return the first stored field whose text breaks off before that of the section, or the note, it begins."""
    if filed is None or not filed.found or sections is None:
        return None
    texts = {normalise(text) for text in sections.texts.values()}
    texts |= {normalise(section.text) for section in sections.sections}
    whole = normalise(sections.text)
    ends = {text[-60:] for text in texts if text} | {whole[-60:]}
    for name, value in filed.fields.items():
        stored = normalise(value)
        if len(stored) < _SHORTEST or any(stored.endswith(end) for end in ends):
            continue
        for sent in sorted({*texts, whole}, key=len):
            if is_truncated(value, sent):
                return _cut(name, value, stored, sent)
    return None


def _cut(name: str, value: str, stored: str, sent: str) -> Cut:
    at = len(stored)
    inside = at < len(sent) and stored[-1:].isalnum() and sent[at].isalnum()
    return Cut(name, len(value), len(sent), len(value) in ROUND or len(value.rstrip()) in ROUND, inside)


@check(
    id="hl7.note.truncated",
    step=Step.WRITE_BACK,
    title="The chart holds the whole text that was sent",
    proves=causes.NOTE_TRUNCATED,
    checklist=("WRITE.10", "MAP.1"),
)
def whole(filed: Filed, sections: NoteSections, trace: NoteTrace | None) -> Result:
    """A note that ends in the middle of a sentence looks complete to whoever does not know how it went on."""
    if not filed.found:
        return not_applicable("The chart does not hold the note.")
    if not filed.has_fields:
        return unknown("What the chart's fields hold is not known.", get=Filed.how_to_get)
    cut = cut_of(filed, sections)
    if cut is None:
        return passed("No stored text breaks off before the text that was sent.", fields=len(filed.fields))
    end = "in the middle of a word" if cut.inside_word else f"after {cut.stored} characters"
    return failed(
        f"The field {cut.field} holds only the beginning of what was sent: it ends {end}.",
        strength=Strength.DECISIVE if cut.sure else Strength.STRONG,
        field=cut.field,
        stored_characters=cut.stored,
        sent_characters=cut.sent,
    )
