"""Measure the pages of notes at two sizes: what they cost beside a page that shows nothing, and how that grows.

    python -m tests.benchmarks.note_pages [--notes 100000 1000000] [--rounds 25]

Pages take turns in every round. Printed are p50 and p95 in milliseconds; beside the login page, which asks nothing of
notes, the median of the rounds' ratios with its range, and how that ratio grew since the smaller size: other work on
the machine slows both alike.
"""

import argparse
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.benchmarks.ticket_to_conclusion import console
from tests.benchmarks.two_logs.rounds import Figures, percentile, ratio, take_turns

STEP = 100_000
BASE = "login page"


def main() -> None:
    """Make the notes of each size in turn and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--notes", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=25)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="nt-pages-") as folder, console(Path(folder)):
        _measure(sorted(options.notes), options.rounds)


def _measure(sizes: list[int], rounds: int) -> None:
    from tests.console.builders import a_facility, a_person, an_integration
    from tests.console.worklist import crowd

    facility = a_facility()
    integration = an_integration(facility)
    person = a_person(facility)
    made, before = 0, {}
    for size in sizes:
        began = time.monotonic()
        while made < size:
            step = min(size, made + STEP)
            crowd.make(integration, made + 1, step)
            if not made:
                crowd.bear_ids(integration, 300)
            made = step
        crowd.analyze()
        print(f"{size} notes made in {time.monotonic() - began:.0f} s", flush=True)
        figures = take_turns(_pages(person), rounds)
        _tell(figures, before)
        before = figures


def _pages(person: Any) -> dict[str, Callable[[], float]]:
    from django.test import Client

    client = Client(SERVER_NAME="localhost")
    client.force_login(person)

    def getting(where: str, asking: Client = client) -> Callable[[], float]:
        def get() -> float:
            began = time.perf_counter()
            answer = asking.get(where)
            took = (time.perf_counter() - began) * 1000
            assert answer.status_code == 200, (where, answer.status_code)
            return took

        get()  # templates are read once
        return get

    def searching(typed: str) -> Callable[[], float]:
        def search() -> float:
            began = time.perf_counter()
            answer = client.post("/notes/", {"asked": typed})
            took = (time.perf_counter() - began) * 1000
            assert answer.status_code == 302, typed
            return took

        search()
        return search

    listed = client.get("/notes/worklist/").content.decode()
    following = re.search(r'href="(\?[^"]*after=[^"]*)"', listed)
    groups = client.get("/notes/failures/").content.decode()
    group = re.search(r'href="(/notes/failures/[0-9a-f-]{36}/[^"]+)"', groups)
    assert following is not None and group is not None
    return {
        BASE: getting("/login/", Client(SERVER_NAME="localhost")),
        "profile": getting("/profile/"),  # the top bar with its badges, and little else
        "worklist": getting("/notes/worklist/"),
        "worklist, page 2": getting("/notes/worklist/" + following[1].replace("&amp;", "&")),
        "worklist, one mode": getting("/notes/worklist/?mode=never_sent"),
        "ended": getting("/notes/worklist/?show=ended"),
        "only at the EHR": getting("/notes/worklist/?show=orphans"),
        "newest notes": getting("/notes/"),
        "notes of a provider": getting("/notes/?provider=prov-7"),
        "search: note id": searching("N-asked"),
        "search: request id": searching("req-asked"),
        "search: document id": searching("DOC-asked"),
        "failures, 24 hours": getting("/notes/failures/?period=24h"),
        "failures, 7 days": getting("/notes/failures/?period=7d"),
        "failures, 90 days": getting("/notes/failures/?period=90d"),
        "one group": getting(group[1].replace("&amp;", "&")),
    }


def _tell(figures: Figures, before: Figures) -> None:
    print(f"{'page':24} {'p50 ms':>8} {'p95 ms':>8}   {'beside the login page':30} growth of that")
    for name, values in figures.items():
        beside = ratio(figures, name, BASE)
        growth = f"x {beside.median / ratio(before, name, BASE).median:.2f}" if name in before else ""
        print(f"{name:24} {percentile(values, 0.5):8.1f} {percentile(values, 0.95):8.1f}   {beside!s:30} {growth}")


if __name__ == "__main__":
    main()
