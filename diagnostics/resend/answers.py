"""Say what an answer to a resend means, before anything is read back; pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum

from diagnostics.net import Exchange, MllpExchange
from diagnostics.parsing.ack import Ack, read_ack
from diagnostics.parsing.answers import read_answer


class Meaning(StrEnum):
    """List what the EHR's answer, or its silence, may mean."""

    TAKEN = "taken"
    KNOWN = "known"  # it says that it has the document, or one like it
    NO = "no"
    OPEN = "open"  # it may have been stored or not
    NEVER_LEFT = "never_left"


@dataclass(frozen=True)
class Answer:
    """Be an answer as read: what it means, in which words, and the EHR's own."""

    meaning: Meaning
    says: str
    status: int | None = None
    ack: str = ""
    document_id: str = ""
    reason: str = ""


def of_http(exchange: Exchange, kind: str, *, guarded: bool) -> Answer:
    """Judge the answer to a create (R4 section 3.1.0.8). What a gateway or a crash answered may yet be stored."""
    status = exchange.status
    if status is None:
        detail = exchange.fault.detail if exchange.fault is not None else "no answer came"
        if exchange.fault is None or exchange.fault.request_may_have_arrived:
            return Answer(Meaning.OPEN, f"The answer was lost ({detail}).")
        return Answer(Meaning.NEVER_LEFT, f"The EHR could not be reached ({detail}).")
    made = _document_id(exchange, kind)
    reason = read_answer(exchange.text(), status, exchange.headers).says
    if status >= 500 or status == 408:
        return Answer(Meaning.OPEN, f"The EHR or a gateway before it answered {status}.", status, reason=reason)
    if status == 202:
        return Answer(Meaning.OPEN, "The EHR took the note for later filing (202).", status)
    if 200 <= status < 300:
        if _says_no(exchange.body):
            says = f"The EHR answered {status}, and its answer says that the note was not taken."
            return Answer(Meaning.NO, says, status, reason=reason)
        if status == 200 and guarded:
            return Answer(Meaning.KNOWN, "The EHR has a document with this identifier and made no second one.", status,
                          document_id=made)  # fmt: skip
        return Answer(Meaning.TAKEN, f"The EHR took the note ({status}).", status, document_id=made)
    if 300 <= status < 400:
        says = f"The EHR sent the request elsewhere ({status}), which is not followed. Mend the address first."
        return Answer(Meaning.NO, says, status)
    if status in (409, 412):
        says = f"The EHR says that it has such a document already ({status})."
        return Answer(Meaning.KNOWN, says, status, reason=reason)
    return Answer(Meaning.NO, f"The EHR refused the note ({status}).", status, reason=reason)


def of_mllp(exchange: MllpExchange) -> Answer:
    """Judge an acknowledgement: only one whose MSA-2 names our message speaks of it (chapter 2)."""
    if not exchange.sent:
        detail = exchange.fault.detail if exchange.fault is not None else "no connection"
        return Answer(Meaning.NEVER_LEFT, f"The listener could not be reached ({detail}).")
    acks = _acks(exchange)
    ack = next((each for each in acks if each.control_id == exchange.control_id), None)
    if ack is None:
        says = "The acknowledgement was lost." if not acks else "The acknowledgement named another message than ours."
        return Answer(Meaning.OPEN, says)
    if ack.code == "AA":
        return Answer(Meaning.TAKEN, "The EHR acknowledged the message (AA).", ack=ack.code)
    if ack.code == "CA":
        return Answer(Meaning.OPEN, "The EHR has the message in safe keeping (CA) and has not filed it yet.", ack="CA")
    if any(error.code == "205" for error in ack.errors):
        says = f"The EHR has a message with this control id already ({ack.code}, code 205)."
        return Answer(Meaning.KNOWN, says, ack=ack.code, reason=ack.says)
    return Answer(Meaning.NO, f"The EHR refused the message ({ack.code}).", ack=ack.code, reason=ack.says)


def _acks(exchange: MllpExchange) -> list[Ack]:
    answers = exchange.answers or ((exchange.unframed,) if exchange.framing_deviates else ())
    return [ack for each in answers if (ack := read_ack(each.decode("utf-8", errors="replace"))) is not None]


def _document_id(exchange: Exchange, kind: str) -> str:
    parts = exchange.headers.get("location", "").split("/_history/")[0].rstrip("/").split("/")
    if len(parts) > 1 and parts[-2] == kind:
        return parts[-1][:64]
    found = _json(exchange.body)
    return str(found.get("id", ""))[:64] if found.get("resourceType") == kind else ""


def _says_no(body: bytes) -> bool:
    """Tell whether a good status carries a refusal, as some vendors' own write routes answer."""
    return str(_json(body).get("success", "")).lower() == "false"


def _json(body: bytes) -> dict[str, object]:
    try:
        found = json.loads(body) if body[:1] == b"{" else None
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
