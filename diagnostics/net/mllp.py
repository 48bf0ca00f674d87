"""Speak MLLP release 1: <VT> message <FS><CR>, with a wall-clock limit and no trust in packet borders."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from diagnostics.net.wire import Wire

START = b"\x0b"
END = b"\x1c\r"
STRAY_GRACE_S = 1.0


def framed(message: bytes) -> bytes:
    """Return the message in its frame."""
    return START + message + END


@dataclass
class FrameReader:
    """Cut frames out of a byte stream: split, glued, and with stray bytes between them.

    Bytes outside any frame are kept in `unframed`: a peer that answers without a frame is misframed, not silent.
    """

    unframed: bytearray = field(default_factory=bytearray)
    _open: bytearray | None = None
    _tail: bytes = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next bytes; return the messages that are now complete."""
        complete: list[bytes] = []
        data = self._tail + data
        self._tail = b""
        while data:
            if self._open is None:
                before, start, data = data.partition(START)
                self.unframed += before
                if start:
                    self._open = bytearray()
                continue
            body, end, rest = data.partition(END)
            if not end:
                keep = 1 if data.endswith(b"\x1c") else 0  # the end mark may be split over two packets
                self._tail = data[len(data) - keep :] if keep else b""
                self._open += data[: len(data) - keep] if keep else data
                break
            self._open += body
            complete.append(bytes(self._open))
            self._open = None
            data = rest
        return complete

    @property
    def unfinished(self) -> bytes:
        """Return what stands in a frame that was opened and not closed."""
        return bytes(self._open or b"") + self._tail


def acknowledged_id(message: bytes) -> str | None:
    """Return MSA-2 of an acknowledgement, whatever its segment terminators and field separator are."""
    normal = message.replace(b"\r\n", b"\r").replace(b"\n", b"\r")
    separator = normal[3:4] if normal[:3] == b"MSH" else b"|"
    for segment in normal.split(b"\r"):
        if segment.startswith(b"MSA" + separator):
            fields = segment.split(separator)
            return fields[2].decode("utf-8", errors="replace").strip() if len(fields) > 2 else ""
    return None


@dataclass
class Conversation:
    """Send one message and read until its own acknowledgement comes; what comes besides is kept."""

    wire: Wire
    control_id: str
    reader: FrameReader = field(default_factory=FrameReader)
    answers: list[bytes] = field(default_factory=list)

    async def run(self, message: bytes) -> None:
        """Return once MSA-2 names our message or the peer closed. The caller bounds the time."""
        await self.wire.send(framed(message))
        await self.read()

    async def read(self) -> None:
        """Read until our acknowledgement or the end of the stream.

        Once somebody else's acknowledgement came, ours gets `STRAY_GRACE_S` more: a peer that answers with the
        wrong MSA-2 answers no second time, and that mismatch is the finding.
        """
        while True:
            limit = STRAY_GRACE_S if self.answers else None
            try:
                async with asyncio.timeout(limit):
                    data = await self.wire.receive()
            except TimeoutError:
                if self.answers:
                    return
                raise
            if not data:
                return
            self.answers += self.reader.feed(data)
            if any(acknowledged_id(each) == self.control_id for each in self.answers):
                return
            # An acknowledgement outside any frame is the peer's whole answer: nothing better will come.
            if not self.answers and acknowledged_id(bytes(self.reader.unframed).strip()) is not None:
                return
