"""Real processes for tests: web servers, workers and sweepers on the suite's own database and queue."""

import contextlib
import os
import signal
import socket
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

    def __init__(self, log: Path, *words: str, program: tuple[str, ...] = (), **environment: str) -> None:
        self.log = log
        program = program or (str(ROOT / "manage.py"),)
        with open(log, "ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, *program, *words],
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


@contextlib.contextmanager
def web_server(folder: Path, *, threads: int = 4, **environment: str) -> Iterator[int]:
    """Run the console's web server as the demo does; give its port once it answers."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = ("--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--no-ws")
    room = ("--blocking-threads", str(threads), "--backpressure", str(4 * threads))
    process = Process(
        folder / "web.log", *options, *room, "console.wsgi:application", program=("-m", "granian"), **environment
    )
    try:
        wait_for("the web server's start", lambda: _listens(port))
        yield port
    finally:
        process.end()


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
