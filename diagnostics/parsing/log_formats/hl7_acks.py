"""Read files of HL7 v2 acknowledgements: one after another, as MLLP frames, or in a batch (FHS, BHS, BTS, FTS).

In the scribe's log an acknowledgement is the answer it got; in the EHR's log it is what the EHR decided.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from diagnostics.parsing.ack import Ack, read_ack
from diagnostics.parsing.hl7 import Message, read_message
from diagnostics.parsing.log_formats.moments import hl7
from diagnostics.parsing.log_formats.pieces import (
    BLOCK_BYTES,
    HEAD_BYTES,
    LONGEST_LINE_BYTES,
    Line,
    Odd,
    Piece,
    Reading,
    Row,
    fill,
    lines_of,
    too_long,
)

_BEGIN = re.compile(
    rb"(?<=\x1c)(?=[\s\S])|(?:(?<=[\r\n\x0b])|\A)[ \t]{0,8}(?:MSH|FHS|BHS|BTS|FTS)(?=[^A-Za-z0-9\s]|[\r\n]|\Z)"
)
_TAIL = 16
_FRAME = b"\x0b\x1c \t\r\n\x00\xef\xbb\xbf"
_WRAPPERS = (b"FHS", b"BHS", b"BTS", b"FTS")


def read_acks(stream: BinaryIO, reading: Reading) -> Iterator[Line]:
    """Yield a line for every acknowledgement."""

    def rows(raw: bytes) -> list[Row]:
        return [_row(raw, reading.log)]

    return lines_of(messages(stream), rows, reading.start)


def messages(stream: BinaryIO) -> Iterator[Piece]:
    """Yield every message from its MSH to the end of its frame or the next header, and what stands between."""
    buffer, read, scan, count = b"", 0, 1, 0
    head: bytes | None = None  # of a message too long to be held
    began = 0
    ended = False
    while not ended:
        block = fill(stream, BLOCK_BYTES)
        ended = not block
        buffer += block
        read += len(block)
        start = 0
        while (found := _BEGIN.search(buffer, scan)) is not None and (ended or found.end() < len(buffer)):
            end = read - len(buffer) + found.start()
            if _worth(head if head is not None else buffer[start : found.start()]):
                count += 1
                yield _piece(count, buffer[start : found.start()], head, began, end)
            began, start, scan, head = end, found.start(), max(found.end(), found.start() + 1), None
        buffer = buffer[start:]
        if not ended and len(buffer) > LONGEST_LINE_BYTES:
            head = buffer[:HEAD_BYTES] if head is None else head
            buffer = buffer[-_TAIL:]
            scan = 1
        elif not ended:
            scan = max(1, len(buffer) - _TAIL)
    if _worth(head if head is not None else buffer):
        yield _piece(count + 1, buffer, head, began, read)


def _worth(raw: bytes) -> bool:
    bare = raw.strip(_FRAME)
    return bool(bare) and not (bare[:3] in _WRAPPERS and b"MSA" not in bare)


def _piece(number: int, raw: bytes, head: bytes | None, began: int, end: int) -> Piece:
    if head is not None or end - began > LONGEST_LINE_BYTES:
        return Piece(number, head or raw[:HEAD_BYTES], end, too_long("the message", end - began))
    return Piece(number, raw, end)


def _row(raw: bytes, log: str) -> Row:
    bare = raw.strip(_FRAME)
    message = read_message(bare)
    if not message.starts_with_msh:
        raise Odd("begins with no MSH segment: it is no HL7 message")
    try:
        text = bare.decode(message.charset)
    except (UnicodeDecodeError, LookupError):
        text = bare.decode("latin-1")
    ack = read_ack(text)
    if ack is None:
        raise Odd("holds no MSA segment with AA, AE, AR, CA, CE or CR: it is no acknowledgement")
    row: Row = {"at": _at(message)}
    row["event"] = "acked" if log == "scribe" else "rejected" if ack.negative else "accepted"
    row["ack"] = ack.code
    if ack.control_id:
        row["transaction_id"] = ack.control_id
        if log == "scribe":
            row["ack_id"] = ack.control_id
    if log == "ehr" and message.get("MSH-5"):
        row["client_id"] = message.get("MSH-5")
    if error := error_of(ack, text):
        row["error"] = error
    return row


def error_of(ack: Ack, text: str) -> str:
    """Return a negative acknowledgement whole, because its places and codes tell more than its words; else nothing."""
    return "\r".join(line for line in re.split(r"[\r\n]+", text.strip("\x0b\x1c\r\n")) if line) if ack.negative else ""


def _at(message: Message) -> str:
    written = message.get("MSH-7").strip()
    if not written:
        raise Odd("MSH-7 (the time of the message) is missing")
    try:
        return hl7(written)
    except ValueError:
        raise Odd("MSH-7 (the time of the message) is no time with its hour") from None
