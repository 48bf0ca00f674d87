"""Hold what every reader of a log speaks of: a line with its place, and a file that cannot be read at all."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO, NamedTuple

from diagnostics.errors import DiagnosticsError

LONGEST_LINE_BYTES = 1024 * 1024
HEAD_BYTES = 4096
"""So much of a line that is too long is kept for the quarantine."""
BLOCK_BYTES = 512 * 1024

Row = dict[str, Any]


class BadPacking(DiagnosticsError):
    """Say that a file is packed in a way that cannot be undone, or that its packing breaks off."""


class BadFormat(DiagnosticsError):
    """Say that a file as a whole is not of the format it should be, and what was expected."""


class Odd(DiagnosticsError):
    """Say why one line or element is no row; the message names keys and columns, never a value."""


@dataclass(frozen=True, slots=True)
class Line:
    """Be one line or element of a log with its place; see `read` for what the parts mean."""

    number: int
    raw: bytes
    row: Row | None
    problem: str | None
    end: int


class Piece(NamedTuple):
    """Be one line or element before it is understood; `raw` is cut to 4 KiB where `problem` says it is too long."""

    number: int
    raw: bytes
    end: int
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """Say how a log is to be read: which log, from which byte on, which columns mean what, and what *now* is."""

    log: str
    start: int
    mapping: Mapping[str, str] | None
    now: datetime


def too_long(what: str, size: int) -> str:
    """Return the problem of a line or element of more than 1 MB."""
    return f"{what} is longer than 1 MB ({size:,} bytes)"


def fill(stream: BinaryIO, size: int) -> bytes:
    """Read so many bytes, fewer only at the end: blocks that are the same from run to run let a reader resume."""
    first = stream.read(size)
    if len(first) == size or not first:
        return first
    parts, missing = [first], size - len(first)
    while missing and (more := stream.read(missing)):
        parts.append(more)
        missing -= len(more)
    return b"".join(parts)


def lines_of(pieces: Iterable[Piece], convert: Callable[[bytes], list[Row]], start: int) -> Iterator[Line]:
    """Turn pieces into lines, from byte `start` on.

    A piece that gives several rows gives each an `end` of its own inside the piece, so that an import that stopped
    between them goes on with the next one.
    """
    for number, raw, end, problem in pieces:
        if end <= start:
            continue
        if problem is not None:
            yield Line(number, raw, None, problem, end)
            continue
        try:
            rows = convert(raw)
            for row in rows:
                check_texts(row)
        except Odd as odd:
            yield Line(number, raw, None, str(odd), end)
            continue
        first = end - len(rows) + 1
        for place, row in enumerate(rows, first):
            if place > start:
                yield Line(number, raw, row, None, place)


def text_of(raw: bytes) -> str:
    """Decode a line; raise Odd where it is no text that a database could keep."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Odd("is not UTF-8 text") from None
    if "\x00" in text:
        raise Odd("holds a NUL character")
    return text


def check_texts(row: Mapping[str, Any]) -> None:
    """Raise Odd where a text of a row, however deep, cannot be kept: a NUL, or half a character (lone surrogate)."""
    waiting: list[Any] = [row]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            if "\x00" in each:
                raise Odd("holds a NUL character")
            if not each.isascii():
                try:
                    each.encode()
                except UnicodeEncodeError:
                    raise Odd("holds half a character (a lone surrogate)") from None
        elif isinstance(each, dict):
            waiting += each.keys()
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
