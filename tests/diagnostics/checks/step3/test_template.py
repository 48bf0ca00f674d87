"""Test what a template change does: version, moved labels, new required fields."""

import pytest

from diagnostics.vocabulary import Outcome, Strength
from tests.diagnostics import stories
from tests.diagnostics.checks.charts import a_case, chart, judged, mapping, outcome, refused, template

INTERPRETER = ({"id": "INTERPRETER", "label": "Interpreter", "required": True},)


def test_an_older_mapping_is_a_warning_while_the_chart_is_right() -> None:
    case = a_case(template=template(version=8), mapping=mapping(), filed=chart())
    assert judged("tmpl.version.changed", case).status is Outcome.WARNING


def test_equal_versions_pass() -> None:
    case = a_case(template=template(), mapping=mapping(), filed=chart())
    assert judged("tmpl.version.changed", case).status is Outcome.PASSED


def test_an_older_mapping_speaks_strongly_where_the_chart_is_unknown() -> None:
    finding = judged("tmpl.version.changed", a_case(template=template(version=8), mapping=mapping()))
    assert (finding.status, finding.strength) == (Outcome.FAILED, Strength.STRONG)


def test_labels_that_changed_places_prove_the_change() -> None:
    moved = template(version=8)
    labels = {"ASMT_TXT": "Plan", "PLAN_TXT": "Assessment"}
    moved["fields"] = [field | {"label": labels.get(field["id"], field["label"])} for field in moved["fields"]]
    finding = judged("tmpl.version.changed", a_case(template=moved, mapping=mapping(), filed=chart()))
    assert (finding.status, finding.strength) == (Outcome.FAILED, Strength.DECISIVE)


def test_the_last_good_run_shows_a_change_without_a_mapped_version() -> None:
    case = a_case(template=template(), mapping=mapping(template_version=None), filed=chart(),
                  baseline={"template": {"version": "6"}})  # fmt: skip
    assert judged("tmpl.version.changed", case).status is Outcome.WARNING


def test_a_change_in_the_audit_trail_counts_without_a_template() -> None:
    change = stories.ehr(-60, "change", change={"kind": "template", "what": "PROG-14", "from": "6", "to": "7"})
    assert judged("tmpl.version.changed", a_case(audit=[change])).status is Outcome.FAILED


@pytest.mark.parametrize(
    ("rows", "status", "strength"),
    [
        (refused(422, outcome("required", "a section is missing", "DocumentReference.content")), Outcome.FAILED, 10),
        (refused(422, outcome("required", "no type", "DocumentReference.type")), Outcome.FAILED, 6),
        (refused(401), Outcome.WARNING, None),
        (None, Outcome.WARNING, None),
    ],
)
def test_a_new_required_field_is_weighed_by_the_refusal(
    rows: list[stories.Row] | None, status: Outcome, strength: int | None
) -> None:
    parts = {"template": template(version=8, more=INTERPRETER), "mapping": mapping()}
    parts |= {"rows": rows} if rows else {"filed": chart()}
    finding = judged("tmpl.required.added", a_case(**parts))
    assert finding.status is status
    if status is Outcome.FAILED:
        assert finding.strength == strength


def test_required_fields_with_a_rule_pass_and_those_of_the_last_good_run_only_warn() -> None:
    assert judged("tmpl.required.added", a_case(template=template(), mapping=mapping())).status is Outcome.PASSED
    case = a_case(rows=refused(422), template=template(more=INTERPRETER), mapping=mapping(),
                  baseline={"template": {"required": ["INTERPRETER"]}})  # fmt: skip
    assert judged("tmpl.required.added", case).status is Outcome.WARNING


def test_a_change_that_left_the_fields_as_they_were_is_cosmetic() -> None:
    fields = [field["id"] for field in template()["fields"]]
    same = {"template": {"version": "7", "fields": fields, "required": []}}
    for baseline, status in ((same, Outcome.WARNING), ({"template": {"version": "7"}}, Outcome.FAILED)):
        case = a_case(template=template(version=8), mapping=mapping(), baseline=baseline)
        assert judged("tmpl.version.changed", case).status is status


def test_a_change_of_another_template_is_none_of_ours() -> None:
    change = stories.ehr(-60, "change", change={"kind": "template", "what": "DISC-2", "from": "6", "to": "7"})
    case = a_case(audit=[change], mapping=mapping(template_version=None))
    assert judged("tmpl.version.changed", case).status is Outcome.PASSED
