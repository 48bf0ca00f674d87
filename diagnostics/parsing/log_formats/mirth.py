"""Read message exports of Mirth Connect and the Open Integration Engine: XML, a `connectorMessage` for each step.

An engine beside the scribe sends: what its destinations did are the scribe's attempts and answers. An engine before
the EHR receives: its source shows arrivals, its destinations show what the EHR said. Times are epoch milliseconds.
"""

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from diagnostics.parsing.ack import Ack, read_ack
from diagnostics.parsing.hl7 import read_message
from diagnostics.parsing.log_formats.hl7_acks import error_of
from diagnostics.parsing.log_formats.moments import iso
from diagnostics.parsing.log_formats.pieces import Line, Odd, Reading, Row, lines_of
from diagnostics.parsing.log_formats.xml_elements import local_name, parsed, xml_elements

_CONTENTS = ("sent", "encoded", "raw")
_STATUS = re.compile(r"HTTP/\d(?:\.\d)? (\d{3})\b")
_PLACE = re.compile(r"<remoteAddress>([^<]{1,253})</remoteAddress>\s{0,40}<remotePort>(\d{1,5})</remotePort>")
_ADDRESS = re.compile(r"<host>(https?://[^<\s]{1,2000})</host>")
_METHOD = re.compile(r"<method>([A-Za-z]{3,7})</method>")
_TEMPLATE = re.compile(r"<template>([^<]{1,200000})</template>")
_RESPONSE = re.compile(r"<(message|statusMessage|error)>([^<]{1,200000})</")
_IDLE = frozenset({"RECEIVED", "TRANSFORMED", "PENDING"})


def read_mirth(stream: BinaryIO, reading: Reading) -> Iterator[Line]:
    """Yield the lines of every connector's message: none, one, or an attempt and its answer."""

    def rows(raw: bytes) -> list[Row]:
        step = _Step(parsed(raw))
        return step.at_the_scribe() if reading.log == "scribe" else step.at_the_ehr()

    return lines_of(xml_elements(stream, "connectorMessage"), rows, reading.start)


class _Step:
    """Be one connector's message: what it is about, how it ended, and what was answered."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self.status = self._text("status").upper()
        if not self.status:
            raise Odd("status is missing")
        place = self._text("metaDataId")
        self.source = place == "0" or (not place and self._text("connectorName") == "Source")
        self.received = self._time("receivedDate")
        self.sent = self._time("sendDate") or self.received
        self.answered = self._time("responseDate") or self.sent
        self.ids = self._ids()
        self.answer = self._content("response")
        self.ack: Ack | None = read_ack(_body(self.answer))

    def at_the_scribe(self) -> list[Row]:
        if self.source:
            if self.status == "ERROR":
                return [self._row("failed", self.received, error=self._error())]
            return [self._row("packaged", self.received)]
        if self.status == "QUEUED":
            return [self._row("queued", self.received, error=self._error())]
        if self.status not in ("SENT", "ERROR"):
            return []  # still on its way, or filtered: it was not meant for this destination
        tried = self._row("sent", self.sent, **self._target())
        if self._text("sendAttempts").isdigit():
            tried["attempt"] = int(self._text("sendAttempts")[:4])
        if self.status == "SENT" and not self.answer:
            return [tried]
        good = self.status == "SENT" or self.ack is not None
        return [tried, self._row("acked" if good else "failed", self.answered, **self._answer())]

    def at_the_ehr(self) -> list[Row]:
        if self.source:
            if self.status in ("ERROR", "FILTERED"):
                reason = self._error() or "the integration engine's filter turned the message away"
                return [self._row("rejected", self.received, error=reason)]
            return [self._row("received", self.received)]
        if self.status not in ("SENT", "ERROR"):
            return []
        refused = self.status == "ERROR" or (self.ack is not None and self.ack.negative)
        return [self._row("rejected" if refused else "accepted", self.answered, **self._answer())]

    def _row(self, event: str, at: str, **more: Any) -> Row:
        if not at:
            raise Odd("receivedDate (time in milliseconds) is missing")
        row: Row = {"at": at, "event": event, **self.ids}
        row |= {key: value for key, value in more.items() if value not in (None, "")}
        row["connector"] = " / ".join(
            name for name in (self._text("channelName"), self._text("connectorName")) if name
        )[:200]
        return row

    def _answer(self) -> Row:
        told: Row = {}
        if self.ack is not None:
            told["ack"] = self.ack.code
            told["ack_id"] = self.ack.control_id
            told["error"] = error_of(self.ack, _body(self.answer))
        elif status := _STATUS.search(_plain(self.answer)[:4000]):
            told["status"] = int(status[1])
        if self.status == "ERROR" and not told.get("error"):
            told["error"] = self._error() or _body(self.answer)
        elif told.get("status", 0) >= 400:
            told["error"] = _body(self.answer)
        return told

    def _error(self) -> str:
        """Return the engine's own words on what went wrong, the first line of each stack."""
        found = []
        for name in ("processingError", "processingErrorContent", "responseError", "responseErrorContent"):
            element = self._child(name)
            content = self._content(name) or (element.text if element is not None and element.text else "")
            lines = [line.strip() for line in content.splitlines() if line.strip()]
            found += [line for line in lines if not line.startswith("at ")][:6]
        found += [text for kind, text in _RESPONSE.findall(self.answer) if kind in ("statusMessage", "error")]
        return "\n".join(dict.fromkeys(line for line in found if line))[:8000]

    def _target(self) -> Row:
        sent = _plain(self._content("sent"))
        place = _PLACE.search(sent)
        if place:
            return {"url": f"mllp://{place[1].strip()}:{place[2]}", "method": "MLLP"}
        address, method = _ADDRESS.search(sent), _METHOD.search(sent)
        if address:
            return {"url": address[1], "method": method[1].upper() if method else "POST"}
        return {}

    def _ids(self) -> Row:
        """Return the ids of the first content that has some, and from the others of the same message what it lacks."""
        ids: Row = {}
        for kind in _CONTENTS:
            content = self._content(kind)
            template = _TEMPLATE.search(content) if content.lstrip().startswith("<") else None
            found = _ids_of(_plain(template[1]) if template else content)
            if not ids or found.get("transaction_id") in (None, ids.get("transaction_id")):
                ids = {**found, **ids}
        return ids

    def _time(self, name: str) -> str:
        element = self._child(name)
        written = "" if element is None else (element.findtext("time") or element.text or "").strip()
        if not written:
            return ""
        try:
            return iso(written)
        except ValueError:
            raise Odd(f"{name} is no time in milliseconds") from None

    def _content(self, name: str) -> str:
        element = self._child(name)
        return "" if element is None else (element.findtext("content") or "")

    def _text(self, name: str) -> str:
        element = self._child(name)
        return "" if element is None or not element.text else str(element.text).strip()

    def _child(self, name: str) -> Any:
        return next((each for each in self._root if local_name(each.tag) == name), None)


def _ids_of(text: str) -> Row:
    """Return the ids that a message carries: HL7 v2, or a FHIR resource as far as a few patterns can tell."""
    at = text.find("MSH")
    if at >= 0 and text[:at].strip("\x0b \t\r\n") == "":
        message = read_message(text[at:].encode("utf-8", "replace"))
        found = {
            "transaction_id": message.get("MSH-10"),
            "encounter_id": message.get("PV1-19"),
            "patient_id": message.get("PID-3"),
        }
        return {key: value for key, value in found.items() if value}
    return _fhir_ids(text) if text.lstrip().startswith("{") else {}


_IDENTIFIER = re.compile(r'"(?:masterIdentifier|identifier)"\s*:\s*\[?\s*\{[^{}]{0,400}"value"\s*:\s*"([^"\\]{1,200})"')
_REFERENCE = r'"reference"\s*:\s*"(?:[^"\\]{0,200}/)?(%s/[A-Za-z0-9.\-]{1,64})"'
_REFERENCES = {
    "encounter_id": re.compile(_REFERENCE % "Encounter"),
    "patient_id": re.compile(_REFERENCE % "Patient"),
}


def _fhir_ids(text: str) -> Row:
    """By patterns, because the engine's text may have been cut."""
    found = {key: match[1] for key, pattern in _REFERENCES.items() if (match := pattern.search(text))}
    identifier = _IDENTIFIER.search(text)
    return {"transaction_id": identifier[1], **found} if identifier else found


def _body(answer: str) -> str:
    """Return what the other side said, out of the engine's wrapper."""
    told = dict(_RESPONSE.findall(answer))
    return _plain(told.get("message", "" if told else answer)).strip()


def _plain(text: str) -> str:
    """Undo the references of one level of XML."""
    if "&" not in text:
        return text
    text = re.sub(r"&#(?:x([0-9A-Fa-f]{1,6})|(\d{1,7}));", _character, text)
    for name, sign in (("lt", "<"), ("gt", ">"), ("quot", '"'), ("apos", "'"), ("amp", "&")):
        text = text.replace(f"&{name};", sign)
    return text


def _character(found: re.Match[str]) -> str:
    number = int(found[1], 16) if found[1] else int(found[2])
    return chr(number) if 0 < number < 0xD800 or 0xE000 <= number <= 0x10FFFF else "\ufffd"
