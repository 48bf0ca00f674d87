"""Test the note set against the chart: one row a section, its state, and which words both sides have."""

from typing import Any

import pytest

from diagnostics.evidence.side_by_side import Comparison, Row, State, compare
from diagnostics.gather import read_parts
from tests.diagnostics import stories
from tests.diagnostics.checks.charts import (
    ASSESSMENT,
    CHART,
    HPI,
    PLAN,
    ROS,
    a_case,
    chart,
    mapping,
    narrative,
    template,
)


def compared(text: str | None = None, **parts: Any) -> Comparison:
    return compare(read_parts(a_case(text, **({"template": template(), "mapping": mapping()} | parts))))


def row(found: Comparison, section: str | None) -> Row:
    return next(one for one in found.rows if one.section == section)


LUMP = {"HPI_TXT": f"{HPI}\n{ROS}", "ROS_TXT": ""}
REPLACING = {"rules": [{"section": s, "field": "HX", "mode": "replace"} for s in ("hpi", "ros")]}
STATES: list[tuple[str, dict[str, Any], str | None, State, str | None]] = [
    ("in place", {"filed": chart()}, "plan", State.SAME, "PLAN_TXT"),
    ("in capitals", {"filed": chart({"PLAN_TXT": PLAN.upper()})}, "plan", State.SAME, "PLAN_TXT"),
    ("moved", {"filed": chart({"PLAN_TXT": "", "EXAM_TXT": PLAN})}, "plan", State.MOVED, "EXAM_TXT"),
    ("in the catch-all", {"filed": chart({"PLAN_TXT": "", "COMMENTS": PLAN})}, "plan", State.MOVED, "COMMENTS"),
    ("merged", {"filed": chart(LUMP)}, "ros", State.MERGED, "HPI_TXT"),
    ("cut", {"filed": chart({"PLAN_TXT": PLAN[:60]})}, "plan", State.CUT, "PLAN_TXT"),
    ("behind the cut", {"filed": chart({"ASMT_TXT": ASSESSMENT[:50], "PLAN_TXT": ""})}, "plan", State.CUT, None),
    ("lost", {"filed": chart({"PLAN_TXT": ""})}, "plan", State.LOST, None),
    ("reworded", {"filed": chart({"PLAN_TXT": PLAN.replace("Return in six weeks", "Come in May")})}, "plan",
     State.CHANGED, "PLAN_TXT"),
    ("overwritten", {"text": f"HPI:\n{HPI}\n\nROS:\n{ROS}", "mapping": mapping(**REPLACING), "template": None,
                     "filed": {"found": True, "fields": {"HX": ROS}}}, "hpi", State.OVERWRITTEN, "HX"),
    ("added", {"filed": chart({"COMMENTS": "Called back by the nurse."})}, None, State.ADDED, "COMMENTS"),
    ("left out on purpose", {"mapping": mapping(without=("plan",), suppressed=["plan"]),
                             "filed": chart({"PLAN_TXT": ""})}, "plan", State.LOST, None),
    ("one document", {"filed": {"found": True, "fields": {"content": narrative()}}}, "plan", State.SAME, "content"),
    ("no mapping", {"mapping": None, "filed": chart()}, "plan", State.SAME, "PLAN_TXT"),
    ("no mapping, other label", {"mapping": None, "filed": chart({"PLAN_TXT": "", "EXAM_TXT": PLAN})}, "plan",
     State.MOVED, "EXAM_TXT"),
    ("the log's beginnings", {"audit": [stories.ehr(4, "filed", fields={k: v[:64] for k, v in CHART.items()})]},
     "plan", State.SAME, "PLAN_TXT"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "parts", "section", "state", "held_in"), STATES, ids=[one[0] for one in STATES])
def test_states(what: str, parts: dict[str, Any], section: str | None, state: State, held_in: str | None) -> None:
    found = row(compared(**parts), section)
    assert (found.state, found.held_in) == (state, held_in)


def test_both_sides_are_given_whole_and_say_what_they_share() -> None:
    sent = HPI.split(". ")
    found = row(compared(filed=chart({"HPI_TXT": f"{sent[0]}. Nothing else was said."})), "hpi")
    assert "".join(run.text for run in found.sent) == HPI
    assert [(run.text.strip(), run.common) for run in found.filed] == [
        (f"{sent[0]}.", True), ("Nothing else was said.", False),
    ]  # fmt: skip
    assert found.share == 0.54
    assert found.meant == ("HPI_TXT",)


def test_text_before_the_first_heading_is_compared_with_the_whole_chart() -> None:
    text = "Seen together with her sister.\n\n" + narrative()
    kept = chart({"COMMENTS": "Seen together with her sister."})
    assert compared(text, filed=kept).rows[0].state is State.SAME
    assert compared(text, filed=chart()).rows[0].state is State.LOST


def test_what_is_missing_is_named() -> None:
    assert "read-back" in compared().missing[0]
    assert "not there" in compared(filed={"found": False}).missing[0]
    bare = stories.case([], None, the_note=stories.note(), filed=chart())
    assert "payload" in compare(read_parts(bare)).missing[0]


def test_faults_are_counted_and_a_good_chart_has_none() -> None:
    assert compared(filed=chart()).faults == 0
    assert compared(filed=chart({"PLAN_TXT": ""})).faults == 1
    assert compared(filed=chart()).labels["PLAN_TXT"] == "Plan"


def test_no_text_is_shown_by_accident() -> None:
    assert HPI[:20] not in repr(compared(filed=chart()))


def test_what_a_cut_took_is_struck_even_where_the_same_sentence_stands_before_it() -> None:
    again = f"{PLAN} {PLAN} {PLAN}"
    text = narrative().replace(PLAN, again)
    found = row(compared(text, filed=chart({"PLAN_TXT": again[: len(PLAN) + 30]})), "plan")
    assert found.state is State.CUT
    assert [run.common for run in found.sent] == [True, False]
    assert found.sent[0].text.split() == again[: len(PLAN) + 30].split()
    assert found.share is not None and 0.3 < found.share < 0.6
