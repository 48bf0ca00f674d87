"""Test text that fell out on the way, headings nobody knows, and changes of a template nobody reviewed."""

from typing import Any

import pytest

from diagnostics.vocabulary import Outcome, Strength
from tests.diagnostics import stories
from tests.diagnostics.checks.charts import CHART, PLAN, a_case, chart, judged, mapping, narrative, template, weight

F, P, W, U, N = Outcome.FAILED, Outcome.PASSED, Outcome.WARNING, Outcome.UNKNOWN, Outcome.NOT_APPLICABLE
FIRST, LAST = (
    "The patient noticed a dull ache in the left knee after gardening two weeks ago. ",
    ("It is worse on stairs and eases with rest and a warm bath."),
)
MIDDLE = "There was a single night of swelling that settled with ice. "
LONG = narrative(HPI=FIRST + MIDDLE + LAST)
SHORTER = {"HPI_TXT": FIRST + LAST}
BY_PROVIDER = [stories.ehr(4, "filed", author_id="prov-7")]


def _lost(text: str, fields: dict[str, str], **more: Any) -> Any:
    parts = {"template": template(), "mapping": mapping(), "filed": chart(fields, **more.pop("of_chart", {}))}
    return judged("map.content.lost", a_case(text, **(parts | more)))


LOST = [
    ("nothing is missing", LONG, {"HPI_TXT": FIRST + MIDDLE + LAST}, P),
    ("a sentence from the middle", LONG, SHORTER, F),
    ("one letter", LONG, {"HPI_TXT": (FIRST + MIDDLE + LAST).replace("swelling", "sweling")}, P),
    ("layout and capitals", LONG, {"HPI_TXT": (FIRST + MIDDLE + LAST).upper().replace(". ", ".\n")}, P),
    ("a signature was added", LONG, {"HPI_TXT": FIRST + MIDDLE + LAST + " Electronically signed by J. Doe."}, P),
    ("it breaks off, which is truncation", LONG, {"HPI_TXT": FIRST + MIDDLE[:20]}, P),
    ("other words stand there, and nobody knows whose", narrative(), {
        "PLAN_TXT": PLAN.replace("Return in six weeks", "Come back in May")}, U),
    ("the whole section, which is another fault", LONG, {"HPI_TXT": ""}, P),
    ("it stands in another field", LONG, SHORTER | {"COMMENTS": MIDDLE}, P),
    ("a macro was replaced", narrative(Plan=f"{PLAN}\n@LASTVISITS@ were seen."), {
        "PLAN_TXT": f"{PLAN}\nTwo visits were seen."}, P),
    ("characters of another language", narrative(Plan=f"{PLAN} Señor Núñez agrees."), {
        "PLAN_TXT": f"{PLAN} Se\u00c3\u00b1or N??ez agrees."}, P),
]  # fmt: skip


@pytest.mark.parametrize(("what", "text", "fields", "status"), LOST, ids=[row[0] for row in LOST])
def test_lost_text(what: str, text: str, fields: dict[str, str], status: Outcome) -> None:
    assert _lost(text, fields).status is status


def test_a_loss_weighs_by_what_is_known_of_the_author() -> None:
    assert weight(_lost(LONG, SHORTER)) is Strength.MODERATE
    same = _lost(LONG, SHORTER, audit=BY_PROVIDER, of_chart={"author_id": "Practitioner/prov-7"})
    assert weight(same) is Strength.STRONG
    other = _lost(LONG, SHORTER, audit=BY_PROVIDER, of_chart={"author_id": "prov-9"})
    assert other.status is W
    assert _lost(LONG, SHORTER, of_chart={"status": "amended"}).status is W


def test_a_chart_of_one_document_is_compared_whole() -> None:
    for text, status in ((LONG, P), (LONG.replace(MIDDLE, ""), F)):
        filed = {"found": True, "fields": {"content": text}}
        case = a_case(LONG, template=template(), mapping=mapping(), filed=filed)
        assert judged("map.content.lost", case).status is status


def test_without_the_chart_nothing_can_be_lost() -> None:
    assert judged("map.content.lost", a_case(LONG, mapping=mapping())).status is U
    audit = [stories.ehr(4, "filed", fields={k: v[:64] for k, v in CHART.items()})]
    assert judged("map.content.lost", a_case(LONG, mapping=mapping(), audit=audit)).status is U
    rows = [*stories.made(), stories.scribe(2, "sent"), stories.scribe(3, "failed", status=422)]
    assert judged("map.content.lost", a_case(LONG, mapping=mapping(), rows=rows)).status is N


REMARK = "The navigator called twice and arranged a ride to the next visit."
UNKNOWN = [
    ("a heading nobody knows", narrative(**{"Navigator Notes": REMARK}), W),
    ("a remark below it", narrative(**{"Navigator Notes": "Ride arranged."}), P),
    ("a heading of psychiatry", narrative(**{"Risk Assessment": REMARK}), P),
    ("a heading of pediatrics", narrative(**{"Birth History": REMARK}), P),
    ("a body system", narrative(**{"Physical Exam": f"Knee sore.\n\nSkin: {REMARK}"}), P),
    ("a list by problem", narrative(Plan=f"Knee Pain: {REMARK}\n\nHigh Pressure: {REMARK}"), P),
    ("a signature line", narrative(**{"Signed By": REMARK}), P),
    ("a sentence with a colon", narrative(Plan=f"{PLAN}\n\nIn short: {REMARK}"), P),
    ("no headings at all", "She was seen today and feels well again after the weekend.", N),
]


@pytest.mark.parametrize(("what", "text", "status"), UNKNOWN, ids=[row[0] for row in UNKNOWN])
def test_unknown_headings(what: str, text: str, status: Outcome) -> None:
    finding = judged("map.section.unrecognized", a_case(text))
    assert finding.status is status
    assert "Navigator" not in finding.says


RENAMED = {"kind": "template", "what": "PROG-14 field PLAN_TXT", "from": "PLAN_TXT", "to": "PLAN_V2"}
GONE = {"PLAN_TXT": "", "COMMENTS": PLAN}
CHANGES = [
    ("a mapped field, and its text is elsewhere", RENAMED, GONE, F),
    ("a mapped field, and all is well", RENAMED, {}, W),
    ("reviewed", RENAMED | {"what": "PROG-14 field PLAN_TXT, impact review approved on Monday"}, GONE, P),
    ("reviewed afterwards, in a key of its own", RENAMED | {"review": "retrospective"}, GONE, P),
    ("a review that still waits", RENAMED | {"what": "field PLAN_TXT, review not approved yet"}, GONE, F),
    ("a field nobody maps", RENAMED | {"what": "PROG-14 field FAX", "from": "FAX", "to": "FAX_2"}, GONE, P),
    ("another template", RENAMED | {"what": "DISC-2 field PLAN_TXT"}, GONE, P),
    ("no field is named", {"kind": "template", "what": "PROG-14", "from": "6", "to": "7"}, GONE, U),
    ("a change of roles", RENAMED | {"kind": "role"}, GONE, P),
]


@pytest.mark.parametrize(("what", "change", "fields", "status"), CHANGES, ids=[row[0] for row in CHANGES])
def test_unreviewed_changes(what: str, change: dict[str, str], fields: dict[str, str], status: Outcome) -> None:
    audit = [stories.ehr(-600, "change", transaction_id=None, encounter_id=None, patient_id=None, change=change)]
    case = a_case(template=template(), mapping=mapping(), filed=chart(fields), audit=audit)
    finding = judged("tmpl.change.unreviewed", case)
    assert finding.status is status
    assert weight(finding) in (None, Strength.MODERATE)


def test_a_change_after_the_note_explains_nothing_and_no_log_leaves_it_open() -> None:
    late = [stories.ehr(900, "change", transaction_id=None, encounter_id=None, patient_id=None, change=RENAMED)]
    case = a_case(template=template(), mapping=mapping(), filed=chart(GONE), audit=late)
    assert judged("tmpl.change.unreviewed", case).status is P
    assert judged("tmpl.change.unreviewed", a_case(mapping=mapping(), filed=chart())).status is U
