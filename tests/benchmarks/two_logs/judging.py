"""Compare the traces NoteTrace tells with the truth the generator kept."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

SURE = 0.7
MISSING = "(no trace)"


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """Read NDJSON row by row; a row ends at a line feed and nowhere else."""
    with open(path, "rb") as handle:
        for line in handle:
            if line.strip():
                yield orjson.loads(line)


@dataclass
class Verdict:
    """The figures of one comparison."""

    notes: int = 0
    right: int = 0
    intact: int = 0
    wrong_intact: int = 0
    decidable: int = 0
    right_decidable: int = 0
    silent: int = 0
    wrong: int = 0
    wrong_sure: int = 0
    orphans_told: int = 0
    invented: int = 0
    table: Counter[tuple[str, str]] = field(default_factory=Counter)
    offset_errors: list[float] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)

    @property
    def accuracy(self) -> float:
        return self.right / max(1, self.notes)

    @property
    def accuracy_decidable(self) -> float:
        return self.right_decidable / max(1, self.decidable)


def judge(truth: Path, traces: Path) -> Verdict:
    """Judge every note of the truth by its trace.

    Right is the true mode, or what the truth accepts beside it. `unknown` for a note that had a mode is silence: not
    right, and not wrong either. Anything else is wrong; with a confidence of 0.7 or more it is wrong and sure.
    """
    verdict = Verdict()
    told: dict[str, dict[str, Any]] = {}
    for trace in lines(traces):
        if trace.get("note_id") is None:
            verdict.orphans_told += 1
        else:
            told[trace["note_id"]] = trace
    for fact in lines(truth):
        _judge_note(verdict, fact, told.pop(fact["note_id"], None))
    verdict.invented = len(told)
    return verdict


def _judge_note(verdict: Verdict, fact: dict[str, Any], trace: dict[str, Any] | None) -> None:
    mode = trace["failure_mode"] if trace else MISSING
    confidence = float((trace or {}).get("confidence") or 0)
    right = mode == fact["failure_mode"] or mode in fact.get("accepts", ())
    verdict.notes += 1
    verdict.right += right
    verdict.intact += fact["ids_intact"]
    decidable = fact.get("decidable", True)
    verdict.decidable += decidable
    verdict.right_decidable += right and decidable
    verdict.table[fact["failure_mode"], mode] += 1
    if trace and trace.get("clock_offset_s") is not None and right:
        verdict.offset_errors.append(abs(trace["clock_offset_s"] - fact["clock_offset_s"]))
    if right:
        return
    silent = mode in ("unknown", MISSING)
    verdict.silent += silent
    verdict.wrong += not silent
    verdict.wrong_intact += fact["ids_intact"]
    verdict.wrong_sure += not silent and confidence >= SURE
    rank = 0 if not silent and confidence >= SURE else 1 if fact["ids_intact"] else 2 if not silent else 3
    verdict.failures.append({"rank": rank, "truth": fact, "trace": trace})


def report(verdict: Verdict) -> str:
    """Lay the figures out for reading."""
    one = verdict
    text = [
        f"notes {one.notes}; right {one.right} = {one.accuracy:.5f}; silent (unknown) {one.silent}; wrong {one.wrong}",
        f"ids intact {one.intact}: not right {one.wrong_intact}",
        f"decidable {one.decidable}: right {one.accuracy_decidable:.5f}",
        f"wrong with confidence >= {SURE}: {one.wrong_sure}",
        f"orphan documents told {one.orphans_told}; traces of notes that never were {one.invented}",
    ]
    if one.offset_errors:
        ordered = sorted(one.offset_errors)
        p95 = ordered[int(len(ordered) * 0.95)]
        text.append(f"clock offset off by: median {statistics.median(ordered):.3f} s, p95 {p95:.3f} s")
    answers = sorted({answer for _, answer in one.table})
    text.append("truth \\ answer    " + "".join(f"{answer:>14}" for answer in answers))
    for mode in sorted({mode for mode, _ in one.table}):
        text.append(f"{mode:<18}" + "".join(f"{one.table[mode, answer] or '.':>14}" for answer in answers))
    return "\n".join(text)
