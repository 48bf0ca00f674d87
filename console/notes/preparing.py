"""Make lines of a log ready to be stored, without the database: read, check, reduce, hash, seal.

The lines of one batch become one `Prepared`; its counts add up: `good` lines gave the rows of `entries`, the others
stand in `bad`. A batch is bounded in lines and in bytes, so that memory stays the same however long the file is.
"""

import threading
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from queue import Empty, Full, Queue
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import connection

from console.integrations.models import Source
from console.notes.copy_rows import Entry, packers
from console.notes.fast_lines import fast_reader
from console.notes.log_lines import BadLine, Row, check_row, read_line
from console.shared.sealing import Keyring
from diagnostics.parsing.log_formats.lines import CutLine
from diagnostics.parsing.log_formats.pieces import HEAD_BYTES, LONGEST_LINE_BYTES, Line

BATCH_ROWS = 10_000
BATCH_BYTES = 8 * 1024 * 1024
_AHEAD = 2
_GOODBYE_S = 5.0
T = TypeVar("T")


@dataclass(slots=True)
class Prepared:
    """What some lines became, and the place in the file after them."""

    entries: dict[bytes, Entry] = field(default_factory=dict)
    rows: int = 0
    bad: list[tuple[int, str, bytes]] = field(default_factory=list)
    line: int = 0
    end: int = 0
    size: int = 0

    @property
    def full(self) -> bool:
        """Tell whether the batch should be stored now."""
        return self.rows + len(self.bad) >= BATCH_ROWS or self.size >= BATCH_BYTES


class Preparer:
    """Prepare lines of one log of one source."""

    def __init__(self, ring: Keyring, source: Source, log: str, latest: datetime) -> None:
        self._log, self._zone, self._latest = log, zone_of(source), latest
        self._fast = fast_reader(log, latest)
        self._pack, _ = packers(ring, log, integration=source.integration_id, source=source.id)

    def take(self, batch: Prepared, number: int, lines: Iterable[bytes]) -> int:
        """Add lines of NDJSON, of which `number` is the first, and give the number after them; blank ones are none."""
        fast, pack, entries, rows = self._fast, self._pack, batch.entries, 0
        for line in lines:
            checked = fast(line)
            if checked is None:
                self._take_slowly(batch, number, line)
            else:
                entry = pack(checked[0], checked[1], number)
                entries.setdefault(entry[1], entry)
                rows += 1
            number += 1
        batch.rows += rows
        return number

    def take_read(self, batch: Prepared, line: Line) -> None:
        """Add one line that a reader of another format turned into a row, or told why it is none."""
        if line.row is None:
            batch.bad.append((line.number, line.problem or "is no row", kept(line.raw)))
            return
        try:
            at = check_row(line.row, log=self._log, zone=self._zone, latest=self._latest)
        except BadLine as problem:
            batch.bad.append((line.number, str(problem), kept(line.raw)))
            return
        self._add(batch, line.row, at, line.number)

    def _take_slowly(self, batch: Prepared, number: int, line: bytes) -> None:
        if isinstance(line, CutLine):
            batch.bad.append((number, line.problem, bytes(line)))
        elif line.strip():
            try:
                rows = read_line(line, log=self._log, zone=self._zone, latest=self._latest)
            except BadLine as problem:
                batch.bad.append((number, str(problem), kept(line)))
                return
            for row, at in rows:
                self._add(batch, row, at, number)

    def _add(self, batch: Prepared, row: Row, at: int, number: int) -> None:
        entry = self._pack(row, at, number)
        batch.entries.setdefault(entry[1], entry)
        batch.rows += 1


def kept(line: bytes) -> bytes:
    """Give what of a line is set aside: all of it, or the beginning of a giant."""
    return line if len(line) <= LONGEST_LINE_BYTES else line[:HEAD_BYTES]


def zone_of(source: Source) -> ZoneInfo | None:
    """Give the time zone of a source's times without an offset; None refuses them."""
    try:
        return ZoneInfo(source.time_zone) if source.time_zone else None
    except (ZoneInfoNotFoundError, ValueError):
        return None


def of_chunks(preparer: Preparer, chunks: Iterable[tuple[int, list[bytes], int]]) -> Iterator[Prepared]:
    """Prepare chunks of NDJSON lines, batch by batch."""
    batch = Prepared()
    for first, lines, end in chunks:
        number = preparer.take(batch, first, lines)
        batch.line, batch.size, batch.end = number - 1, batch.size + sum(map(len, lines)), end
        if batch.full:
            yield batch
            batch = Prepared()
    if batch.line:
        yield batch


def of_lines(preparer: Preparer, lines: Iterable[Line]) -> Iterator[Prepared]:
    """Prepare lines that a format's reader gives, batch by batch."""
    batch = Prepared()
    for line in lines:
        preparer.take_read(batch, line)
        batch.line, batch.size, batch.end = line.number, batch.size + len(line.raw), line.end
        if batch.full:
            yield batch
            batch = Prepared()
    if batch.line:
        yield batch


def set_aside(lines: Iterable[Line], reason: str) -> Iterator[Prepared]:
    """Set every line aside for one reason, batch by batch."""
    batch = Prepared()
    for line in lines:
        batch.bad.append((line.number, reason, kept(line.raw)))
        batch.line, batch.size, batch.end = line.number, batch.size + len(line.raw), line.end
        if batch.full:
            yield batch
            batch = Prepared()
    if batch.line:
        yield batch


def ahead(made: Iterator[T]) -> Generator[T]:
    """Make the next things in a thread of their own while the caller, who waits for the database, uses the last.

    What the making raises is raised here, after everything made before it. The thread ends with the caller's loop.
    """
    ready: Queue[tuple[T | None, BaseException | None]] = Queue(_AHEAD)
    over = threading.Event()

    def put(item: tuple[Any, BaseException | None]) -> None:
        while not over.is_set():
            try:
                return ready.put(item, timeout=0.2)
            except Full:
                continue

    def work() -> None:
        problem: BaseException | None = None
        try:
            for one in made:
                put((one, None))
                if over.is_set():
                    return
        except BaseException as raised:
            problem = raised
        finally:
            connection.close()  # of this thread: a file may be read from the database
        put((None, problem))

    thread = threading.Thread(target=work, name="prepare-log", daemon=True)
    thread.start()
    try:
        while True:
            try:
                one, problem = ready.get(timeout=1)
            except Empty:
                if not thread.is_alive():
                    raise RuntimeError("The preparing of log lines ended without a word.") from None
                continue
            if problem is not None:
                raise problem
            if one is None:
                return
            yield one
    finally:
        over.set()
        thread.join(_GOODBYE_S)  # it may wait for a standard input that stays silent
