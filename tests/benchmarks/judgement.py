"""Measure the engine's judgement without a network, on every case folder.

    python -m tests.benchmarks.judgement [rounds]

Each case is read once. A round then diagnoses all of them, in an order of its own, on one core; a case's time is the
median of its rounds. Reading the folder is told apart. Prints the median and the 99th percentile over the cases, and
cases a second.
"""

import random
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from diagnostics import engine
from diagnostics.case_folder import load
from tests.cases.expected import cases

ROUNDS = 5
SEED = 20261123


def timed(act: Callable[[], Any]) -> tuple[float, Any]:
    """Return the milliseconds an act took, and what it returned."""
    began = time.perf_counter()
    result = act()
    return (time.perf_counter() - began) * 1000, result


def percentile(values: list[float], share: float) -> float:
    """Return the nearest-rank percentile."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered)) - 1))]


def main(rounds: int) -> None:
    """Diagnose every case in every round and print the figures."""
    folders = [case.folder for case in cases()]
    engine.run(load(folders[0], offline=True))  # imports and caches are no judgement
    reading, loaded = [], {}
    for folder in folders:
        spent, loaded[folder] = timed(lambda folder=folder: load(folder, offline=True))
        reading.append(spent)
    took: dict[Any, list[float]] = {folder: [] for folder in folders}
    order = random.Random(SEED)
    for _ in range(rounds):
        order.shuffle(folders)
        for folder in folders:
            spent, _ = timed(lambda folder=folder: engine.run(loaded[folder]))
            took[folder].append(spent)
    middles = [statistics.median(times) for times in took.values()]
    slowest = max(took, key=lambda folder: statistics.median(took[folder]))
    print(f"{len(folders)} cases, {rounds} rounds")
    print(f"reading a folder: median {statistics.median(reading):.2f} ms, p99 {percentile(reading, 0.99):.2f} ms")
    print(f"judgement:        median {statistics.median(middles):.2f} ms, p99 {percentile(middles, 0.99):.2f} ms")
    print(f"                  {1000 / statistics.mean(middles):.0f} cases a second on one core")
    print(f"slowest:          {slowest.parent.name}/{slowest.name}, {max(middles):.2f} ms")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
