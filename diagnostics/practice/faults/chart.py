"""Faults of field mapping and templates: the note arrives, but not where and as it should."""

from __future__ import annotations

from typing import Any

from diagnostics.practice.fault import Fault


def _fault(
    name: str,
    cause: str,
    symptom: str,
    *,
    mode: str = "partial",
    certainty: str = "proven",
    needs: tuple[str, ...] = ("payload", "filed", "mapping", "template"),
    ehr: dict[str, Any] | None = None,
    scribe: dict[str, Any] | None = None,
    story: dict[str, Any] | None = None,
) -> Fault:
    category = "template_conflict" if cause.startswith("tmpl.") else "field_mapping"
    return Fault(name, symptom, cause, category, mode, certainty, needs, "fhir", ehr or {}, scribe or {}, story or {})


_TEMPLATE_CHANGE = {"kind": "template", "what": "{template}", "from": "{old_version}", "to": "{new_version}"}

CHART_FAULTS = (
    _fault(
        "map-section-unmapped",
        "map.section.unmapped",
        "The plan is missing from every note.",
        story={"unmapped": ("plan",)},
    ),
    _fault(
        "map-section-misrouted",
        "map.section.misrouted",
        "The plan stands under Assessment and the assessment under Plan.",
        mode="misplaced",
        ehr={"filing": "misrouted"},
    ),
    _fault(
        "map-section-collapsed",
        "map.section.collapsed",
        "Complaint, history and review of systems all stand in one field; billing has noticed.",
        mode="misplaced",
        ehr={"filing": "collapsed"},
    ),
    _fault(
        "map-vitals-in-text",
        "map.discrete.vitals_narrative",
        "The vital signs are in the note's text but not in the flowsheet.",
        certainty="likely",
        scribe={"send_vitals": False},
    ),
    _fault(
        "map-codes-in-text",
        "map.discrete.icd_in_text",
        "The diagnosis codes are in the note's text but not on the problem list.",
        certainty="likely",
        scribe={"send_diagnoses": False},
    ),
    _fault(
        "map-narrative-only",
        "map.output.narrative_only",
        "Since the scribe was set up anew neither vital signs nor diagnoses arrive as data.",
        scribe={"send_vitals": False, "send_diagnoses": False},
        story={"narrative_only": True},
    ),
    _fault(
        "map-patient-mismatch",
        "map.patient.mismatch",
        "A note stands in another patient's chart.",
        mode="misplaced",
        needs=("payload", "filed"),
        ehr={"filing": "other_patient"},
    ),
    _fault(
        "map-encounter-mismatch",
        "map.encounter.mismatch",
        "A note stands under the patient's other visit of the same day.",
        mode="misplaced",
        needs=("payload", "filed", "encounter"),
        ehr={"filing": "other_encounter"},
        story={"second_encounter": True},
    ),
    _fault(
        "tmpl-field-renamed",
        "tmpl.field.unknown",
        "The assessment is missing from every note since the template was revised.",
        ehr={"template": "renamed_field"},
        story={"change": _TEMPLATE_CHANGE},
    ),
    _fault(
        "tmpl-required-added",
        "tmpl.required.added",
        "Every note is refused with 422 since the template was revised.",
        mode="rejected",
        ehr={"template": "required_added"},
        story={"change": _TEMPLATE_CHANGE},
    ),
    _fault(
        "tmpl-catch-all",
        "tmpl.catchall",
        "The assessment turns up under Comments.",
        mode="misplaced",
        certainty="likely",
        ehr={"filing": "catch_all"},
    ),
    _fault(
        "tmpl-silent-drop",
        "tmpl.silent_drop",
        "The plan is missing from the chart though it was sent, mapped and accepted.",
        certainty="likely",
        ehr={"filing": "drop_section"},
    ),
)
