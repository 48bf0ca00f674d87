"""Set a note as it was sent against what the chart holds, section by section. Pure.

This holds clinical text: it is made for the page of somebody who may open payloads, and never enters a diagnosis, a
cache or a log. Where a section is, and what became of it, is worked out by `placement`, as the checks see it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from diagnostics.evidence.bag import Bag
from diagnostics.evidence.case_parts import Filed, SectionMapping, Template
from diagnostics.evidence.logs import NoteTrace
from diagnostics.evidence.note_text import NoteSections
from diagnostics.evidence.placement import Placed, Placement, Stored, overwritten, place, stored_of
from diagnostics.parsing import similarity
from diagnostics.parsing.note_headings import related, section_of_field, title
from diagnostics.parsing.note_loss import kept

WHOLE = 0.98
MOST_CHARS = 200_000


class State(StrEnum):
    """Say what became of a section; the values are the words a page shows."""

    SAME = "same"
    MOVED = "moved"
    MERGED = "merged"
    OVERWRITTEN = "overwritten"
    CUT = "cut"
    CHANGED = "changed"
    LOST = "lost"
    ADDED = "added"
    UNSEEN = "not seen"


@dataclass(frozen=True)
class Run:
    """Be a run of text of one side; `common` tells that the other side has it too."""

    text: str = field(repr=False)
    common: bool


@dataclass(frozen=True)
class Row:
    """Be one line of the comparison: a section as sent, and the field it is in.

    `meant` are the fields the mapping names for it; `share` is which part of its sentences the field holds, None where
    the field is not known whole. An added row has no section.
    """

    state: State
    section: str | None = None
    meant: tuple[str, ...] = ()
    held_in: str | None = None
    share: float | None = None
    sent: tuple[Run, ...] = field(default=(), repr=False)
    filed: tuple[Run, ...] = field(default=(), repr=False)

    @property
    def name(self) -> str:
        """Return the section's name for people."""
        return title(self.section).capitalize() if self.section else ""


@dataclass(frozen=True)
class Comparison:
    """Hold the rows in the order of the note, what the chart has beyond it last; `labels` name the fields.

    `missing` says what has to be fetched where there is nothing to compare; `whole` that the chart's text is known,
    not only the beginnings in the EHR's log.
    """

    rows: tuple[Row, ...] = ()
    missing: tuple[str, ...] = ()
    whole: bool = True
    one_document: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def faults(self) -> int:
        """Count the rows that are not as they were sent."""
        return sum(row.state not in (State.SAME, State.ADDED, State.UNSEEN) for row in self.rows)


def compare(bag: Bag) -> Comparison:
    """Return the comparison, or what is missing for one."""
    note, filed, trace = bag.get(NoteSections), bag.get(Filed), bag.get(NoteTrace)
    stored = stored_of(filed, trace)
    missing = [] if note is not None else [NoteSections.how_to_get]
    if stored is None:
        gone = filed is not None and not filed.found
        missing.append("the note in the chart: it is not there" if gone else Filed.how_to_get)
    if note is None or stored is None:
        return Comparison(missing=tuple(missing))
    template, mapping = bag.get(Template), bag.get(SectionMapping) or SectionMapping()
    texts = {name: text[:MOST_CHARS] for name, text in note.texts.items()}
    loose = {"": note.text[:MOST_CHARS]} if not texts else _preamble(note)
    seen = place(texts, mapping, template, stored)
    labels = {f.id: f.label for f in template.fields if f.label} if template else {}
    whole_chart = "\n".join(stored.fields.values())
    replaced = overwritten(seen, mapping)
    rows = [_loose(text, stored, whole_chart) for text in loose.values()]
    rows += [_row(placed, texts, seen, labels, replaced) for placed in seen.sections]
    rows += _left_out(texts, seen, stored)
    if stored.whole:
        rows += _added(note.text[:MOST_CHARS], stored, rows)
    return Comparison(tuple(rows), (), stored.whole, seen.one_document, labels)


def _preamble(note: NoteSections) -> dict[str, str]:
    first = note.sections[0] if note.sections else None
    return {"": first.text[:MOST_CHARS]} if first is not None and not first.name and not first.heading else {}


def _loose(text: str, stored: Stored, chart: str) -> Row:
    """Compare text that belongs to no section with the whole chart."""
    if not stored.whole:
        return Row(State.UNSEEN, sent=(Run(text, False),))
    share = similarity.coverage(text, chart)
    best = max(stored.fields, key=lambda id: similarity.coverage(text, stored.fields[id]) or 0.0, default=None)
    state = State.SAME if (share or 0.0) >= WHOLE else State.LOST if not share else State.CHANGED
    found = best if share else None
    return Row(state, None, (), found, share, _runs(text, chart), _runs(stored.fields[found], text) if found else ())


def _row(
    placed: Placed, texts: Mapping[str, str], seen: Placement, labels: Mapping[str, str], replaced: Mapping[str, str]
) -> Row:
    stored, text = seen.stored, texts[placed.section]
    where = next((id for id in placed.targets if id in placed.found), None)
    where = where or next(iter((*placed.found, *placed.unsure)), None)
    if where is None:
        where = replaced.get(placed.section) or next((id for id in placed.targets if stored.fields.get(id)), None)
        state = State.OVERWRITTEN if placed.section in replaced else State.CUT if placed.cut else State.LOST
        value = stored.fields.get(where or "", "")
        held = where if state is State.OVERWRITTEN else None
        shown = _runs(value, text) if state is State.OVERWRITTEN else ()
        return Row(state, placed.section, placed.targets, held, 0.0, (Run(text, False),), shown)
    value = stored.fields[where]
    if not stored.whole:
        state = _place_state(placed, where, seen, labels) if where in placed.found else State.UNSEEN
        return Row(state, placed.section, placed.targets, where, None, (Run(text, False),), (Run(value, False),))
    state = _place_state(placed, where, seen, labels)
    if state in (State.SAME, State.MERGED, State.MOVED):
        state = _whole_state(text, value, state)
    if state is State.CUT and similarity.is_truncated(value, text):
        there, gone = _cut(text, value)
        share = len(there) / max(1, len(there) + len(gone))
        return Row(
            state,
            placed.section,
            placed.targets,
            where,
            share,
            (Run(there, True), Run(gone, False)),
            (Run(value, True),),
        )
    share = placed.shares.get(where, 0.0)
    return Row(state, placed.section, placed.targets, where, share, _runs(text, value), _runs(value, text))


def _place_state(placed: Placed, where: str, seen: Placement, labels: Mapping[str, str]) -> State:
    """Say whether a section is where it was meant to be; the template's labels count where no rule names a field."""
    if seen.one_document:
        return State.SAME
    label = section_of_field(labels.get(where, ""), where)
    at_home = where in placed.targets or (not placed.targets and (label is None or related(label, placed.section)))
    others = [p for p in seen.sections if p.section != placed.section and where in p.found]
    strangers = [p for p in others if p.targets and where not in p.targets]
    if at_home:
        return State.MERGED if strangers else State.SAME
    return State.MERGED if any(where in p.targets for p in others) else State.MOVED


def _whole_state(text: str, value: str, state: State) -> State:
    if similarity.is_truncated(value, text):
        return State.CUT
    found = kept(text, value)
    if found is None or found.share >= WHOLE:
        return state
    last = similarity.words(value)[-4:]
    broken_off = len(last) == 4 and last in similarity.shingles(similarity.words(text)) and found.new == 0
    ends = similarity.words(text)[-4:] == last
    return State.CUT if broken_off and not ends else State.CHANGED


def _cut(text: str, value: str) -> tuple[str, str]:
    """Split a text where the chart breaks it off, whatever white space either side has."""
    left = sum(not char.isspace() for char in similarity.normalise(value).rstrip(". …"))
    for at, char in enumerate(text):
        if not left:
            return text[:at], text[at:]
        left -= not char.isspace()
    return text, ""


def _left_out(texts: Mapping[str, str], seen: Placement, stored: Stored) -> list[Row]:
    """Return sections that the mapping leaves out on purpose."""
    placed = {p.section for p in seen.sections}
    chart = "\n".join(stored.fields.values())
    return [
        Row(State.SAME if (similarity.coverage(text, chart) or 0) >= WHOLE else State.LOST, name, (), None, None,
            _runs(text, chart))
        for name, text in texts.items()
        if name not in placed
    ]  # fmt: skip


def _added(sent: str, stored: Stored, rows: list[Row]) -> list[Row]:
    """Return what fields hold that nobody sent."""
    shown = {row.held_in for row in rows}
    found = []
    for id, value in stored.fields.items():
        runs = _runs(value[:MOST_CHARS], sent)
        if id not in shown and any(not run.common for run in runs) and value.strip():
            found.append(Row(State.ADDED, held_in=id, filed=runs))
    return found


def _runs(text: str, other: str) -> tuple[Run, ...]:
    return tuple(Run(piece, common) for piece, common in similarity.marked(text[:MOST_CHARS], other[:MOST_CHARS]))
