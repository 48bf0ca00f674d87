"""Split a stream into lines at line feeds only, in blocks; other separators may stand inside a text.

A line of more than 1 MiB is never held: its first 4 KiB stand for it.
"""

import codecs
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from diagnostics.parsing.log_formats.pieces import BLOCK_BYTES, HEAD_BYTES, LONGEST_LINE_BYTES, Piece, fill, too_long


class CutLine(bytes):
    """Be the first 4 KiB of a line that is too long; `length` is its whole size in bytes."""

    length: int = 0

    @property
    def problem(self) -> str:
        """Return why it is no row."""
        return too_long("the line", self.length)


class Block(NamedTuple):
    """Be some whole lines: the number of the first, the lines, and where in the stream they begin and end."""

    number: int
    lines: list[bytes]
    begin: int
    end: int


def ndjson_chunks(stream: BinaryIO, start: int = 0) -> Iterator[tuple[int, list[bytes], int]]:
    """Yield (number of the first line, lines without their line feed, byte offset after them), fast.

    Blank lines are among them, because they count; a line may end in a carriage return. A line of more than 1 MiB
    stands alone in its chunk, as a CutLine. `start` is an `end` that was given before.
    """
    for block in blocks(stream, start):
        yield block.number, block.lines, block.end


def blocks(stream: BinaryIO, start: int = 0) -> Iterator[Block]:
    """Yield all lines from byte `start` on; a byte-order mark at the very beginning belongs to no line."""
    number, place = _skip(stream, start)
    if place < start:
        return
    rest = b""
    first = place == 0
    while block := fill(stream, BLOCK_BYTES):
        if first:
            first = False
            if block.startswith(codecs.BOM_UTF8):
                block, place = block[3:], 3
        if len(rest) + len(block) > LONGEST_LINE_BYTES:
            feed = block.find(b"\n")
            if len(rest) + (feed if feed >= 0 else len(block)) > LONGEST_LINE_BYTES:
                cut = CutLine((rest + block[:HEAD_BYTES])[:HEAD_BYTES])
                cut.length, tail = _rest_of_line(stream, len(rest), block)
                end = place + cut.length + (tail is not None)
                yield Block(number, [cut], place, end)
                number, place, rest = number + 1, end, tail or b""
                # What stands after it may hold whole lines already
                if rest.count(b"\n"):
                    whole, _, rest = rest.rpartition(b"\n")
                    lines = whole.split(b"\n")
                    yield Block(number, lines, place, place + len(whole) + 1)
                    number, place = number + len(lines), place + len(whole) + 1
                continue
        whole, feed_found, tail_of_block = block.rpartition(b"\n")
        if not feed_found:
            rest += block
            continue
        lines = (rest + whole).split(b"\n")
        end = place + len(rest) + len(whole) + 1
        yield Block(number, lines, place, end)
        number, place, rest = number + len(lines), end, tail_of_block
    if rest:
        yield Block(number, [rest], place, place + len(rest))


def line_pieces(stream: BinaryIO, start: int = 0) -> Iterator[Piece]:
    """Yield every line that is not blank."""
    for block in blocks(stream, start):
        number, place, last = block.number, block.begin, block.end
        for line in block.lines:
            if isinstance(line, CutLine):
                yield Piece(number, bytes(line), last, line.problem)
            else:
                place += len(line) + 1
                if line and not line.isspace():
                    yield Piece(number, line, min(place, last))
            number += 1


def _skip(stream: BinaryIO, start: int) -> tuple[int, int]:
    """Pass by what was read before; return the number of the next line and the place reached."""
    number, place = 1, 0
    while place < start:
        block = stream.read(min(BLOCK_BYTES, start - place))
        if not block:
            break
        number += block.count(b"\n")
        place += len(block)
    return number, place


def _rest_of_line(stream: BinaryIO, before: int, block: bytes) -> tuple[int, bytes | None]:
    """Pass by the rest of a line; return its length, and what follows its line feed (None: it has none)."""
    length = before
    while block:
        feed = block.find(b"\n")
        if feed >= 0:
            return length + feed, block[feed + 1 :]
        length += len(block)
        block = fill(stream, BLOCK_BYTES)
    return length, None
