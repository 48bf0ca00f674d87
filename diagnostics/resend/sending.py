"""Send a planned note: read first, write at most once, read back what was not answered."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Sequence

from diagnostics.case import Case, utc_now
from diagnostics.net import Door, Exchange
from diagnostics.redaction import Redactor
from diagnostics.resend.addresses import bare, listener, write_address
from diagnostics.resend.answers import Answer, Meaning, of_http, of_mllp
from diagnostics.resend.connection import WRITE_S, Connection
from diagnostics.resend.looking import Reading, read_chart
from diagnostics.resend.model import Fate, ResendPlan, Sent

SETTLE_S = (0.5, 2.0, 5.0)
"""How long an EHR is given to show what it stored, before each of the looks after a lost answer."""
_AGAIN = "Look again later; nothing is sent again by itself."


async def resend(
    case: Case,
    plan: ResendPlan,
    *,
    approved: str,
    door: Door,
    once: Callable[[str], bool],
    settle_s: Sequence[float] = SETTLE_S,
    write_s: float = WRITE_S,
) -> Sent:
    """Send a plan once and return what became of it; never sends a second time, whatever happens.

    `approved` is the digest a person confirmed: a plan with another digest is not sent. `once("resend:<digest>")`
    is asked right before the write, for this one confirmed attempt, and must have remembered the act durably when it
    returns True; False means that the attempt was begun before, so that the note is only looked for. `write_s`: how
    long the answer to the write is waited for; `settle_s`: the waits before the looks after a lost one.
    """
    refused = _must_not(case, plan, approved)
    if refused:
        return _sent(Fate.NOT_SENT, refused)
    connection = Connection(case, door, write_s)
    if case.integration.protocol == "fhir":
        problem = await connection.sign_in()
        if problem:
            return _sent(Fate.NOT_SENT, f"Nothing was sent: {problem}.")
    before = await read_chart(connection, plan.lookup) if plan.lookup.possible else Reading()
    held = _already(plan, before)
    if held is not None:
        return held
    if not once(f"resend:{plan.digest}"):
        begun = "This attempt was begun before, so it was only looked for."
        return _seen(await read_chart(connection, plan.lookup), begun)
    request_id = str(uuid.uuid4())
    if case.integration.protocol == "hl7v2":
        request_id = plan.control_id  # what the receiver's log knows the message by
        answer = of_mllp(await connection.message(plan))
    else:
        exchange = await connection.post(plan, request_id)
        request_id = _request_id(case, exchange) or request_id
        answer = of_http(exchange, plan.lookup.kind, guarded=guarded(plan))
    return await _conclude(case, plan, connection, answer, request_id, settle_s)


async def look(case: Case, plan: ResendPlan, *, door: Door) -> Sent:
    """Look for the note at the EHR without writing anything; repeatable, also for a plan that was refused."""
    return _seen(await read_chart(Connection(case, door), plan.lookup), "")


def guarded(plan: ResendPlan) -> bool:
    """Tell whether the server itself keeps a plan from making a second document."""
    return any(name.lower() == "if-none-exist" for name, _ in plan.headers)


def _must_not(case: Case, plan: ResendPlan, approved: str) -> str:
    if plan.way is None:
        return plan.refused or "There is no plan to send."
    if case.offline or not case.allow_writes:
        return "This case may not write to the EHR, so nothing was sent."
    if not approved or plan.digest != approved:
        return "What would be sent now is not what was confirmed. Look at the new plan and confirm it again."
    if case.integration.protocol == "hl7v2":
        same = plan.url == listener(case.integration)
    else:
        same = plan.url == bare(write_address(case, plan.lookup.kind))
    return "" if same else "The integration's address has changed since this was planned. Plan it again."


def _already(plan: ResendPlan, before: Reading) -> Sent | None:
    """Return what keeps a plan from being sent after reading first, or None where it may go."""
    if before.ours:
        many = len(before.ours)
        says = "The note is at the EHR already, so nothing was sent."
        if before.elsewhere:
            says = "The note is at the EHR under another patient, so nothing was sent. Tell the EHR team at once."
        elif many > 1:
            says = f"The note is at the EHR {many} times already, so nothing was sent. Have the extra ones withdrawn."
        return _sent(Fate.ALREADY, says, reading=before)
    if before.withdrawn:
        says = "The note was in the chart and was withdrawn there, so nothing was sent. Ask the EHR team why."
        return _sent(Fate.NOT_SENT, says, reading=before)
    if before.suspect:
        says = "Nothing was sent: a document of the visit may be this note, and its content could not be compared. "
        return _sent(Fate.NOT_SENT, f"{says}Look at it in the EHR first.")
    if plan.lookup.possible and not before.decided and not guarded(plan):
        says = f"Nothing was sent: it could not be read whether the note is there already ({before.why})."
        return _sent(Fate.NOT_SENT, says)
    return None


async def _conclude(
    case: Case, plan: ResendPlan, connection: Connection, answer: Answer, request_id: str, settle_s: Sequence[float]
) -> Sent:
    """Read back what the answer leaves open, and what it claims."""
    if answer.meaning is Meaning.NEVER_LEFT:
        return _sent(Fate.NOT_SENT, f"{answer.says} Nothing left this side.", answer, request_id)
    reason = Redactor(case).text(answer.reason)[:500]
    if answer.meaning is Meaning.NO:
        return _sent(Fate.REFUSED, answer.says, answer, request_id, reason=reason)
    reading = Reading(why="the EHR offers no way to search for the note")
    for wait in settle_s if answer.meaning is Meaning.OPEN else (0.0,):
        if not plan.lookup.possible:
            break
        await asyncio.sleep(wait)
        reading = await read_chart(connection, plan.lookup)
        if reading.ours:
            break
    fate, says = _fate(answer, reading)
    return _sent(fate, says, answer, request_id, reading=reading, reason=reason)


def _fate(answer: Answer, reading: Reading) -> tuple[Fate, str]:
    count = len(reading.ours)
    twice = f" It stands there {count} times: have the extra ones withdrawn." if count > 1 else ""
    if reading.elsewhere:
        twice += " It stands under another patient: tell the EHR team at once."
    if answer.meaning is Meaning.TAKEN:
        shown = " Reading back shows it." if count else ""
        if not count and reading.decided:
            shown = f" Reading back does not show it yet. {_AGAIN}"
        return Fate.CREATED, answer.says + shown + twice
    if answer.meaning is Meaning.KNOWN:
        if count or answer.document_id:
            return Fate.MATCHED, answer.says + twice
        return Fate.REFUSED, f"{answer.says} Reading does not show it. Ask the EHR team which document that is."
    if count:
        return Fate.FOUND, f"{answer.says} Reading back found the note in the EHR.{twice}"
    if reading.decided and answer.ack != "CA" and answer.status != 202:
        return Fate.ABSENT, f"{answer.says} Reading back does not show the note; it may still be on its way. {_AGAIN}"
    told = "" if reading.decided else f" Reading back could not decide ({reading.why})."
    last = "Only the EHR's log or the interface team can tell what became of it." if not reading.decided else _AGAIN
    return Fate.UNKNOWN, f"{answer.says}{told} {last}"


def _seen(reading: Reading, first: str) -> Sent:
    """Say what looking alone showed."""
    count = len(reading.ours)
    lead = f"{first} " if first else ""
    if count:
        twice = f" {count} times: have the extra ones withdrawn" if count > 1 else ""
        says = f"{lead}The note is at the EHR{twice}."
        if reading.elsewhere:
            says = f"{lead}The note is at the EHR under another patient. Tell the EHR team at once."
        return _sent(Fate.FOUND, says, reading=reading)
    if reading.decided:
        gone = " It was there and was withdrawn." if reading.withdrawn else ""
        return _sent(Fate.ABSENT, f"{lead}The EHR does not show the note.{gone} {_AGAIN}", reading=reading)
    says = f"{lead}Whether the note is at the EHR could not be read ({reading.why}). "
    says += "Only the EHR's log or the interface team can tell what became of it."
    return _sent(Fate.UNKNOWN, says, reading=reading)


def _sent(
    fate: Fate,
    says: str,
    answer: Answer | None = None,
    request_id: str = "",
    *,
    reading: Reading | None = None,
    reason: str = "",
) -> Sent:
    known = reading is not None and (bool(reading.ours) or reading.decided)
    return Sent(
        fate=fate,
        says=says,
        at=utc_now(),
        status=answer.status if answer is not None else None,
        ack=answer.ack if answer is not None else "",
        document_id=(answer.document_id if answer is not None else "")
        or (reading.document_id if reading is not None else ""),
        request_id=request_id,
        found=len(reading.ours) if reading is not None and known else None,
        elsewhere=reading.elsewhere if reading is not None else False,
        reason=reason,
    )


def _request_id(case: Case, exchange: Exchange) -> str:
    names = case.vendor.request_id_headers
    return next((exchange.headers[name][:128] for name in names if exchange.headers.get(name)), "")
