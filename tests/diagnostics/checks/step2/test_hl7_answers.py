"""The acknowledgement, and the chart against what was sent."""

from typing import Any

import pytest

from diagnostics.vocabulary import Category, Outcome, Strength
from tests.diagnostics import stories
from tests.diagnostics.checks.charts import judged
from tests.diagnostics.checks.step2.payloads import MSH, fhir_case, hl7_case, message, nack, sent_and

PASSED, FAILED, WARNING, NA, UNKNOWN = (
    Outcome.PASSED, Outcome.FAILED, Outcome.WARNING, Outcome.NOT_APPLICABLE, Outcome.UNKNOWN,
)  # fmt: skip
E, D, S, M = Category, Strength.DECISIVE, Strength.STRONG, Strength.MODERATE
CODES = [
    ("100", "AE", E.ENDPOINT_CONFIGURATION, D),
    ("101", "AE", E.ENDPOINT_CONFIGURATION, D),
    ("203", "AR", E.ENDPOINT_CONFIGURATION, D),
    ("204", "AE", E.FIELD_MAPPING, S),
    ("206", "AE", E.PERMISSIONS, S),
    ("207", "AE", E.EHR_DEFECT, S),
    ("104", "AE", E.ENDPOINT_CONFIGURATION, D),
    ("205", "AR", E.ENDPOINT_CONFIGURATION, S),
    (None, "CR", E.ENDPOINT_CONFIGURATION, S),
]


@pytest.mark.parametrize(("code", "ack", "category", "strength"), CODES)
def test_the_error_code_says_whose_matter_it_is(code: Any, ack: str, category: Category, strength: Strength) -> None:
    found = judged("hl7.ack.negative", hl7_case(None, nack(ack, code)))
    assert (found.status, found.category, found.strength) == (FAILED, category, strength)


TIMEOUT = sent_and(None, "no ack within 30 s", mllp=True)
COMMIT = sent_and(ack="CA", ack_id="tx-1")
FILED = {"found": True, "patient_id": "P-1", "encounter_id": "E-1"}
NE = message(MSH=f"{MSH}|||NE|NE")
TABLE: list[tuple[str, str, Any, Outcome]] = [
    ("AA", "negative", hl7_case(None, sent_and(ack="AA")), PASSED),
    ("none", "negative", hl7_case(None, TIMEOUT), NA),
    ("timeout", "missing", hl7_case(message(), TIMEOUT), FAILED),
    ("a moment ago", "missing", hl7_case(message(), TIMEOUT[:3], after=10), UNKNOWN),
    ("AA", "missing", hl7_case(message(), sent_and(ack="AA")), PASSED),
    ("NACK", "missing", hl7_case(message(), nack("AE", "101")), PASSED),
    ("none due", "missing", hl7_case(NE, TIMEOUT), NA),
    ("refused connection", "missing", hl7_case(None, sent_and(None, "Connection refused", mllp=True)), NA),
    ("filed all the same", "missing", hl7_case(message(), TIMEOUT, filed=FILED), WARNING),
    ("own id", "mismatch", hl7_case(None, sent_and(ack="AA", ack_id="tx-1")), PASSED),
    ("other id", "mismatch", hl7_case(None, sent_and(ack="AA", ack_id="tx-0")), FAILED),
    ("other id, filed", "mismatch", hl7_case(None, sent_and(ack="AA", ack_id="tx-0"), filed=FILED), WARNING),
    ("other id, filed, logged as failed", "mismatch",
     hl7_case(None, sent_and(ack="AA", ack_id="tx-0", event="failed"), filed=FILED), FAILED),
    ("no id", "mismatch", hl7_case(None, sent_and(ack="AA")), NA),
    ("commit only", "commit_only", hl7_case(message(), COMMIT), FAILED),
    ("commit, filed", "commit_only", hl7_case(message(), COMMIT, filed=FILED), PASSED),
    ("commit, just now", "commit_only", hl7_case(message(), COMMIT, after=60), UNKNOWN),
    ("application", "commit_only", hl7_case(message(), sent_and(ack="AA")), PASSED),
]  # fmt: skip


@pytest.mark.parametrize(("what", "check", "case", "status"), TABLE, ids=[f"{row[1]}-{row[0]}" for row in TABLE])
def test_the_acknowledgement_is_judged(what: str, check: str, case: Any, status: Outcome) -> None:
    found = judged(f"hl7.ack.{check}", case)
    assert found.status is status, found.says


def test_a_fhir_integration_is_not_asked_about_acknowledgements() -> None:
    assert judged("hl7.ack.negative", fhir_case(None, sent_and(400, ""))).status is NA


HPI = "Dull ache in the left knee for two weeks, worse on stairs and eased by rest, no locking or giving way by night."
NOTE = f"HPI\n{HPI}\n\nPLAN\nIce after activity and a simple exercise sheet. Return in six weeks if not settled."
CHART: list[tuple[str, str, Outcome, Strength | None]] = [
    ("whole", HPI, PASSED, None),
    ("inside a word", HPI[: HPI.index("stairs") + 3], FAILED, D),
    ("at a round limit", HPI[:100], FAILED, D),
    ("after a word", HPI[: HPI.index(" and")], FAILED, S),
    ("a signature added", f"{HPI}\nSigned by the provider", PASSED, None),
    ("trailing white space", f"{HPI}   \n", PASSED, None),
    ("edited", HPI.replace("left", "right"), PASSED, None),
]


@pytest.mark.parametrize(("what", "stored", "status", "strength"), CHART, ids=[row[0] for row in CHART])
def test_a_text_that_breaks_off_is_found(what: str, stored: str, status: Outcome, strength: Any) -> None:
    case = stories.case(
        sent_and(201), the_note=stories.note(narrative=NOTE), filed=FILED | {"fields": {"HPI_TXT": stored}}
    )
    found = judged("hl7.note.truncated", case)
    assert (found.status, found.strength) == (status, strength), found.says


def test_a_cut_explains_itself_by_the_limit_delimiter_or_line_break_that_made_it() -> None:
    taken = sent_and(ack="AA", ack_id="tx-1")
    cut = HPI[: HPI.index(" and eased")]
    chart = FILED | {"fields": {"HPI_TXT": cut}}
    for check, mark in (("escape", " |"), ("linebreak", "\r")):
        obx = f"OBX|1|TX|1^n^L||{HPI.replace(' and eased', f'{mark} and eased')}||||||F"
        found = judged(f"hl7.{check}", hl7_case(message(OBX=obx), taken, filed=chart, narrative=NOTE))
        assert (found.status, found.strength) == (FAILED, D), found.says
    limited = hl7_case(message(OBX=f"OBX|1|TX|1^n^L||{HPI}||||||F"), taken, filed=chart,
                       hl7={"field_limits": {"OBX-5": len(cut)}})  # fmt: skip
    assert judged("hl7.field.length", limited).strength is D
