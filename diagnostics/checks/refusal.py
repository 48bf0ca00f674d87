"""Read how the EHR refused a note: the last refusal of its trace, in the answer's own codes."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from diagnostics.evidence.logs import Attempt, EhrRow, NoteTrace
from diagnostics.identity import same
from diagnostics.parsing.answers import RecordedAnswer, read_answer
from diagnostics.vocabulary import FailureMode

ARRIVED = frozenset({FailureMode.DELIVERED, FailureMode.PARTIAL, FailureMode.MISPLACED, FailureMode.DUPLICATE})
NEVER_THERE = frozenset({FailureMode.NOT_GENERATED, FailureMode.NEVER_SENT})


@dataclass(frozen=True)
class Refusal:
    """Be one refusal: HTTP status or acknowledgement code, the answer as read, and when."""

    status: int | None
    ack: str | None
    answer: RecordedAnswer
    at: datetime
    attempt: Attempt | None = None  # None where only the EHR's log tells of it

    @property
    def forbidden(self) -> bool:
        """Tell whether it was HTTP 403, whoever said so."""
        return self.status == 403

    @property
    def of_business(self) -> bool:
        """Tell whether the EHR itself refused what was asked of it: 400, 409, 412, 422, 423, or a negative ACK."""
        if self.status is None:
            return self.ack in ("AE", "AR", "CE", "CR")
        return self.status in (400, 409, 412, 422, 423)

    @property
    def error_codes(self) -> frozenset[str]:
        """Return the codes of HL7 table 0357 in the acknowledgement; mere warnings count where nothing is graver."""
        errors = self.answer.ack.errors if self.answer.ack else ()
        grave = [error for error in errors if error.grave]
        return frozenset(error.code for error in grave or errors)

    @property
    def named(self) -> str:
        """Return how to call it in a sentence."""
        return f"HTTP {self.status}" if self.status else (self.ack or "a refusal")


def refusal_of(trace: NoteTrace | None) -> Refusal | None:
    """Return the last refusal, or None where the note was taken in the end or nothing was refused."""
    if trace is None or trace.failure_mode in ARRIVED or trace.failure_mode is FailureMode.DELAYED:
        return None
    refused = [attempt for attempt in trace.attempts if attempt.outcome == "rejected"]
    rows = trace.ehr("rejected")
    if refused and (trace.last is refused[-1] or trace.failure_mode is FailureMode.REJECTED):
        return _of_attempt(refused[-1], row_of(trace, refused[-1]))
    return _of_row(rows[-1]) if rows else None


def row_of(trace: NoteTrace, attempt: Attempt) -> EhrRow | None:
    """Return the EHR's row that refused this very attempt, or None: a note may have been refused several times.

    The same request id decides. Else it is a row nearer in time to this attempt than to any other, whose status is
    that of the answer where the EHR logged one.
    """
    rows = trace.ehr("rejected")
    mine = [row for row in rows if row.request_id and same(row.request_id, attempt.sent.request_id)]
    if mine:
        return mine[-1]
    shift = timedelta(seconds=trace.clock_offset_s or 0.0)
    for row in reversed(rows):
        others = [one for one in trace.attempts if one is not attempt and row.request_id
                  and same(row.request_id, one.sent.request_id)]  # fmt: skip
        numbered = isinstance(row.status, int) and attempt.status is not None
        if others or (numbered and row.status != attempt.status):
            continue
        if min(trace.attempts, key=lambda one: abs((row.at - shift - one.at).total_seconds())) is attempt:
            return row
    return None


def _of_attempt(attempt: Attempt, row: EhrRow | None) -> Refusal:
    text = attempt.error or (row.error if row else None)
    ack = attempt.ack or (row.ack if row else None)
    answer = read_answer(text, attempt.status, attempt.headers)
    return Refusal(attempt.status, ack or (answer.ack.code if answer.ack else None), answer, attempt.at, attempt)


def _of_row(row: EhrRow) -> Refusal:
    said = str(row.status or "")
    status = int(said) if said.isdigit() else None
    answer = read_answer(row.error, status)
    return Refusal(status, row.ack or (answer.ack.code if answer.ack else None), answer, row.at)
