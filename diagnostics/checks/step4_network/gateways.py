"""Judge answers that came too late: from a gateway in the EHR's place, from a server that waited for us, or not at all.

Three different things (domain.md trap 5): 504 is a gateway that gave up waiting for the EHR, 408 a server that gave up
waiting for the scribe, and where the scribe gave up itself there is no status.
"""

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed
from diagnostics.checks.step4_network.answers_seen import condemned, live_answers
from diagnostics.evidence.auth import TokenAnswer
from diagnostics.evidence.case_parts import Settings
from diagnostics.evidence.fhir import Metadata, Reads
from diagnostics.evidence.logs import NoteTrace
from diagnostics.evidence.network import HttpAnswer
from diagnostics.findings import Result
from diagnostics.parsing.answers import AnswerKind, Emitter, read_answer
from diagnostics.vocabulary import FailureMode, Step, Strength

GATEWAY_STATUSES = (502, 503, 504)
REQUEST_TIMEOUT = 408


@check(
    id="net.timeout.gateway",
    step=Step.NETWORK,
    title="No gateway answers in place of the EHR",
    proves=causes.TIMEOUT_GATEWAY,
    strength=Strength.MODERATE,
)
def gateway_reaches_the_ehr(metadata: Metadata, token: TokenAnswer | None, reads: Reads | None) -> Result:
    """A gateway's 502, 503 or 504 says that the EHR behind it was not reached in time."""
    answers = live_answers(token, metadata, reads)
    bad = [e for e in answers if e.status in GATEWAY_STATUSES and e.answer.kind is not AnswerKind.OPERATION_OUTCOME]
    if bad:
        return failed(
            f"A gateway answered {bad[0].status} instead of the EHR.",
            condemns=condemned(bad), status=bad[0].status, via=bad[0].answer.headers.get("via", ""),
        )  # fmt: skip
    late = [e for e in answers if e.status == REQUEST_TIMEOUT]
    if late:
        return failed("The server gave up waiting for the rest of the request (408).",
                      condemns=condemned(late), status=REQUEST_TIMEOUT)  # fmt: skip
    silent = [each for each in (metadata, token) if each is not None and _never_answered(each.answer)]
    if silent:
        return failed(f"The request to {silent[0].answer.url} was sent and nothing came back in time.",
                      condemns=tuple(silent), url=silent[0].answer.url, ms=round(silent[0].answer.ms))  # fmt: skip
    return passed("No gateway answered in the EHR's place.", answers=len(answers))


def _never_answered(answer: HttpAnswer) -> bool:
    fault = answer.fault
    waiting = ("waiting", "reading")
    return fault is not None and fault.kind in ("timeout_first_byte", "timeout_total") and fault.phase in waiting


@check(
    id="net.timeout.gateway.log",
    step=Step.NETWORK,
    title="The scribe's request was answered by the EHR in time",
    proves=causes.TIMEOUT_GATEWAY,
    strength=Strength.MODERATE,
)
def ehr_answered_in_time(trace: NoteTrace, settings: Settings) -> Result:
    """After a gateway's timeout nobody knows whether the note arrived: it is read back before it is sent again."""
    late = [a for a in trace.attempts if a.status in (*GATEWAY_STATUSES, REQUEST_TIMEOUT) or a.outcome == "lost"]
    if not late:
        return passed("Every request was answered.") if trace.attempts else not_applicable("Nothing was sent.")
    last = late[-1]
    if trace.last is not last and trace.failure_mode is not FailureMode.DELIVERED:
        return passed("A later request was answered.", at=last.at)
    window = any(each.start <= last.at <= each.end for each in settings.integration.maintenance)
    if last.status == REQUEST_TIMEOUT:
        return failed(
            "The server gave up waiting for the rest of the scribe's request (408): a slow or broken way to it.",
            status=last.status, at=last.at, maintenance=window,
        )  # fmt: skip
    if last.status in GATEWAY_STATUSES:
        answer = read_answer(last.error, last.status, last.headers)
        if answer.kind is AnswerKind.OPERATION_OUTCOME:
            return passed("The server error came from the EHR itself, not from a gateway.", status=last.status)
        who = "A gateway" if answer.emitter is Emitter.GATEWAY else "The way to the EHR"
        return failed(
            f"{who} answered {last.status} before the EHR did; whether the note arrived must be read back.",
            status=last.status, emitter=answer.emitter.value, at=last.at, maintenance=window,
        )  # fmt: skip
    return failed(
        "The scribe sent the note and no answer came back in time.",
        at=last.at, latency_ms=last.answer.latency_ms if last.answer else None, maintenance=window,
    )  # fmt: skip
