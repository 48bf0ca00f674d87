"""What no id joins is placed by encounter, patient and time, says so in its confidence, and never bluffs."""

import pytest

from diagnostics.vocabulary import FailureMode
from tests.diagnostics.correlating.telling import BARE, NO_IDS, crowd, row, seen, sent, told


def test_a_filing_without_ids_belongs_to_the_encounters_only_note() -> None:
    ehr = seen("a", 0, "received", "accepted") + seen("a", 3, "filed", **NO_IDS)
    story = told(sent("a"), ehr)["a"]
    assert (story.mode, story.keys) == (FailureMode.DELIVERED, ("transaction_id", "encounter_id"))
    assert 0.5 <= story.confidence < 0.7
    assert story.weak


def test_of_two_notes_of_an_encounter_the_one_with_a_gap_gets_it() -> None:
    scribe = sent("a", 0, encounter_id="E1") + sent("b", 5, encounter_id="E1")
    ehr = seen("a", 0, encounter_id="E1") + seen("b", 5, "received", "accepted", encounter_id="E1")
    ehr += seen("b", 8, "filed", **NO_IDS, encounter_id="E1", patient_id=None)
    stories = told(scribe, ehr)
    assert (stories["a"].mode, stories["a"].confidence) == (FailureMode.DELIVERED, 1.0)
    assert stories["b"].mode is FailureMode.DELIVERED
    assert stories["b"].confidence < 0.7


def test_a_document_somebody_typed_under_another_client_is_not_the_note() -> None:
    ehr = seen("a", 0, "received", "accepted") + seen("a", 3, "filed", **NO_IDS, client_id="desktop")
    assert told(sent("a"), ehr)["a"].mode is not FailureMode.DELIVERED


def test_where_ids_are_shared_a_row_with_an_id_of_its_own_is_another_notes() -> None:
    ehr = seen("x", 0, encounter_id="E-a", patient_id="P-a")
    story = told(sent("a"), ehr)["a"]
    assert story.mode is not FailureMode.DELIVERED


def test_several_strange_documents_in_the_encounter_decide_nothing() -> None:
    ehr = seen("x", 0, "filed", encounter_id="E-a") + seen("y", 5, "filed", encounter_id="E-a")
    rows = sent("a", transaction_id=None, request_id=None)
    story = told(rows, ehr, alone=True)["a"]
    assert (story.mode, story.ambiguous) == (FailureMode.UNKNOWN, True)


def test_a_refusal_inside_fills_the_gap_where_the_filing_should_stand() -> None:
    ehr = seen("a", 0, "received", "accepted") + seen("a", 3, "rejected", **NO_IDS)
    story = told(sent("a", status=202), ehr)["a"]
    assert story.mode is FailureMode.REJECTED


def test_a_note_refused_for_good_takes_no_other_document() -> None:
    ehr = seen("a", 0, "received", "rejected") + seen("a", 60, "filed", **NO_IDS)
    assert told(sent("a", status=422), ehr)["a"].mode is FailureMode.REJECTED


def test_a_gateways_answer_may_hide_that_the_note_arrived() -> None:
    ehr = seen("a", 0, "received") + seen("a", 3, "filed", **NO_IDS)
    story = told(sent("a", status=504), ehr)["a"]
    assert story.mode is FailureMode.DELIVERED
    assert story.confidence < 0.7


def test_patient_and_author_join_within_a_quarter_of_an_hour() -> None:
    rows = sent("a", encounter_id="")
    near = seen("a", 0, **NO_IDS, encounter_id="E-9", author_id="D-a")
    far = seen("a", 1200, **NO_IDS, encounter_id="E-9", author_id="D-a")
    assert told(rows, near)["a"].keys == ("patient_and_author",)
    assert told(rows, near)["a"].confidence < 0.7
    assert told(rows, far)["a"].keys == ()


def test_rows_without_any_id_fill_the_nearest_gap() -> None:
    scribe = sent("a", 0) + sent("b", 90)
    ehr = seen("a", 0, "received", "accepted") + seen("b", 90, "received", "accepted")
    ehr += seen("b", 91, "filed", **BARE)
    stories = told(scribe, ehr)
    assert (stories["b"].mode, stories["b"].keys) == (FailureMode.DELIVERED, ("transaction_id", "time"))
    assert stories["b"].confidence < 0.7
    assert stories["a"].mode is FailureMode.DELAYED


def test_a_row_without_any_id_near_an_unanswered_sending_leaves_it_open() -> None:
    story = told(sent("a", status=None), seen("a", 0, "received", **BARE))["a"]
    assert story.mode is FailureMode.UNKNOWN


def test_a_lost_note_is_never_sent_only_while_the_ehrs_log_was_written() -> None:
    lost = [*sent("a", status=None), row(32, "failed", note_id="a", transaction_id="T-a", error="Read timed out")]
    assert told(lost, [])["a"].mode is FailureMode.NEVER_SENT
    scribe, ehr = crowd(20, -1200, 120)
    quiet = [entry for entry in ehr if not "2026-11-20T11:45" <= entry["at"] < "2026-11-20T12:15"]
    assert told(scribe + lost, quiet, alone=True)["a"].mode is FailureMode.UNKNOWN


def test_in_a_log_that_loses_ids_a_missing_row_proves_little() -> None:
    held = sent("a", status=202)
    sure = told(held, seen("a", 0, "received", "accepted"))["a"]
    scribe, ehr = losing_ids()
    unsure = told(scribe + held, ehr + seen("a", 0, "received", "accepted"), alone=True)["a"]
    assert (sure.mode, unsure.mode) == (FailureMode.DELAYED, FailureMode.DELAYED)
    assert sure.confidence >= 0.7 > unsure.confidence


def losing_ids(*further: dict[str, object]) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    scribe, ehr = crowd()
    for entry in ehr[::7]:
        for key in ("transaction_id", "request_id", "encounter_id", "patient_id"):
            entry.pop(key, None)
    return scribe, [*ehr, *further]


def test_a_token_fetched_for_a_note_is_no_further_sending_of_it() -> None:
    scribe, ehr = losing_ids()
    asked = row(0.5, "token", note_id="a", transaction_id="T-a", request_id="R-token", method="POST", status=200)
    sure = told([*scribe, asked, *sent("a")], ehr + seen("a"), alone=True)["a"]
    again = [row(0.5, "sent", note_id="a", transaction_id="T-a", request_id="R-first", method="POST")]
    unsure = told([*scribe, *again, *sent("a")], ehr + seen("a"), alone=True)["a"]
    assert (sure.mode, sure.confidence) == (FailureMode.DELIVERED, 1.0)
    assert unsure.confidence < 0.7


def test_rows_that_never_bear_an_id_do_not_make_a_log_lose_them() -> None:
    changes = [row(-500 + n * 30, "change", detail="a setting") for n in range(20)]
    held, arrived = sent("a", status=202), seen("a", 0, "received", "accepted")
    assert told(held, [*arrived, *changes])["a"].confidence >= 0.7


def test_a_filing_that_does_not_say_where_is_doubted_where_filings_do() -> None:
    ehr = seen("a", 0, "received", "accepted", "filed", encounter_id=None, patient_id=None)
    story = told(sent("a"), ehr)["a"]
    assert story.mode is FailureMode.DELIVERED
    assert story.confidence < 0.7


def test_a_document_without_scribe_rows_is_an_orphan() -> None:
    stories = told([], seen("x", 0, resource="DocumentReference/5"))
    orphans = [story for story in stories.values() if story.note is None]
    assert [story.orphan for story in orphans] == ["T-x"]


@pytest.mark.parametrize(("minutes", "mode"), [(10, FailureMode.DELAYED), (40, FailureMode.NEVER_SENT)])
def test_a_young_note_may_still_be_sent(minutes, mode) -> None:
    from datetime import timedelta

    from tests.diagnostics.correlating.telling import NOON

    story = told([sent("a")[0]], [], now=NOON + timedelta(minutes=minutes))["a"]
    assert story.mode is mode
    assert (story.recheck_at is not None) == (minutes == 10)
