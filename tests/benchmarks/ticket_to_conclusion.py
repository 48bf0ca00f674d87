"""Measure the time from opening a ticket to its stored conclusion against a bare script that makes the same calls.

    python -m tests.benchmarks.ticket_to_conclusion [rounds]

The practice EHR and the worker are processes of their own, the EHR takes 50 ms for each answer, the worker is warm.
"""

import asyncio
import contextlib
import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from console.launch.postgres import APPLICATION, OWNER, EmbeddedPostgres

STORY = "map-section-misrouted"  # the network is well, so that every act of a diagnosis is made
LATENCY_MS = 50
ROUNDS = 11
AIM = 1.3


@contextlib.contextmanager
def practice(folder: Path) -> Iterator[dict[str, Any]]:
    """Run the practice EHR in a process of its own and tell where it is."""
    words = ["--tenant", "north", "--fault", STORY, "--case", str(folder / "case"), "--latency-ms", str(LATENCY_MS)]
    process = subprocess.Popen([sys.executable, "-m", "diagnostics.practice", *words], stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def console(folder: Path) -> Iterator[None]:
    """Set up a database of our own and Django upon it."""
    folder.chmod(0o755)
    server = EmbeddedPostgres(folder)
    with server.in_use():
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "console.settings",
            "NOTETRACE_DEMO": "1",
            "SECRET_KEY": secrets.token_urlsafe(40),
            "NOTETRACE_MASTER_KEY": f"bench:{secrets.token_hex(32)}",
            "LOG_LEVEL": "WARNING",
            "DATABASE_URL": server.url(APPLICATION),
            "DATABASE_OWNER_URL": server.url(OWNER),
            "BROKER_URL": server.queue_url,
        }
        as_owner = {**os.environ, "NOTETRACE_DATABASE_ROLE": "owner"}
        subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], env=as_owner, check=True)
        import django

        django.setup()
        yield


def ledger(told: dict[str, Any]) -> Counter[tuple[str, str, str]]:
    """Give what reached the EHR so far: service, method and path without ids."""
    asked = urllib.request.Request(f"{told['control_url']}/tenants/north/ledger")
    asked.add_header("Authorization", f"Bearer {told['control_token']}")
    with urllib.request.urlopen(asked) as answer:
        entries = json.load(answer)["entries"]
    return Counter((e["service"], e["method"], e["target"].rstrip("0123456789")) for e in entries)


def main(rounds: int = ROUNDS) -> float:
    """Take turns, print both medians and their ratio."""
    with tempfile.TemporaryDirectory(prefix="nt-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with console(folder), practice(folder) as told:
            return measure(folder, told, rounds)


def measure(folder: Path, told: dict[str, Any], rounds: int) -> float:
    """Measure in a console that is set up."""
    import psycopg

    from console.tickets.services import open_ticket
    from diagnostics import case_folder, engine
    from diagnostics.practice import FAULTS
    from diagnostics.probes.vantage import door_for
    from tests.benchmarks.bare_acts import Acts, Bare
    from tests.faults.stack import sweeper, worker
    from tests.journeys.stage import a_place, take_over

    case = case_folder.load(folder / "case")
    door = door_for(case)
    start = ledger(told)
    engine.run(case, door=door)
    wanted = ledger(told) - start

    def urls(*purposes: str) -> tuple[str, ...]:
        return tuple(e.url for e in door.exchanges if e.purpose in purposes and e.method == "GET")

    acts = Acts(urls("discovery"), urls("key set"), urls("metadata"), urls("read", "encounter", "read-back"))
    start = ledger(told)
    asyncio.run(Bare(case, acts).run())
    made = ledger(told) - start
    assert made == wanted, f"the bare script makes other calls: {made - wanted} too many, {wanted - made} too few"

    place = a_place()
    integration, note = take_over(place.facility, case, "Measured")
    assert note is not None
    tickets, bare = [], []
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as watch, sweeper(folder), worker(folder):

        def ticket() -> float:
            began = time.perf_counter()
            opened = open_ticket(by=place.desk, integration=integration, notes=[note], idempotency_key=uuid.uuid4().hex)
            while True:
                row = watch.execute("SELECT state, cause FROM tickets_ticket WHERE id = %s", [opened.id]).fetchone()
                if row and row[0] == "diagnosed":
                    break
                time.sleep(0.002)
            took = time.perf_counter() - began
            assert row[1] == FAULTS[STORY].cause, row
            return took

        for _ in range(3):
            ticket()
        for _ in range(rounds):
            tickets.append(ticket())
            bare.append(asyncio.run(Bare(case, acts).run()))
    ratio = statistics.median(tickets) / statistics.median(bare)
    print(f"{sum(wanted.values())} calls, {LATENCY_MS} ms each, {rounds} turns")
    print(f"ticket opened to conclusion stored  {_spread(tickets)}")
    print(f"bare script                         {_spread(bare)}")
    print(f"RATIO {ratio:.2f} (aim {AIM})")
    return ratio


def _spread(seconds: list[float]) -> str:
    low, middle, high = (1000 * value for value in (min(seconds), statistics.median(seconds), max(seconds)))
    return f"median {middle:.0f} ms (from {low:.0f} to {high:.0f})"


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:2]))
