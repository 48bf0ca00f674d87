"""Ids join: the strongest first, and an id that was used again does not join the wrong note."""

import pytest

from diagnostics.tracing.compact import CODE, PENDING, What, compact
from diagnostics.vocabulary import FailureMode, Stage
from tests.diagnostics.correlating.telling import BARE, NO_IDS, row, seen, sent, told

DAY = 86400


def test_a_whole_story_is_delivered_for_sure() -> None:
    story = told(sent("a"), seen("a", ahead=0.8), alone=True)["a"]
    assert (story.mode, story.keys, story.confidence) == (FailureMode.DELIVERED, ("transaction_id",), 1.0)
    assert story.offset_s == pytest.approx(0.75)
    assert story.sent_at < story.filed_at
    assert not story.weak


@pytest.mark.parametrize(
    ("said", "keys", "confidence"),
    [
        ({"transaction_id": None}, ("request_id",), 0.95),
        ({"transaction_id": "Bundle/T-a"}, ("transaction_id",), 1.0),
        ({**NO_IDS, "resource": "DocumentReference/9"}, ("transaction_id",), 1.0),
    ],
)
def test_any_id_joins(said, keys, confidence) -> None:
    rows = sent("a")
    rows[-1]["response_headers"] = {"Location": "https://ehr.example/DocumentReference/9/_history/1"}
    story = told(rows, seen("a", **said))["a"]
    assert (story.mode, story.keys, story.confidence) == (FailureMode.DELIVERED, keys, confidence)


def test_rows_of_a_document_whose_ids_were_lost_follow_the_document() -> None:
    ehr = seen("a", 0, "received", "accepted", resource="DocumentReference/9")
    ehr += seen("a", 3, "filed", **BARE, resource="DocumentReference/9")
    story = told(sent("a"), ehr)["a"]
    assert story.mode is FailureMode.DELIVERED


def test_a_counter_that_starts_anew_each_day_joins_each_day_by_itself() -> None:
    scribe = sent("old", -DAY, transaction_id="M1", request_id=None) + sent(
        "new", 0, transaction_id="M1", request_id=None
    )
    ehr = seen("old", -DAY, transaction_id="M1", request_id=None)
    ehr += seen("new", 0, "received", "rejected", transaction_id="M1", request_id=None)
    stories = told(scribe, ehr)
    assert stories["old"].mode is FailureMode.DELIVERED
    assert stories["new"].mode is FailureMode.REJECTED


def test_a_later_use_of_the_id_by_a_note_nobody_knows_is_not_this_notes() -> None:
    ehr = seen("a") + seen("x", DAY, transaction_id="T-a")
    story = told(sent("a"), ehr)["a"]
    assert story.mode is FailureMode.DELIVERED


def test_two_notes_with_one_counter_at_one_time_are_told_apart_by_request() -> None:
    scribe = sent("a", 0, transaction_id="M1") + sent("b", 1, transaction_id="M1")
    ehr = seen("a", 0, transaction_id="M1") + seen("b", 1, "received", "rejected", transaction_id="M1")
    stories = told(scribe, ehr)
    assert stories["a"].mode is FailureMode.DELIVERED
    assert stories["b"].mode is FailureMode.REJECTED


def test_two_notes_in_one_request_are_told_apart_by_encounter_or_not_at_all() -> None:
    scribe = sent("a", 0, request_id="R1") + sent("b", 0, request_id="R1")
    ehr = seen("a", 0, transaction_id=None, request_id="R1") + seen("b", 0, "received", "accepted", request_id="R1")
    stories = told(scribe, ehr)
    assert stories["a"].mode is FailureMode.DELIVERED
    assert stories["b"].mode is not FailureMode.DELIVERED


def test_another_message_in_the_same_request_is_another_notes() -> None:
    ehr = seen("a", 0, "received") + seen("z", 0, "filed", request_id="R-a", transaction_id="T-z")
    story = told(sent("a"), ehr)["a"]
    assert story.mode is not FailureMode.MISPLACED


def test_scribe_rows_without_note_id_join_by_transaction() -> None:
    rows = sent("a", transaction_id="T-a")
    del rows[1]["note_id"], rows[2]["note_id"]
    story = told(rows, seen("a"))["a"]
    assert (story.mode, story.attempts, story.confidence) == (FailureMode.DELIVERED, 1, 1.0)


def test_scribe_rows_without_note_id_join_by_encounter_and_say_so() -> None:
    rows = sent("a")
    del rows[1]["note_id"], rows[2]["note_id"]
    story = told(rows, seen("a"))["a"]
    assert (story.mode, story.attempts) == (FailureMode.DELIVERED, 1)
    assert story.confidence < 0.7


@pytest.mark.parametrize("key", ["encounter_id", "patient_id"])
def test_filed_elsewhere_is_misplaced(key) -> None:
    ehr = seen("a", 0, "received", "accepted") + seen("a", 3, "filed", **{key: "another"})
    story = told(sent("a"), ehr)["a"]
    assert (story.mode, story.broke_at) == (FailureMode.MISPLACED, Stage.FILED)


def test_two_filings_of_one_message_are_a_duplicate() -> None:
    rows = [*sent("a"), *sent("a", 30, request_id="R2")[1:]]
    ehr = seen("a", resource="DocumentReference/1") + seen("a", 30, request_id="R2", resource="DocumentReference/2")
    assert told(rows, ehr)["a"].mode is FailureMode.DUPLICATE


def test_two_filings_that_name_no_document_are_told_apart_by_their_requests() -> None:
    rows = [*sent("a"), *sent("a", 30, request_id="R2")[1:]]
    ehr = seen("a", 0, "received", "filed") + seen("a", 30, "filed", request_id="R2")
    assert told(rows, ehr)["a"].mode is FailureMode.DUPLICATE


@pytest.mark.parametrize(
    ("said", "code", "flags"),
    [
        ({"event": "acked", "status": 202}, What.ACCEPTED, PENDING),
        ({"event": "queued", "status": 202}, What.ACCEPTED, PENDING),
        ({"event": "queued"}, What.QUEUED, 0),
        ({"event": "acked", "ack": "CA"}, What.ACCEPTED, PENDING),
        ({"event": "acked", "ack": "AE"}, What.REJECTED, 0),
        ({"event": "failed", "status": 422}, What.REJECTED, 0),
        ({"event": "acked", "status": 200, "error": '{"success": false}'}, What.REJECTED, 0),
        ({"event": "failed", "error": "connect ECONNREFUSED 10.1.2.3:443"}, What.UNREACHED, 0),
        ({"event": "failed", "error": "Read timed out. (read timeout=30)"}, What.LOST, 0),
        ({"event": "failed", "status": 401, "error": '{"error":"invalid_client"}'}, What.TOKEN_REFUSED, 0),
        ({"event": "token", "status": 200}, What.TOKEN_GRANTED, 0),
        ({"event": "token", "error": "no route"}, What.TOKEN_REFUSED, 0),
        ({"event": "sent", "method": "GET"}, What.READ, 0),
    ],
)
def test_a_scribe_row_is_reduced_to_what_it_says(said, code, flags) -> None:
    what = compact("scribe", {"at": "2026-11-20T12:00:00+00:00", **said}).what
    assert what & CODE == code
    assert what & PENDING == flags


def test_an_ehr_row_names_its_document_only_where_it_has_an_id() -> None:
    assert compact("ehr", row(0, "filed", resource="DocumentReference")).document is None
    assert compact("ehr", row(0, "filed", resource="DOC7")).document == "DOC7"
