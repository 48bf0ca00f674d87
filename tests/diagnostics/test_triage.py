"""The decision table of two logs (domain.md section 5), a row each."""

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from diagnostics import catalog
from diagnostics.evidence.log_parts import note_trace
from diagnostics.evidence.logs import NoteTrace
from diagnostics.vocabulary import FailureMode, Stage, StageState
from tests.diagnostics.stories import TOKEN_URL, Row, case, ehr, made, note, scribe

SENT = [*made(), scribe(2, "sent")]
GOOD = [*SENT, scribe(3, "acked", status=201)]


def traced(scribe_rows: list[Row] | None, ehr_rows: list[Row] | None, **more: Any) -> NoteTrace:
    catalog.load()
    found = note_trace(case(scribe_rows, ehr_rows, **more))
    assert isinstance(found, NoteTrace)
    return found


REFUSED = "connect ECONNREFUSED 192.0.2.7:443"
WAITED = "Read timed out. (read timeout=30)"

TABLE = [
    ("1 not generated", [scribe(2, "generated", note_id="N-2", transaction_id="tx-2")], [], {},
     FailureMode.NOT_GENERATED),
    ("2 never sent", made(), [], {}, FailureMode.NEVER_SENT),
    ("2 not yet due", made(), [], {"after": 600}, FailureMode.DELAYED),
    ("3 no token", [*made(), scribe(2, "token"), scribe(3, "failed", url=TOKEN_URL, status=400, transaction_id=None)],
     [], {}, FailureMode.NEVER_SENT),
    ("4 refused connection", [*SENT, scribe(3, "failed", error=REFUSED)], [], {}, FailureMode.NEVER_SENT),
    ("5 no answer, EHR log not at hand", [*SENT, scribe(33, "failed", error=WAITED)], None, {}, FailureMode.UNKNOWN),
    ("5 no answer, the EHR never saw it", [*SENT, scribe(33, "failed", error=WAITED)],
     [ehr(2, "received", transaction_id="tx-9", encounter_id="E-9")], {}, FailureMode.NEVER_SENT),
    ("6 no answer, filed all the same", [*SENT, scribe(33, "failed", error=WAITED)],
     [ehr(3, "received"), ehr(40, "filed")], {}, FailureMode.DELIVERED),
    ("7 rejected by status", [*SENT, scribe(3, "failed", status=422)], [], {}, FailureMode.REJECTED),
    ("7 rejected and logged as acked", [*SENT, scribe(3, "acked", status=422)], [], {}, FailureMode.REJECTED),
    ("7 rejected by acknowledgement", [*SENT, scribe(3, "acked", ack="AE")], None, {}, FailureMode.REJECTED),
    ("8 server error", [*SENT, scribe(3, "failed", status=500)], [ehr(2, "received"), ehr(3, "rejected", status=500)],
     {}, FailureMode.REJECTED),
    ("9 gateway timeout, filed", [*SENT, scribe(3, "failed", status=504)], [ehr(2, "received"), ehr(9, "filed")],
     {}, FailureMode.DELIVERED),
    ("10 delivered", GOOD, [ehr(2, "received"), ehr(3, "accepted"), ehr(4, "filed")], {}, FailureMode.DELIVERED),
    ("11 wrong patient", GOOD, [ehr(2, "received"), ehr(4, "filed", patient_id="P-2")], {}, FailureMode.MISPLACED),
    ("12 wrong encounter", GOOD, [ehr(2, "received"), ehr(4, "filed", encounter_id="E-2")], {}, FailureMode.MISPLACED),
    ("12 wrong encounter in the chart", GOOD, None, {"filed": {"found": True, "encounter_id": "Encounter/E-2"}},
     FailureMode.MISPLACED),
    ("15 held for review", [*SENT, scribe(3, "acked", status=202)],
     [ehr(2, "received"), ehr(3, "accepted", status=202)],
     {}, FailureMode.DELAYED),
    ("15 not in the chart", GOOD, [ehr(2, "received"), ehr(3, "accepted")], {"filed": {"found": False}},
     FailureMode.DELAYED),
    ("16 another system answered", GOOD, [ehr(2, "received", transaction_id="tx-9", encounter_id="E-9")], {},
     FailureMode.UNKNOWN),
    ("17 filed twice", [*GOOD, scribe(5, "sent", attempt=2), scribe(6, "acked", status=201)],
     [ehr(2, "received"), ehr(4, "filed", resource="DocumentReference/1"), ehr(6, "received"),
      ehr(7, "filed", resource="DocumentReference/2")], {}, FailureMode.DUPLICATE),
    ("19 scribe log missing", None, [ehr(2, "received"), ehr(4, "filed")], {}, FailureMode.DELIVERED),
    ("20 EHR log missing", GOOD, None, {}, FailureMode.UNKNOWN),
    ("2xx rejected inside", GOOD, [ehr(2, "received"), ehr(4, "rejected")], {}, FailureMode.REJECTED),
    ("2xx with a login page", [*SENT, scribe(3, "acked", status=200, error="<!doctype html><title>Sign in</title>")],
     [], {}, FailureMode.REJECTED),
]  # fmt: skip


@pytest.mark.parametrize(("name", "scribe_rows", "ehr_rows", "more", "mode"), TABLE, ids=[row[0] for row in TABLE])
def test_the_table_gives_the_failure_mode(
    name: str, scribe_rows: Any, ehr_rows: Any, more: Any, mode: FailureMode
) -> None:
    assert traced(scribe_rows, ehr_rows, **more).failure_mode is mode


def test_rows_of_other_notes_do_not_count() -> None:
    other = scribe(2, "sent", note_id="N-2", transaction_id="tx-2", encounter_id="E-2")
    trace = traced(
        [*made(), other, {**other, "event": "acked", "status": 201}], [ehr(3, "filed", transaction_id="tx-2")]
    )
    assert trace.failure_mode is FailureMode.NEVER_SENT
    assert not trace.attempts


def test_references_and_bare_ids_are_the_same() -> None:
    trace = traced(GOOD, [ehr(2, "received"), ehr(4, "filed", patient_id="Patient/P-1", encounter_id="Encounter/E-1")])
    assert trace.failure_mode is FailureMode.DELIVERED


def test_a_row_without_ids_joins_by_encounter_and_time_with_less_confidence() -> None:
    trace = traced(GOOD, [ehr(2, "received", transaction_id=None), ehr(4, "filed", transaction_id=None)])
    assert trace.failure_mode is FailureMode.DELIVERED
    assert trace.keys == ("encounter_id",)
    assert trace.confidence < 0.95


def test_the_clock_offset_is_the_ehr_minus_the_scribe() -> None:
    trace = traced(GOOD, [ehr(47.4, "received"), ehr(47.6, "accepted"), ehr(48, "filed")])
    assert trace.clock_offset_s == pytest.approx(45, abs=0.3)
    assert trace.failure_mode is FailureMode.DELIVERED


def test_a_token_request_between_notes_belongs_to_the_note_that_used_it() -> None:
    rows = [scribe(-600, "token", token_id="abc", expires_in=300), *made(), scribe(2, "sent", token_id="abc"),
            scribe(3, "failed", status=401)]  # fmt: skip
    trace = traced(rows, None)
    assert [t.asked.token_id for t in trace.tokens] == ["abc"]


def test_the_journey_breaks_where_the_note_stopped() -> None:
    trace = traced([*SENT, scribe(3, "failed", status=401)], [])
    states = {stage.stage: stage.state for stage in trace.journey}
    assert states[Stage.SENT] is StageState.OK
    assert states[Stage.ACCEPTED] is StageState.BROKEN
    assert states[Stage.FILED] is StageState.NOT_REACHED


def test_a_lone_note_in_the_log_needs_no_note_in_the_case() -> None:
    found = note_trace(replace(case([*SENT, scribe(3, "failed", status=422)]), note=None))
    assert isinstance(found, NoteTrace)
    assert found.failure_mode is FailureMode.REJECTED


def test_an_addendum_is_no_duplicate() -> None:
    filed = [ehr(2, "received"), ehr(4, "filed", resource="DocumentReference/1", fields={"HPI": "one"}),
             ehr(9, "filed", resource="DocumentReference/2", fields={"HPI": "two"})]  # fmt: skip
    assert traced(GOOD, filed).failure_mode is FailureMode.DELIVERED


def test_the_note_of_a_case_without_transaction_id_is_found_by_its_rows() -> None:
    trace = traced(GOOD, [ehr(2, "received"), ehr(4, "filed")], the_note=note(transaction_id=None, encounter_id=None))
    assert trace.failure_mode is FailureMode.DELIVERED
    assert trace.keys[0] == "transaction_id"


def test_a_row_from_before_the_note_is_of_an_earlier_message_with_the_same_id() -> None:
    earlier = [ehr(-7200, "received", patient_id="P-9"), ehr(-7199, "filed", patient_id="P-9", encounter_id="E-9")]
    trace = traced([*SENT, scribe(3, "failed", status=412)], [*earlier, ehr(2, "received"), ehr(3, "rejected")])
    assert trace.failure_mode is FailureMode.REJECTED
    assert {row.patient_id for row in trace.ehr_rows} == {"P-1"}


TEXT = "HPI: The patient reports a sore throat since Thursday.\nPlan: Rest, fluids and a call if the fever persists.\n"
HPI, PLAN = "The patient reports a sore throat since Thursday.", "Rest, fluids and a call if the fever persists."
NAMELESS = {"transaction_id": None, "encounter_id": None, "patient_id": None}


def hashed(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


@pytest.mark.parametrize(
    ("fields", "keys"),
    [
        ({"HPI_TXT": HPI[:64], "PLAN_TXT": PLAN[:64]}, ("content_hash",)),
        ({"HPI_TXT": hashed(HPI)}, ("content_hash",)),
        ({"HPI_TXT": "Knee pain after a fall on the stairs yesterday."}, ()),
        ({"HPI_TXT": hashed("Knee pain after a fall.")}, ()),
        ({"PLAN_TXT": "Rest"}, ()),
        ({"HPI_TXT": HPI[:64], "A": "other text", "B": "and other text"}, ()),
        ({}, ()),
    ],
    ids=["beginnings", "hash", "another text", "another hash", "too short to tell", "mostly another", "no fields"],
)
def test_rows_without_ids_are_known_by_the_text_they_filed(fields: dict[str, str], keys: tuple[str, ...]) -> None:
    rows = [ehr(4, "filed", resource="DocumentReference/7", fields=fields, **NAMELESS)]
    found = traced(GOOD, rows, the_note=note(narrative=TEXT))
    assert found.keys == keys
    assert (found.confidence == 0.9) is bool(keys)


def test_a_note_filed_under_another_patient_is_known_by_its_text() -> None:
    rows = [ehr(4, "filed", fields={"HPI_TXT": hashed(HPI)}, **(NAMELESS | {"patient_id": "P-2"}))]
    found = traced(GOOD, rows, the_note=note(narrative=TEXT))
    assert found.failure_mode is FailureMode.MISPLACED


def test_two_patients_with_the_same_text_are_no_sure_match() -> None:
    rows = [ehr(4, "filed", fields={"H": hashed(HPI)}, **(NAMELESS | {"patient_id": p})) for p in ("P-1", "P-2")]
    found = traced(GOOD, rows, the_note=note(narrative=TEXT))
    assert found.confidence <= 0.5


def test_rows_of_several_documents_that_could_be_the_note_decide_nothing() -> None:
    rows = [ehr(n, "filed", transaction_id=f"X-{n}", resource=f"DocumentReference/{n}") for n in (40, 50)]
    lost = [scribe(2, "sent", transaction_id=None), scribe(32, "failed", transaction_id=None, error=WAITED)]
    found = traced([*made(), *lost], rows, the_note=note(transaction_id=None))
    assert found.failure_mode is FailureMode.UNKNOWN
    assert [row.resource for row in found.candidates] == ["DocumentReference/40", "DocumentReference/50"]
    assert found.ehr_rows == () and found.missing and found.confidence <= 0.5


def test_a_refusal_stands_although_other_documents_could_be_the_note() -> None:
    rows = [ehr(n, "filed", transaction_id=f"X-{n}", resource=f"DocumentReference/{n}") for n in (40, 50)]
    refused = [scribe(2, "sent", transaction_id=None), scribe(3, "failed", transaction_id=None, status=422)]
    assert traced([*made(), *refused], rows, the_note=note(transaction_id=None)).failure_mode is FailureMode.REJECTED


def test_a_document_the_scribe_knows_nothing_of_is_said_to_be_one() -> None:
    found = traced(
        [scribe(0, "generated", note_id="N-2", transaction_id="tx-2", encounter_id="E-2")], [ehr(4, "filed")]
    )
    assert found.failure_mode is FailureMode.DELIVERED
    assert "knows no such note" in found.says


def test_a_lost_sending_before_an_answered_one_does_not_move_the_clocks() -> None:
    first = [scribe(2, "sent"), scribe(32, "failed", error=WAITED)]
    second = [scribe(302, "sent", attempt=2), scribe(303, "acked", status=201, attempt=2)]
    found = traced([*made(), *first, *second], [ehr(302, "received"), ehr(303, "accepted"), ehr(303, "filed")])
    assert found.clock_offset_s is not None and abs(found.clock_offset_s) < 1


LOST = [*SENT, scribe(33, "failed", error=WAITED)]


@pytest.mark.parametrize(
    ("audit", "mode"),
    [
        ([ehr(3, "received", transaction_id="tx-9", encounter_id="E-9")], FailureMode.NEVER_SENT),
        ([ehr(-1500, "received", transaction_id="tx-9", encounter_id="E-9")], FailureMode.UNKNOWN),
        ([ehr(1500, "received", transaction_id="tx-9", encounter_id="E-9")], FailureMode.UNKNOWN),
        ([ehr(3, "filed", transaction_id=None, encounter_id=None, patient_id=None)], FailureMode.UNKNOWN),
    ],
    ids=["others arrived then", "the log ends before", "the log begins after", "a row without any id"],
)
def test_a_note_is_said_to_have_never_arrived_only_where_the_log_was_written_then(audit, mode: FailureMode) -> None:
    found = traced(LOST, audit)
    assert found.failure_mode is mode
    assert found.missing


@pytest.mark.parametrize(
    ("body", "mode"),
    [
        ('{"status": "139", "message": "ENCOUNTER_IS_LOCKED"}', FailureMode.REJECTED),
        ('{"status": 2025}', FailureMode.REJECTED),
        ('{"success": false, "errormessage": "no department"}', FailureMode.REJECTED),
        ('{"status": "1", "message": "SUCCESS"}', FailureMode.UNKNOWN),
        ('{"status": 201}', FailureMode.UNKNOWN),
        ('{"id": "404"}', FailureMode.UNKNOWN),
    ],
)
def test_a_good_status_with_a_bad_word_in_its_body_is_a_refusal(body: str, mode: FailureMode) -> None:
    assert traced([*SENT, scribe(3, "acked", status=200, error=body)], None).failure_mode is mode


def test_one_arrival_for_two_answered_sendings_is_of_the_nearer_one() -> None:
    first = [scribe(2, "sent"), scribe(3, "failed", status=503)]
    second = [scribe(62, "sent", attempt=2), scribe(63, "acked", status=201, attempt=2)]
    found = traced([*made(), *first, *second], [ehr(62.5, "received")])
    assert found.clock_offset_s is not None and abs(found.clock_offset_s) < 1


def test_the_clocks_are_estimated_from_the_notes_that_were_sent_once() -> None:
    once = [
        row
        for n in range(5)
        for row in (
            scribe(100 + n, "sent", note_id=f"N-{n + 2}", transaction_id=f"tx-{n + 2}"),
            scribe(100.4 + n, "acked", note_id=f"N-{n + 2}", transaction_id=f"tx-{n + 2}", status=201),
        )
    ]
    seen = [ehr(400.2 + n, "received", transaction_id=f"tx-{n + 2}") for n in range(5)]
    twice = [scribe(2, "sent"), scribe(3, "failed", status=503), scribe(302, "sent"), scribe(303, "acked", status=201)]
    found = traced([*made(), *twice, *once], [*seen, ehr(602.5, "received")])
    assert found.clock_offset_s == 300
