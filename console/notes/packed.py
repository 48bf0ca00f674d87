"""Unpack gzip from outside, never further than asked: a small file may claim to be enormous."""

import zlib

_GZIP = 16 + zlib.MAX_WBITS
_STEP = 64 * 1024
_MOST_MEMBERS = 64  # a file of a million empty members would be unpacked for hours


class BadPacking(Exception):
    """What came is no whole gzip file."""


def unpack(packed: bytes, limit: int) -> bytes:
    """Give the content up to one byte above `limit`, so that the caller can tell; members may follow one another."""
    parts: list[bytes] = []
    size = members = 0
    while packed and size <= limit:
        members += 1
        if members > _MOST_MEMBERS:
            raise BadPacking("The gzip data is in too many pieces.")
        unpacker = zlib.decompressobj(_GZIP)
        try:
            while not unpacker.eof and size <= limit:
                part = unpacker.decompress(packed, min(_STEP, limit + 1 - size))
                if not part and not unpacker.unconsumed_tail and not unpacker.eof:
                    raise BadPacking("The gzip data ends too early.")
                parts.append(part)
                size += len(part)
                packed = unpacker.unconsumed_tail
        except zlib.error:
            raise BadPacking("This is no gzip data.") from None
        if unpacker.eof:
            packed = unpacker.unused_data.lstrip(b"\0")
    return b"".join(parts)
