"""`python3 manage.py demo`: the whole product on one machine, with sample data, until Ctrl-C."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psycopg

from console.launch.bootstrap import ROOT
from console.launch.database import migrate, point_settings_at
from console.launch.postgres import EmbeddedPostgres, EmbeddedPostgresError, install_queue
from console.launch.processes import Child, Supervisor
from console.launch.state import provide_keys, state_folder
from console.shared.addresses import queue_beside

LOGINS = (
    ("helpdesk@northcampus.example", "Help desk"),
    ("engineer@northcampus.example", "Integration engineer"),
    ("informatics@northcampus.example", "Clinical informatics"),
    ("manager@northcampus.example", "Manager"),
    ("privacy@northcampus.example", "Privacy officer"),
    ("admin@northcampus.example", "Administrator"),
)
PASSWORD_FOR_THE_DEMO = "follow-the-note"
WEB_LIMIT_S = 60.0


class Stopped(Exception):
    """Somebody asked the demo to end."""


def main(arguments: list[str]) -> int:
    """Start everything in order, say where it is, keep it running, stop it in order."""
    options = _parse(arguments)
    folder = state_folder()
    began = time.monotonic()
    signal.signal(signal.SIGTERM, _raise_stopped)
    signal.signal(signal.SIGINT, _raise_stopped)
    with _only_one(folder) as alone:
        if not alone:
            print(f"A demo is running already: {(folder / 'address').read_text(encoding='utf-8').strip()}")
            return 1
        supervisor = Supervisor(folder / "log", say=_say)
        server = None if os.environ.get("DATABASE_URL") else EmbeddedPostgres(folder)
        try:
            if options.reset:
                _reset(folder, server)
            _start(options, folder, server, supervisor, began)
            while True:
                time.sleep(0.5)
                if server is not None and server.revive():
                    _say("  PostgreSQL had ended and was started again.")
                supervisor.watch_once()
        except Stopped:
            _say("Stopping …")
        except (EmbeddedPostgresError, subprocess.CalledProcessError, psycopg.Error, TimeoutError) as problem:
            _say(f"NoteTrace could not start: {problem}")
            return 1
        finally:
            # A second Ctrl-C while stopping would leave half of it behind.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            supervisor.stop_all()
            if server is not None:
                server.release()
            _say("Stopped.")
    return 0


def _start(
    options: argparse.Namespace, folder: Path, server: EmbeddedPostgres | None, supervisor: Supervisor, began: float
) -> None:
    provide_keys(folder)
    os.environ.setdefault("NOTETRACE_DEMO", "1")
    if server is not None:
        _say("Starting PostgreSQL …")
        server.acquire()
        if server.base.parent != folder:
            _say(f"  its data is in {server.base}: the account it runs as cannot enter {folder}")
        point_settings_at(server)
    elif not os.environ.get("BROKER_URL"):
        os.environ["BROKER_URL"] = _queue_beside(os.environ["DATABASE_URL"])
    _say("Applying migrations …")
    migrate(folder)
    _forget_heartbeats()
    port = _free_port(options.port)
    address = f"http://127.0.0.1:{port}/"
    # Links in mails need the address; the mails become files, which the demo's mailbox page shows.
    os.environ.setdefault("CONSOLE_ADDRESS", address)
    os.environ.setdefault("MAIL_FOLDER", str(folder / "mail"))
    practice = Child("practice-ehr", _manage("practice_ehr", "--demo"), is_service=True)
    if not _is_seeded() and not options.empty:
        _say("Making sample data (first start only) …")
        subprocess.run(_manage("seed"), cwd=ROOT, check=True)
    with_sample = _is_seeded()
    (folder / "address").write_text(address + "\n", encoding="utf-8")
    web = Child("web", _granian(port), env={"DATABASE_POOL_SIZE": "6"}, is_service=True)
    supervisor.start(web)  # the page comes first; workers follow, and the page says so until they are there
    if with_sample:
        supervisor.start(practice)
    supervisor.start(Child("sweeper", _manage("sweeper")))
    supervisor.start(Child("worker", _manage("worker", "--concurrency", "2"), stop_limit_s=12))
    supervisor.start(Child("beat", _manage("beat", "--schedule", str(folder / "beat-schedule"))))
    _wait_for(address, supervisor)
    _say("")
    _say(f"NoteTrace answers at {address}  (after {time.monotonic() - began:.1f} s)")
    for email, role in LOGINS if with_sample else ():
        _say(f"  {role:<22} {email:<36} password: {PASSWORD_FOR_THE_DEMO}")
    if not with_sample:
        _say("  Without sample data. If nothing is set up yet, run in a second terminal: python3 manage.py setup")
    _say("Press Ctrl-C to stop.")


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="manage.py demo", description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="wished port of the web page (default 8000)")
    parser.add_argument("--reset", action="store_true", help="throw all demo data away and start over")
    parser.add_argument("--empty", action="store_true", help="make no sample data; `manage.py setup` comes first then")
    return parser.parse_args(arguments)


@contextlib.contextmanager
def _only_one(folder: Path) -> Iterator[bool]:
    with open(folder / "demo.lock", "w", encoding="ascii") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True


def _reset(folder: Path, server: EmbeddedPostgres | None) -> None:
    """Start over. A database given by DATABASE_URL is somebody's own and is never emptied from here."""
    if server is None:
        _say("--reset leaves the database of DATABASE_URL alone; only this machine's demo files are removed.")
    else:
        server.erase()
    for name in ("practice", "migrated", "beat-schedule", "log", "address", "mail"):
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    (folder / "log").mkdir(exist_ok=True)


def _queue_beside(url: str) -> str:
    """Use PGMQ in a `queue` database on the given server, made when missing."""
    with psycopg.connect(url, autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = 'queue'").fetchone() is None:
            connection.execute("CREATE DATABASE queue")
    address = queue_beside(url)
    install_queue(address)
    return address


def _forget_heartbeats() -> None:
    """Drop the signs of life of the last start's workers: pages shall say that workers start, not that they hang."""
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        connection.execute("DELETE FROM diagnoses_heartbeat")


def _is_seeded() -> bool:
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        return connection.execute("SELECT 1 FROM demo_seeding LIMIT 1").fetchone() is not None


def _free_port(wished: int) -> int:
    for port in (wished, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found = int(probe.getsockname()[1])
        if found != wished and wished:
            _say(f"Port {wished} is taken; using {found}.")
        return found
    raise TimeoutError("no free port was found on 127.0.0.1")


def _wait_for(address: str, supervisor: Supervisor) -> None:
    deadline = time.monotonic() + WEB_LIMIT_S
    while time.monotonic() < deadline:
        supervisor.watch_once()
        try:
            with urllib.request.urlopen(f"{address}ready", timeout=5):
                return
        except urllib.error.HTTPError:
            return  # it answers, and its own page says what is wrong
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"the web server did not answer within {WEB_LIMIT_S:.0f} s; see {supervisor.logs / 'web.log'}")


def _manage(*arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), *arguments]


def _granian(port: int) -> list[str]:
    options = ["--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--no-ws"]
    threads = ["--blocking-threads", "4", "--backpressure", "16"]
    return [sys.executable, "-m", "granian", *options, *threads, "console.wsgi:application"]


def _raise_stopped(_signal: int, _frame: object) -> None:
    raise Stopped


def _say(text: str) -> None:
    # The supervisor outlives a closed terminal's pipe; what it has to say then has no reader.
    with contextlib.suppress(BrokenPipeError):
        print(text, flush=True)
