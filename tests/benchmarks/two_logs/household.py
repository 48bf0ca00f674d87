"""A private NoteTrace for one measurement: its own state folder and database, its real commands, what they cost."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
SAMPLE_EVERY_S = 0.05
NOT_OURS = ("DATABASE_URL", "DATABASE_OWNER_URL", "BROKER_URL", "DJANGO_SETTINGS_MODULE", "NOTETRACE_DATABASE_ROLE")


@dataclass(frozen=True)
class Ran:
    """What a command said and cost. Memory in MB; `server_mb` is what the database's processes held of their own.

    `cpu_s` is the processor time of the command and of the database together, which other work on the machine swings
    less than the wall's.
    """

    out: str
    errors: str
    code: int
    wall_s: float
    peak_mb: float
    server_mb: float
    cpu_s: float = 0.0

    def last_json(self) -> dict[str, Any]:
        """Read the last line that is a JSON object."""
        for line in reversed(self.out.splitlines()):
            if line.startswith("{"):
                return dict(json.loads(line))
        raise AssertionError(f"no JSON in the answer (exit {self.code}): {self.out[-500:]} {self.errors[-2000:]}")


class Household:
    """Run commands of one checkout against one database; its server stays up between them."""

    def __init__(self, folder: Path) -> None:
        from console.launch.postgres import EmbeddedPostgres

        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o755)
        kept = {name: value for name, value in os.environ.items() if name not in NOT_OURS}
        self.environment = kept | {"NOTETRACE_STATE_DIR": str(folder), "PYTHONUNBUFFERED": "1"}
        self.server = EmbeddedPostgres(folder)

    def url(self, role: str) -> str:
        """Give the libpq address of its database as a role."""
        return self.server.url(role)

    def cpu(self) -> float:
        """Give the processor seconds of all ended commands and of the database so far."""
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        return ended.ru_utime + ended.ru_stime + self.server_cpu()

    def server_cpu(self) -> float:
        """Give the processor seconds of the database's processes so far, the ended ones too."""
        main = self.server.process_id()
        if main is None:
            return 0.0
        return processor_s(main, ended=True) + sum(processor_s(pid) for pid in children(main))

    def start(self, *arguments: str, stdout: int | Any = subprocess.PIPE) -> subprocess.Popen[str]:
        """Start one command of manage.py."""
        command = [sys.executable, str(ROOT / "manage.py"), *arguments]
        return subprocess.Popen(
            command, cwd=ROOT, env=self.environment, stdout=stdout, stderr=subprocess.PIPE, text=True,
            start_new_session=True,
        )  # fmt: skip

    def run(self, *arguments: str, into: Path | None = None, check: bool = True) -> Ran:
        """Run one command to its end; its output goes to a file where it is long."""
        spent = self.cpu()
        began = time.perf_counter()
        with open(into, "w", encoding="utf-8") if into else contextlib.nullcontext() as handle:
            process = self.start(*arguments, stdout=handle or subprocess.PIPE)
            watch = Watch(process.pid, self.server.process_id())
            with watch:
                out, errors = process.communicate()
        wall, cpu = time.perf_counter() - began, self.cpu() - spent
        ran = Ran(out or "", errors, process.returncode, wall, watch.peak, watch.server, cpu)
        if check and ran.code:
            raise AssertionError(f"{' '.join(arguments)} ended {ran.code}: {ran.errors[-3000:]} {ran.out[-500:]}")
        return ran


@contextlib.contextmanager
def household(folder: Path | None = None) -> Iterator[Household]:
    """Give a household with its server running, in a folder of its own that goes unless one was named."""
    if folder:
        house = Household(folder)
        with house.server.in_use():
            house.run("showmigrations")  # the first command makes the tables: nobody's time
            yield house
        return
    with tempfile.TemporaryDirectory(prefix="nt-bench-", ignore_cleanup_errors=True) as made:
        Path(made).chmod(0o755)
        house = Household(Path(made))
        with house.server.in_use():
            house.run("showmigrations")
            yield house


class Watch:
    """Watch the memory of a process with its children, and of the database's processes, until it is left."""

    def __init__(self, pid: int, server: int | None) -> None:
        self.pid, self.server_pid = pid, server
        self.peak = self.server = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *rest: object) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._done.is_set():
            self.peak = max(self.peak, sum(memory(pid, "VmHWM") for pid in (self.pid, *children(self.pid))))
            if self.server_pid:
                own = sum(memory(pid, "RssAnon") for pid in (self.server_pid, *children(self.server_pid)))
                self.server = max(self.server, own)
            self._done.wait(SAMPLE_EVERY_S)


def memory(pid: int, field: str) -> float:
    """Read one memory field of a process in MB; 0 where it is gone."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith(f"{field}:"):
                return int(line.split()[1]) / 1024
    return 0.0


def processor_s(pid: int, *, ended: bool = False) -> float:
    """Read a process's processor seconds, those of its ended children with them where asked; 0 where it is gone."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        return sum(map(int, fields[11 : 15 if ended else 13])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def children(pid: int) -> list[int]:
    """Give all living descendants of a process."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text(encoding="ascii").split():
                found += [int(child), *children(int(child))]
    return found
