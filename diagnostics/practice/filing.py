"""File a note into the chart's template fields: the part of an EHR in which sections get lost or go astray."""

from __future__ import annotations

from typing import Any

from diagnostics.practice.behaviour import Behaviour
from diagnostics.practice.notes import split_sections
from diagnostics.practice.texts import PracticeTexts

# canonical section, plain field id, label
FIELDS = (
    ("chief_complaint", "CC_TXT", "Chief Complaint"),
    ("hpi", "HPI_TXT", "HPI"),
    ("ros", "ROS_TXT", "ROS"),
    ("physical_exam", "EXAM_TXT", "Physical Exam"),
    ("assessment", "ASMT_TXT", "Assessment"),
    ("plan", "PLAN_TXT", "Plan"),
)
SYSTEM_ICD = "http://hl7.org/fhir/sid/icd-10-cm"
SYSTEM_LOINC = "http://loinc.org"


class Template:
    """The tenant's note template and the mapping that feeds it, in the shapes of case folders."""

    def __init__(self, texts: PracticeTexts, *, discrete: bool) -> None:
        self.texts = texts
        self.discrete = discrete
        self.template_id = texts.ident("PROG-14")
        self.version = texts.number("template version", 5, 30, 6)

    def field(self, plain: str) -> str:
        """Give the id of a field by its plain name."""
        return self.texts.ident(plain)

    def snapshot(self, behaviour: Behaviour, changed_at: str) -> dict[str, Any]:
        """Describe the template as the EHR holds it now."""
        changed = behaviour.template != "ok"
        entries: list[dict[str, Any]] = []
        for section, plain, label in FIELDS:
            name = self.field(plain)
            if behaviour.template == "renamed_field" and section == "assessment":
                name = self.field("ASMT_DX_TXT")
            entries.append({"id": name, "label": label, "required": section in ("hpi", "assessment"), "kind": "text"})
        entries.append({"id": self.field("COMMENTS"), "label": "Comments", "required": False, "kind": "text"})
        if behaviour.template == "required_added":
            entries.append({"id": self.field("INTERPRETER"), "label": "Interpreter", "required": True, "kind": "text"})
        if self.discrete:
            entries.append({"id": self.field("DX"), "label": "Diagnoses", "kind": "discrete", "system": SYSTEM_ICD})
            entries.append({"id": self.field("VITALS"), "label": "Vitals", "kind": "discrete", "system": SYSTEM_LOINC})
        return {
            "template_id": self.template_id,
            "version": self.version + (1 if changed else 0),
            "changed_at": changed_at,
            "catch_all": self.field("COMMENTS"),
            "fields": entries,
        }

    def mapping(self, *, without: tuple[str, ...] = (), narrative_only: bool = False) -> dict[str, Any]:
        """Describe the mapping as the integration holds it: made for the template's original version."""
        rules = [{"section": s, "field": self.field(f), "mode": "append"} for s, f, _ in FIELDS if s not in without]
        return {
            "template_id": self.template_id,
            "template_version": self.version,
            "output": ["narrative"] if narrative_only or not self.discrete else ["narrative", "discrete"],
            "rules": rules,
        }

    def file(self, text: str, behaviour: Behaviour, unmapped: tuple[str, ...] = ()) -> dict[str, str]:
        """Put each section where the mapping sends it, or where this tenant's illness does."""
        home = {section: self.field(plain) for section, plain, _ in FIELDS}
        stored: dict[str, str] = {}
        sections = split_sections(text)
        if behaviour.filing == "collapsed":
            lump = "\n".join(t for s, t in sections if s in ("chief_complaint", "hpi", "ros"))
            sections = [("hpi", lump), *((s, t) for s, t in sections if s not in ("chief_complaint", "hpi", "ros"))]
            stored = {home["chief_complaint"]: "", home["ros"]: ""}
        for section, body in sections:
            target = home.get(section, self.field("COMMENTS"))
            if section in unmapped:
                continue
            if section == "plan" and behaviour.filing == "drop_section":
                continue
            if section == "assessment" and behaviour.template == "renamed_field":
                continue  # the mapping still names the old field, which no longer exists
            if behaviour.filing == "misrouted":
                target = {"assessment": home["plan"], "plan": home["assessment"]}.get(section, target)
            if section == "assessment" and behaviour.filing == "catch_all":
                target = self.field("COMMENTS")
            stored[target] = f"{stored[target]}\n{body}" if stored.get(target) else body
        return stored
