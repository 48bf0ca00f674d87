"""Give every management command the database it needs: DATABASE_URL when set, else the embedded server."""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg

from console.launch.bootstrap import ROOT
from console.launch.postgres import APPLICATION, OWNER, EmbeddedPostgres
from console.launch.state import provide_keys, state_folder

NEED_NO_DATABASE = frozenset(
    (
        *("help", "version", "--help", "-h", "--version", "check"),
        *("diagnose", "explain", "demo", "test", "practice_ehr", "collectstatic", "findstatic", "diffsettings"),
    )
)
RUN_AS_OWNER = frozenset(["migrate", "sqlmigrate", "sqlflush", "flush", "dbshell"])


@contextlib.contextmanager
def database_for(argv: list[str]) -> Iterator[None]:
    """Provide the database for one command and take the embedded server down again if this command was its last user.

    A fresh embedded database is migrated first, so that any command works on a fresh checkout.
    """
    command = argv[1] if len(argv) > 1 else "help"
    as_owner = command in RUN_AS_OWNER
    if as_owner:
        os.environ["NOTETRACE_DATABASE_ROLE"] = "owner"
    if command in NEED_NO_DATABASE or os.environ.get("DATABASE_URL"):
        yield
        return
    folder = state_folder()
    provide_keys(folder)
    server = EmbeddedPostgres(folder)
    with server.in_use():
        point_settings_at(server)
        _follow_the_demo(folder)
        if command != "migrate":
            migrate(folder)
        yield


def _follow_the_demo(folder: Path) -> None:
    """Use the address and the mailbox of the demo started last here: links that a command writes lead there."""
    address = folder / "address"
    if address.exists():
        os.environ.setdefault("CONSOLE_ADDRESS", address.read_text(encoding="utf-8").strip())
        os.environ.setdefault("MAIL_FOLDER", str(folder / "mail"))


def point_settings_at(server: EmbeddedPostgres) -> None:
    """Tell the settings, here and in child processes, where the embedded server is and that this is a demo."""
    os.environ["DATABASE_URL"] = server.url(APPLICATION)
    os.environ["DATABASE_OWNER_URL"] = server.url(OWNER)
    os.environ.setdefault("BROKER_URL", server.queue_url)
    os.environ.setdefault("NOTETRACE_DEMO", "1")


def migrate(folder: Path) -> bool:
    """Apply migrations unless these very files were applied to this database before; tell whether it ran.

    The stamp spares every start the two seconds that asking Django costs.
    """
    stamp = folder / "migrated"
    wanted = _fingerprint(os.environ["DATABASE_URL"])
    if stamp.exists() and stamp.read_text(encoding="ascii") == wanted and _holds_migrations():
        return False
    subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity", "0", "--no-input"],
        cwd=ROOT,
        env={**os.environ, "NOTETRACE_DATABASE_ROLE": "owner"},
        check=True,
    )
    stamp.write_text(wanted, encoding="ascii")
    return True


def _holds_migrations() -> bool:
    """Tell whether this is still the database that was migrated: somebody may have put an empty one in its place."""
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        row = connection.execute("SELECT to_regclass('django_migrations') IS NOT NULL").fetchone()
    return bool(row and row[0])


def _fingerprint(url: str) -> str:
    digest = hashlib.sha256(url.encode())
    for path in sorted([*ROOT.glob("console/*/migrations/*.py"), *ROOT.glob("requirements/*.txt")]):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
