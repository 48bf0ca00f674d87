"""Judge whether the EHR itself failed, as opposed to a proxy or gateway in front of it (domain.md trap 6)."""

from datetime import timedelta
from typing import Any

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, unknown, warned
from diagnostics.evidence.logs import Attempt, NoteTrace
from diagnostics.findings import Result
from diagnostics.parsing.answers import AnswerKind, Emitter, RecordedAnswer, read_answer
from diagnostics.vocabulary import Step, Strength

# issue codes by which a server says that the fault is its own (OperationOutcome, table 2.2.1)
OWN_FAULT = {"exception", "transient", "timeout", "lock-error", "no-store", "incomplete", "processing"}
GATEWAY_STATUSES = {502, 503, 504}


def answer_of(attempt: Attempt) -> RecordedAnswer:
    """Read what came back to an attempt."""
    return read_answer(attempt.error, attempt.status, attempt.headers)


@check(
    id="ehr.server.error",
    step=Step.MONITORING,
    title="The EHR worked on the request without failing itself",
    proves=causes.SERVER_ERROR,
)
def no_server_error(trace: NoteTrace) -> Result:
    """A fault inside the EHR is the vendor's to mend; nothing on the hospital's side will."""
    inside = _failed_inside(trace)
    if inside is not None:
        return inside
    failures = [a for a in trace.failures if a.status is not None and 500 <= a.status <= 599]
    if not failures:
        if trace.attempts:
            return passed("No answer was a server error.", attempts=len(trace.attempts))
        return not_applicable("Nothing was sent.")
    last = failures[-1]
    answer = answer_of(last)
    facts: dict[str, Any] = {
        "status": last.status,
        "emitter": answer.emitter.value,
        "form": answer.kind.value,
        "at": last.at,
        "request_id": last.sent.request_id,
    }
    later = trace.attempts[-1]
    if later is not last and later.outcome == "rejected" and later.status and not _is_5xx(later.status):
        # What refused the note for good is the later answer; this one came and went.
        said = (
            f"An earlier attempt was answered {last.status}; a later one got through and was answered {later.status}."
        )
        return warned(said, later=later.status, **facts)
    if answer.kind is AnswerKind.OAUTH or answer.bearer_error:
        return not_applicable("The server error carries an authorization error, which is another question.", **facts)
    if answer.emitter in (Emitter.GATEWAY, Emitter.PROXY):
        return passed("The server error came from a proxy or gateway, not from the EHR itself.", **facts)
    if answer.kind is AnswerKind.OPERATION_OUTCOME:
        if answer.issue_codes and not answer.issue_codes & OWN_FAULT:
            return failed(
                f"The EHR answered {last.status} and named the content: {', '.join(sorted(answer.issue_codes))}.",
                strength=Strength.STRONG,
                **facts,
            )
        return failed(f"The EHR itself answered {last.status} and said that it failed inside.", **facts)
    if _in_its_own_log(trace, last):
        return failed(f"The EHR answered {last.status}, and its own log shows the request.", **facts)
    if last.status in GATEWAY_STATUSES:
        return unknown(
            f"An answer {last.status} without the EHR's own form may come from a gateway in front of it.",
            get="the EHR's audit rows at that moment, or the gateway's log",
            **facts,
        )
    strength = Strength.DECISIVE if answer.emitter is Emitter.EHR else Strength.STRONG
    return failed(f"The answer was {last.status}, with no sign of a proxy or gateway.", strength=strength, **facts)


def _in_its_own_log(trace: NoteTrace, attempt: Attempt) -> bool:
    """Tell whether the EHR's log has this very attempt: a row nearer to it than to any other, of no other status."""
    offset = timedelta(seconds=trace.clock_offset_s or 0.0)
    for row in trace.ehr_rows:
        if not (_is_5xx(row.status) or (row.event == "rejected" and row.status in (None, attempt.status))):
            continue
        if min(trace.attempts, key=lambda one: abs(row.at - offset - one.at)) is attempt:
            return True
    return False


def _is_5xx(status: object) -> bool:
    return isinstance(status, int) and 500 <= status <= 599


def _failed_inside(trace: NoteTrace) -> Result | None:
    """Find a good answer that the EHR's own log takes back with a fault of its own."""
    if not any(a.outcome == "accepted" for a in trace.attempts) or trace.ehr("filed"):
        return None
    for row in trace.ehr("rejected"):
        answer = read_answer(row.error, row.status if isinstance(row.status, int) else None, {})
        own = _is_5xx(row.status) or bool(answer.issue_codes & OWN_FAULT) or _err_207(answer)
        if own:
            return failed(
                "The EHR answered yes, and its own log says that it then failed inside.", at=row.at, status=row.status
            )
        if row.status is None and not answer.issue_codes and answer.kind in (AnswerKind.TEXT, AnswerKind.EMPTY):
            return failed(
                "The EHR answered yes, and its own log shows that the note was turned down afterwards.",
                strength=Strength.STRONG,
                at=row.at,
            )
    return None


def _err_207(answer: RecordedAnswer) -> bool:
    return bool(answer.ack and any(error.code == "207" for error in answer.ack.errors))
