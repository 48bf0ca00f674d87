"""Read a log of any known format as rows of the contract, each with its place."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import BinaryIO

from diagnostics.parsing.log_formats.atna import read_atna
from diagnostics.parsing.log_formats.csv_rows import read_csv
from diagnostics.parsing.log_formats.hl7_acks import read_acks
from diagnostics.parsing.log_formats.json_rows import read_array, read_audit_events
from diagnostics.parsing.log_formats.line_formats import read_lines, read_vpc_flow
from diagnostics.parsing.log_formats.lines import line_pieces
from diagnostics.parsing.log_formats.mirth import read_mirth
from diagnostics.parsing.log_formats.packing import ahead
from diagnostics.parsing.log_formats.pieces import BadFormat, Line, Reading
from diagnostics.parsing.log_formats.sniff import FORMATS, formats_for, refuse_wide

_HEAD = 4096
_READERS = {
    "json": read_array,
    "csv": read_csv,
    "audit_events": read_audit_events,
    "atna": read_atna,
    "hl7_acks": read_acks,
    "mirth": read_mirth,
    "vpc_flow": read_vpc_flow,
}


def read(
    stream: BinaryIO,
    *,
    log: str,
    format: str,
    mapping: Mapping[str, str] | None = None,
    start: int = 0,
    now: datetime | None = None,
) -> Iterator[Line]:
    """Yield the lines of an unpacked log, from its first byte; those that end at or before `start` are passed by.

    Each has `number` (line or element, from 1), `raw` (as it stood; 4 KiB of what is longer than 1 MiB), and either
    `row` (of the contract; `at` is naive where the log names no offset) or `problem`. For NDJSON both are None: `raw`
    is for the caller to decode. `end` is where to go on: `read` with it as `start` yields exactly the rest.

    `mapping` is {column: contract key} for CSV. `now` dates syslog lines, which name no year. Raise BadFormat where
    the whole file is not what it should be; bad lines never raise.
    """
    if format not in formats_for(log):
        raise BadFormat(f"A {log} log cannot be read as {FORMATS.get(format, format[:40])}.")
    return _lines(ahead(stream), format, Reading(log, start, mapping, now or datetime.now(UTC)))


def _lines(stream: BinaryIO, format: str, reading: Reading) -> Iterator[Line]:
    refuse_wide(stream.peek(_HEAD))  # type: ignore[attr-defined]
    if format == "ndjson":
        for number, raw, end, problem in line_pieces(stream, reading.start):
            yield Line(number, raw, None, problem, end)
    elif format in _READERS:
        yield from _READERS[format](stream, reading)
    else:
        yield from read_lines(stream, reading, format)
