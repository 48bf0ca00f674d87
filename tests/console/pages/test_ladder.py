"""The two-log ladder: one clock, every attempt in its place, said in a sentence too."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from console.diagnoses.ladder import LEFT, RIGHT, SHOWN_ATTEMPTS, ladder
from diagnostics.evidence.logs import Attempt, EhrRow, NoteTrace, ScribeRow, TokenAttempt

AT = datetime(2026, 11, 22, 16, 58, 12, tzinfo=UTC)


def attempt(seconds: float, outcome: str, status: int | None = None) -> Attempt:
    at = AT + timedelta(seconds=seconds)
    answer = ScribeRow(at=at, event="failed", status=status) if status else None
    return Attempt(ScribeRow(at=at, event="sent"), answer, outcome)


def trace(*attempts: Attempt, **fields) -> NoteTrace:
    rows = (ScribeRow(at=AT, event="generated"), *(a.sent for a in attempts))
    return NoteTrace(rows=rows, attempts=attempts, **fields)


def test_without_a_row_there_is_no_ladder() -> None:
    assert ladder(None) is None
    assert ladder(NoteTrace()) is None


@pytest.mark.parametrize(
    ("outcome", "status", "arrives", "answered", "tone", "text"),
    [
        ("accepted", 201, True, True, "ok", "201"),
        ("rejected", 401, True, True, "bad", "401"),
        ("unreached", None, False, False, "bad", "no connection"),
        ("lost", None, True, False, "bad", "no answer"),
        ("pending", None, True, False, "", ""),
    ],
)
def test_each_outcome_is_drawn_as_what_it_was(outcome, status, arrives, answered, tone, text) -> None:
    rung = ladder(trace(attempt(2, outcome, status))).rungs[1]
    assert (rung.arrives, rung.answered, rung.tone, rung.text) == (arrives, answered, tone, text)


def test_the_ehrs_clock_is_corrected_and_that_is_stated() -> None:
    filed = EhrRow(at=AT + timedelta(seconds=48), event="filed")
    drawn = ladder(trace(attempt(2, "accepted", 201), ehr_rows=(filed,), clock_offset_s=45.0, keys=("transaction_id",)))
    assert drawn.note == "clock offset +45.0 s, corrected · matched by transaction id"
    assert [rung.kind for rung in drawn.rungs] == ["dot", "sent", "filed"]
    assert drawn.rows[-1].at == AT + timedelta(seconds=3)


def test_many_attempts_stay_inside_the_picture_and_the_rest_is_counted() -> None:
    drawn = ladder(trace(*(attempt(i + 1, "rejected", 429) for i in range(20))))
    assert sum(rung.kind == "sent" for rung in drawn.rungs) == SHOWN_ATTEMPTS
    assert drawn.hidden_attempts == 20 - SHOWN_ATTEMPTS
    assert all(LEFT <= rung.x <= RIGHT for rung in drawn.rungs)
    assert (
        drawn.sentence == "The AI scribe sent the note 20 times; answers: 429. The EHR's audit trail has no row of it."
    )


def test_a_note_that_never_left_shows_the_refused_token() -> None:
    asked = ScribeRow(at=AT + timedelta(seconds=1), event="token")
    never = replace(trace(), tokens=(TokenAttempt(asked, None, False),))
    assert [rung.text for rung in ladder(never).rungs] == ["generated", "token refused"]
    assert ladder(never).sentence.startswith("The AI scribe never sent the note.")
