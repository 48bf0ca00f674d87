"""Judge whether the EHR's template still is the one the mapping was written for, and what it did to the note."""

import re
from typing import Any

from diagnostics import causes
from diagnostics.check import check, failed, passed, unknown, warned
from diagnostics.checks.refusal import refusal_of
from diagnostics.checks.step3_mapping.looking import arrived, look, stopped_before_content, titles
from diagnostics.checks.step3_mapping.template_review import template_changes
from diagnostics.evidence.case_parts import Baseline, Clock, Filed, SectionMapping, Template
from diagnostics.evidence.logs import AuditTrail, NoteTrace
from diagnostics.evidence.note_text import NoteSections
from diagnostics.evidence.placement import section_of_rule, stored_of, targets_of
from diagnostics.findings import Result
from diagnostics.parsing.note_headings import related, section_of_field, title
from diagnostics.vocabulary import FailureMode, Step

# an element of the resource other than the ones that carry the note's sections
_FHIR_PATH = re.compile(r"^[A-Z][A-Za-z]+\.(?!content\b|section\b|text\b)[a-z]")


@check(
    id="tmpl.field.unknown",
    step=Step.MAPPING,
    title="Every field the mapping writes to exists in the template",
    proves=causes.FIELD_UNKNOWN,
    checklist=("MAP.2",),
)
def mapped_fields_exist(
    template: Template,
    mapping: SectionMapping,
    note: NoteSections | None,
    filed: Filed | None,
    trace: NoteTrace | None,
) -> Result:
    """A renamed field keeps its label on screen, but what is sent to its old id goes nowhere."""
    if not template.fields:
        return unknown("The template's fields are not listed.", get=Template.how_to_get)
    known = {field.id for field in template.fields} | {template.catch_all}
    gone = sorted({rule.field for rule in mapping.rules if rule.field not in known})
    if not gone:
        return passed("Every mapped field exists in the template.", version=template.version)
    facts: dict[str, Any] = {
        "fields": gone,
        "template_version": template.version,
        "mapping_version": mapping.template_version,
    }
    says = f"The template has no field {', '.join(gone)}, which the mapping writes to."
    sent = None
    if note is not None and note.texts:
        sent = [name for name in note.texts if set(targets_of(name, mapping, template)[0]) & set(gone)]
        if not sent:
            return warned(f"{says} This note has no section for it.", **facts)
    if note is not None and sent and stored_of(filed, trace) is not None:
        seen = look(note, mapping, template, filed, trace)
        if isinstance(seen, Result):
            return warned(says, **facts)
        lost = [name for name in sent if (placed := seen.of(name)) is not None and not placed.arrived]
        if not lost:
            return passed("The EHR still takes the old field ids: the sections arrived.", **facts)
        if all((placed := seen.of(name)) is not None and placed.unsure and not placed.found for name in lost):
            return warned(f"{says} Whether the text arrived cannot be seen.", **facts)
        return failed(f"{says} {titles(lost).capitalize()} did not arrive there.", sections=lost, **facts)
    if stopped_before_content(trace):
        return warned(f"{says} The note stopped before that mattered.", **facts)
    if trace is not None and trace.failure_mode is FailureMode.REJECTED:
        return failed(says, conclusive=False, **facts)
    return failed(says, **facts)


@check(
    id="tmpl.version.changed",
    step=Step.MAPPING,
    title="The template is the version the mapping was written for",
    proves=causes.VERSION_CHANGED,
    checklist=("MAP.2",),
)
def template_as_mapped(
    clock: Clock,
    template: Template | None,
    mapping: SectionMapping | None,
    note: NoteSections | None,
    filed: Filed | None,
    trace: NoteTrace | None,
    audit: AuditTrail | None,
    baseline: Baseline | None,
) -> Result:
    """A template change under a mapping is the usual reason why notes that arrived yesterday go astray today."""
    change = _change(template, mapping, trace, audit, baseline)
    if change is None:
        if template is None and audit is None:
            return unknown("Neither the template nor the EHR's changes are known.", get=Template.how_to_get)
        if template is not None and (mapping is None or None in (template.version, mapping.template_version)):
            return unknown("The versions of template and mapping are not both known.", get=SectionMapping.how_to_get)
        return passed("The template has not changed since the mapping was written.")
    facts: dict[str, Any] = {
        "change": change,
        "changed_at": template.changed_at if template else None,
        "now": clock.now,
    }
    if template is not None and mapping is not None and note is not None:
        moved = _moved(template, mapping, note, filed, trace)
        if moved:
            says = "; ".join(f"{id} is now labelled for {title(meant)}" for id, meant in moved.items())
            return failed(f"{change}: {says}.", fields=moved, **facts)
    if _cosmetic(template, baseline):
        return warned(f"{change}, and has the same fields as in the last good run.", **facts)
    if stored_of(filed, trace) is not None or stopped_before_content(trace):
        return warned(f"{change}. What became of each section is judged by itself.", **facts)
    if arrived(filed, trace) and trace is not None and trace.failure_mode is FailureMode.DELIVERED:
        return warned(f"{change}, and the note arrived all the same.", **facts)
    return failed(f"{change}.", conclusive=False, **facts)


def _cosmetic(template: Template | None, baseline: Baseline | None) -> bool:
    """Tell whether the template has the very fields of the last good run, and demands the same ones."""
    held = baseline.facts.get("template") if baseline is not None else None
    if template is None or not template.fields or not isinstance(held, dict) or not held.get("fields"):
        return False
    now = template.baseline_facts()["template"]
    return all(sorted(map(str, held.get(key) or ())) == now[key] for key in ("fields", "required"))


def _change(
    template: Template | None,
    mapping: SectionMapping | None,
    trace: NoteTrace | None,
    audit: AuditTrail | None,
    baseline: Baseline | None,
) -> str | None:
    """Say what changed about the template, or None: the mapping's version, the last good run, then the EHR's log."""
    if template is not None and mapping is not None:
        if template.template_id and mapping.template_id and template.template_id != mapping.template_id:
            return f"The mapping was written for {mapping.template_id}, the EHR uses {template.template_id}"
        if template.version and mapping.template_version and template.version != mapping.template_version:
            return (
                f"The template is at version {template.version}, the mapping was written for "
                + mapping.template_version
            )
    facts = baseline.facts.get("template") if baseline is not None else None
    before = facts.get("version") if isinstance(facts, dict) else None
    if template is not None and template.version and before is not None and str(before) != template.version:
        return f"The template was at version {before} in the last good run and is at {template.version} now"
    if mapping is not None and template is not None and template.version and mapping.template_version:
        return None  # both are known and equal: an older change has been followed
    if audit is not None and template_changes(audit, mapping, template, trace):
        return "The EHR's log records a change of the template before the failure"
    return None


def _moved(
    template: Template, mapping: SectionMapping, note: NoteSections, filed: Filed | None, trace: NoteTrace | None
) -> dict[str, str]:
    """Return mapped fields whose label now names another section that has its own field, where text did go wrong."""
    labels = {f.id: section_of_field(f.label, f.id) for f in template.fields if f.label}
    moved = {}
    for rule in mapping.rules:
        section, meant = section_of_rule(rule.section), labels.get(rule.field)
        if meant is None or related(section, meant) or section not in note.texts:
            continue
        homes = {id for id, other in labels.items() if other == section}
        if homes and not homes & set(targets_of(section, mapping, template)[0]):
            moved[rule.field] = meant
    if not moved:
        return {}
    seen = look(note, mapping, template, filed, trace)
    if isinstance(seen, Result):
        return {}
    held = {id for placed in seen.sections for id in placed.found if labels.get(id) != placed.section}
    return {id: meant for id, meant in moved.items() if id in held}


@check(
    id="tmpl.required.added",
    step=Step.MAPPING,
    title="Every required field of the template has a section that fills it",
    proves=causes.REQUIRED_ADDED,
    checklist=("MAP.2",),
)
def required_fields_supplied(
    template: Template,
    mapping: SectionMapping,
    note: NoteSections | None,
    filed: Filed | None,
    trace: NoteTrace | None,
    baseline: Baseline | None,
) -> Result:
    """A field made required after the mapping was written makes the EHR refuse every note that does not fill it."""
    targets = {rule.field for rule in mapping.rules}
    empty = [f.id for f in template.fields if f.required and f.id not in targets]
    if not empty:
        return passed("Each required field has a mapping rule.")
    facts: dict[str, Any] = {
        "fields": empty,
        "template_version": template.version,
        "mapping_version": mapping.template_version,
    }
    says = f"The template demands {', '.join(empty)}, and no section of the note is mapped to it."
    refusal = refusal_of(trace)
    if set(empty) <= _required_before(baseline):
        return warned(f"{says} That was so in the last good run as well.", **facts)
    if arrived(filed, trace):
        return warned(f"{says} The EHR took the note all the same.", **facts)
    if stopped_before_content(trace) or (refusal is not None and not refusal.of_business):
        return warned(f"{says} The note stopped before that mattered.", **facts)
    if refusal is None:
        return failed(says, conclusive=False, **facts)
    if _speaks_of_something_else(refusal.answer.issue_codes, [p for i in refusal.answer.errors for p in i.expressions]):
        return failed(says, conclusive=False, refusal=refusal.named, **facts)
    if template.version and template.version == mapping.template_version and not refusal.answer.issue_codes:
        return failed(says, conclusive=False, refusal=refusal.named, **facts)
    return failed(f"{says} The EHR refused it with {refusal.named}.", refusal=refusal.named, **facts)


def _required_before(baseline: Baseline | None) -> set[str]:
    """Return the fields that were required in the last good run."""
    held = baseline.facts.get("template") if baseline is not None else None
    return {str(id) for id in held.get("required") or ()} if isinstance(held, dict) else set()


def _speaks_of_something_else(codes: frozenset[str], places: list[str]) -> bool:
    """Tell whether the refusal names another reason: an element of the resource, or a code of another kind."""
    fitting = {"required", "business-rule", "invariant", "incomplete", "processing", "invalid", "value"}
    return any(_FHIR_PATH.match(place) for place in places) or (bool(codes) and not codes & fitting)
