"""The embedded server: one for all who use it, gone with the last, private, and back after a kill."""

import os
import signal
import stat
from pathlib import Path

import psycopg
import pytest

from console.launch.postgres import (
    APPLICATION,
    DATABASE,
    LONGEST_SOCKET_PATH,
    OWNER,
    QUEUE,
    SOCKET_NAME,
    EmbeddedPostgres,
    EmbeddedPostgresError,
)


def one(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchone()[0]


def test_roles_are_what_they_should_be(postgres) -> None:
    assert one(postgres.url(APPLICATION), "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
    owned = "SELECT count(*) FROM pg_class WHERE pg_get_userbyid(relowner) = current_user"
    assert one(postgres.url(APPLICATION), owned) == 0
    assert one(postgres.url(OWNER), "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
    with pytest.raises(psycopg.OperationalError):
        one(postgres.url(QUEUE, DATABASE), "SELECT 1")
    with pytest.raises(psycopg.OperationalError):
        one(postgres.url(APPLICATION, "queue"), "SELECT 1")


def test_nobody_else_gets_in(postgres) -> None:
    for folder in (postgres.data, postgres.socket):
        assert stat.S_IMODE(Path(folder).stat().st_mode) == 0o700
    assert one(postgres.url("postgres"), "SHOW listen_addresses") == ""


def test_the_last_user_stops_the_server_and_no_earlier_one(tmp_path) -> None:
    tmp_path.chmod(0o755)
    base = reachable(tmp_path)
    first, second = EmbeddedPostgres(base), EmbeddedPostgres(base)
    first.acquire()
    try:
        second.acquire()
        second.release()
        assert first.is_ready(), "another user still holds it"
    finally:
        first.release()
    assert not first.is_ready()
    assert first.process_id() is None


def test_data_survive_a_kill_and_the_next_start_heals(tmp_path) -> None:
    server = EmbeddedPostgres(reachable(tmp_path))
    server.acquire()
    try:
        with psycopg.connect(server.url(OWNER)) as connection:
            connection.execute("CREATE TABLE kept (n int)")
            connection.execute("INSERT INTO kept VALUES (7)")
        os.kill(server.process_id(), signal.SIGKILL)
        again = EmbeddedPostgres(reachable(tmp_path))
        again.acquire()
        try:
            assert one(again.url(OWNER), "SELECT n FROM kept") == 7
        finally:
            again.release()
    finally:
        server.release()
        server.stop()


def test_a_long_checkout_gets_a_short_socket(tmp_path) -> None:
    server = EmbeddedPostgres(tmp_path / ("long" * 30))
    assert len(os.fsencode(server.socket / SOCKET_NAME)) <= LONGEST_SOCKET_PATH


def test_below_a_closed_folder_the_data_stay_reachable_for_the_servers_account(tmp_path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    server = EmbeddedPostgres(closed)
    as_root = os.geteuid() == 0
    assert (closed in server.base.parents) is not as_root, "only root runs it as somebody else"
    assert EmbeddedPostgres(closed).base == server.base, "the next start finds it again"


def test_a_start_that_fails_says_where_to_look(tmp_path) -> None:
    server = EmbeddedPostgres(reachable(tmp_path))
    server._make_folders()
    server._initialise()
    (server.data / "postgresql.conf").write_text("no such setting = 1\n", encoding="ascii")
    with pytest.raises(EmbeddedPostgresError, match="DATABASE_URL"):
        server._start(limit_s=1.5)


def reachable(folder: Path) -> Path:
    """Open the way down to a test's folder for the server's own account."""
    for path in (folder, *folder.parents):
        if path.owner() == Path.home().owner() and "pytest" in str(path):
            path.chmod(path.stat().st_mode | 0o055)
    return folder
