"""Split CSV and TSV into records (RFC 4180: a quoted cell may hold line breaks), streaming, and never lost.

A quote that is never closed would swallow the rest of a file: a record ends after 1 MiB, its first line is reported,
and reading goes on with the next line.
"""

import csv
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from diagnostics.parsing.log_formats.lines import CutLine, blocks
from diagnostics.parsing.log_formats.pieces import HEAD_BYTES, LONGEST_LINE_BYTES

DELIMITERS = ",;\t|"
AFTER_A_FAULT = 16
"""So many lines may a record have in the stretch that an unclosed quote had swallowed: bounds the work."""

csv.field_size_limit(max(csv.field_size_limit(), LONGEST_LINE_BYTES))  # its own limit is an eighth of ours


class Record(NamedTuple):
    """Be one record: number of its first line, its bytes, its cells or why there are none, and where it ends."""

    number: int
    raw: bytes
    cells: list[str]
    problem: str | None
    end: int


class _Physical(NamedTuple):
    number: int
    raw: bytes
    end: int
    problem: str | None


def records(stream: BinaryIO, delimiter: str | None = None) -> Iterator[Record]:
    """Yield every record that is not blank; without a delimiter the first line (the header, or `sep=;`) tells it.

    Cells are text as it stood; bytes that are not UTF-8 are a record's problem.
    """
    waiting: deque[_Physical] = deque()
    source = _physical(stream)
    swallowed = 0  # up to here an unclosed quote reached
    while line := _next(waiting, source):
        if line.problem is not None:
            yield Record(line.number, line.raw, [], line.problem, line.end)
            continue
        text = _text(line.raw)
        if delimiter is None:
            declared = text.strip()
            if declared[:4].lower() == "sep=" and len(declared) == 5:  # what Excel writes for itself
                delimiter = declared[4]
                continue
            delimiter = sniff_delimiter(text)
        if '"' not in text:
            cells = text.rstrip("\r\n").split(delimiter)
            yield Record(line.number, line.raw, cells, _odd_text(text), line.end)
            continue
        held = [line]
        most = AFTER_A_FAULT if line.end <= swallowed else None
        read, problem = _quoted(held, waiting, source, delimiter, most)
        if read is None:
            swallowed = max(swallowed, held[-1].end)
            waiting.extendleft(reversed(held[1:]))
            yield Record(line.number, line.raw[:HEAD_BYTES], [], problem, line.end)
            continue
        raw = b"\n".join(each.raw for each in held)
        yield Record(line.number, raw, read, _odd_text(_text(raw)), held[-1].end)


def sniff_delimiter(header: str) -> str:
    """Return the sign that separates the columns of a header line: the most frequent one outside quotes."""
    outside = "".join(header.split('"')[::2])
    return max(DELIMITERS, key=lambda sign: (outside.count(sign), -DELIMITERS.index(sign)))


def _physical(stream: BinaryIO) -> Iterator[_Physical]:
    for block in blocks(stream):
        place = block.begin
        for number, line in enumerate(block.lines, block.number):
            if isinstance(line, CutLine):
                yield _Physical(number, bytes(line), block.end, line.problem)
                continue
            place += len(line) + 1
            yield _Physical(number, line, min(place, block.end), None)


def _next(waiting: deque[_Physical], source: Iterator[_Physical]) -> _Physical | None:
    while True:
        line = waiting.popleft() if waiting else next(source, None)
        if line is None or (line.raw and not line.raw.isspace()):
            return line


def _quoted(
    held: list[_Physical], waiting: deque[_Physical], source: Iterator[_Physical], delimiter: str, most: int | None
) -> tuple[list[str] | None, str]:
    """Read one record with quotes; put the lines it took beside the first into `held`."""

    def feed() -> Iterator[str]:
        size = len(held[0].raw)
        yield _text(held[0].raw) + "\n"
        while most is None or len(held) < most:
            line = waiting.popleft() if waiting else next(source, None)
            if line is None:
                return
            size += len(line.raw) + 1
            if line.problem is not None or size > LONGEST_LINE_BYTES:
                waiting.appendleft(line)
                return
            held.append(line)
            yield _text(line.raw) + "\n"

    try:
        return next(csv.reader(feed(), delimiter=delimiter, strict=True)), ""
    except csv.Error as error:
        if "end of data" in str(error):
            return None, "a quoted cell is not closed"
        return None, "a quote stands where none may: inside a cell, or before the end of its column"
    except StopIteration:
        return None, "holds no cells"


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _odd_text(text: str) -> str | None:
    if text.isascii():
        return "holds a NUL character" if "\x00" in text else None
    if "\x00" in text:
        return "holds a NUL character"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "is not UTF-8 text"
    return None
