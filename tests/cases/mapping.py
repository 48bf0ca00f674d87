"""Step 3: sections, discrete data, identity and templates, from payload, snapshots and chart."""

import copy
from typing import Any

from tests.cases.building import NARRATIVE, Story, Trial, document, outcome

SECTIONS = {
    "CC": "Sore throat for three days.",
    "HPI": "The patient reports a sore throat since Thursday, worse when swallowing. No cough was noted at home.",
    "PE": "The pharynx is red without exudate and the neck is supple.",
    "ASMT": "Viral pharyngitis without complication.",
    "PLAN": "Rest and fluids, return if the fever persists beyond the weekend.",
}
TEMPLATE = {
    "template_id": "PROG-14",
    "version": 7,
    "changed_at": "2026-05-02T08:00:00+00:00",
    "catch_all": "COMMENTS",
    "fields": [
        {"id": "CC_TXT", "label": "Chief complaint", "kind": "text"},
        {"id": "HPI_TXT", "label": "HPI", "required": True, "max_length": 4000, "kind": "text"},
        {"id": "ROS_TXT", "label": "Review of systems", "kind": "text"},
        {"id": "PE_TXT", "label": "Exam", "kind": "text"},
        {"id": "ASMT_TXT", "label": "Assessment", "kind": "text"},
        {"id": "PLAN_TXT", "label": "Plan", "kind": "text"},
        {"id": "COMMENTS", "label": "Comments", "kind": "text"},
        {"id": "DX", "label": "Diagnoses", "kind": "discrete", "system": "http://hl7.org/fhir/sid/icd-10-cm"},
    ],
}
MAPPING = {
    "template_id": "PROG-14",
    "template_version": 7,
    "output": ["narrative", "discrete"],
    "rules": [
        {"section": "chief_complaint", "field": "CC_TXT"},
        {"section": "hpi", "field": "HPI_TXT", "mode": "append"},
        {"section": "ros", "field": "ROS_TXT"},
        {"section": "physical_exam", "field": "PE_TXT"},
        {"section": "assessment", "field": "ASMT_TXT"},
        {"section": "plan", "field": "PLAN_TXT"},
    ],
}
FIELDS = {f"{key}_TXT": text for key, text in SECTIONS.items()}


def template(**changes: Any) -> dict[str, Any]:
    return copy.deepcopy(TEMPLATE) | changes


def rules(drop: str = "", move: dict[str, str] | None = None, **changes: Any) -> dict[str, Any]:
    """The good mapping, without one section or with sections sent elsewhere."""
    mapping = copy.deepcopy(MAPPING) | changes
    mapping["rules"] = [
        rule | {"field": (move or {}).get(rule["section"], rule["field"])}
        for rule in mapping["rules"]
        if rule["section"] != drop
    ]
    return mapping


def mapped(fields: dict[str, str] | None, text: str = NARRATIVE, **files: Any) -> Story:
    """A delivered note with template, mapping and the chart's fields."""
    story = Story().delivered().payload(document(text)).narrative(text)
    story.file("template", files.get("template", template())).file("mapping", files.get("mapping", rules()))
    chart = {"discrete": files["discrete"]} if "discrete" in files else {}
    return story.chart(**(chart | files.get("chart", {})), **({"fields": fields} if fields is not None else {}))


def sections() -> list[Trial]:
    why = "2.4 map.section rows; row 13/14"
    swapped = FIELDS | {"PLAN_TXT": f"{SECTIONS['ASMT']} {SECTIONS['PLAN']}", "ASMT_TXT": ""}
    crossed = FIELDS | {"PLAN_TXT": SECTIONS["ASMT"], "ASMT_TXT": SECTIONS["PLAN"]}
    long_hpi = (
        "Subjective:\nCC: Sore throat for three days.\nHPI: Worse when swallowing since Thursday night at home.\n"
    )
    long_hpi += "ROS: No fever, no rash, no vomiting were reported.\nSocial History: Smokes ten cigarettes a day.\n"
    long_hpi += "Assessment: Viral pharyngitis without complication.\nPlan: Rest and fluids.\n"
    whole = long_hpi.partition("Assessment:")[0]
    collapsed = {"HPI_TXT": whole, "ROS_TXT": "", "ASMT_TXT": SECTIONS["ASMT"], "PLAN_TXT": "Rest and fluids."}
    social = NARRATIVE + "\nSocial History: Smokes ten cigarettes a day and drinks wine at weekends.\n"
    replaced = rules(move={"ros": "HPI_TXT"})
    for rule in replaced["rules"]:
        rule["mode"] = "replace"
    ros_text = NARRATIVE.replace(
        "Physical Exam:", "ROS: No fever, no rash and no vomiting were reported.\n\nPhysical Exam:"
    )
    last = FIELDS | {"HPI_TXT": "No fever, no rash and no vomiting were reported."}
    return [
        mapped(swapped).expect("assessment_landed_in_plan", "map.section.misrouted", "misplaced", why),
        mapped(crossed).expect("assessment_and_plan_crossed", "map.section.misrouted", "misplaced", why),
        mapped(collapsed, long_hpi).expect("subjective_all_in_hpi", "map.section.collapsed", "misplaced", why),
        mapped(FIELDS, social).expect(
            "social_history_without_rule", "map.section.unmapped", ("partial", "misplaced"), why
        ),
        mapped(FIELDS | {"PE_TXT": ""}, mapping=rules(drop="physical_exam")).expect(
            "exam_without_rule", "map.section.unmapped", ("partial", "misplaced"), why
        ),
        mapped(last, ros_text, mapping=replaced).expect(
            "ros_overwrote_hpi", ("map.section.overwritten", "map.section.misrouted"), ("misplaced", "partial"), why
        ),
    ]


def discrete() -> list[Trial]:
    why = "2.4 map.discrete rows; row 14"
    vitals = NARRATIVE.replace("Physical Exam:", "Vitals: BP 142/88, HR 76, Temp 37.1 C, SpO2 98%.\n\nPhysical Exam:")
    with_vitals = rules()
    with_vitals["rules"].append({"section": "vitals", "field": "PE_TXT", "mode": "append"})
    both = FIELDS | {"PE_TXT": f"BP 142/88, HR 76, Temp 37.1 C, SpO2 98%. {SECTIONS['PE']}"}
    coded = NARRATIVE.replace("Viral pharyngitis without complication.", "Viral pharyngitis (ICD-10: J02.9).")
    asmt = FIELDS | {"ASMT_TXT": "Viral pharyngitis (ICD-10: J02.9)."}
    narrative_only = rules(output=["narrative"])
    narrative_only["rules"].append({"section": "assessment", "field": "DX"})
    return [
        mapped(both, vitals, mapping=with_vitals, discrete=[]).expect(
            "vitals_only_in_text", "map.discrete.vitals_narrative", ("partial", "delivered"), why
        ),
        mapped(asmt, coded, discrete=[]).expect(
            "code_only_in_text", "map.discrete.icd_in_text", ("partial", "delivered"), why
        ),
        mapped(asmt, coded, mapping=narrative_only, discrete=[]).expect(
            "scribe_sends_narrative_only", "map.output.narrative_only", ("partial", "delivered"), "2.4 map.output"
        ),
    ]


def identity() -> list[Trial]:
    why = "2.4 map.patient / map.encounter; rows 11 and 12"
    base = Story().delivered()
    logged = Story().made().token().sent().accepted().ehr_filed(encounter_id="E-777")
    wrong_log = Story().made().token().sent().accepted().ehr_filed(patient_id="P-666")
    v2 = Story(protocol="hl7v2").delivered().payload().chart(patient_id="P-666")
    twice = Story().delivered().chart(encounter_id="E-101")
    period = {"start": "2026-11-22T16:30:00+00:00", "end": "2026-11-22T16:55:00+00:00"}
    twice.file(
        "encounter",
        [
            {"id": "E-100", "status": "finished", "patient_id": "P-100", "period": period},
            {"id": "E-101", "status": "finished", "patient_id": "P-100", "period": period},
        ],
    )
    merged = (
        Story(vendor="epic")
        .made()
        .token()
        .sent()
        .refused(400, outcome("processing", "Patient is merged", coding="4107"))
    )
    linked = (
        Story(vendor="eclinicalworks")
        .made()
        .token()
        .sent()
        .refused(422, outcome("business-rule", "Encounter does not belong to patient", coding="123"))
    )
    both = ("map.patient.mismatch", "map.encounter.mismatch")
    return [
        base.chart(patient_id="P-666").expect("other_patient_in_chart", "map.patient.mismatch", "misplaced", why),
        Story()
        .delivered()
        .chart(encounter_id="E-777")
        .expect("other_encounter_in_chart", "map.encounter.mismatch", "misplaced", why),
        logged.expect("other_encounter_in_ehr_log", "map.encounter.mismatch", "misplaced", why),
        wrong_log.expect("other_patient_in_ehr_log", "map.patient.mismatch", "misplaced", why),
        v2.expect("other_patient_by_hl7", "map.patient.mismatch", "misplaced", why),
        twice.expect("two_visits_that_day", "map.encounter.mismatch", "misplaced", why),
        merged.expect(
            "epic_merged_4107", ("map.patient.mismatch", "fhir.payload.references"), "rejected", "2.4; 3.3 merged 4107"
        ),
        linked.expect("ecw_linkage_123", both, "rejected", "2.4, 3.3 eCW 123"),
    ]


def templates() -> list[Trial]:
    why = "2.4 tmpl rows"
    renamed = template(version=8, changed_at="2026-11-22T06:00:00+00:00")
    renamed["fields"][1]["id"] = "HPI_NARR"
    dropped = FIELDS | {"HPI_NARR": ""}
    dropped.pop("HPI_TXT")
    catch = FIELDS | {"PLAN_TXT": "", "COMMENTS": SECTIONS["PLAN"]}
    moved = template(version=8, changed_at="2026-11-22T06:00:00+00:00")
    moved["fields"][5]["id"] = "PLAN_V2"
    moved_fields = {k: v for k, v in FIELDS.items() if k != "PLAN_TXT"} | {"COMMENTS": SECTIONS["PLAN"]}
    silent = FIELDS | {"PE_TXT": ""}
    gone = {k: v for k, v in FIELDS.items() if k != "PE_TXT"}
    added = template(version=8, changed_at="2026-11-22T06:00:00+00:00")
    added["fields"].append({"id": "MDM_TXT", "label": "Medical decision making", "required": True, "kind": "text"})
    refused = Story().made().token().sent().refused(422, outcome("required", "Section MDM_TXT is required"))
    refused.payload().narrative().file("template", added).file("mapping", rules()).e("17:00:05", "rejected", status=422)
    cosmetic = template(version=8, changed_at="2026-11-22T06:00:00+00:00")
    changed = mapped(FIELDS | {"PE_TXT": ""}, template=cosmetic).change(
        "06:00:00", "upgrade", "template PROG-14", "7", "8"
    )
    return [
        mapped(dropped, template=renamed).expect(
            "hpi_field_renamed", "tmpl.field.unknown", ("partial", "misplaced"), why
        ),
        mapped(moved_fields, template=moved).expect(
            "renamed_and_in_comments", ("tmpl.field.unknown", "tmpl.catchall"), "misplaced", why
        ),
        mapped(catch).expect("plan_in_comments", "tmpl.catchall", "misplaced", why),
        mapped(silent).expect("exam_dropped_silently", "tmpl.silent_drop", "partial", why),
        mapped(gone).expect("exam_absent_silently", "tmpl.silent_drop", "partial", why),
        refused.expect("required_section_added", "tmpl.required.added", "rejected", why),
        changed.expect(
            "version_changed_and_dropped", ("tmpl.silent_drop", "tmpl.version.changed"), "partial", why, sure=False
        ),
    ]


def trials() -> list[Trial]:
    return [*sections(), *discrete(), *identity(), *templates()]
