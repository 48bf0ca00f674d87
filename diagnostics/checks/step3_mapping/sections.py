"""Judge whether each section of the note reached the field the mapping names."""

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, warned
from diagnostics.checks.step3_mapping.looking import arrived, look, nothing_filed, stopped_before_content, titles
from diagnostics.evidence.case_parts import Filed, SectionMapping, Template
from diagnostics.evidence.logs import NoteTrace
from diagnostics.evidence.note_text import NoteSections
from diagnostics.evidence.placement import Placed, Placement, overwritten, section_of_rule, stored_of, targets_of
from diagnostics.findings import Result
from diagnostics.parsing.note_headings import SUBJECTIVE, related, section_of_field, title
from diagnostics.vocabulary import Step, Strength

_FAMILY = frozenset((*SUBJECTIVE, "subjective"))


@check(
    id="map.section.unmapped",
    step=Step.MAPPING,
    title="Every section of the note has a field to go to",
    proves=causes.SECTION_UNMAPPED,
    checklist=("MAP.3",),
)
def every_section_mapped(
    note: NoteSections, mapping: SectionMapping, template: Template | None, filed: Filed | None, trace: NoteTrace | None
) -> Result:
    """A section without a mapping rule has nowhere to go: the EHR drops it or puts it wherever it puts leftovers."""
    suppressed = {section_of_rule(name) for name in mapping.suppressed}
    without = [
        name for name in note.texts if name not in suppressed and targets_of(name, mapping, template) == ((), False)
    ]
    if not note.texts:
        return not_applicable("The note has no section headings.")
    stored = stored_of(filed, trace)
    if stored is None:
        if not without:
            return passed("The mapping has a rule for every section of the note.", sections=sorted(note.texts))
        says = f"The mapping has no rule for {titles(without)}."
        if arrived(filed, trace) or stopped_before_content(trace) or nothing_filed(filed, trace).get == "":
            return warned(says, sections=without)
        return failed(says, conclusive=False, sections=without)
    seen = look(note, mapping, template, filed, trace)
    if isinstance(seen, Result):
        return seen
    ruleless = [p.section for p in seen.sections if p.section in without or p.inherited]
    lost = [name for name in ruleless if _lost(seen.of(name), template)]
    if lost:
        return failed(
            f"The mapping has no rule for {titles(lost)}, and the chart does not hold it in a field of its own.",
            sections=lost,
        )
    if not without:
        return passed("The mapping has a rule for every section of the note.", sections=sorted(note.texts))
    if any((placed := seen.of(name)) is not None and placed.found for name in without):
        return passed("Sections without a rule of their own reached the chart all the same.", sections=without)
    says = f"The mapping has no rule for {titles(without)}; whether it arrived cannot be seen."
    return warned(says, sections=without)


def _lost(placed: Placed | None, template: Template | None) -> bool:
    if placed is None or placed.unsure or placed.hidden:
        return False
    catch_all = template.catch_all if template else None
    return placed.absent or (bool(placed.found) and all(id == catch_all for id in placed.found))


@check(
    id="map.section.misrouted",
    step=Step.MAPPING,
    title="Each section of the note is in the field the mapping names",
    proves=causes.SECTION_MISROUTED,
    checklist=("MAP.1",),
)
def each_section_in_its_field(
    note: NoteSections, mapping: SectionMapping, template: Template | None, filed: Filed | None, trace: NoteTrace | None
) -> Result:
    """Text in the wrong field is text that nobody finds, and that others take for something else."""
    seen = look(note, mapping, template, filed, trace)
    if isinstance(seen, Result):
        return seen
    collapsed = {name for names, _field in collapses(seen, mapping, template) for name in names}
    strays = [p for p in seen.sections if p.section not in collapsed and _misrouted(p, mapping, template)]
    if not strays:
        return passed("No section is in another field than the mapping names.")
    says = "; ".join(f"{title(p.section)} is in {p.astray[0]} instead of {p.targets[0]}" for p in strays)
    return failed(f"Filed in the wrong field: {says}.", sections={p.section: list(p.astray) for p in strays})


def _misrouted(placed: Placed, mapping: SectionMapping, template: Template | None) -> bool:
    """Tell whether a section is in a field meant for something else, though its own field exists."""
    if not placed.targets or placed.inherited or placed.gone == placed.targets:
        return False
    return any(not _is_leftover(id, mapping, template) and not _takes(id, placed, template) for id in placed.astray)


def _is_leftover(id: str, mapping: SectionMapping, template: Template | None) -> bool:
    """Tell whether a field is the template's catch-all and no rule sends anything there on purpose."""
    return template is not None and id == template.catch_all and all(rule.field != id for rule in mapping.rules)


def _takes(id: str, placed: Placed, template: Template | None) -> bool:
    """Tell whether a field is by its label made for the section: alone, where the mapped field is by its label made
    for something else, or as assessment and plan together."""
    labels = {f.id: section_of_field(f.label, f.id) for f in template.fields} if template else {}
    if labels.get(id) == "assessment_plan":
        return related(placed.section, "assessment_plan")
    return labels.get(id) == placed.section and all(labels.get(t) != placed.section for t in placed.targets)


@check(
    id="map.section.collapsed",
    step=Step.MAPPING,
    title="The parts of the history are in fields of their own",
    proves=causes.SECTION_COLLAPSED,
    checklist=("MAP.1",),
)
def history_not_collapsed(
    note: NoteSections, mapping: SectionMapping, template: Template | None, filed: Filed | None, trace: NoteTrace | None
) -> Result:
    """An empty review of systems beside a history that holds everything cannot be found, and cannot be billed."""
    seen = look(note, mapping, template, filed, trace)
    if isinstance(seen, Result):
        return seen
    found = collapses(seen, mapping, template)
    if not found:
        return passed("No field swallowed sections that have fields of their own.")
    names, field = found[0]
    return failed(
        f"{titles(names).capitalize()} are all in {field}, and fields of their own stayed empty.",
        field=field,
        sections=list(names),
    )


def collapses(seen: Placement, mapping: SectionMapping, template: Template | None) -> list[tuple[tuple[str, ...], str]]:
    """Return each field that holds several parts of the history although at least one has an empty field of its own.

    A single block labelled "Subjective" is meant to hold them all.
    """
    found = []
    labels = {f.id: section_of_field(f.label, f.id) for f in template.fields} if template else {}
    for id in seen.stored.fields:
        meant = labels.get(id)
        if meant == "subjective" or _is_leftover(id, mapping, template):
            continue
        family = tuple(p.section for p in seen.sections if p.section in _FAMILY and id in p.found)
        displaced = [name for name in family if name != meant and _own_field_is_empty(name, id, seen, labels)]
        home = [name for name in family if name not in displaced]
        if len(family) >= 2 and displaced and home:
            found.append((family, id))
    return found


def _own_field_is_empty(name: str, here: str, seen: Placement, labels: dict[str, str | None]) -> bool:
    placed = seen.of(name)
    own = [id for id in (placed.targets if placed else ()) if id != here]
    own += [id for id, meant in labels.items() if meant == name and id != here]
    if labels:
        own = [id for id in own if id in labels]
    return bool(own) and all(not seen.stored.fields.get(id, "").strip() for id in own)


@check(
    id="map.section.overwritten",
    step=Step.MAPPING,
    title="No section replaces another in the same field",
    proves=causes.SECTION_OVERWRITTEN,
    checklist=("MAP.1",),
)
def no_section_overwritten(
    note: NoteSections, mapping: SectionMapping, template: Template | None, filed: Filed | None, trace: NoteTrace | None
) -> Result:
    """Two rules that replace the same field leave only what was written last."""
    if not any(rule.mode == "replace" for rule in mapping.rules):
        return passed("Every mapping rule appends.")
    seen = look(note, mapping, template, filed, trace)
    if isinstance(seen, Result):
        return seen
    lost = overwritten(seen, mapping)
    if not lost:
        return passed("No field lost a section to another one.")
    says = "; ".join(f"{title(name)} was replaced in {field}" for name, field in lost.items())
    return failed(f"Overwritten: {says}.", strength=Strength.DECISIVE, sections=lost)
