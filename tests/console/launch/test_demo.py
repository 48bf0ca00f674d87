"""The first command, whole: up, answering, down, nothing left; and the second start is quick because all is there."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import psycopg
import pytest

from console.launch.postgres import APPLICATION, EmbeddedPostgres
from tests.faults.stack import ROOT, wait_for

pytestmark = pytest.mark.fault


class Demo:
    """One `manage.py demo` with a state folder of its own."""

    def __init__(self, state: Path, *words: str) -> None:
        self.log = state.parent / f"demo-{len(list(state.parent.glob('demo-*')))}.out"
        away = {"DATABASE_URL", "DATABASE_OWNER_URL", "BROKER_URL", "SECRET_KEY", "NOTETRACE_MASTER_KEY"}
        away |= {"DJANGO_SETTINGS_MODULE", "NOTETRACE_DEMO", "WORK_LEASE_S"}
        environment = {name: value for name, value in os.environ.items() if name not in away}
        with open(self.log, "wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, str(ROOT / "manage.py"), "demo", *words],
                cwd=ROOT,
                env={**environment, "NOTETRACE_STATE_DIR": str(state)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def wait(self) -> str:
        """Wait for the address and give it."""
        wait_for("the demo's address", lambda: "Press Ctrl-C" in self.said or self.process.poll() is not None, 150)
        found = re.search(r"answers at (http://\S+/)", self.said)
        assert found, self.said
        return found[1]

    def stop(self, sign: int = signal.SIGTERM) -> None:
        self.process.send_signal(sign)
        assert self.process.wait(60) == 0, self.said


def still_there(state: Path) -> list[str]:
    """Give the processes that have this state folder in their environment or arguments."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            told = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
        except OSError:
            continue
        if str(state).encode() in told and int(folder.name) != os.getpid():
            found.append(folder.name)
    return found


def fetch(url: str) -> tuple[int, str]:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=20) as answer:
        return answer.status, answer.read().decode()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_demo_starts_serves_restarts_and_leaves_nothing_behind(tmp_path) -> None:
    for folder in (tmp_path, tmp_path.parent):
        folder.chmod(0o755)  # as root the server runs as another account, which must get in
    state = tmp_path / "state"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        first = Demo(state, "--port", str(taken.getsockname()[1]))
        address = first.wait()
        assert "is taken; using" in first.said
    status, page = fetch(f"{address}login/")
    assert status == 200 and "password" in page
    for login in ("helpdesk@", "informatics@", "manager@"):
        assert login in first.said

    # Every child comes back, PostgreSQL too.
    server = EmbeddedPostgres(state)
    os.kill(server.process_id(), signal.SIGKILL)
    wait_for("PostgreSQL's return", lambda: "PostgreSQL had ended and was started again" in first.said)
    wait_for("the page's return", lambda: answers(f"{address}ready"))

    # Another start finds it running and does no harm.
    second = Demo(state)
    assert second.process.wait(60) == 1
    assert address.rstrip("/") in second.said

    # The queued run of the sample data is done by the worker that came with the demo.
    def all_done() -> bool:
        with psycopg.connect(server.url(APPLICATION)) as connection:
            rows = connection.execute("SELECT count(*) FROM diagnoses_run WHERE state IN ('queued', 'running')")
            return rows.fetchone()[0] == 0

    wait_for("the queued run", all_done)
    first.stop()
    assert still_there(state) == []

    again = Demo(state, "--port", "0")
    assert answers(f"{again.wait()}ready")
    assert "Making sample data" not in again.said
    again.stop(signal.SIGINT)
    assert still_there(state) == []


def answers(url: str) -> bool:
    try:
        return fetch(url)[0] == 200
    except OSError:
        return False
