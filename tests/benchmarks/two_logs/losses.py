"""Take from the rows what real logs lack: whole hours, every id of a row, all but one id, and one spelling of each."""

from __future__ import annotations

import random

from tests.benchmarks.two_logs.clocks import DAY, FIRST_DAY
from tests.benchmarks.two_logs.hard_note import Line

BARE = {"scribe": 0.195, "ehr": 0.15}  # one row of every note keeps its name: 15 % of all rows in the end
ONE_LEFT, SPELLED = 0.09, 0.3
PERSONS = ("provider_id", "author_id")
IDS = ("note_id", "transaction_id", "request_id", "ack_id", "encounter_id", "patient_id", "resource")
GAPS = (  # log, site or client, from, until
    ("ehr", "scribe-north", FIRST_DAY + DAY + 15 * 3600, FIRST_DAY + DAY + 16 * 3600),
    ("scribe", "west", FIRST_DAY + DAY + 20 * 3600, FIRST_DAY + DAY + 21 * 3600),
)


def in_a_gap(line: Line) -> bool:
    """Tell whether the log was not kept when this row should have been written."""
    who = line.row.get("client_id") or line.row.get("site")
    return any(line.log == log and who == name and start <= line.at < end for log, name, start, end in GAPS)


def lose(lines: list[Line], rng: random.Random) -> list[Line]:
    """Take ids away in place; give the rows that are left. A note keeps its name in at least one of them."""
    left = [line for line in lines if not in_a_gap(line)]
    named = {}
    for line in left:
        if line.owner and line.log == "scribe":
            named.setdefault(line.owner, line)
    for line in left:
        draw = rng.random()
        if draw < BARE[line.log] and named.get(line.owner) is not line:
            _keep(line, (), rng)
            line.bare = True
        elif draw < BARE[line.log] + ONE_LEFT:
            there = [key for key in ("encounter_id", "patient_id", "resource") if line.row.get(key)]
            name = ("note_id",) if named.get(line.owner) is line else ()
            if there:
                _keep(line, (rng.choice(there), *name), rng)
        _spell(line, rng)
    for line in lines:
        if line.owner and in_a_gap(line):
            line.owner.intact = False
    return left


def _keep(line: Line, keys: tuple[str, ...], rng: random.Random) -> None:
    row = line.row
    if line.owner:
        line.owner.intact = False
    for key in IDS:
        if key in row and key not in keys:
            if rng.random() < 0.1:
                row[key] = rng.choice((None, ""))  # some exporters write the key all the same
            else:
                del row[key]
    row.pop("response_headers", None)
    if isinstance(row.get("error"), str):  # an acknowledgement repeats the message's id
        row["error"] = "\r".join(part for part in row["error"].split("\r") if not part.startswith("MSA|"))
    if rng.random() < 0.5:
        for key in PERSONS:
            row.pop(key, None)


def _spell(line: Line, rng: random.Random) -> None:
    for key, prefix in (("encounter_id", "Encounter/"), ("patient_id", "Patient/")):
        if line.row.get(key) and rng.random() < SPELLED:
            line.row[key] = prefix + line.row[key]
