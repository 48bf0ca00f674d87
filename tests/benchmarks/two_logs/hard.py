"""Generate the hard set: `python -m tests.benchmarks.two_logs.hard NOTES FOLDER`.

Notes of one encounter in one minute, clocks that drift and step by minutes, 15 % of the rows without any id and more
with one weak id only, lost answers, retries, documents of other clients, counters that begin anew each day. The truth
is what happened; `decidable` says whether the rows that are left tell it, `accepts` what else may honestly be said.
The number of notes is met roughly, because one situation tells up to three.
Rows stand in a random order, some arrive days late, some twice. Equal arguments give equal bytes.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Any

import orjson

from tests.benchmarks.two_logs import clocks
from tests.benchmarks.two_logs.decidable import mark
from tests.benchmarks.two_logs.hard_note import HardNote, Line
from tests.benchmarks.two_logs.hard_world import World
from tests.benchmarks.two_logs.hospital import NOTES_A_DAY, second_of_day
from tests.benchmarks.two_logs.losses import lose
from tests.benchmarks.two_logs.shuffled import ShuffledLines
from tests.benchmarks.two_logs.situations import tell_one

SEED = 414_243
LATE, SENT_TWICE = 0.03, 0.01
FEWEST_DAYS = 3
NOTES_A_SITUATION = 1.215
DST_DAY = 2


def write(
    count: int, folder: Path, seed: int = SEED, *, watched: dict[str, list[dict[str, Any]]] | None = None
) -> dict[str, int]:
    """Write scribe.ndjson, ehr.ndjson, truth.ndjson and orphans.ndjson; give how many rows each has.

    The notes named in `watched` get the rows that are left of them, in true order.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng, noise = random.Random(seed), random.Random(f"{seed} noise")
    world = World(rng)
    days = max(FEWEST_DAYS, -(-count // NOTES_A_DAY))
    told = orphans = 0
    with (
        ShuffledLines(folder / "scribe.ndjson", f"{seed} scribe") as scribe,
        ShuffledLines(folder / "ehr.ndjson", f"{seed} ehr") as ehr,
        open(folder / "truth.ndjson", "wb") as truth,
        open(folder / "orphans.ndjson", "wb") as lost,
    ):
        for day in range(days):
            world.new_day()
            wanted = (count - told) // (days - day)
            for began in _beginnings(day, round(wanted / NOTES_A_SITUATION), rng):
                tell_one(world, began)
            lines = [line for note in world.notes for line in note.lines] + world.orphans
            left = lose(lines, noise)
            named = {line.owner for line in left if line.row.get("note_id")}
            mark([note for note in world.notes if note in named], left)
            for line in left:
                out, text = (scribe if line.log == "scribe" else ehr), orjson.dumps(line.row)
                for _ in range(2 if noise.random() < SENT_TWICE else 1):
                    out.add(text, late=noise.random() < LATE)
            told += len(world.notes)
            for line in sorted(left, key=lambda line: line.at) if watched else ():
                if watched and line.owner and line.owner.note_id in watched:
                    watched[line.owner.note_id].append({"log": line.log, **line.row})
            for note in world.notes:
                if note in named:
                    truth.write(_truth(note) + b"\n")
            for line in left:
                if _is_orphan(line, named):
                    orphans += 1
                    lost.write(orjson.dumps({"resource": line.row.get("resource"), "bare": line.bare}) + b"\n")
        counts = {"scribe": scribe.written, "ehr": ehr.written, "truth": told, "orphans": orphans}
    return counts


def _is_orphan(line: Line, named: set[HardNote | None]) -> bool:
    return line.row["event"] == "filed" and (line.owner is None or line.owner not in named)


def _beginnings(day: int, count: int, rng: random.Random) -> list[float]:
    """Draw a day's times in order: its working hours, the turn of the day, the hour that comes twice."""
    midnight = clocks.FIRST_DAY + day * clocks.DAY
    found = []
    for _ in range(count):
        draw = rng.random()
        if draw < 0.03:
            found.append(midnight + clocks.DAY - 40 * rng.random())
        elif day == DST_DAY and draw < 0.1:
            found.append(midnight + 5.5 * 3600 + 2.5 * 3600 * rng.random())
        else:
            found.append(midnight + min(second_of_day(rng) + 5 * 3600, clocks.DAY - 1))
    return sorted(found)


def _truth(note: HardNote) -> bytes:
    offset = clocks.offset(note.visit.site.name, note.client, note.sent_at or note.at)
    return orjson.dumps(
        {
            "note_id": note.note_id,
            "failure_mode": note.mode,
            "accepts": note.accepts,
            "ids_intact": note.intact,
            "decidable": note.decidable,
            "story": note.story,
            "clock_offset_s": round(offset, 3),
        }
    )


if __name__ == "__main__":
    print(write(int(sys.argv[1]), Path(sys.argv[2])))
