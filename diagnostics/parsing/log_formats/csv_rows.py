"""Read the records of a CSV or TSV file as rows of the contract, by a mapping of its columns."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, BinaryIO

from diagnostics.parsing.log_formats.csv_columns import KEYS, NUMBERS, OBJECTS, missing, suggest
from diagnostics.parsing.log_formats.csv_records import Record, records, sniff_delimiter
from diagnostics.parsing.log_formats.firewall_words import action_of
from diagnostics.parsing.log_formats.moments import iso
from diagnostics.parsing.log_formats.pieces import BadFormat, Line, Odd, Reading, Row, check_texts

_Take = Callable[[Row, str], None]


@dataclass(frozen=True)
class Table:
    """Be the beginning of a CSV file: its delimiter, its column names, and its first records."""

    delimiter: str
    headers: tuple[str, ...]
    records: tuple[tuple[str, ...], ...]


def peek(head: bytes, records_wanted: int = 5) -> Table:
    """Look at the beginning of a CSV file, for the step that maps columns; raise BadFormat where it has no header."""
    found = records(BytesIO(head))
    header = _header(found)
    cut = 0 if head.endswith(b"\n") else len(head)  # the last line may be cut
    first = []
    for record in found:
        if record.end != cut and record.problem is None and len(record.cells) == len(header):
            first.append(tuple(record.cells))
        if len(first) == records_wanted:
            break
    line = head.split(b"\n", 1)[0].decode("utf-8", "replace").strip()
    delimiter = line[4] if line[:4].lower() == "sep=" and len(line) == 5 else sniff_delimiter(line)
    return Table(delimiter, tuple(header), tuple(first))


def read_csv(stream: BinaryIO, reading: Reading) -> Iterator[Line]:
    """Yield a line for every record after the header; raise BadFormat where header and mapping do not fit."""
    found = records(stream)
    header = _header(found)
    takes = _columns(header, reading)
    for record in found:
        if record.end > reading.start:
            yield _line(record, header, takes)


def _header(found: Iterator[Record]) -> list[str]:
    record = next(found, None)
    if record is None or record.problem is not None:
        reason = f": the first line {record.problem}" if record is not None and record.problem else ""
        raise BadFormat(f"The file has no header row{reason}. Its first line must name the columns.")
    names: list[str] = []
    for cell in record.cells:
        name, copy = cell.strip(), 2
        while name in names and name:
            name, copy = f"{cell.strip()} ({copy})", copy + 1
        names.append(name)
    while names and not names[-1]:
        names.pop()
    if not names:
        raise BadFormat("The file has no header row. Its first line must name the columns.")
    return names


def _columns(header: Sequence[str], reading: Reading) -> list[tuple[int, _Take]]:
    mapping = reading.mapping if reading.mapping is not None else suggest(header, reading.log)
    by_fold = {name.casefold(): name for name in reversed(header)}
    meant: dict[str, str] = {}
    for column, key in mapping.items():
        name = column if column in header else by_fold.get(column.strip().casefold())
        if not key:
            continue
        if name is None:
            raise BadFormat(f"The file has no column “{column[:60]}”, which the mapping names. Map its columns again.")
        _check_key(key, reading.log)
        meant[name] = key
    if lacking := missing(meant, reading.log):
        raise BadFormat(f"No column is mapped to {' and '.join(lacking)}, which every row needs. "
                        f"The file's columns are {', '.join(name[:60] for name in header[:40])}.")  # fmt: skip
    for key in meant.values():
        if key != "at" and sum(other == key for other in meant.values()) > 1:
            raise BadFormat(f"Several columns are mapped to {key}. Map one of them only.")
    moments = [index for index, name in enumerate(header) if meant.get(name) == "at"]
    takes: list[tuple[int, _Take]] = []
    for index, name in enumerate(header):
        key = meant.get(name, "")
        if key and key != "at":
            takes.append((index, _take(key, name, reading.log)))
    return [(index, _part_of_time) for index in moments] + [(-1, _whole_time(header, moments)), *takes]


def _check_key(key: str, log: str) -> None:
    head, dot, _ = key.partition(".")
    if head not in KEYS[log] or (dot and head not in OBJECTS):
        raise BadFormat(f"A column is mapped to {key[:60]}, which rows of this log do not have.")


def _line(record: Record, header: Sequence[str], takes: Sequence[tuple[int, _Take]]) -> Line:
    number, raw, cells, problem, end = record
    if problem is not None:
        return Line(number, raw, None, problem, end)
    try:
        row = _row(cells, header, takes)
    except Odd as odd:
        return Line(number, raw, None, str(odd), end)
    return Line(number, raw, row, None, end)


def _row(cells: Sequence[str], header: Sequence[str], takes: Sequence[tuple[int, _Take]]) -> Row:
    width, count = len(header), len(cells)
    if count != width and (count < width or any(cell.strip() for cell in cells[width:])):
        raise Odd(f"has {count} cell{'s' if count != 1 else ''} where the header has {width}")
    row: Row = {}
    for index, take in takes:
        cell = cells[index].strip() if index >= 0 else ""
        if cell or index < 0:
            take(row, cell)
    return row


def _part_of_time(row: Row, cell: str) -> None:
    row["at"] = f"{row['at']} {cell}" if "at" in row else cell


def _whole_time(header: Sequence[str], moments: Sequence[int]) -> _Take:
    names = " and ".join(f"“{header[index][:60]}”" for index in moments)

    def take(row: Row, _: str) -> None:
        if "at" not in row:
            raise Odd(f"at is missing: column {names} is empty")
        try:
            row["at"] = iso(row["at"])
        except ValueError:
            raise Odd(f"at is no time: column {names} holds none of the known forms") from None

    return take


def _take(key: str, name: str, log: str) -> _Take:
    head, dot, entry = key.partition(".")
    column = f"column “{name[:60]}”"

    def text(row: Row, cell: str) -> None:
        row[key] = cell

    def nested(row: Row, cell: str) -> None:
        row.setdefault(head, {})[entry] = cell

    def whole_object(row: Row, cell: str) -> None:
        row[key] = {**_object(cell, key, column), **row.get(key, {})}

    def number(row: Row, cell: str) -> None:
        row[key] = _number(cell)

    def action(row: Row, cell: str) -> None:
        word = action_of(cell)
        if word is None:
            raise Odd(f"action is none of allow, drop, deny, reset: {column}")
        row[key] = word

    if dot:
        return nested
    if key in OBJECTS:
        return whole_object
    if key in NUMBERS or key in ("status", "port"):
        return number
    return action if key == "action" and log == "firewall" else text


def _object(cell: str, key: str, column: str) -> Mapping[str, Any]:
    try:
        value = json.loads(cell)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise Odd(f"{key} is not an object: {column} must hold JSON text such as {{…}}")
    check_texts(value)
    return value


def _number(cell: str) -> int | float | str:
    """Return a number as NDJSON would hold it; other text as it is, for whoever checks rows to name."""
    if cell.isascii() and cell.isdigit() and len(cell) < 16:
        return int(cell)
    if cell.isascii() and cell.replace(".", "", 1).isdigit() and len(cell) < 16:
        return float(cell)
    return cell
