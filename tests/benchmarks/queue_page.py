"""Measure the queue with a thousand tickets and with a million: server time, queries, and how both grew.

    python -m tests.benchmarks.queue_page [--tickets 1000 1000000] [--rounds 60]

Each size has a database of its own, and the sizes take turns in every round, so that other work on the machine slows
both alike. Printed are p50 and p95 in milliseconds, the number of queries, and how the larger size compares.
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.benchmarks.ticket_to_conclusion import console
from tests.benchmarks.two_logs.rounds import Figures, percentile

BASE = "login page"


def main() -> None:
    """Make the tickets of each size in a process and a database of its own, then let the sizes take turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tickets", type=int, nargs="+", default=[1000, 1_000_000])
    parser.add_argument("--open", type=int, default=8000, help="How many of them are open at most.")
    parser.add_argument("--rounds", type=int, default=60)
    options = parser.parse_args()
    sizes = [_Size(size, options.open) for size in sorted(options.tickets)]
    for number in range(options.rounds):
        for one in sizes if number % 2 else reversed(sizes):
            one.round()
    first = sizes[0]
    for one in sizes:
        one.end()
        one.tell(first.figures if one is not first else {})


class _Size:
    """Be one number of tickets: a process that runs a round whenever it is asked to."""

    def __init__(self, size: int, most_open: int) -> None:
        code = f"from tests.benchmarks.queue_page import serve; serve({size}, {most_open})"
        self.process = subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.size = size
        self.told = self._read()
        self.figures: Figures = {name: [] for name in self.told["queries"]}

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        told: dict[str, Any] = json.loads(self.process.stdout.readline())
        return told

    def round(self) -> None:
        """Ask every page once."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        for name, took in self._read().items():
            self.figures[name].append(took)

    def end(self) -> None:
        """Let the process end."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()

    def tell(self, before: Figures) -> None:
        """Print the figures, and how they grew since those of the smallest size."""
        told = self.told
        print(f"\n{self.size} tickets; {told['open']} open ones that this person sees; made in {told['made_s']:.0f} s")
        print(f"{'page':28} {'p50 ms':>8} {'p95 ms':>8} {'queries':>8}   growth: of p50, of p95, of rounds' median")
        for name, values in self.figures.items():
            half, most = (percentile(values, share) for share in (0.5, 0.95))
            line = f"{name:28} {half:8.1f} {most:8.1f} {told['queries'][name]:8}"
            if name in before:
                each = [after / ahead for after, ahead in zip(values, before[name], strict=True)]
                grown = (half / percentile(before[name], 0.5), most / percentile(before[name], 0.95))
                line += f"   x {grown[0]:.2f}  x {grown[1]:.2f}  x {statistics.median(each):.2f}"
            print(line, flush=True)


def serve(size: int, most_open: int) -> None:
    """Make the tickets, say so, then answer each line with the milliseconds of one round."""
    with tempfile.TemporaryDirectory(prefix="nt-queue-", ignore_cleanup_errors=True) as folder, console(Path(folder)):
        from console.tickets.queue_rows import count_open, sight
        from tests.console.pages import many_tickets

        began = time.monotonic()
        crowd = many_tickets.a_crowd()
        crowd.grow(size, most_open)
        many_tickets.analyze()
        made = time.monotonic() - began
        pages, queries = _pages(crowd.person)
        seen = count_open(sight(crowd.person), most=10**9)
        print(json.dumps({"queries": queries, "open": seen, "made_s": made}), flush=True)
        for _ in sys.stdin:
            print(json.dumps({name: get() for name, get in pages.items()}), flush=True)


def _pages(person: Any) -> tuple[dict[str, Callable[[], float]], dict[str, int]]:
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(SERVER_NAME="localhost")
    client.force_login(person)
    queries: dict[str, int] = {}

    def getting(name: str, where: str, asking: Client = client) -> Callable[[], float]:
        def get() -> float:
            began = time.perf_counter()
            answer = asking.get(where)
            took = (time.perf_counter() - began) * 1000
            assert answer.status_code == 200, (where, answer.status_code)
            return took

        get()  # templates are read once, and the session remembers the list that was shown
        with CaptureQueriesContext(connection) as asked:
            get()
        queries[name] = len(asked)
        return get

    following = re.search(r'href="\?([^"]*after=[^"]*)"', client.get("/tickets/").content.decode())
    past = re.search(r'href="\?([^"]*after=[^"]*)"', client.get("/tickets/?view=resolved").content.decode())
    assert following is not None and past is not None
    wheres = {
        "queue": "/tickets/",
        "queue, page 2": "/tickets/?" + following[1].replace("&amp;", "&"),
        "queue, mine": "/tickets/?view=mine",
        "queue, overdue": "/tickets/?view=late",
        "queue, newest first": "/tickets/?order=newest",
        "queue, one mode": "/tickets/?mode=misplaced",
        "queue, three filters": "/tickets/?mode=rejected&severity=b_undocumented&state=waiting",
        "resolved": "/tickets/?view=resolved",
        "resolved, page 2": "/tickets/?" + past[1].replace("&amp;", "&"),
        "resolved, one mode": "/tickets/?view=resolved&mode=partial",
        "profile (top bar's badges)": "/profile/",
    }
    pages = {BASE: getting(BASE, "/login/", Client(SERVER_NAME="localhost"))}
    pages |= {name: getting(name, where) for name, where in wheres.items()}
    return pages, queries


if __name__ == "__main__":
    main()
