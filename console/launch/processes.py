"""Start, watch, restart and stop the processes of one NoteTrace."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from console.launch.bootstrap import ROOT

PR_SET_PDEATHSIG = 1
LONGEST_PAUSE_S = 15.0


@dataclass
class Child:
    """One supervised process and what it has been through."""

    name: str
    argv: list[str]
    env: dict[str, str] = field(default_factory=dict)
    stop_limit_s: float = 8.0
    is_service: bool = False
    is_asked: bool = False
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    restarts: int = 0
    due_at: float = 0.0

    def start(self, logs: Path) -> None:
        """Start in a session of its own: Ctrl-C reaches the supervisor alone, which then stops all in order."""
        log = logs / f"{self.name}.log"
        if log.exists() and log.stat().st_size > 5_000_000:
            os.replace(log, log.with_suffix(".log.1"))
        with open(log, "ab") as output:
            self.process = subprocess.Popen(
                self.argv,
                cwd=ROOT,
                env={**os.environ, **self.env},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,
            )
        self.started_at, self.is_asked = time.monotonic(), False

    def is_running(self) -> bool:
        """Tell whether the process lives."""
        return self.process is not None and self.process.poll() is None

    def ask_to_stop(self) -> None:
        """Signal the main process once: a second signal would cut a worker's orderly end short."""
        if self.is_running() and not self.is_asked and self.process is not None:
            self.is_asked = True
            self.process.terminate()

    def stop(self) -> None:
        """Ask the main process to end; past the limit kill its whole group.

        Only the main process gets the signal: a worker whose pool children are hit as well may hang.
        """
        if self.process is None:
            return
        if self.process.poll() is None:
            self.ask_to_stop()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(self.stop_limit_s)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None


class Supervisor:
    """Keep children running until told to stop."""

    def __init__(self, logs: Path, say: object = None) -> None:
        self.logs = logs
        self.logs.mkdir(parents=True, exist_ok=True)
        self.children: list[Child] = []
        self._say = say if callable(say) else print

    def start(self, child: Child) -> None:
        """Start a child and watch it from now on."""
        child.start(self.logs)
        self.children.append(child)

    def watch_once(self) -> None:
        """Restart what has ended, each with a pause that grows while it keeps ending at once."""
        now = time.monotonic()
        for child in self.children:
            if child.is_running():
                if child.restarts and now - child.started_at > 60:
                    child.restarts = 0
                continue
            if child.due_at <= child.started_at:
                pause = min(LONGEST_PAUSE_S, 0.5 * 2**child.restarts)
                child.due_at = now + pause
                code = child.process.returncode if child.process else "?"
                self._say(f"  {child.name} ended ({code}); starting it again in {pause:.0f} s. Log: {self._log(child)}")
            if now >= child.due_at:
                child.restarts += 1
                child.start(self.logs)

    def stop_all(self) -> None:
        """Stop the children, last started first; what works on its own is asked together, to spare the waiting.

        The services that a worker's run may be using end only after the workers.
        """
        self._say(f"  stopping {', '.join(child.name for child in reversed(self.children))}")
        for child in self.children:
            if not child.is_service:
                child.ask_to_stop()
        last_first = self.children[::-1]
        for child in [c for c in last_first if not c.is_service] + [c for c in last_first if c.is_service]:
            child.stop()
        self.children.clear()

    def _log(self, child: Child) -> Path:
        return self.logs / f"{child.name}.log"


def _end_with_parent() -> None:
    """Ask the kernel to end this process when its supervisor dies without having stopped it (kill -9)."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
