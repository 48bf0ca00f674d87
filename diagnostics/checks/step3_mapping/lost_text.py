"""Judge whether the note's text is whole in the chart, and whether every heading of it is known."""

from typing import Any

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, unknown, warned
from diagnostics.checks.step3_mapping.looking import nothing_filed, titles
from diagnostics.evidence.case_parts import Filed, SectionMapping, Template
from diagnostics.evidence.logs import NoteTrace
from diagnostics.evidence.note_text import NoteSections
from diagnostics.evidence.placement import Stored, other_author, place, stored_of
from diagnostics.findings import Result
from diagnostics.parsing import similarity
from diagnostics.parsing.note_loss import Kept, kept
from diagnostics.parsing.note_unknown import SHORT
from diagnostics.vocabulary import Step, Strength

WHOLE = 0.98  # share of the text that must be there (domain.md 2.4, map.content.lost)
_AUTHOR = "who wrote the chart's present version of the note, and when"


@check(
    id="map.content.lost",
    step=Step.MAPPING,
    title="The text that was sent is whole in the chart",
    proves=causes.CONTENT_LOST,
    strength=Strength.STRONG,
    checklist=("MAP.1",),
)
def text_is_whole(
    note: NoteSections,
    mapping: SectionMapping | None,
    template: Template | None,
    filed: Filed | None,
    trace: NoteTrace | None,
) -> Result:
    """A sentence that fell out on the way leaves a note that reads well and says something else."""
    stored = stored_of(filed, trace)
    if stored is None:
        return nothing_filed(filed, trace)
    if not stored.whole or filed is None:
        return unknown("The EHR's log shows the fields' beginnings only.", get=Filed.how_to_get)
    parts = _arrived(note, mapping, template, stored)
    if not parts:
        return not_applicable("No section arrived whole enough to compare; see the checks on sections.")
    short = {name: found for name, part in parts.items() if (found := _missing_of(name, part, note, stored))}
    if not short:
        return passed(f"At least {WHOLE:.0%} of each section's text is there.", sections=sorted(parts))
    return _weighed(short, stored, other_author(filed, trace))


def _missing_of(name: str, part: tuple[str, str], note: NoteSections, stored: Stored) -> Kept | None:
    """Return how much of a section is there where some of it is missing from its own fields and from all others."""
    text, own = part
    beside = "\n".join(other for section, other in note.texts.items() if section != name) if name else ""
    found = kept(text, own, beside=beside)
    if found is None or found.share >= WHOLE:
        return None
    anywhere = kept(text, "\n".join(stored.fields.values()))
    return found if anywhere is not None and anywhere.share < WHOLE else None


def _arrived(
    note: NoteSections, mapping: SectionMapping | None, template: Template | None, stored: Stored
) -> dict[str, tuple[str, str]]:
    """Return text and chart text of each section that arrived at least in part and does not merely break off.

    A chart that keeps the note as one text is compared whole, under an empty name.
    """
    texts = note.texts
    seen = place(texts, mapping, template, stored) if mapping is not None and texts else None
    if seen is None:
        return {}
    if seen.one_document:
        held = "\n".join(stored.fields.values())
        whole = max((note.text, "\n".join(texts.values())), key=lambda text: _share(text, held))  # headings may go
        return {} if similarity.is_truncated(held, whole) else {"": (whole, held)}
    if any(placed.cut for placed in seen.sections):
        return {}
    found = {}
    for placed in seen.sections:
        text, fields = texts[placed.section], [*placed.found, *placed.unsure]
        values = [stored.fields[id] for id in fields]
        if values and not any(similarity.is_truncated(value, text) for value in values):
            found[placed.section] = (text, "\n".join(values))
    return found


def _share(text: str, held: str) -> float:
    found = kept(text, held)
    return found.share if found is not None else 0.0


def _weighed(short: dict[str, Kept], stored: Stored, other: bool | None) -> Result:
    """Weigh a loss: text that merely left is the interface's; text that was replaced may be a person's."""
    names = [name for name in short if name]
    share = min(found.share for found in short.values())
    lost, new = sum(found.lost for found in short.values()), sum(found.new for found in short.values())
    facts: dict[str, Any] = {"sections": names, "share": round(share, 2), "words_lost": lost, "words_new": new}
    where = f"Of {titles(names)}" if names else "Of the note's text"
    says = f"{where}, {lost} words are missing from the chart"
    if stored.edited or other:
        return warned(f"{says}; the chart's version is by another author than the one that was filed.", **facts)
    reworded = new >= lost / 2
    if reworded and other is None:
        return unknown(f"{says}, and others stand there: a person may have edited it.", get=_AUTHOR, **facts)
    weight = Strength.MODERATE if reworded or other is None else Strength.STRONG
    return failed(f"{says}, and the text does not merely break off.", strength=weight, **facts)


@check(
    id="map.section.unrecognized",
    step=Step.MAPPING,
    title="Every heading of the note is one that the mapping can know",
    hints=causes.SECTION_UNRECOGNIZED,
    strength=Strength.WEAK,
    checklist=("MAP.3",),
)
def headings_are_known(note: NoteSections) -> Result:
    """Text under a heading that nobody knows goes wherever the section before it goes."""
    long = [one for one in note.unknown if one.length > SHORT]
    if not note.texts:
        return not_applicable("The note has no section headings.")
    if not long:
        return passed("Every heading with more than a remark below it is known.", specialties=list(note.specialties))
    lines = ", ".join(str(one.line) for one in long)
    return warned(
        f"Line {lines} of the note's text looks like a heading that names no known section."
        if len(long) == 1
        else f"Lines {lines} of the note's text look like headings that name no known section.",
        lines=[one.line for one in long],
        characters=[one.length for one in long],
    )
