"""Measure the issue's ratios in one run: `python -m tests.benchmarks.two_logs.ratios 10000 100000 [1000000]`.

For each size, from the easy set: the import against raw COPY of the same rows into a twin of its table (variants taking
turns, the log emptied between rounds; for sizes up to --import-at-most), its memory, one note on demand against a
primary-key SELECT, the last hour against DuckDB's full answer over the same files, the full re-run against the same.
Then how each grew from the smallest size to the largest. --duckdb-python names an environment that has duckdb.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.benchmarks.two_logs import easy
from tests.benchmarks.two_logs.hospital import NOTES_A_DAY
from tests.benchmarks.two_logs.household import ROOT, Household, Ran, household
from tests.benchmarks.two_logs.raw_copy import RawCopy
from tests.benchmarks.two_logs.rounds import Figures, percentile, ratio, take_turns, told
from tests.benchmarks.two_logs.score import BEGINNING, imported

HOUR = 18  # of the last whole day: about 1,500 notes
LOGS = ("scribe", "ehr")


class Size:
    """All measurements of one size."""

    def __init__(self, count: int, house: Household, scratch: Path, options: argparse.Namespace) -> None:
        self.count, self.house, self.scratch, self.options = count, house, scratch, options
        self.peer_python: str = options.duckdb_python
        self.result: dict[str, float] = {}
        self.peaks: list[float] = []

    def run(self) -> dict[str, float]:
        """Measure everything at this size; give the figures that growth is told of."""
        print(f"\n== {self.count:,} notes: {easy.write(self.count, self.scratch)}", flush=True)
        if self.count <= self.options.import_at_most:
            self.imports()
        first = self.fill()
        self.hour(first)
        self.note()
        self.everything()
        return self.result

    def imports(self) -> None:
        copier = RawCopy(self.house.url("postgres"), self.scratch)
        try:
            self._import_both()
            rows = copier.prepare()
            idle = min((self._nothing() for _ in range(3)), key=lambda ran: ran.wall_s)

            spent: Figures = {"copy": [], "import": []}

            def ours() -> float:
                copier.empty_the_log()
                before = self.house.cpu()
                wall = self._import_both()
                spent["import"].append(self.house.cpu() - before - 2 * idle.cpu_s)
                return wall

            def limit() -> float:
                before = self.house.server_cpu()
                wall = copier.run()
                spent["copy"].append(self.house.server_cpu() - before)
                return wall

            figures = take_turns({"copy": limit, "import": ours}, self.options.rounds)
            copier.empty_the_log()
        finally:
            copier.close()
        figures["import, start-up taken out"] = [seconds - 2 * idle.wall_s for seconds in figures["import"]]
        print(f"import of {rows:,} rows, seconds: {told(figures)}; start-up of the command {idle.wall_s:.2f}")
        print(f"  raw COPY / import (goal 0.7, moonshot 0.85): {ratio(figures, 'copy', 'import, start-up taken out')};"
              f" whole commands {ratio(figures, 'copy', 'import')}")  # fmt: skip
        print(f"  processor seconds, client and server: {told(spent)}; {ratio(spent, 'copy', 'import')}", flush=True)
        self.result["import s a row"] = percentile(figures["import, start-up taken out"], 0.5) / rows
        self.result["import peak MB"] = max(self.peaks)

    def _import_both(self) -> float:
        wall = 0.0
        for log in LOGS:
            _, ran = imported(self.house, log, self.scratch / f"{log}.ndjson")
            wall += ran.wall_s
            self.peaks.append(ran.peak_mb)
        return wall

    def _nothing(self) -> Ran:
        empty = self.scratch / "nothing.ndjson"
        empty.write_bytes(b"")
        return self.house.run("import_logs", "scribe", str(empty), "--json", check=False)

    def fill(self) -> int:
        """Store all rows, those of the last hour after all others; give the last batch before that hour."""
        day = max(0, self.count // NOTES_A_DAY - 1)
        start = easy.stamp(easy.FIRST_DAY + day * 86_400 + HOUR * 3600)[:13]
        for log in LOGS:
            source = self.scratch / f"{log}.ndjson"
            with open(source, "rb") as rows, open(self.scratch / f"{log}-rest.ndjson", "wb") as rest, open(
                self.scratch / f"{log}-hour.ndjson", "wb"
            ) as hour:  # fmt: skip
                mark = f'{{"at":"{start}'.encode()
                for row in rows:
                    (hour if row.startswith(mark) else rest).write(row)
        peaks = []
        for log in LOGS:
            counts, ran = imported(self.house, log, self.scratch / f"{log}-rest.ndjson")
            peaks.append(ran.peak_mb)
            print(f"stored {log}: {json.dumps(counts)} {ran.wall_s:.1f} s, peak {ran.peak_mb:.0f} MB", flush=True)
        self.result["import peak MB"] = max(peaks)
        ran = self.house.run("correlate", "--json")
        print(f"first correlation: {ran.wall_s:.1f} s, {_memory(ran)}", flush=True)
        first = self.ask("newest")["batch"] + 1
        for log in LOGS:
            imported(self.house, log, self.scratch / f"{log}-hour.ndjson")
        return int(first)

    def hour(self, first: int) -> None:
        seen: dict[str, Any] = {}

        def ours() -> float:
            seen.update(self.ask("hour", str(first)))
            return float(seen["seconds"])

        figures = take_turns({"hour": ours, "peer": self.peer}, self.options.rounds)
        print(f"last hour ({seen['notes']} notes, {seen['rows']} rows), seconds: {told(figures)}")
        print(f"  peer's full answer / last hour (goal 100): {ratio(figures, 'peer', 'hour')}", flush=True)
        self.result["last hour s"] = percentile(figures["hour"], 0.5)

    def note(self) -> None:
        rounds: Figures = {name: [] for name in ("note p50", "note p95", "select p50", "select p95")}
        for _ in range(self.options.rounds):
            answer = self.ask("note", str(self.options.samples))
            for name, key in (("note", "note_ms"), ("select", "select_ms")):
                rounds[f"{name} p50"].append(percentile(answer[key], 0.5))
                rounds[f"{name} p95"].append(percentile(answer[key], 0.95))
        print(f"one note on demand, ms (goal p95 3): {told(rounds)}")
        print(f"  note / SELECT by primary key: {ratio(rounds, 'note p50', 'select p50')}", flush=True)
        self.result["one note p50 ms"] = percentile(rounds["note p50"], 0.5)
        self.result["one note p95 ms"] = percentile(rounds["note p95"], 0.5)

    def everything(self) -> None:
        runs: list[Ran] = []

        def ours() -> float:
            runs.append(self.house.run("correlate", "--since", BEGINNING, "--json"))
            return runs[-1].wall_s

        figures = take_turns({"re-run": ours, "peer": self.peer}, self.options.rounds)
        print(f"full re-run, seconds: {told(figures)}; {_memory(max(runs, key=lambda ran: ran.peak_mb))}")
        print(f"  re-run / peer (goal 2, moonshot 1.5): {ratio(figures, 're-run', 'peer')}", flush=True)
        self.result["full re-run s"] = percentile(figures["re-run"], 0.5)
        self.result["full re-run peak MB"] = max(ran.peak_mb for ran in runs)

    def peer(self) -> float:
        script = Path(__file__).with_name("duckdb_answer.py")
        answer = json.loads(_output([self.peer_python, str(script), str(self.scratch)]))
        return float(answer["seconds"])

    def ask(self, *question: str) -> dict[str, Any]:
        module = [sys.executable, "-m", "tests.benchmarks.two_logs.asking", str(self.house.folder), *question]
        return dict(json.loads(_output(module, env=self.house.environment)))


def _output(command: list[str], env: dict[str, str] | None = None) -> str:
    ran = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    if ran.returncode:
        raise AssertionError(f"{command} ended {ran.returncode}: {ran.stderr[-3000:]}")
    return ran.stdout.strip().splitlines()[-1]


def _memory(ran: Ran) -> str:
    return f"peak {ran.peak_mb:.0f} MB, database's own {ran.server_mb:.0f} MB, processor {ran.cpu_s:.1f} s"


def main() -> None:
    """Measure every size in a household of its own and tell the growth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notes", type=int, nargs="+")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--samples", type=int, default=300)
    parser.add_argument("--import-at-most", type=int, default=100_000)
    parser.add_argument("--duckdb-python", default=sys.executable)
    options = parser.parse_args()
    measured: Callable[[int], dict[str, float]] = lambda count: _measure(count, options)  # noqa: E731
    results = {count: measured(count) for count in options.notes}
    least, most = min(results), max(results)
    print(f"\n== growth from {least:,} to {most:,} notes (x{most / least:.3g})")
    for name, value in results[most].items():
        if least != most and name in results[least]:
            before = results[least][name]
            print(f"{name}: {before:.3g} -> {value:.3g} = x{value / before:.3g}")


def _measure(count: int, options: argparse.Namespace) -> dict[str, float]:
    with household() as house, tempfile.TemporaryDirectory(prefix="ratios-") as scratch:
        return Size(count, house, Path(scratch), options).run()


if __name__ == "__main__":
    main()
