"""What a version of a template does to a mapping: tables of two documents and the sentences they give."""

from typing import Any

import pytest

from console.changes.differences import differences
from console.changes.impact import Severity, impact
from console.changes.rules import rule_lines


def field(id: str, label: str = "", **more: Any) -> dict[str, Any]:
    return {"id": id, **({"label": label} if label else {}), **more}


def template(*fields: dict[str, Any], version: int = 7, **more: Any) -> dict[str, Any]:
    return {"template_id": "PROG-14", "version": version, "fields": list(fields), **more}


def mapping(*rules: tuple[str, str], output: tuple[str, ...] = ("narrative",), **more: Any) -> dict[str, Any]:
    told = {"template_id": "PROG-14", "template_version": 8, "output": list(output)}
    return told | {"rules": [{"section": s, "field": f, "mode": "append"} for s, f in rules]} | more


HPI = field("HPI_TXT", "HPI", required=True, max_length=4000, kind="text")
PLAN = field("PLAN_TXT", "Plan")
DX = field("DX", "Diagnoses", kind="discrete", system="http://hl7.org/fhir/sid/icd-10-cm")
RULES = (("hpi", "HPI_TXT"), ("plan", "PLAN_TXT"))

TABLE = [
    # name, in force, proposed, rules, output, worst, what, field, words that must be there
    ("a field renamed under its label names who took over",
     (HPI, PLAN), (field("HPI_NEW", "HPI"), PLAN), RULES, ("narrative",),
     "breaks", "renamed", "HPI_TXT", ("no field HPI_TXT", "HPI_NEW carries its label")),
    ("a field removed breaks its rule",
     (HPI, PLAN), (HPI,), RULES, ("narrative",), "breaks", "missing", "PLAN_TXT", ("writes plan to",)),
    ("two fields with the old label are no clear successor",
     (HPI, PLAN), (field("A", "HPI"), field("B", "HPI"), PLAN), RULES, ("narrative",),
     "breaks", "missing", "HPI_TXT", ("history of present illness",)),
    ("a field made required without a rule makes the EHR refuse notes",
     (HPI, PLAN), (HPI, PLAN, field("ROS_TXT", "ROS", required=True)), RULES, ("narrative",),
     "breaks", "required", "ROS_TXT", ("demands ROS_TXT (ROS)", "no section")),
    ("a shorter field may cut text",
     (HPI, PLAN), ({**HPI, "max_length": 2000}, PLAN), RULES, ("narrative",),
     "risk", "shorter", "HPI_TXT", ("over 2000 characters would be cut", "took 4000")),
    ("a limit where there was none may cut text",
     (HPI, PLAN), (HPI, {**PLAN, "max_length": 500}), RULES, ("narrative",),
     "risk", "shorter", "PLAN_TXT", ("had no limit",)),
    ("a field that becomes discrete takes no narrative",
     (HPI, PLAN), (HPI, {**PLAN, "kind": "discrete"}), RULES, ("narrative",),
     "breaks", "kind", "PLAN_TXT", ("becomes discrete data", "as text only")),
    ("a field that becomes discrete is to be checked where discrete data are sent",
     (HPI, PLAN), (HPI, {**PLAN, "kind": "discrete"}), RULES, ("narrative", "discrete"),
     "risk", "kind", "PLAN_TXT", ("Check what the AI scribe sends",)),
    ("a discrete field that becomes text is to be checked",
     (HPI, DX), (HPI, {**DX, "kind": "text"}), (("hpi", "HPI_TXT"), ("assessment", "DX")), ("narrative", "discrete"),
     "risk", "kind", "DX", ("becomes narrative text",)),
    ("another code system is to be checked",
     (HPI, DX), (HPI, {**DX, "system": "http://snomed.info/sct"}), (("hpi", "HPI_TXT"), ("assessment", "DX")),
     ("discrete",), "risk", "code system", "DX", ("http://snomed.info/sct",)),
    ("a label that names another section misfiles the text",
     (HPI, PLAN), (HPI, {**PLAN, "label": "Family history"}), RULES, ("narrative",),
     "breaks", "relabelled", "PLAN_TXT", ("labelled for family history", "plan would be filed there")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "rules", "output", "worst", "what", "named", "words"),
    [row[1:] for row in TABLE],
    ids=[row[0] for row in TABLE],
)
def test_a_change_has_the_impact_of_the_table(before, after, rules, output, worst, what, named, words) -> None:
    found = impact(template(*before), template(*after, version=8), mapping(*rules, output=output))
    assert found.severity is Severity(worst)
    [trouble] = found.troubles
    assert (trouble.what, trouble.field) == (what, named)
    for word in words:
        assert word in trouble.says


@pytest.mark.parametrize(
    "after",
    [
        (HPI, PLAN),
        (HPI, PLAN, field("NEW", "Something else")),
        ({**HPI, "max_length": 8000}, PLAN),
        ({**HPI, "required": False}, PLAN),
        (HPI, {**PLAN, "label": "Treatment plan"}),
    ],
    ids=["nothing", "an optional field more", "longer", "no longer required", "a synonym as label"],
)
def test_a_change_that_no_rule_meets_has_no_effect(after) -> None:
    found = impact(template(HPI, PLAN), template(*after, version=8), mapping(*RULES))
    assert found.severity is Severity.NONE
    assert found.troubles == ()


def test_the_field_that_becomes_the_catch_all_is_a_risk_and_an_old_catch_all_is_as_today() -> None:
    rules = mapping(("plan", "COMMENTS"))
    before, now = template(field("COMMENTS")), template(field("COMMENTS"), version=8, catch_all="COMMENTS")
    assert impact(before, now, rules).severity is Severity.RISK
    assert impact({**before, "catch_all": "COMMENTS"}, now, rules).severity is Severity.NONE


def test_what_is_broken_today_is_told_and_does_not_count_as_new() -> None:
    required = field("ROS_TXT", "ROS", required=True)
    rules = mapping(("hpi", "HPI_TXT"), ("plan", "NOWHERE"))
    found = impact(template(HPI, required), template(HPI, required, version=8), rules)
    assert found.severity is Severity.NONE
    assert [(t.what, t.already) for t in found.troubles] == [("missing", True), ("required", True)]


def test_without_a_version_in_force_nothing_is_called_as_it_is_today() -> None:
    found = impact(None, template(HPI, version=8), mapping(*RULES))
    assert found.severity is Severity.BREAKS
    assert not any(trouble.already for trouble in found.troubles)


def test_rules_written_for_another_version_or_template_are_told() -> None:
    old = impact(template(HPI), template(HPI, version=8), mapping(("hpi", "HPI_TXT"), template_version=6))
    assert [t.severity for t in old.troubles] == [Severity.NOTE]
    other = impact(template(HPI), template(HPI, version=8), mapping(("hpi", "HPI_TXT"), template_id="CONS-2"))
    assert other.severity is Severity.RISK
    assert "written for CONS-2" in other.troubles[0].says


def test_the_worst_comes_first_and_broken_rules_are_counted_once() -> None:
    after = (field("HPI_NEW", "HPI"), {**PLAN, "max_length": 10, "kind": "discrete"})
    found = impact(template(HPI, PLAN), template(*after, version=8), mapping(*RULES))
    assert [t.severity for t in found.troubles] == [Severity.BREAKS, Severity.BREAKS, Severity.RISK]
    assert (found.broken_rules, found.rules) == (2, 2)


DIFFERENCES = [
    ((HPI,), (HPI, PLAN), ["added"]),
    ((HPI, PLAN), (HPI,), ["removed"]),
    ((HPI,), (field("H", "HPI", required=True, max_length=4000, kind="text"),), ["renamed"]),
    ((HPI,), (field("H", "HPI", required=True, max_length=40),), ["renamed", "shorter"]),
    ((PLAN,), ({**PLAN, "required": True},), ["now required"]),
    ((HPI,), ({**HPI, "required": False},), ["no longer required"]),
    ((HPI,), ({**HPI, "max_length": 1},), ["shorter"]),
    ((HPI,), ({**HPI, "max_length": None},), ["longer"]),
    ((PLAN,), ({**PLAN, "max_length": 9},), ["shorter"]),
    ((PLAN,), ({**PLAN, "kind": "discrete"},), ["kind"]),
    ((PLAN,), ({**PLAN, "label": "Care plan"},), ["relabelled"]),
    ((DX,), ({**DX, "system": "x"},), ["code system"]),
    ((HPI, PLAN, DX), (HPI, PLAN, DX), []),
]


@pytest.mark.parametrize(("before", "after", "kinds"), DIFFERENCES)
def test_two_versions_differ_as_the_table_says(before, after, kinds) -> None:
    assert [d.kind for d in differences(template(*before), template(*after))] == kinds


def test_another_catch_all_is_a_difference() -> None:
    found = differences(template(HPI), template(HPI, catch_all="COMMENTS"))
    assert [(d.kind, d.says) for d in found] == [("catch-all", "The catch-all field is COMMENTS; it was none.")]


def test_each_rule_shows_how_it_stands() -> None:
    now = template(
        {**HPI, "max_length": 100}, field("PLAN_2", "Plan"), field("COMMENTS"), DX, version=8, catch_all="COMMENTS"
    )
    rules = mapping(
        ("hpi", "HPI_TXT"), ("plan", "PLAN_TXT"), ("results", "COMMENTS"), ("assessment", "DX"), ("ros", "HPI_TXT"),
        template_version=7,
    )  # fmt: skip
    lines = rule_lines(now, rules, template(HPI, PLAN))
    assert [line.state for line in lines] == ["short", "missing", "catch-all", "kind", "short"]
    assert lines[1].candidate == "PLAN_2"
    assert [line.state for line in rule_lines(now, mapping(("hpi", "HPI_TXT")))] == ["ok"]
