"""Judge whether a template change under the mapping was reviewed before it went live."""

import re
from collections.abc import Mapping
from typing import Any

from diagnostics import causes
from diagnostics.check import check, failed, passed, unknown, warned
from diagnostics.checks.step3_mapping.looking import look
from diagnostics.evidence.case_parts import Filed, SectionMapping, Template
from diagnostics.evidence.logs import AuditTrail, EhrRow, NoteTrace
from diagnostics.evidence.note_text import NoteSections
from diagnostics.evidence.placement import section_of_rule
from diagnostics.findings import Result
from diagnostics.vocabulary import Step, Strength

_APPROVED = re.compile(r"\b(?:reviewed|approved|signed off)\b|\breview (?:was )?(?:done|complete|held)\b", re.I)
_NOT = re.compile(r"\b(?:not|without|no|never|un|pending|awaiting)\b[^.;]{0,20}\b(?:review|approv|sign)", re.I)


@check(
    id="tmpl.change.unreviewed",
    step=Step.MAPPING,
    title="Template changes that touch a mapped field were reviewed before they went live",
    proves=causes.CHANGE_UNREVIEWED,
    strength=Strength.MODERATE,
    checklist=("MAP.2",),
)
def changes_were_reviewed(
    audit: AuditTrail,
    mapping: SectionMapping,
    template: Template | None,
    note: NoteSections | None,
    filed: Filed | None,
    trace: NoteTrace | None,
) -> Result:
    """The team that builds templates cannot know which field an interface writes to, unless somebody asks."""
    rows = template_changes(audit, mapping, template, trace)
    if not rows:
        return passed("The EHR's log records no change of this template before the note.")
    fields = {rule.field for rule in mapping.rules}
    touching = [(row, sorted(id for id in fields if _names(row, id))) for row in rows]
    if not any(ids for _row, ids in touching):
        if any(_names_a_field(row, template) for row in rows):
            return passed("No change of the template touches a field that the mapping writes to.")
        return unknown(
            "Which fields the template's change touched is not known.",
            get="which fields the template change touched and whether it was reviewed, from clinical informatics",
        )
    open_ = [(row, ids) for row, ids in touching if ids and not _approved(row)]
    if not open_:
        return passed("Each change of a mapped field was reviewed.")
    touched = sorted({id for _row, ids in open_ for id in ids})
    says = f"The change of {', '.join(touched)}, which the mapping writes to, has no approved review on record"
    facts: dict[str, Any] = {"fields": touched, "at": [row.at for row, _ids in open_]}
    if _went_astray(touched, note, mapping, template, filed, trace):
        return failed(f"{says}, and what belongs there is not there.", **facts)
    return warned(f"{says}.", **facts)


def template_changes(
    audit: AuditTrail, mapping: SectionMapping | None, template: Template | None, trace: NoteTrace | None
) -> list[EhrRow]:
    """Return the recorded changes of this integration's template before the note's last row, in order of time."""
    moments = [row.at for row in trace.rows] + [row.at for row in trace.ehr_rows] if trace is not None else []
    until = max(moments, default=None)
    own = {part.template_id for part in (template, mapping) if part is not None and part.template_id}
    return [
        row
        for row in audit.rows
        if row.event == "change"
        and row.change is not None
        and row.change.get("kind") == "template"
        and (until is None or row.at <= until)
        and not _of_another(row.change, own)
    ]


_TEMPLATE_ID = re.compile(r"\b[A-Z]{2,12}-\d{1,6}\b")


def _of_another(change: Mapping[str, Any], own: set[str]) -> bool:
    """Tell whether a change names a template, and not ours."""
    named = set(_TEMPLATE_ID.findall(str(change.get("what") or "")[:300]))
    return bool(own and named) and not any(id in str(change.get("what")) for id in own)


def _words(row: EhrRow) -> str:
    change = row.change or {}
    return " ".join(str(change.get(key) or "")[:300] for key in ("what", "from", "to"))


def _names(row: EhrRow, id: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(id)}(?![\w-])", _words(row), re.I) is not None


def _names_a_field(row: EhrRow, template: Template | None) -> bool:
    """Tell whether a change says which field it touched, though none of the mapped ones."""
    if template is not None and any(_names(row, field.id) for field in template.fields):
        return True
    return re.search(r"\bfield\b|\blabel\b", _words(row), re.I) is not None


def _approved(row: EhrRow) -> bool:
    """Tell whether a change's own record says that it was reviewed, before or afterwards."""
    change = row.change or {}
    review = str(change.get("review") or "").strip().casefold()
    if review:
        return review in ("approved", "retrospective")
    words = _words(row)
    return _APPROVED.search(words) is not None and _NOT.search(words) is None


def _went_astray(
    fields: list[str],
    note: NoteSections | None,
    mapping: SectionMapping,
    template: Template | None,
    filed: Filed | None,
    trace: NoteTrace | None,
) -> bool:
    if note is None:
        return False
    seen = look(note, mapping, template, filed, trace)
    if isinstance(seen, Result):
        return False
    meant = {section_of_rule(rule.section) for rule in mapping.rules if rule.field in fields}
    return any(p.section in meant and not p.arrived and not p.unsure for p in seen.sections)
