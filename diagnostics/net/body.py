"""Undo a content coding without letting a few bytes grow into memory we do not have."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

from diagnostics.net.faults import Fault, FaultKind, NetworkFault, Phase

_STEP = 64 * 1024


def _fault(kind: FaultKind, detail: str) -> NetworkFault:
    return NetworkFault(Fault(kind, Phase.READING, detail))


@dataclass
class BodyReader:
    """Decode one body chunk by chunk; more than `limit` decoded bytes is a fault, never an allocation."""

    coding: str
    limit: int
    kept: bytearray = field(default_factory=bytearray)

    def __post_init__(self) -> None:
        coding = self.coding.strip().lower()
        if coding in ("", "identity"):
            self._inflate = None
        elif coding in ("gzip", "x-gzip", "deflate"):
            # 32 + 15: zlib finds out by itself whether it is gzip or zlib.
            self._inflate = zlib.decompressobj(47)
        else:
            raise _fault(FaultKind.PROTOCOL, f"the answer uses the content coding {coding[:20]!r}, which was not asked")

    def feed(self, data: bytes) -> None:
        """Take the next bytes off the wire."""
        if self._inflate is None:
            self._keep(data)
            return
        while data:
            try:
                self._keep(self._inflate.decompress(data, _STEP))
            except zlib.error as error:
                raise _fault(FaultKind.PROTOCOL, "the compressed answer is damaged") from error
            data = self._inflate.unconsumed_tail

    def _keep(self, data: bytes) -> None:
        if len(self.kept) + len(data) > self.limit:
            raise _fault(FaultKind.TOO_LARGE, "the answer is larger than we read once it is decompressed")
        self.kept += data
