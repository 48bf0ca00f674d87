"""Unpack a log while it is read: gzip (of several members as well), and UTF-16 with its byte-order mark.

Memory stays small whatever the file unpacks to. What came before a damage is handed out before the damage is told.
"""

import codecs
import io
import zlib
from typing import BinaryIO, cast

from diagnostics.parsing.log_formats.pieces import BLOCK_BYTES, BadPacking, fill

_GZIP = b"\x1f\x8b"
_PACKED = 64 * 1024
_UNREADABLE = (
    (b"PK\x03\x04", "a ZIP archive"),
    (b"BZh", "packed with bzip2"),
    (b"\xfd7zXZ\x00", "packed with xz"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\x28\xb5\x2f\xfd", "packed with Zstandard"),
    (b"\xff\xfe\x00\x00", "UTF-32 text"),
    (b"\x00\x00\xfe\xff", "UTF-32 text"),
)


def open_stream(file: BinaryIO) -> BinaryIO:
    """Return the unpacked bytes of a file as a stream for `read`; the file is read from where it stands, once.

    gzip is known by its first bytes, not by its name. UTF-16 with a byte-order mark comes out as UTF-8. Raise
    BadPacking at once for another packing, or later from `read` where a gzip file is damaged or breaks off.
    """
    stream = ahead(file)
    if _start(stream, 2) == _GZIP:
        stream = ahead(cast(BinaryIO, _Gunzipped(stream)))
    head = _start(stream, 6)
    for magic, kind in _UNREADABLE:
        if head.startswith(magic):
            raise BadPacking(f"The file is {kind}: unpack or save it as plain UTF-8 text or gzip, then bring it again.")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return ahead(cast(BinaryIO, _Decoded(stream)))
    return stream


def ahead(stream: BinaryIO) -> BinaryIO:
    """Return the stream with a method `peek(size)` that looks at its beginning and leaves it unread."""
    return stream if isinstance(stream, _Ahead) else cast(BinaryIO, _Ahead(stream))


def _start(stream: BinaryIO, size: int) -> bytes:
    return cast(_Ahead, stream).peek(size)


class _Source(io.RawIOBase):
    """Be a stream of bytes that is only read, forwards, by `read`."""

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            parts = []
            while part := self._some(BLOCK_BYTES):
                parts.append(part)
            return b"".join(parts)
        return self._some(size) if size else b""

    def _some(self, size: int) -> bytes:
        raise NotImplementedError


class _Ahead(_Source):
    """Read another stream, and look at its first bytes before."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._held = b""

    def peek(self, size: int) -> bytes:
        if len(self._held) < size:
            self._held += fill(self._stream, size - len(self._held))
        return self._held[:size]

    def _some(self, size: int) -> bytes:
        if not self._held:
            return self._stream.read(size)
        given, self._held = self._held[:size], self._held[size:]
        return given


class _Gunzipped(_Source):
    """Unpack gzip (RFC 1952), member after member; zeros after the last one are padding of tapes and blocks."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._packed = b""
        self._member = zlib.decompressobj(wbits=31)
        self._given = 0
        self._at_end = False
        self._damage: str | None = None

    def _some(self, size: int) -> bytes:
        while not self._at_end and self._damage is None:
            if self._member.eof and not self._next_member():
                break
            if not self._packed:
                self._packed = self._stream.read(_PACKED)
            if not self._packed:
                self._damage = "The gzip file breaks off: it was not copied or written to its end."
                break
            try:
                given = self._member.decompress(self._packed, size)
            except zlib.error:
                self._damage = f"The gzip file is damaged after {self._given:,} bytes of its content."
                break
            self._packed = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
            self._given += len(given)
            if given:
                return given
        if self._damage is not None:
            raise BadPacking(f"{self._damage} Send the file again.")
        return b""

    def _next_member(self) -> bool:
        rest = self._packed.lstrip(b"\0")
        while len(rest) < 2 and (more := self._stream.read(_PACKED)):
            rest = (rest + more).lstrip(b"\0")
        self._packed = rest
        if not rest:
            self._at_end = True
            return False
        if not rest.startswith(_GZIP):
            self._damage = "Something that is not gzip follows the gzip file's end."
            return False
        self._member = zlib.decompressobj(wbits=31)
        return True


class _Decoded(_Source):
    """Give UTF-16 text as UTF-8; what is no character becomes U+FFFD."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-16")("replace")
        self._ready = b""
        self._at_end = False

    def _some(self, size: int) -> bytes:
        while not self._ready and not self._at_end:
            block = self._stream.read(_PACKED)
            self._at_end = not block
            self._ready = self._decoder.decode(block, final=self._at_end).encode("utf-8", "replace")
        given, self._ready = self._ready[:size], self._ready[size:]
        return given
