"""Say of each note whether the rows that are left decide what became of it.

A row counts as the note's own where an id leads to it that no other note of those days has, from the rows that bear
the note's name outwards; an encounter or a patient leads only where this note alone belongs to it. A refusal or a
broken connection decides where the last word on the note is among its own rows; that nothing was filed, only where no
filing row without ids stands near.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict

from tests.benchmarks.two_logs.hard_note import HardNote, Line

STRONG = ("transaction_id", "request_id", "document")
WEAK = ("encounter_id", "patient_id")
CERTAIN_WITHIN = 900.0


def mark(notes: list[HardNote], lines: list[Line]) -> None:
    """Set `decidable` of every note from the rows that are left of the day."""
    owners: dict[tuple[str, str], set[HardNote | None]] = defaultdict(set)
    for line in lines:
        for key in keys_of(line):
            owners[key].add(line.owner)
    floating: dict[str, list[float]] = defaultdict(list)
    for line in lines:
        if not any(kind in STRONG or kind == "note_id" for kind, _ in keys_of(line)):
            place = line.row.get("client_id") or line.row.get("site")
            floating[f"{place} {line.row['event']}"].append(line.at)
    for times in floating.values():
        times.sort()
    left = defaultdict(list)
    for line in lines:
        if line.owner:
            left[line.owner].append(line)
    for note in notes:
        sure = _own(note, left[note], owners)
        note.decidable = _decides(note, sure, floating)


def keys_of(line: Line) -> list[tuple[str, str]]:
    """Give the ids of a row, spelt alike."""
    row, found = line.row, []
    for kind in ("note_id", "transaction_id", "request_id", *WEAK):
        if row.get(kind):
            found.append((kind, str(row[kind]).rpartition("/")[2]))
    document = row.get("resource") or (row.get("response_headers") or {}).get("location")
    if document:
        name = document.partition("/_history")[0].rpartition("/")[2]
        found.append(("document", name))
    return found


def _own(note: HardNote, lines: list[Line], owners: dict[tuple[str, str], set[HardNote | None]]) -> list[Line]:
    known = {("note_id", note.note_id)}
    sure: list[Line] = []
    grew = True
    while grew:
        grew = False
        for line in lines:
            if line in sure:
                continue
            if any(key in known and len(owners[key]) == 1 for key in keys_of(line)):
                sure.append(line)
                known.update(keys_of(line))
                grew = True
    return sure


def _decides(note: HardNote, sure: list[Line], floating: dict[str, list[float]]) -> bool:
    filed = [line for line in sure if line.row["event"] == "filed"]
    if note.mode == "delivered":
        return bool(filed)
    if note.mode == "duplicate":
        return len({line.row.get("resource") for line in filed} - {None, ""}) > 1
    if note.mode == "misplaced":
        return any(_elsewhere(note, line) for line in filed) and any(
            line.log == "scribe" and line.row.get("encounter_id") for line in sure
        )
    said = [line for line in note.lines if line.row["event"] not in ("generated", "packaged", "token")]
    last = max((line for line in said if line.log == "scribe"), key=lambda line: line.at, default=None)
    if note.mode == "rejected":
        late = [line for line in sure if line.row["event"] == "rejected" and line.at >= note.sent_at]
        return bool(late) or (last in sure and last is not None and _negative(last))
    if note.mode == "never_sent":
        return last in sure and last is not None and last.row["event"] in ("failed", "queued")
    return last in sure and not _any_near(floating[f"{note.client} filed"], note.sent_at)


def _elsewhere(note: HardNote, line: Line) -> bool:
    here = {note.visit.encounter, note.visit.patient}
    return any(kind in WEAK and value not in here for kind, value in keys_of(line))


def _negative(line: Line) -> bool:
    status = line.row.get("status") or 0
    return status >= 400 or line.row.get("ack") in ("AE", "AR", "CE", "CR")


def _any_near(times: list[float], at: float) -> bool:
    place = bisect_left(times, at - 5)
    return place < len(times) and times[place] < at + CERTAIN_WITHIN
