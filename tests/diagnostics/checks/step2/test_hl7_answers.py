"""The acknowledgement, and the chart against what was sent."""

from typing import Any

import pytest

from diagnostics.vocabulary import Category, Outcome, Strength, WhoActs
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


MLLP = {"method": "MLLP", "url": "mllp://ehr.example.test:2575"}


def twice(first: dict[str, Any] | None, second: dict[str, Any] | None) -> list[stories.Row]:
    """Return the rows of two attempts, a minute apart, with their answers (None: silence until the sender gave up)."""
    rows = [*stories.made()]
    for at, answer in ((2, first), (62, second)):
        rows.append(stories.scribe(at, "sent", **MLLP))
        given = answer or {"event": "failed", "error": "no ack within 30 s"}
        event = given.get("event", "acked" if given.get("ack") in ("AA", "CA") else "failed")
        rows.append(stories.scribe(at + 1, event, **{**MLLP, **{k: v for k, v in given.items() if k != "event"}}))
    return rows


OWN, OTHER = {"ack": "AA", "ack_id": "tx-1"}, {"ack": "AA", "ack_id": "tx-0"}
NO, NOT_OURS = {"ack": "AE", "ack_id": "tx-1"}, {"ack": "AE", "ack_id": "tx-0"}
EARLIER = [stories.ehr(3, "received")]
SEVERAL: list[tuple[str, str, Any, Outcome]] = [
    ("a late answer, then our own", "mismatch", hl7_case(message(), twice(OTHER, OWN)), WARNING),
    ("our own, then another's", "mismatch", hl7_case(message(), twice(NO, OTHER)), FAILED),
    ("accepted, then silence", "missing", hl7_case(message(), twice(OWN, None)), WARNING),
    ("refused, then silence", "missing", hl7_case(message(), twice(NO, None)), FAILED),
    ("refused, then accepted", "negative", hl7_case(message(), twice(NO, OWN)), PASSED),
    ("a refusal of another message", "negative", hl7_case(message(), sent_and(event="failed", **NOT_OURS)), UNKNOWN),
    ("engine only, then the EHR's own", "commit_only",
     hl7_case(message(), twice({"ack": "CA", "ack_id": "tx-1"}, OWN)), PASSED),
    ("MSH-10 answered, another id logged", "mismatch",
     hl7_case(message(), sent_and(ack="AA", ack_id="MSG-1")), PASSED),
    ("errors only are answered", "missing", hl7_case(message(MSH=f"{MSH}|||ER|NE"), TIMEOUT), NA),
    ("original mode", "missing", hl7_case(message(MSH=f"{MSH}|||"), TIMEOUT), FAILED),
    ("commit only by design", "commit_only", hl7_case(message(MSH=f"{MSH}|||AL|NE"), COMMIT), NA),
    ("commit only by design, and nothing filed", "commit_only",
     hl7_case(message(MSH=f"{MSH}|||AL|NE"), COMMIT, ehr_rows=EARLIER), FAILED),
]  # fmt: skip


@pytest.mark.parametrize(("what", "check", "case", "status"), SEVERAL, ids=[f"{row[1]}-{row[0]}" for row in SEVERAL])
def test_the_last_answer_to_this_message_decides(what: str, check: str, case: Any, status: Outcome) -> None:
    found = judged(f"hl7.ack.{check}", case)
    assert found.status is status, found.says


@pytest.mark.parametrize(("seen_at", "told"), [((3, 63), True), ((3,), False)])
def test_the_ehrs_row_of_an_earlier_attempt_says_nothing_of_the_last(seen_at: tuple[int, ...], told: bool) -> None:
    rows = [stories.ehr(at, "received") for at in seen_at]
    found = judged("hl7.ack.missing", hl7_case(message(), twice(NO, None), ehr_rows=rows))
    assert ("The EHR's log shows" in found.says) is told


@pytest.mark.parametrize(
    ("due", "seen", "strength"), [("AL", True, M), ("AL", False, M), ("NE", True, M), ("", False, M)]
)
def test_how_surely_the_ehr_never_confirmed(due: str, seen: bool, strength: Strength) -> None:
    case = hl7_case(message(MSH=f"{MSH}|||AL|{due}"), COMMIT, ehr_rows=EARLIER if seen else None)
    assert judged("hl7.ack.commit_only", case).strength is strength


@pytest.mark.parametrize(("sender", "spoke"), [("EHR", False), ("ehr", False), ("GATE", True)])
def test_who_refused_is_told_where_it_was_not_the_ehr(sender: str, spoke: bool) -> None:
    found = judged("hl7.ack.negative", hl7_case(message(), nack("AE", "101", "PID-5", sender)))
    assert ("interface engine" in found.says) is spoke
    assert (found.who_acts is WhoActs.INTEGRATION_ENGINEER) is spoke


def test_a_warning_beside_an_error_does_not_decide() -> None:
    body = "MSH|^~\\&|EHR\rMSA|AE|tx-1\rERR||OBX^1^3|103^x|W\rERR||PID^1^3|204^x|E\r"
    found = judged("hl7.ack.negative", hl7_case(message(), sent_and(ack="AE", ack_id="tx-1", error=body)))
    assert (found.facts["error_code"], found.category) == ("204", E.FIELD_MAPPING)


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
