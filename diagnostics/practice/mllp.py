"""Listen for HL7 v2 over MLLP, file what is good, answer AA, AE, AR or CA, or misbehave on request."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from typing import Any

from diagnostics.practice.chart import file_in_chart, write_filed_row
from diagnostics.practice.hl7 import Message, Nack, acknowledge, document_of, judge, narrative_of, read_message
from diagnostics.practice.ledger import LedgerEntry
from diagnostics.practice.resending import judge_addendum
from diagnostics.practice.store import Filing
from diagnostics.practice.tenant import Tenant, iso

START, END = b"\x0b", b"\x1c\x0d"
MAX_MESSAGE = 10_000_000


def in_mode(message: Message | None, ack: str) -> str:
    """Turn AA, AE, AR into CA, CE, CR where MSH-15 asks for commit acknowledgements (enhanced mode, chapter 2)."""
    enhanced = message is not None and message.value("MSH", 15) in ("AL", "ER", "SU")
    return f"C{ack[1]}" if enhanced else ack


class MllpServer:
    """Answer the messages of one tenant."""

    def __init__(self, tenant: Tenant, latency_s: Callable[[], float] = lambda: 0.0) -> None:
        self.tenant = tenant
        self._latency_s = latency_s

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read frames from one connection and answer each."""
        buffer = b""
        self.tenant.open_mllp += 1
        try:
            while True:
                while END in buffer:
                    frame, buffer = buffer.split(END, 1)
                    if self.tenant.behaviour.cut == "request":
                        self._ledger(frame.removeprefix(START), None)
                        return
                    reply = self._take(frame)
                    if self.tenant.behaviour.cut == "answer":
                        return
                    if reply is not None:
                        await asyncio.sleep(self._latency_s())
                        writer.write(START + reply + END)
                        await writer.drain()
                chunk = await reader.read(65536)
                if not chunk or len(buffer) > MAX_MESSAGE:
                    break
                buffer += chunk
        finally:
            if buffer.strip(b"\x0b\r\n"):
                self._torn(buffer)
            self.tenant.open_mllp -= 1

    def _torn(self, buffer: bytes) -> None:
        """Note a message whose frame never ended: the engine threw it away."""
        entry = self._ledger(buffer, None)
        try:
            message: Message | None = read_message(buffer.lstrip(START))
        except Nack:
            message = None
        text = self.tenant.texts.say("The frame was never ended, the bytes were thrown away.")
        self._log("rejected", message, error=text)
        self.tenant.ledger.close_entry(entry, None)

    def _ledger(self, body: bytes, message: Message | None) -> LedgerEntry:
        return self.tenant.ledger.add(
            LedgerEntry(
                at=iso(self.tenant.server_time()),
                tenant=self.tenant.name,
                service="mllp",
                method="MLLP",
                target=message.event if message else "",
                body_sha256=hashlib.sha256(body).hexdigest(),
                ids=[message.control_id] if message else [],
            )
        )

    def _take(self, frame: bytes) -> bytes | None:
        """Judge one frame; the bytes of the acknowledgement, or None for silence."""
        tenant, behaviour = self.tenant, self.tenant.behaviour
        now = tenant.clock.now()
        message: Message | None = None
        entry: LedgerEntry | None = None
        body = frame[1:] if frame.startswith(START) else frame
        try:
            if not frame.startswith(START):
                raise Nack("AR", "100", "The frame does not begin as it should.", "")
            message = read_message(body)
            entry = self._ledger(body, message)
            if behaviour.ack == "none":
                return None  # Taken from the wire and lost before anything was noted.
            self._log("received", message)
            judge(body, message, behaviour)
            stored = self._stored(message, body)
            if stored is not None:
                self._log("accepted", message, ack=in_mode(message, "AA"))
                tenant.ledger.close_entry(entry, in_mode(message, "AA"))
                return stored  # The same message again: the same answer again, and nothing stored twice.
            self._rules(message)
            ack = self._store(message, entry)
        except Nack as nack:
            entry = entry or self._ledger(body, message)
            nack.ack = in_mode(message, nack.ack)
            reply = acknowledge(message, nack.ack, now, tenant.texts, nack=nack)
            self._log("rejected", message, ack=nack.ack, error=reply.decode())
            tenant.ledger.close_entry(entry, nack.ack)
            return reply
        tenant.ledger.close_entry(entry, ack)
        about = f"{message.control_id[:-1]}X" if behaviour.ack == "other_id" else None
        kept = acknowledge(message, ack, now, tenant.texts)
        tenant.hl7_stored[message.control_id] = (hashlib.sha256(body).hexdigest(), kept)
        return acknowledge(message, ack, now, tenant.texts, about=about) if about else kept

    def _rules(self, message: Message) -> None:
        tenant = self.tenant
        mode = tenant.behaviour.ack
        patient = message.value("PID", 3).split("^")[0]
        if mode == "internal_error":
            raise Nack("AE", "207", "Something failed inside.")
        if mode == "locked":
            raise Nack("AE", "206", "The record is locked.", "PV1^1^19")
        if mode == "unknown_key" or tenant.store.get("Patient", patient) is None:
            raise Nack("AE", "204", "The patient or visit is not known here.", "PID^1^3")
        judge_addendum(tenant, message)

    def _stored(self, message: Message, body: bytes) -> bytes | None:
        """Return the answer this very message got before; refuse another one under its control id."""
        digest, reply = self.tenant.hl7_stored.get(message.control_id, ("", b""))
        if digest and digest != hashlib.sha256(body).hexdigest():
            raise Nack("AE", "205", "The control id was used for another message.", "MSH^1^10")
        return reply or None

    def _store(self, message: Message, entry: LedgerEntry) -> str:
        tenant, behaviour = self.tenant, self.tenant.behaviour
        ack = in_mode(message, "AA")
        entry.created = f"{message.event.partition('^')[0]}/{message.value('TXA', 12) or message.control_id}"
        self._log("accepted", message, ack=ack)
        fields = tenant.template.file(narrative_of(message), behaviour, tenant.unmapped)
        if behaviour.obx_silent_cut is not None:
            fields = {name: text[: behaviour.obx_silent_cut] for name, text in fields.items()}
        filing = Filing(
            resource="DocumentReference",
            resource_id=message.value("TXA", 12) or message.control_id,
            transaction_id=message.control_id,
            at=iso(tenant.server_time()),
            document_type=message.value("OBX", 3).split("^")[0],
            patient_id=message.value("PID", 3).split("^")[0],
            encounter_id=message.value("PV1", 19).split("^")[0],
            author_id=message.value("TXA", 5).split("^")[0],
            fields=fields,
        )
        write_filed_row(tenant, file_in_chart(tenant, filing), None)
        tenant.store.create("DocumentReference", document_of(message), filing.at)
        entry.ids = [id for id in (message.control_id, message.value("TXA", 12)) if id]
        return ack

    def _log(self, event: str, message: Message | None, **values: Any) -> None:
        self.tenant.audit.write(
            event,
            transaction_id=message.control_id if message else "",
            client_id=message.value("MSH", 3) if message else "",
            resource=message.event if message else "",
            patient_id=message.value("PID", 3).split("^")[0] if message else "",
            encounter_id=message.value("PV1", 19).split("^")[0] if message else "",
            author_id=message.value("TXA", 5).split("^")[0] if message else "",
            **values,
        )
