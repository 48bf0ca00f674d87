"""Test where sections went: unmapped, misrouted, collapsed, overwritten, caught, dropped."""

import hashlib

import pytest

from diagnostics.evidence.case_parts import Rule, SectionMapping
from diagnostics.evidence.placement import Stored, place
from diagnostics.vocabulary import Outcome, Strength
from tests.diagnostics import stories
from tests.diagnostics.checks.charts import (
    ASSESSMENT,
    CHART,
    EXAM,
    HPI,
    PLAN,
    ROS,
    a_case,
    chart,
    judged,
    mapping,
    narrative,
    template,
)

PLACEMENT = (
    "map.section.unmapped",
    "map.section.misrouted",
    "map.section.collapsed",
    "map.section.overwritten",
    "tmpl.field.unknown",
    "tmpl.catchall",
    "tmpl.silent_drop",
)
SWAPPED = {"ASMT_TXT": PLAN, "PLAN_TXT": ASSESSMENT}
LUMP = {"CC_TXT": "", "ROS_TXT": "", "HPI_TXT": f"Left knee ache for two weeks.\n{HPI}\n{ROS}"}
REPLACING = {
    "rules": [
        {"section": "hpi", "field": "HX", "mode": "replace"},
        {"section": "ros", "field": "HX", "mode": "replace"},
    ]
}
RENAMED = {"without": ("ASMT_TXT",), "more": ({"id": "ASMT_V2", "label": "Assessment"},)}

FAULTS = {
    "a section without a rule is missing": (
        "map.section.unmapped",
        {"mapping": mapping(without=("plan",)), "filed": chart({"PLAN_TXT": ""})},
    ),
    "a section without a rule ended in the catch-all": (
        "map.section.unmapped",
        {"mapping": mapping(without=("plan",)), "filed": chart({"PLAN_TXT": "", "COMMENTS": PLAN})},
    ),
    "assessment and plan are swapped": ("map.section.misrouted", {"filed": chart(SWAPPED)}),
    "the history swallowed its neighbours": ("map.section.collapsed", {"filed": chart(LUMP)}),
    "the second section replaced the first": (
        "map.section.overwritten",
        {
            "text": f"HPI:\n{HPI}\n\nROS:\n{ROS}",
            "mapping": mapping(**REPLACING),
            "filed": {"found": True, "fields": {"HX": ROS}},
            "template": None,
        },
    ),
    "the mapped field is gone": (
        "tmpl.field.unknown",
        {"template": template(version=8, **RENAMED), "filed": chart({"ASMT_TXT": ""})},
    ),
    "the text is in the comments": ("tmpl.catchall", {"filed": chart({"ASMT_TXT": "", "COMMENTS": ASSESSMENT})}),
    "a section is nowhere whose neighbour begins like the next one": (
        "tmpl.silent_drop",
        {"text": narrative(**{"Chief Complaint": HPI.split(". ")[0]}), "filed": chart({"ROS_TXT": ""})},
    ),
    "a section that could have gone with the plan is nowhere": (
        "map.section.unmapped",
        {
            "text": narrative(Instructions="Keep the brace on at night and call us if the skin turns red."),
            "filed": chart(),
        },
    ),
    "the plan is nowhere": ("tmpl.silent_drop", {"filed": chart({"PLAN_TXT": ""})}),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_fails_its_own_check_and_no_other_decisively(name: str) -> None:
    expected, parts = FAULTS[name]
    case = a_case(**({"template": template(), "mapping": mapping()} | parts))  # type: ignore[arg-type]
    found = {id: judged(id, case) for id in PLACEMENT}
    failed = {id for id, f in found.items() if f.status is Outcome.FAILED}
    assert expected in failed
    cause = found[expected].cause
    assert cause is not None
    for other in failed - {expected}:
        rival = found[other].cause
        assert rival is not None
        assert cause.consequence(rival), f"{other} stands beside {expected}"
    assert found[expected].strength in (Strength.DECISIVE, Strength.STRONG)


TRUNCATED = " ".join(CHART["PLAN_TXT"].split()[:9])
HEALTHY = {
    "everything is where it belongs": {"filed": chart()},
    "APSO order": {
        "text": f"Assessment:\n{ASSESSMENT}\nPlan:\n{PLAN}\n" + narrative(Assessment=None, Plan=None),
        "filed": chart(),
    },
    "one assessment and plan field takes both": {
        "mapping": mapping(without=("assessment", "plan"), more=({"section": "assessment_plan", "field": "AP"},)),
        "template": template(without=("ASMT_TXT", "PLAN_TXT"), more=({"id": "AP", "label": "Assessment & Plan"},)),
        "filed": {"found": True, "fields": {**{k: v for k, v in CHART.items() if k not in ("ASMT_TXT", "PLAN_TXT")},
                                            "AP": f"{ASSESSMENT}\n{PLAN}"}},
    },
    "a combined heading feeds either field": {
        "text": narrative(Assessment=None, Plan=None, **{"A/P": f"{ASSESSMENT} {PLAN}"}),
        "filed": chart({"ASMT_TXT": f"{ASSESSMENT} {PLAN}", "PLAN_TXT": ""}),
    },
    "one subjective block by design": {
        "mapping": mapping(
            without=("chief_complaint", "hpi", "ros"), more=({"section": "subjective", "field": "SUBJ"},)
        ),
        "template": template(without=("CC_TXT", "HPI_TXT", "ROS_TXT"), more=({"id": "SUBJ", "label": "Subjective"},)),
        "filed": {"found": True, "fields": {"SUBJ": f"Left knee ache for two weeks.\n{HPI}\n{ROS}", "EXAM_TXT": EXAM,
                                            "ASMT_TXT": ASSESSMENT, "PLAN_TXT": PLAN}},
    },
    "the comments field is mapped on purpose": {
        "mapping": mapping(without=("plan",), more=({"section": "plan", "field": "COMMENTS"},)),
        "filed": chart({"PLAN_TXT": "", "COMMENTS": PLAN}),
    },
    "the EHR keeps the old id as an alias": {"template": template(**RENAMED), "filed": chart()},
    "the provider reworded a section": {
        "filed": chart({"PLAN_TXT": PLAN.replace("Return in six weeks", "Come back in May")})
    },
    "the provider took a section out after filing": {
        "filed": chart({"PLAN_TXT": ""}),
        "audit": [stories.ehr(4, "filed", fields={k: v[:64] for k, v in CHART.items()})],
    },
    "the EHR joined the lines of a list": {
        "text": narrative(Allergies="Penicillin\nLatex\nPeanuts\nBee stings\nIodine"),
        "mapping": mapping(more=({"section": "allergies", "field": "ALLG"},)),
        "template": template(more=({"id": "ALLG", "label": "Allergies"},)),
        "filed": chart({"ALLG": "Penicillin Latex Peanuts Bee stings Iodine"}),
    },
    "two sections say the same": {
        "text": narrative(Assessment="Left knee ache for two weeks."),
        "filed": chart({"ASMT_TXT": "Left knee ache for two weeks."}),
    },
    "the chart keeps one document": {"filed": {"found": True, "fields": {"content": narrative()}}},
    "a section is left out on purpose": {
        "mapping": mapping(without=("plan",), suppressed=["plan"]),
        "filed": chart({"PLAN_TXT": ""}),
    },
    "the text breaks off, which is truncation and no drop": {
        "filed": chart({"ASMT_TXT": ASSESSMENT[:50], "PLAN_TXT": ""}),
    },
    "the audit trail shows the beginnings only": {
        "audit": [stories.ehr(4, "filed", fields={k: v[:64] for k, v in CHART.items()})],
    },
    "the audit trail shows hashes only": {
        "audit": [stories.ehr(4, "filed", fields={k: "sha256:" + hashlib.sha256(v.encode()).hexdigest()
                                                  for k, v in CHART.items()})],
    },
}  # fmt: skip


@pytest.mark.parametrize("name", HEALTHY)
def test_what_is_no_fault_fails_nothing(name: str) -> None:
    parts = dict(HEALTHY[name])
    case = a_case(parts.pop("text", None), **({"template": template(), "mapping": mapping()} | parts))  # type: ignore[arg-type]
    failed = {id: judged(id, case).says for id in PLACEMENT if judged(id, case).status is Outcome.FAILED}
    assert failed == {}


@pytest.mark.parametrize("check", PLACEMENT)
def test_each_placement_check_passes_on_a_good_chart(check: str) -> None:
    case = a_case(template=template(), mapping=mapping(), filed=chart())
    assert judged(check, case).status is Outcome.PASSED


def test_prefixes_of_the_audit_trail_show_swapped_sections() -> None:
    fields = {k: v[:64] for k, v in (CHART | SWAPPED).items()}
    case = a_case(template=template(), mapping=mapping(), audit=[stories.ehr(4, "filed", fields=fields)])
    assert judged("map.section.misrouted", case).status is Outcome.FAILED


def test_a_refused_note_says_nothing_of_its_sections() -> None:
    rows = [*stories.made(), stories.scribe(2, "sent"), stories.scribe(3, "failed", status=422)]
    case = a_case(rows=rows, template=template(), mapping=mapping(without=("plan",)))
    assert judged("map.section.misrouted", case).status is Outcome.NOT_APPLICABLE
    assert judged("map.section.unmapped", case).status is Outcome.WARNING


def test_an_unknown_chart_is_unknown_and_says_how_to_get_it() -> None:
    finding = judged("tmpl.silent_drop", a_case(template=template(), mapping=mapping()))
    assert finding.status is Outcome.UNKNOWN
    assert "read-back" in finding.missing


def test_a_section_that_only_some_may_see_is_not_called_lost() -> None:
    text = narrative(**{"Risk Assessment": "Thoughts of harm were denied and a safety plan was agreed on."})
    rules = mapping(more=({"section": "risk_assessment", "field": "RISK_TXT"},))
    case = a_case(text, mapping=rules, template=template(more=({"id": "RISK_TXT", "label": "Risk"},)), filed=chart())
    assert judged("tmpl.silent_drop", case).status is Outcome.UNKNOWN
    assert judged("map.section.unmapped", case).status is Outcome.PASSED


def test_a_section_that_another_author_took_out_is_not_called_dropped() -> None:
    audit = [stories.ehr(4, "filed", author_id="prov-7")]
    for author, status in (("prov-7", Outcome.FAILED), ("prov-9", Outcome.PASSED)):
        filed = chart({"PLAN_TXT": ""}, author_id=author)
        case = a_case(mapping=mapping(), template=template(), filed=filed, audit=audit)
        assert judged("tmpl.silent_drop", case).status is status


def test_the_share_of_a_section_in_each_field_is_told() -> None:
    texts = {"hpi": HPI, "plan": PLAN}
    rules = SectionMapping(rules=(Rule("hpi", "HPI_TXT"), Rule("plan", "PLAN_TXT")))
    half = HPI.split(". ")[0] + "."
    found = place(texts, rules, None, Stored({"HPI_TXT": HPI, "PLAN_TXT": "", "OTHER": half}, True))
    hpi, plan = found.of("hpi"), found.of("plan")
    assert hpi is not None
    assert plan is not None
    assert hpi.shares == {"HPI_TXT": 1.0, "OTHER": 0.54}
    assert plan.shares == {}
