"""Probe an HL7 v2 listener with one message for the test patient, only where the case allows it."""

from __future__ import annotations

import uuid

from diagnostics.case import Case
from diagnostics.evidence.hl7 import CanaryMessage
from diagnostics.evidence.network import TlsHandshake
from diagnostics.gather import Context
from diagnostics.net import MllpExchange
from diagnostics.parsing.ack import Ack, read_ack
from diagnostics.probes.declare import probe
from diagnostics.probes.endpoints import MLLP
from diagnostics.probes.network import bound
from diagnostics.probes.seen import fault_seen
from diagnostics.vocabulary import Step

_TEXT = "Test message written by NoteTrace for a test patient. It holds no clinical content."


def _may_send(case: Case) -> bool:
    integration = case.integration
    allowed = case.allow_writes and integration.hl7.canary_message and integration.canary is not None
    return integration.protocol == "hl7v2" and allowed


@probe(gives=CanaryMessage, needs=(TlsHandshake,), step=Step.WRITE_BACK, at=MLLP, applies=_may_send)
async def send_canary_message(context: Context, tls: TlsHandshake) -> CanaryMessage:
    """Send one message and read its acknowledgement; it is never sent again, whatever became of the answer."""
    door, endpoint = bound(context)
    if not context.once("canary_message"):
        return CanaryMessage(seen_from=context.vantage, state="earlier")
    control_id = "NT" + uuid.uuid4().hex[:16].upper()
    message = canary_message(context.case, control_id)
    exchange = await door.mllp(endpoint.host, endpoint.port, message, control_id=control_id, tls=endpoint.tls)
    ack = _acknowledgement(exchange, control_id)
    return CanaryMessage(
        seen_from=context.vantage,
        state=_state(exchange, ack, control_id),
        ack=ack.code if ack else None,
        ack_id=ack.control_id if ack else None,
        errors=tuple(error.code for error in ack.errors) if ack else (),
        error_locations=tuple(error.location for error in ack.errors) if ack else (),
        emitter=ack.sender if ack else "",
        fault=fault_seen(exchange.fault),
        ms=exchange.timings.total,
    )


def _acknowledgement(exchange: MllpExchange, control_id: str) -> Ack | None:
    answers = exchange.answers or ((exchange.unframed,) if exchange.framing_deviates else ())
    acks = [ack for each in answers if (ack := read_ack(each.decode("utf-8", errors="replace"))) is not None]
    return next((ack for ack in acks if ack.control_id == control_id), acks[0] if acks else None)


def _state(exchange: MllpExchange, ack: Ack | None, control_id: str) -> str:
    if not exchange.sent:
        return "unreached"
    if exchange.framing_deviates and not exchange.answers:
        return "misframed"
    if ack is None:
        return "unanswered"
    return "acknowledged" if ack.control_id == control_id else "mismatched"


def canary_message(case: Case, control_id: str) -> bytes:
    """Return an MDM^T02 (or the configured event) of the configured version for the test patient."""
    hl7, target = case.integration.hl7, case.integration.canary
    patient = (target.patient if target else "").split("/")[-1]
    encounter = ((target.encounter if target else None) or "").split("/")[-1]
    stamp = case.now.strftime("%Y%m%d%H%M%S%z")
    event = hl7.message or "MDM^T02"
    code, trigger = [*event.split("^"), "T02"][:2]
    version = hl7.version or "2.5.1"
    structure = f"^{code}_{trigger}" if version >= "2.3.1" else ""
    head = [
        f"MSH|^~\\&|{hl7.sending_application or 'SCRIBE'}||{hl7.receiving_application or 'EHR'}||{stamp}||"
        f"{code}^{trigger}{structure}|{control_id}|P|{version}||||||{hl7.charset or ''}".rstrip("|"),
    ]
    body = [
        f"PID|1||{patient}^^^TEST||CANARY^NOTETRACE",
        f"PV1|1|O|||||||||||||||||{encounter}",
    ]
    if code == "ORU":
        rest = [f"OBR|1|||11506-3^Progress note^LN|||{stamp}||||||||||||||||||F"]
    else:
        head.append(f"EVN|{trigger}|{stamp}")
        rest = [f"TXA|1|PN|TX|{stamp}||||||||{control_id}|||||AU"]
    rest.append(f"OBX|1|TX|11506-3^Progress note^LN||{_TEXT}||||||F")
    return ("\r".join([*head, *body, *rest]) + "\r").encode("ascii", errors="replace")
