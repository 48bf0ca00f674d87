"""Torture the import: `python -m tests.benchmarks.two_logs.import_torture [ROWS]` (1,000,000 by default).

1 % of the lines are no rows (of many kinds, three of them of 10 MB). The import is killed with SIGKILL five times at
random moments and begun again each time, then the same file is handed in a second time. Every stored row, duplicate and
quarantined line must add up exactly, in each receipt and in the tables.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson
import psycopg

from tests.benchmarks.two_logs import easy
from tests.benchmarks.two_logs.household import Household, Watch, household

SEED, BAD, KILLS = 77, 0.01, 5
HUGE = 10_000_000
Spoil = Callable[[bytes, random.Random], bytes]


def _without(key: str) -> Spoil:
    def spoil(line: bytes, rng: random.Random) -> bytes:
        row = orjson.loads(line)
        del row[key]
        return orjson.dumps(row)

    return spoil


def _with(key: str, value: object) -> Spoil:
    return lambda line, rng: orjson.dumps(orjson.loads(line) | {key: value})


KINDS: dict[str, Spoil] = {
    "cut off": lambda line, rng: line[: rng.randrange(1, len(line) - 1)],
    "no JSON": lambda line, rng: b"Nov 20 10:00:01 scribe[311]: posted note, waiting %d" % rng.getrandbits(60),
    "a list": lambda line, rng: b"[" + line + b"]",
    "a number": lambda line, rng: str(rng.getrandbits(60)).encode(),
    "cut off, with a NUL byte": lambda line, rng: line[:40] + b"\x00" + line[40:-30],
    "no time": _without("at"),
    "no event": _without("event"),
    "an event nobody knows": _with("event", "teleported"),
    "no date": _with("at", "yesterday at noon"),
    "a day that is none": _with("at", "2026-02-30T10:00:00+00:00"),
    "an event that is a list": _with("event", ["sent"]),
    "two rows in one": lambda line, rng: line + line,
}


@dataclass(frozen=True)
class Told:
    """What is in the file."""

    rows: int
    good: int
    distinct: int
    bad: int
    places: list[int]  # of the bad lines, counted from 1


def rows_of(count: int) -> Iterator[bytes]:
    """Give good scribe rows."""
    given = 0
    for story, _ in easy.notes(count):
        for row in story.scribe:
            yield orjson.dumps(row)
            given += 1
            if given == count:
                return


def write(path: Path, count: int, seed: int = SEED, huge: int = HUGE) -> Told:
    """Write a scribe log of `count` lines, exactly 1 % of them bad, some good ones twice; tell what is in it."""
    rng = random.Random(seed)
    bad = set(rng.sample(range(count), round(count * BAD)))
    large = set(rng.sample(sorted(bad), 3)) if huge else set()
    kinds = list(KINDS.values())
    seen: set[bytes] = set()
    last = b""
    with open(path, "wb") as out:
        for number, line in enumerate(rows_of(count)):
            if number in large:
                line = b'{"at": "' + b"x" * huge
            elif number in bad:
                line = kinds[rng.randrange(len(kinds))](line, rng)
            else:
                line = last if last and rng.random() < 0.005 else line
                seen.add(hashlib.blake2b(line, digest_size=12).digest())
                last = line
            out.write(line + b"\n")
    return Told(count, count - len(bad), len(seen), len(bad), sorted(number + 1 for number in bad))


def killed(house: Household, path: Path, rng: random.Random, reached: int) -> tuple[bool, float]:
    """Start the import, kill it a random moment after `reached` lines are done; tell whether it ran, and its memory."""
    process = house.start("import_logs", "scribe", str(path), "--json")
    with Watch(process.pid, house.server.process_id()) as watch, psycopg.connect(house.url("postgres")) as connection:
        connection.autocommit = True
        done = 0
        while done < reached and process.poll() is None:
            time.sleep(0.05)
            found = connection.execute("SELECT coalesce(max(line), 0) FROM notes_logimport").fetchone()
            done = int(found[0]) if found else 0
        time.sleep(rng.random())
        alive = process.poll() is None
        if alive:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    return alive, watch.peak


def stored(house: Household) -> dict[str, int]:
    """Count what the tables hold."""
    with psycopg.connect(house.url("postgres")) as connection:
        found = connection.execute(
            "SELECT (SELECT count(*) FROM notes_logentry), (SELECT count(*) FROM notes_quarantinedline),"
            " (SELECT count(DISTINCT (log_import_id, number)) FROM notes_quarantinedline),"
            " (SELECT coalesce(sum(rows), 0) FROM notes_logimport),"
            " (SELECT coalesce(sum(stored), 0) FROM notes_logimport),"
            " (SELECT coalesce(sum(duplicate), 0) FROM notes_logimport),"
            " (SELECT coalesce(sum(quarantined), 0) FROM notes_logimport),"
            " (SELECT count(*) FROM notes_logimport),"
            " (SELECT coalesce(sum(rows), 0) FROM notes_logbatch),"
            " (SELECT count(*) FROM notes_logimport WHERE state <> 'done')"
        ).fetchone()
    names = (
        *("entries", "quarantined lines", "places of these", "receipts' rows", "receipts' stored"),
        *("receipts' duplicate", "receipts' quarantined", "receipts", "batches' rows", "receipts not whole"),
    )
    return dict(zip(names, map(int, found or ()), strict=True))


def torture(house: Household, path: Path, told: Told, kills: int = KILLS, seed: int = SEED) -> None:
    """Kill, resume, hand in again; raise where anything does not add up."""
    rng = random.Random(seed)
    peak = 0.0
    moments = sorted(rng.randrange(told.rows * 9 // 10) for _ in range(kills))
    for moment in moments:
        alive, used = killed(house, path, rng, moment)
        peak = max(peak, used)
        if not alive:
            raise AssertionError("the import ended before it could be killed: take more rows")
        tables = stored(house)
        told_now = {name: tables[name] for name in ("entries", "receipts' rows", "quarantined lines")}
        print(f"killed a moment after line {moment:,}; the tables hold {told_now}", flush=True)
        expect("rows of the receipt so far", tables["receipts' rows"], sum(
            tables[f"receipts' {part}"] for part in ("stored", "duplicate", "quarantined")
        ))  # fmt: skip
        expect("rows in the log so far", tables["entries"], tables["receipts' stored"])
    ran = house.run("import_logs", "scribe", str(path), "--json")
    first = ran.last_json()
    tables = stored(house)
    print(f"finished after {kills} kills: {json.dumps(first)}; peak {max(peak, ran.peak_mb):.0f} MB; {tables}")
    expect("rows in the log", tables["entries"], told.distinct)
    expect("rows in batches", tables["batches' rows"], told.distinct)
    expect("stored by all receipts", tables["receipts' stored"], told.distinct)
    expect("receipts that are not whole", tables["receipts not whole"], 0)
    expect("rows of all receipts", tables["receipts' rows"], told.rows * tables["receipts"])
    expect("quarantined lines", tables["quarantined lines"], told.bad * tables["receipts"])
    expect("different places of quarantined lines", tables["places of these"], told.bad * tables["receipts"])
    expect("the receipt's rows", first["rows"], told.rows)
    expect("the receipt's sum", first["stored"] + first["duplicate"] + first["quarantined"], told.rows)
    expect("the receipt's quarantined", first["quarantined"], told.bad)
    again = house.run("import_logs", "scribe", str(path), "--json")
    second, after = again.last_json(), stored(house)
    print(f"handed in again: {json.dumps(second)} in {again.wall_s:.1f} s, peak {again.peak_mb:.0f} MB; {after}")
    expect("rows in the log", after["entries"], told.distinct)
    expect("stored by the second", second["stored"], 0)
    expect("rows of the second", second["rows"], told.rows)
    expect("the second's sum", second["duplicate"] + second["quarantined"], told.rows)
    expect("the second's duplicates", second["duplicate"], told.good)


def expect(what: str, found: int, wanted: int) -> None:
    """Compare one count."""
    if found != wanted:
        raise AssertionError(f"{what}: {found:,}, expected {wanted:,}")
    print(f"  {what}: {found:,}, as it must be")


def main() -> None:
    """Make the file, torture the import."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--kills", type=int, default=KILLS)
    options = parser.parse_args()
    with household() as house, tempfile.TemporaryDirectory(prefix="torture-") as folder:
        path = Path(folder) / "scribe.ndjson"
        told = write(path, options.rows)
        print(f"{told.rows:,} rows, {told.distinct:,} different good ones, {told.bad:,} bad", flush=True)
        torture(house, path, told, options.kills)


if __name__ == "__main__":
    main()
