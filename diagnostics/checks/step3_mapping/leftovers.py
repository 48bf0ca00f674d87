"""Judge what the template did with text it could not place: the catch-all field, or nothing at all."""

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, unknown
from diagnostics.checks.step3_mapping.looking import look, titles
from diagnostics.evidence.case_parts import Filed, SectionMapping, Template
from diagnostics.evidence.logs import NoteTrace
from diagnostics.evidence.note_text import NoteSections
from diagnostics.evidence.placement import overwritten
from diagnostics.findings import Result
from diagnostics.parsing.note_specialties import RESTRICTED
from diagnostics.vocabulary import Step, Strength


@check(
    id="tmpl.catchall",
    step=Step.MAPPING,
    title="No section ended in the template's catch-all field",
    proves=causes.CATCHALL,
    strength=Strength.STRONG,
    checklist=("MAP.3",),
)
def nothing_in_catch_all(
    template: Template,
    note: NoteSections,
    mapping: SectionMapping,
    filed: Filed | None,
    trace: NoteTrace | None,
) -> Result:
    """Templates put what they cannot place into a comments field, where clinicians do not look for it."""
    if template.catch_all is None:
        return not_applicable("The template has no catch-all field.")
    if any(rule.field == template.catch_all for rule in mapping.rules):
        return passed(f"The mapping uses {template.catch_all} on purpose.")
    seen = look(note, mapping, template, filed, trace)
    if isinstance(seen, Result):
        return seen
    caught = [p.section for p in seen.sections if template.catch_all in p.found and not p.arrived]
    if not caught:
        return passed(f"No section is in {template.catch_all} alone.")
    return failed(f"{titles(caught).capitalize()} landed in the catch-all field {template.catch_all}.", sections=caught)


@check(
    id="tmpl.silent_drop",
    step=Step.MAPPING,
    title="No section vanished after the EHR accepted the note",
    proves=causes.SILENT_DROP,
    strength=Strength.STRONG,
    checklist=("MAP.1",),
)
def nothing_dropped(
    note: NoteSections,
    mapping: SectionMapping,
    template: Template | None,
    filed: Filed | None,
    trace: NoteTrace | None,
) -> Result:
    """The scribe believes that all is well, because the EHR accepted the note and said nothing."""
    seen = look(note, mapping, template, filed, trace)
    if isinstance(seen, Result):
        return seen
    replaced = overwritten(seen, mapping)
    lost = [
        p.section for p in seen.sections if p.absent and p.targets and not p.inherited and p.section not in replaced
    ]
    if lost and all(name in RESTRICTED for name in lost):
        return unknown(
            f"{titles(lost).capitalize()} was sent and is in no field that this account sees.",
            get="whether that section is filed where only some may see it, from clinical informatics",
            sections=lost,
        )
    lost = [name for name in lost if name not in RESTRICTED]
    if not lost:
        return passed("Every section that was sent is somewhere in the chart, or was taken out by a person.")
    last = [p.section for p in seen.sections][-len(lost) :]
    if len(lost) > 1 and lost == last:  # the text may as well have been cut off right there
        says = f"{titles(lost).capitalize()}, the end of the note, were sent and are in no field of the chart."
        return failed(says, strength=Strength.MODERATE, sections=lost)
    return failed(f"{titles(lost).capitalize()} was sent and is in no field of the chart.", sections=lost)
