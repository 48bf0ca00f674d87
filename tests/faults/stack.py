"""Real processes for tests: workers and sweepers on the suite's own database and queue."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 60.0


def wait_for(what: str, true: Callable[[], bool], limit_s: float = LIMIT_S) -> None:
    """Wait until something is true; a wait that ends without it is the test's failure, not a timing assert."""
    deadline = time.monotonic() + limit_s
    while not true():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {limit_s:.0f} s")
        time.sleep(0.02)


class Process:
    """One background process of the console."""

    def __init__(self, log: Path, *words: str, **environment: str) -> None:
        self.log = log
        with open(log, "ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, str(ROOT / "manage.py"), *words],
                cwd=ROOT,
                env={**os.environ, "DJANGO_SETTINGS_MODULE": "console.settings", **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def said(self, words: str) -> bool:
        """Tell whether its log holds some words."""
        return words in self.log.read_text(encoding="utf-8", errors="replace")

    def kill(self) -> None:
        """Kill the whole group with -9, as a power cut would."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def end(self) -> None:
        """Ask politely, then insist."""
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(15)
        self.kill()


@contextlib.contextmanager
def worker(folder: Path, *, concurrency: int = 1) -> Iterator[Process]:
    """Run a worker that is ready for work."""
    process = Process(folder / "worker.log", "worker", "--concurrency", str(concurrency))
    started = process.log.stat().st_size if process.log.exists() else 0
    try:
        wait_for("the worker's start", lambda: b" ready." in process.log.read_bytes()[started:])
        yield process
    finally:
        process.end()


@contextlib.contextmanager
def sweeper(folder: Path) -> Iterator[Process]:
    """Run a sweeper."""
    process = Process(folder / "sweeper.log", "sweeper")
    try:
        yield process
    finally:
        process.end()
