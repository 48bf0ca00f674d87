"""Work out where each section of a note went: what the mapping says against what the chart or the audit trail holds.

Pure and without opinion: the checks of step 3 judge it. A field of the chart is known whole; a field in an audit row
only by its first 64 characters or a hash, so that "is not there" can often not be said.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from diagnostics.evidence.case_parts import Filed, SectionMapping, Template
from diagnostics.evidence.logs import NoteTrace
from diagnostics.identity import plain
from diagnostics.parsing import similarity
from diagnostics.parsing.note_headings import WIDER, canonical
from diagnostics.parsing.note_sections import split
from diagnostics.parsing.note_specialties import RESTRICTED

FOUND, ABSENT = 0.6, 0.25  # shares of a section's sentences; between them a person may have edited the text
_ENDS = " .\u2026"
_EDITED = frozenset({"amended", "corrected", "appended"})


class Held(StrEnum):
    """Say whether a field holds a section."""

    YES = "yes"
    NO = "no"
    UNSURE = "unsure"


@dataclass(frozen=True)
class Stored:
    """Be what is known of the filed note's fields; `whole` tells chart text from the audit row's short forms.

    `earlier` holds what the audit trail recorded at filing, where the chart is known as well: text that was there
    then and is gone now was removed by a person.
    """

    fields: Mapping[str, str] = field(repr=False)
    whole: bool
    edited: bool = False
    earlier: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Placed:
    """Say of one section where it was meant to go (`targets`) and where it is (`found`, `unsure`).

    `gone` are targets that the template no longer has. `cut` tells that the text breaks off before this section;
    `removed` that it had been filed and was taken out later. `shares` are known for whole fields only.
    """

    section: str
    targets: tuple[str, ...]
    found: tuple[str, ...]
    unsure: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    discrete_only: bool = False
    cut: bool = False
    removed: bool = False
    inherited: bool = False  # no rule names it: it goes with the wider section it is part of
    shares: Mapping[str, float] = field(default_factory=dict)  # field → share of the section's sentences in it

    @property
    def mapped(self) -> bool:
        """Tell whether any rule sends this section anywhere."""
        return bool(self.targets) or self.discrete_only

    @property
    def arrived(self) -> bool:
        """Tell whether the section is in a field it was meant for."""
        return any(target in self.found for target in self.targets)

    @property
    def hidden(self) -> bool:
        """Tell whether this section may be filed where only some may see it."""
        return self.section in RESTRICTED

    @property
    def astray(self) -> tuple[str, ...]:
        """Return the fields it is in although it was meant for others and is in none of those."""
        return () if self.arrived else self.found

    @property
    def absent(self) -> bool:
        """Tell whether it is certainly nowhere, and not for having been cut off or removed later."""
        return not (self.found or self.unsure or self.cut or self.removed)


@dataclass(frozen=True)
class Placement:
    """Hold every section's place; `one_document` means that the chart keeps the note as one text, without fields."""

    sections: tuple[Placed, ...]
    stored: Stored
    one_document: bool = False

    def of(self, section: str) -> Placed | None:
        """Return one section's place."""
        return next((placed for placed in self.sections if placed.section == section), None)


def stored_of(filed: Filed | None, trace: NoteTrace | None) -> Stored | None:
    """Return what is known of the filed fields: the chart's own text, else the last `filed` row that names fields."""
    rows = [row for row in trace.ehr("filed") if row.fields is not None] if trace is not None else []
    recorded = dict(rows[-1].fields or {}) if rows else {}
    if filed is not None and filed.found and filed.has_fields:
        edited = (filed.status or "").casefold() in _EDITED or other_author(filed, trace) is True
        return Stored(filed.fields, True, edited, recorded)
    if filed is not None and not filed.found:
        return None
    return Stored(recorded, False) if rows else None


def other_author(filed: Filed, trace: NoteTrace | None) -> bool | None:
    """Tell whether the chart's version was written by somebody else than filed it; None where that is not known."""
    rows = trace.ehr("filed") if trace is not None else ()
    authors = [plain(row.author_id) for row in rows if row.author_id]
    if not authors or not filed.author_id:
        return None
    return plain(filed.author_id) not in authors


def targets_of(section: str, mapping: SectionMapping, template: Template | None) -> tuple[tuple[str, ...], bool]:
    """Return the text fields a section is sent to, and whether rules send it to discrete fields only.

    A section without a rule of its own goes with the wider one it is part of; assessment and plan together may go to
    either's field.
    """
    kinds = {f.id: f.kind for f in template.fields} if template else {}
    rules: dict[str, list[str]] = {}
    for rule in mapping.rules:
        rules.setdefault(section_of_rule(rule.section), []).append(rule.field)
    names = [section] if section in rules else [wider for wider in WIDER.get(section, ()) if wider in rules]
    if names and section != "assessment_plan":
        names = names[:1]
    fields = [id for name in names for id in rules[name]]
    texts = tuple(dict.fromkeys(id for id in fields if kinds.get(id) != "discrete"))
    return texts, bool(fields) and not texts


def section_of_rule(name: str) -> str:
    """Return a rule's section by its canonical name, whatever synonym the mapping writes."""
    return canonical(name.replace("_", " ")) or name.strip().casefold()


def place(texts: Mapping[str, str], mapping: SectionMapping, template: Template | None, stored: Stored) -> Placement:
    """Return where each section of the note is."""
    suppressed = {section_of_rule(name) for name in mapping.suppressed}
    plan = {name: targets_of(name, mapping, template) for name in texts if name not in suppressed}
    expected = _expected(plan)
    known: set[str] | None = None
    if template is not None and template.fields:
        known = {f.id for f in template.fields} | ({template.catch_all} if template.catch_all else set())
    held = {id: _held(dict(texts), value, stored.whole, expected.get(id, frozenset()), id in expected)
            for id, value in stored.fields.items()}  # fmt: skip
    before = {id: _held(dict(texts), value, False, expected.get(id, frozenset()), id in expected)
              for id, value in stored.earlier.items()}  # fmt: skip
    cut = _cut_away(texts, plan, stored)
    placed = []
    for name, (targets, discrete_only) in plan.items():
        found = tuple(id for id in held if held[id][name] is Held.YES)
        unsure = tuple(id for id in held if held[id][name] is Held.UNSURE)
        gone = tuple(id for id in targets if known is not None and id not in known)
        missing = not found and not unsure
        inherited = name != "assessment_plan" and all(section_of_rule(r.section) != name for r in mapping.rules)
        once = any(before[id][name] is Held.YES for id in before)
        placed.append(
            Placed(
                name,
                targets,
                found,
                unsure,
                gone,
                discrete_only,
                cut=missing and name in cut,
                removed=missing and (once or stored.edited),
                inherited=inherited and bool(targets),
                shares=_shares(texts[name], stored),
            )
        )
    return Placement(tuple(placed), stored, _one_document(placed, stored, known, expected))


def overwritten(seen: Placement, mapping: SectionMapping) -> dict[str, str]:
    """Return the sections that are nowhere while a section of the same replacing field is there, with that field."""
    replacing = {rule.field for rule in mapping.rules if rule.mode == "replace"}
    lost = {}
    for placed in seen.sections:
        for id in placed.targets:
            last = any(id in other.found for other in seen.sections if other.section != placed.section)
            if id in replacing and placed.absent and last:
                lost[placed.section] = id
    return lost


def _shares(text: str, stored: Stored) -> dict[str, float]:
    """Return which share of a section's sentences each field holds; fields that hold nothing of it are left out."""
    if not stored.whole:
        return {}
    shares = {id: similarity.coverage(text, value) or 0.0 for id, value in stored.fields.items() if value.strip()}
    return {id: round(share, 2) for id, share in shares.items() if share >= 0.01}


def _expected(plan: Mapping[str, tuple[tuple[str, ...], bool]]) -> dict[str, frozenset[str]]:
    """Return for each field the sections meant for it."""
    fields: dict[str, set[str]] = {}
    for name, (targets, _discrete) in plan.items():
        for id in targets:
            fields.setdefault(id, set()).add(name)
    return {id: frozenset(names) for id, names in fields.items()}


def _held(texts: dict[str, str], value: str, whole: bool, expected: frozenset[str], is_target: bool) -> dict[str, Held]:
    if not value.strip():
        return dict.fromkeys(texts, Held.NO)
    if whole:
        return {name: _held_whole(name, texts, value, expected) for name in texts}
    if similarity.is_hash(value):
        return _held_hash(texts, value, expected)
    return _held_prefix(texts, value, expected, is_target)


def _held_whole(name: str, texts: Mapping[str, str], value: str, expected: frozenset[str]) -> Held:
    """Decide on text that is known whole. `expected` are the sections meant for the field."""
    twins = [other for other, text in texts.items() if similarity.words(text) == similarity.words(value)]
    if name in twins and (name in expected or not expected & set(twins)):
        return Held.YES
    others = "\n".join(text for other, text in texts.items() if other != name)
    share = similarity.coverage(texts[name], value, without=others)
    if share is None:  # every sentence of it also stands in another section
        return _held_alike(name, texts, value, expected)
    if share >= FOUND or (name in expected and similarity.is_truncated(value, texts[name])):
        return Held.YES
    return Held.NO if share < ABSENT else Held.UNSURE


def _held_alike(name: str, texts: Mapping[str, str], value: str, expected: frozenset[str]) -> Held:
    """Decide on a section that repeats another: where the other one is meant to be, it explains the words."""
    share = similarity.coverage(texts[name], value)
    if share is None or share < FOUND:
        return Held.NO
    if name in expected:
        return Held.YES
    repeats = any((similarity.coverage(texts[name], texts[other]) or 0.0) >= FOUND for other in expected)
    return Held.NO if repeats else Held.UNSURE


def _held_hash(texts: Mapping[str, str], value: str, expected: frozenset[str]) -> dict[str, Held]:
    single = [name for name in texts if similarity.same_hash(value, texts[name])]
    if single:
        meant = [name for name in single if name in expected] or single
        return {name: Held.YES if name in meant else Held.NO for name in texts}
    for names in ([name for name in texts if name in expected], list(texts)):
        for between in ("\n", "\n\n", " "):
            if similarity.same_hash(value, between.join(texts[name] for name in names)):
                return {name: Held.YES if name in names else Held.NO for name in texts}
    return dict.fromkeys(texts, Held.UNSURE)


def _held_prefix(texts: dict[str, str], value: str, expected: frozenset[str], is_target: bool) -> dict[str, Held]:
    seen, complete = similarity.seen_in_prefix(value, texts, expected)
    if not seen:  # some EHRs keep the heading after all
        bodies = [section.text for section in split(value) if section.name and section.text]
        if bodies:
            seen, complete = similarity.seen_in_prefix(bodies[0], texts, expected)
    if not seen:
        return dict.fromkeys(texts, Held.UNSURE)
    full = complete and len(value.strip()) < similarity.PREFIX - 4
    shared = not is_target or bool(expected & set(seen))

    def hidden(name: str) -> Held:
        """Decide on a section that the visible part does not show: it may follow one that shares the field."""
        behind = not full and shared and (name in expected or not is_target)
        return Held.UNSURE if behind else Held.NO

    return {name: Held.YES if name in seen else hidden(name) for name in texts}


def _cut_away(
    texts: Mapping[str, str], plan: Mapping[str, tuple[tuple[str, ...], bool]], stored: Stored
) -> frozenset[str]:
    """Return the sections after the one whose stored text breaks off: they were cut, not dropped."""
    if not stored.whole:
        return frozenset()
    names = list(texts)
    whole = [similarity.normalise(text).rstrip(_ENDS) for text in texts.values()]
    filled = [value for value in stored.fields.values() if value.strip()]
    ragged = [v for v in filled if not similarity.normalise(v).rstrip(_ENDS).endswith(tuple(whole))]
    everything = "\n".join(texts.values())
    for place_of, name in enumerate(names):
        sent = similarity.normalise(texts[name])
        own = [stored.fields.get(id, "") for id in plan.get(name, ((), False))[0]]
        if any(_breaks_off(value, sent) for value in ragged) or any(
            similarity.is_truncated(v, sent) for v in own if v in ragged
        ):
            return frozenset(names[place_of + 1 :])
    if any(similarity.is_truncated(value, everything) and len(value) > 200 for value in ragged):
        return frozenset(names)
    for id, value in stored.fields.items():
        if value not in ragged:
            continue
        meant = [name for name in names if id in plan.get(name, ((), False))[0]]
        if len(meant) > 1 and similarity.is_truncated(value, "\n".join(texts[name] for name in meant)):
            held = similarity.normalise(value)
            return frozenset(name for name in meant if similarity.normalise(texts[name]) not in held)
    return frozenset()


def _breaks_off(value: str, sent: str) -> bool:
    """Tell whether a field ends within this section's text: its tail is the section's beginning, but not its end."""
    short = similarity.normalise(value)
    start = short.rfind(sent[:30]) if len(sent) > 40 else -1
    if start < 0:
        return False
    tail, full = short[start:].rstrip(_ENDS), sent.rstrip(_ENDS)
    return 30 <= len(tail) < 0.98 * len(full) and full.startswith(tail)


def _one_document(
    placed: list[Placed], stored: Stored, known: set[str] | None, expected: Mapping[str, frozenset[str]]
) -> bool:
    filled = [id for id, value in stored.fields.items() if value.strip()]
    if len(filled) != 1 or filled[0] in expected or (known is not None and filled[0] in known):
        return False
    return len(stored.fields) == 1 and (not stored.whole or any(p.found or p.unsure for p in placed))
