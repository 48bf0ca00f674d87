"""Build notes, templates, mappings and charts for the checks of steps 3 and 5, and judge one check on a case."""

from typing import Any

from diagnostics import catalog
from diagnostics.case import Case
from diagnostics.findings import Finding
from diagnostics.gather import read_parts
from diagnostics.judge import judge
from diagnostics.vocabulary import Outcome, Strength
from tests.diagnostics import stories
from tests.diagnostics.checks.recorded import keep

HPI = (
    "The patient noticed a dull ache in the left knee after gardening two weeks ago. "
    "It is worse on stairs and eases with rest and a warm bath."
)
ROS = "Constitutional: no fever and no weight loss reported. Respiratory: no cough or wheeze at rest."
EXAM = "The left knee shows a small effusion without warmth. Gait is steady and the calf is soft."
ASSESSMENT = "Mechanical knee pain after unaccustomed work, most likely a mild strain."
PLAN = "Ice after activity and a simple exercise sheet were handed over. Return in six weeks if it has not settled."

SECTIONS = {
    "Chief Complaint": "Left knee ache for two weeks.",
    "HPI": HPI,
    "Review of Systems": ROS,
    "Physical Exam": EXAM,
    "Assessment": ASSESSMENT,
    "Plan": PLAN,
}
FIELD = {
    "chief_complaint": "CC_TXT",
    "hpi": "HPI_TXT",
    "ros": "ROS_TXT",
    "physical_exam": "EXAM_TXT",
    "assessment": "ASMT_TXT",
    "plan": "PLAN_TXT",
}
CHART = dict(zip(FIELD.values(), SECTIONS.values(), strict=True))
_LABELS = dict(zip(FIELD.values(), SECTIONS, strict=True))


def narrative(**changed: str | None) -> str:
    """Return the note's text; a section set to None is left out, further ones are added."""
    sections = {**SECTIONS, **{key.replace("_", " "): value for key, value in changed.items()}}
    return "\n\n".join(f"{heading}:\n{text}" for heading, text in sections.items() if text is not None)


def template(*, without: tuple[str, ...] = (), more: tuple[dict[str, Any], ...] = (), **changed: Any) -> dict[str, Any]:
    """Return the EHR's template, version 7, with a catch-all field."""
    fields = [{"id": id, "label": label, "kind": "text"} for id, label in _LABELS.items() if id not in without]
    fields.append({"id": "COMMENTS", "label": "Comments", "kind": "text"})
    held = {"template_id": "PROG-14", "version": 7, "catch_all": "COMMENTS", "fields": [*fields, *more]}
    return held | changed


def mapping(*, without: tuple[str, ...] = (), more: tuple[dict[str, str], ...] = (), **changed: Any) -> dict[str, Any]:
    """Return the mapping written for version 7."""
    rules = [{"section": s, "field": f} for s, f in FIELD.items() if s not in without]
    held = {"template_id": "PROG-14", "template_version": 7, "output": ["narrative"], "rules": [*rules, *more]}
    return held | changed


def chart(
    fields: dict[str, str] | None = None, *, discrete: list[dict[str, str]] | None = None, **more: Any
) -> dict[str, Any]:
    """Return what the chart holds: every section in its field, unless `fields` says otherwise."""
    held: dict[str, Any] = {"found": True, "patient_id": "P-1", "encounter_id": "E-1"}
    held["fields"] = CHART if fields is None else CHART | fields
    if discrete is not None:
        held["discrete"] = discrete
    return held | more


def a_case(text: str | None = None, **more: Any) -> Case:
    """Return a case whose note was made, sent, accepted; parts not given are absent."""
    rows = more.pop("rows", [*stories.made(), stories.scribe(2, "sent"), stories.scribe(3, "acked", status=201)])
    audit = more.pop("audit", None)
    note = more.pop("note", None) or {}
    kept = stories.note(narrative=narrative() if text is None else text, provider_id="prov-7", **note)
    return stories.case(rows, audit, the_note=kept, **more)


def refused(status: int, error: str | None = None, headers: dict[str, str] | None = None) -> list[stories.Row]:
    """Return the scribe's rows of a note that was refused."""
    answer = stories.scribe(3, "failed", status=status, error=error, response_headers=headers)
    return [*stories.made(), stories.scribe(2, "sent"), answer]


def outcome(code: str, text: str = "", expression: str | None = None) -> str:
    """Return an OperationOutcome as the scribe logged it."""
    place = f', "expression": ["{expression}"]' if expression else ""
    issue = f'{{"severity": "error", "code": "{code}", "diagnostics": "{text}"{place}}}'
    return f'{{"resourceType": "OperationOutcome", "issue": [{issue}]}}'


def judged(check: str, case: Case) -> Finding:
    """Return one check's finding on a case, from the parts of the case alone."""
    return keep(judge(case, read_parts(case), [catalog.checks()[check]])[0])


def weight(finding: Finding) -> Strength | None:
    """Return how heavily a failed finding weighs; a warning weighs nothing."""
    return finding.strength if finding.status is Outcome.FAILED else None
