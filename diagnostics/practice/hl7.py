"""Read, judge and answer HL7 v2 messages as a strict interface engine does."""

from __future__ import annotations

import base64
import datetime
import re
from dataclasses import dataclass
from typing import Any

from diagnostics.practice.behaviour import Behaviour
from diagnostics.practice.texts import PracticeTexts

MESSAGE_SYSTEM = "urn:practice:message"
EVENTS = {"MDM": ("T02", "T04", "T06", "T08", "T10"), "ORU": ("R01",)}
_ORDER = {
    "MDM": ("MSH", "SFT", "EVN", "PID", "PV1", "ORC", "TQ1", "OBR", "NTE", "TXA", "OBX"),
    "ORU": (
        "MSH",
        "SFT",
        "PID",
        "PD1",
        "NTE",
        "NK1",
        "PV1",
        "PV2",
        "ORC",
        "OBR",
        "TQ1",
        "CTD",
        "OBX",
        "FT1",
        "CTI",
        "SPM",
        "DSC",
    ),
}
_NEEDED = {"MDM": ("EVN", "PID", "PV1", "TXA", "OBX"), "ORU": ("PID", "OBR", "OBX")}
_REQUIRED = {
    "MSH": (9, 10, 11, 12),
    "EVN": (2,),
    "PID": (3, 5),
    "PV1": (2,),
    "TXA": (1, 2, 12, 17),
    "OBX": (3, 11),
    "OBR": (4,),
}
_TABLE_0085 = frozenset("CDFINOPRSUWX")
_SEGMENT = re.compile(r"^[A-Z][A-Z0-9]{2}$")


class Nack(Exception):
    """Carry an acknowledgement code, a code of table 0357 and the place in the message."""

    def __init__(self, ack: str, code: str, text: str, place: str = "") -> None:
        super().__init__(code)
        self.ack, self.code, self.text, self.place = ack, code, text, place


@dataclass
class Message:
    """A message split into segments and fields; `fields[n]` is field n as the standard counts."""

    segments: list[list[str]]

    def value(self, segment: str, number: int, repeat: int = 0) -> str:
        """Give one field's text, empty where there is none."""
        found = [s for s in self.segments if s[0] == segment]
        return found[repeat][number] if repeat < len(found) and number < len(found[repeat]) else ""

    @property
    def control_id(self) -> str:
        """Give MSH-10."""
        return self.value("MSH", 10)

    @property
    def event(self) -> str:
        """Give MSH-9 as TYPE^EVENT."""
        return "^".join(self.value("MSH", 9).split("^")[:2])


def read_message(body: bytes) -> Message:
    """Split a message by its own separators; raises Nack when it does not begin with MSH."""
    if not body.startswith(b"MSH") or len(body) < 9:
        raise Nack("AR", "100", "The message does not begin with a header.", "MSH^1")
    text = body.decode("utf-8", "replace")
    separator = text[3]
    segments = []
    for line in re.split(r"\r\n|\r|\n", text):
        if line:
            fields = line.split(separator)
            if fields[0] == "MSH":
                fields.insert(1, separator)
            segments.append(fields)
    return Message(segments)


def judge(body: bytes, message: Message, behaviour: Behaviour) -> None:
    """Refuse what the interface's profile refuses, header before grammar before fields; raises Nack."""
    kind, _, event = message.event.partition("^")
    if kind not in EVENTS:
        raise Nack("AR", "200", "This message type is not taken.", "MSH^1^9")
    if event not in EVENTS[kind]:
        raise Nack("AR", "201", "This event is not taken.", "MSH^1^9")
    if message.value("MSH", 12).split("^")[0] not in behaviour.hl7_versions:
        raise Nack("AR", "203", "This version is not taken.", "MSH^1^12")
    if message.value("MSH", 11).split("^")[0] != "P":
        raise Nack("AR", "202", "This processing id does not belong here.", "MSH^1^11")
    if not message.control_id or len(message.control_id) > 20:
        raise Nack("AR", "101", "The control id is missing or too long.", "MSH^1^10")
    declared = message.value("MSH", 18).upper()
    if "UNICODE" not in declared and any(byte > 0x7F for byte in body):
        raise Nack("AE", "102", "A character is not in the declared set.", "MSH^1^18")
    _judge_order(message, kind)
    for name, numbers in _REQUIRED.items():
        for repeat in range(sum(s[0] == name for s in message.segments)):
            for number in numbers:
                if message.value(name, number, repeat).strip('" ') == "":
                    raise Nack("AE", "101", "A required field is empty.", f"{name}^{repeat + 1}^{number}")
    for repeat in range(sum(s[0] == "OBX" for s in message.segments)):
        if message.value("OBX", 11, repeat) not in _TABLE_0085:
            raise Nack("AE", "103", "The result status is not in its table.", f"OBX^{repeat + 1}^11")
        text = message.value("OBX", 5, repeat)
        if message.value("OBX", 2, repeat) in ("TX", "FT", "ST") and re.search(r"[\^&]", text):
            raise Nack("AE", "102", "A delimiter stands in the text.", f"OBX^{repeat + 1}^5")
        if behaviour.obx_limit is not None and len(text) > behaviour.obx_limit:
            raise Nack("AE", "102", "The text is longer than this interface takes.", f"OBX^{repeat + 1}^5")


def _judge_order(message: Message, kind: str) -> None:
    order = _ORDER[kind]
    position = 0
    for number, segment in enumerate(message.segments, 1):
        name = segment[0]
        if name.startswith("Z") and _SEGMENT.match(name):
            continue
        if name not in order:
            raise Nack("AE", "100", "A segment is not known.", f"{name[:3]}^{number}")
        index = order.index(name)
        repeats = name in ("OBX", "OBR", "NTE", "ORC") and kind == "ORU"
        if index < position and not repeats:
            raise Nack("AE", "100", "A segment stands in the wrong place.", f"{name}^{number}")
        position = max(position, index)
    present = {s[0] for s in message.segments}
    for name in _NEEDED[kind]:
        if name not in present:
            raise Nack("AE", "100", "A required segment is missing.", name)


def unescape(text: str) -> str:
    """Turn escape sequences of chapter 2 back into characters."""
    for code, character in (("F", "|"), ("S", "^"), ("R", "~"), ("T", "&"), (".br", "\n")):
        text = text.replace(f"\\{code}\\", character)
    return text.replace("\\E\\", "\\")


def narrative_of(message: Message) -> str:
    """Join the OBX-5 values into the note's text."""
    lines = [message.value("OBX", 5, n) for n in range(sum(s[0] == "OBX" for s in message.segments))]
    return "\n".join(unescape(line) for line in lines)


def document_of(message: Message) -> dict[str, Any]:
    """Return a stored message as the EHR's FHIR server shows it: TXA-12 is the document's number, MSH-10 its origin."""
    number = message.value("TXA", 12).split("^")[0]
    code, _, name = message.value("OBX", 3).partition("^")
    held: dict[str, Any] = {
        "resourceType": "DocumentReference",
        "identifier": [{"system": MESSAGE_SYSTEM, "value": message.control_id}],
        "status": "current",
        "docStatus": "final",
        "type": {"coding": [{"system": "http://loinc.org", "code": code, "display": name.split("^")[0]}]},
        "subject": {"reference": f"Patient/{message.value('PID', 3).split('^')[0]}"},
        "content": [
            {
                "attachment": {
                    "contentType": "text/plain",
                    "data": base64.b64encode(narrative_of(message).encode()).decode(),
                }
            }
        ],
    }
    if number:
        held["masterIdentifier"] = {"value": number}
    visit = message.value("PV1", 19).split("^")[0]
    if visit:
        held["context"] = {"encounter": [{"reference": f"Encounter/{visit}"}]}
    parent = message.value("TXA", 13).split("^")[0]
    if parent:
        held["relatesTo"] = [{"code": "appends", "target": {"identifier": {"value": parent}}}]
    return held


def acknowledge(
    message: Message | None,
    ack: str,
    now: datetime.datetime,
    texts: PracticeTexts,
    *,
    nack: Nack | None = None,
    about: str | None = None,
) -> bytes:
    """Write an ACK (MSH, MSA and, for a refusal, ERR) as bytes without frame."""
    event = message.value("MSH", 9).split("^")[1:2] if message else []
    control_id = about if about is not None else (message.control_id if message else "")
    stamp = now.strftime("%Y%m%d%H%M%S+0000")
    sender = message.value("MSH", 3) if message else ""
    head = f"MSH|^~\\&|{texts.ident('EHR')}|{texts.ident('HOSPITAL')}|{sender}||{stamp}||"
    head += f"ACK^{event[0] if event else ''}^ACK|A{now.strftime('%H%M%S%f')}|P|2.5.1"
    lines = [head, f"MSA|{ack}|{control_id}"]
    if nack:
        lines.append(f"ERR||{nack.place}|{nack.code}^{texts.say(nack.text)}^HL70357|E|||{texts.say(nack.text)}")
    return ("\r".join(lines) + "\r").encode()
