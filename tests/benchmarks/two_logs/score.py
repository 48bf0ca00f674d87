"""Score the real commands on a generated set: `python -m tests.benchmarks.two_logs.score easy|hard NOTES`.

Imports both logs with `import_logs`, correlates, reads `traces` and compares with the truth, against a private embedded
PostgreSQL. `--slices K` hands the logs over in K parts and correlates after each, as days do, then rebuilds everything
and tells how many traces differ: none may. `--stories N` shows the rows of N notes that came out wrong.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from tests.benchmarks.two_logs import easy, hard
from tests.benchmarks.two_logs.household import Household, Ran, household
from tests.benchmarks.two_logs.judging import Verdict, judge, lines, report

SETS = {"easy": easy, "hard": hard}
BEGINNING = "2000-01-01T00:00:00+00:00"


def imported(house: Household, log: str, file: Path) -> tuple[dict[str, Any], Ran]:
    """Import one file; give its counts, which must add up."""
    ran = house.run("import_logs", log, str(file), "--json")
    counts = ran.last_json()
    if counts["rows"] != counts["stored"] + counts["duplicate"] + counts["quarantined"]:
        raise AssertionError(f"the counts do not add up: {counts}")
    return counts, ran


def sliced(folder: Path, count: int) -> list[list[tuple[str, Path]]]:
    """Cut both logs into parts that arrive one after the other."""
    if count == 1:
        return [[(log, folder / f"{log}.ndjson") for log in ("scribe", "ehr")]]
    parts: list[list[tuple[str, Path]]] = [[] for _ in range(count)]
    for log in ("scribe", "ehr"):
        rows = (folder / f"{log}.ndjson").read_bytes().split(b"\n")[:-1]
        for number in range(count):
            part = rows[number * len(rows) // count : (number + 1) * len(rows) // count]
            path = folder / f"{log}-{number}.ndjson"
            path.write_bytes(b"\n".join(part) + b"\n")
            parts[number].append((log, path))
    return parts


def score(house: Household, folder: Path, slices: int = 1) -> Verdict:
    """Import, correlate and judge one set; print what each step took."""
    for part in sliced(folder, slices):
        for log, file in part:
            counts, ran = imported(house, log, file)
            rate = counts["rows"] / ran.wall_s
            print(f"import {log}: {json.dumps(counts)} {_cost(ran)} {rate:,.0f} rows/s", flush=True)
        print(f"correlate: {_cost(house.run('correlate', '--json'), tail=True)}", flush=True)
    traces = house.folder / "traces.ndjson"
    print(f"traces: {_cost(house.run('traces', into=traces))}", flush=True)
    verdict = judge(folder / "truth.ndjson", traces)
    print(report(verdict), flush=True)
    again = house.folder / "rebuilt.ndjson"
    print(f"rebuild: {_cost(house.run('correlate', '--since', BEGINNING, '--json'), tail=True)}", flush=True)
    house.run("traces", into=again)
    one, other = ({orjson_key(trace) for trace in lines(path)} for path in (traces, again))
    print(f"traces that the rebuild tells differently: {len(one ^ other)}", flush=True)
    for line in sorted(one ^ other)[:6]:
        print(f"  {'-' if line in one else '+'} {line}")
    return verdict


def orjson_key(trace: dict[str, Any]) -> str:
    """Give a trace as one comparable text."""
    return json.dumps(trace, sort_keys=True)


def _cost(ran: Ran, *, tail: bool = False) -> str:
    said = f" {ran.out.strip().splitlines()[-1][:300]}" if tail and ran.out.strip() else ""
    spent = f"{ran.wall_s:.2f} s (processor {ran.cpu_s:.1f})"
    return f"{spent}, peak {ran.peak_mb:.0f} MB, database {ran.server_mb:.0f} MB{said}"


def stories(kind: str, count: int, seed: int, verdict: Verdict, most: int) -> str:
    """Tell the rows of the worst failures."""
    worst = sorted(verdict.failures, key=lambda failure: failure["rank"])[:most]
    watched: dict[str, list[dict[str, Any]]] = {failure["truth"]["note_id"]: [] for failure in worst}
    if not watched:
        return ""
    with tempfile.TemporaryDirectory(prefix="retold-") as folder:
        SETS[kind].write(count, Path(folder), seed, watched=watched)
    text = []
    for failure in worst:
        text += ["", f"truth {json.dumps(failure['truth'])}", f"told  {json.dumps(failure['trace'])}"]
        text += [f"   {json.dumps(row)}" for row in watched[failure["truth"]["note_id"]]]
    return "\n".join(text)


def main() -> None:
    """Make the set unless a folder holds it, score it, tell failures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("set", choices=sorted(SETS))
    parser.add_argument("notes", type=int)
    parser.add_argument("--folder", type=Path, help="keep the set here and take it from here next time")
    parser.add_argument("--state", type=Path, help="keep the database here")
    parser.add_argument("--slices", type=int, default=1)
    parser.add_argument("--stories", type=int, default=5)
    parser.add_argument("--seed", type=int, help="another set of the same kind: rules may be tuned to one")
    told = parser.parse_args()
    seed = told.seed or SETS[told.set].SEED
    with tempfile.TemporaryDirectory(prefix="set-") as made, household(told.state) as house:
        folder = told.folder or Path(made)
        if not (folder / "truth.ndjson").exists():
            print(f"{told.set}, {told.notes} notes: {SETS[told.set].write(told.notes, folder, seed)}", flush=True)
        verdict = score(house, folder, told.slices)
        print(stories(told.set, told.notes, seed, verdict, told.stories))


if __name__ == "__main__":
    main()
