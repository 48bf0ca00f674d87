"""The limit of an import: the very rows it stored, as ready COPY text, into a table like theirs, indexes and all."""

from __future__ import annotations

import time
from pathlib import Path

import psycopg

TABLE, TWIN = "notes_logentry", "bench_logentry"
EMPTIED = ("notes_logentry", "notes_logbatch", "notes_quarantinedline", "notes_logimport", "notes_trace")


class RawCopy:
    """A twin of the log's table: same columns, indexes and partitions, no other rows."""

    def __init__(self, url: str, scratch: Path) -> None:
        self.connection = psycopg.connect(url, autocommit=True)
        self.text = scratch / "rows.copy"

    def prepare(self) -> int:
        """Make the twin and write what the import stored as COPY text, in the order it was stored; give the rows."""
        run = self.connection.execute
        run(f"DROP TABLE IF EXISTS {TWIN}")
        run(f"CREATE TABLE {TWIN} (LIKE {TABLE} INCLUDING ALL) PARTITION BY RANGE (at)")
        partitions = run(
            "SELECT c.relname, pg_get_expr(c.relpartbound, c.oid)"
            " FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = %s::regclass",
            [TABLE],
        ).fetchall()
        for name, bounds in partitions:
            run(f"CREATE TABLE bench_{name} PARTITION OF {TWIN} {bounds}")
        self._compare_indexes()
        columns = self._columns()
        count = 0
        with open(self.text, "wb") as out, self.connection.cursor() as cursor:
            query = f"COPY (SELECT {columns} FROM {TABLE} ORDER BY batch, tableoid, ctid) TO STDOUT"
            with cursor.copy(query) as copy:
                for block in copy:
                    out.write(block)
            count = cursor.rowcount
        return count

    def run(self) -> float:
        """Copy the text into the empty twin; give the seconds."""
        self.connection.execute(f"TRUNCATE {TWIN}")
        self.connection.execute("CHECKPOINT")
        began = time.perf_counter()
        statement = f"COPY {TWIN} ({self._columns()}) FROM STDIN"
        with open(self.text, "rb") as rows, self.connection.cursor() as cursor, cursor.copy(statement) as copy:
            while block := rows.read(1 << 20):
                copy.write(block)
        return time.perf_counter() - began

    def empty_the_log(self) -> None:
        """Forget every row that imports stored, so that the next round stores them anew."""
        there = self.connection.execute(
            "SELECT array_agg(name) FROM unnest(%s::text[]) name WHERE to_regclass(name) IS NOT NULL", [list(EMPTIED)]
        ).fetchone()
        names = ", ".join(there[0] if there else ())
        self.connection.execute(f"TRUNCATE {names} CASCADE")
        self.connection.execute("CHECKPOINT")

    def close(self) -> None:
        """Drop the twin."""
        self.connection.execute(f"DROP TABLE IF EXISTS {TWIN}")
        self.connection.close()

    def _columns(self) -> str:
        row = self.connection.execute(
            "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute"
            " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
            [TABLE],
        ).fetchone()
        return str(row[0]) if row else ""

    def _compare_indexes(self) -> None:
        """Refuse to measure where the twin has not as many indexes as the log."""
        count = "SELECT count(*) FROM pg_index WHERE indrelid = %s::regclass"
        ours, twins = (self.connection.execute(count, [name]).fetchone() for name in (TABLE, TWIN))
        if ours != twins:
            raise AssertionError(f"the twin has {twins} indexes, the log {ours}")
