"""The drop folder's edges: links, pipes, second names, odd names, closed folders, names that are taken."""

import os
import socket
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.monitoring import drop_paths
from console.monitoring.drop_paths import Refused, folder_for, forget, is_same, is_usable_name, listed, move, opened

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def names(folder: Path) -> list[bytes]:
    with opened(str(folder)) as fd:
        return [name for name, _ in listed(fd)]


def read(folder: Path, name: bytes) -> bytes:
    with opened(str(folder)) as fd, os.fdopen(drop_paths.open_file(fd, name), "rb") as file:
        return file.read()


def test_what_is_on_its_way_or_done_with_is_not_listed(tmp_path: Path) -> None:
    for name in ("b.ndjson", "a.csv", ".hidden", "x.part", "x.tmp", "x.filepart", "x~", "a.csv.done"):
        (tmp_path / name).write_text("x")
    for name in ("taken", "set-aside"):
        (tmp_path / name).mkdir()
    assert names(tmp_path) == [b"a.csv", b"b.ndjson"]


def test_a_plain_file_is_read_whatever_its_name(tmp_path: Path) -> None:
    for name in (b"l\xc3\xb6g.csv", b"\xff\xfe not text", b"new\nline", b"-rf *;$(reboot)`", b"a" * 255):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(name)
        assert read(tmp_path, name) == name


def test_nothing_but_a_plain_file_is_opened(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("not for here")
    drop = tmp_path / "drop"
    drop.mkdir()
    (drop / "link").symlink_to(tmp_path / "secret")
    (drop / "loop").symlink_to(drop / "loop")
    os.link(tmp_path / "secret", drop / "second")
    os.mkfifo(drop / "pipe")  # without O_NONBLOCK opening it would wait for ever
    (drop / "folder").mkdir()
    with socket.socket(socket.AF_UNIX) as bound:
        here = os.getcwd()
        os.chdir(drop)
        try:
            bound.bind("socket")
        finally:
            os.chdir(here)
        for name in (b"link", b"loop", b"second", b"pipe", b"folder"):
            with pytest.raises(Refused):
                read(drop, name)
        with pytest.raises(OSError, match="No such device"):
            read(drop, b"socket")


def test_a_folder_that_is_a_link_is_not_entered(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    drop = tmp_path / "drop"
    drop.mkdir()
    (drop / "north").symlink_to(outside)
    with pytest.raises(OSError), opened(str(drop), b"north"):
        pass
    for way in ((b"..",), (b"north", b".."), (b"../outside",), (b"",)):
        with pytest.raises(OSError), opened(str(drop), *way):
            pass
    (tmp_path / "named").symlink_to(drop)
    with opened(str(tmp_path / "named")) as folder:  # the operator's own link to the drop folder is his business
        assert stat.S_ISDIR(os.fstat(folder).st_mode)


def test_a_file_is_moved_with_its_marker_and_nothing_is_overwritten(tmp_path: Path) -> None:
    for text in ("one", "two", "three"):
        (tmp_path / "log.csv").write_text(text)
        (tmp_path / "log.csv.done").touch()
        with opened(str(tmp_path)) as fd:
            move(fd, b"log.csv", "taken", now=NOW)
    kept = sorted(path.read_text() for path in (tmp_path / "taken").iterdir())
    assert kept == ["one", "three", "two"]
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_a_reason_lies_beside_what_was_set_aside(tmp_path: Path) -> None:
    name = b"n" * 255
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_text("x")
    with opened(str(tmp_path)) as fd:
        move(fd, name, "set-aside", reason="It is no log.", now=NOW)
    inside = {path.name: path.read_text() for path in (tmp_path / "set-aside").iterdir()}
    assert inside[name.decode()] == "x"
    (reason,) = [text for name, text in inside.items() if name.endswith(".reason.txt")]
    assert reason == "2026-11-22 12:00 UTC\nIt is no log.\n"


def test_a_taken_folder_that_leads_away_is_not_used(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    drop = tmp_path / "drop"
    drop.mkdir()
    (drop / "log.csv").write_text("x")
    (drop / "taken").symlink_to(outside)
    with opened(str(drop)) as fd, pytest.raises(OSError):
        move(fd, b"log.csv", "taken", now=NOW)
    assert list(outside.iterdir()) == [] and (drop / "log.csv").exists()


def test_a_file_that_was_exchanged_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("x")
    with opened(str(tmp_path)) as fd:
        found = os.stat("log.csv", dir_fd=fd)
        assert is_same(fd, b"log.csv", found)
        (tmp_path / "new").write_text("x")
        os.replace(tmp_path / "new", tmp_path / "log.csv")
        assert not is_same(fd, b"log.csv", found)
        (tmp_path / "log.csv").unlink()
        assert not is_same(fd, b"log.csv", found)


def test_what_was_taken_is_forgotten_after_its_days(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("x")
    with opened(str(tmp_path)) as fd:
        assert forget(fd, datetime.now(UTC)) == 0
        move(fd, b"log.csv", "taken", now=NOW)
        assert forget(fd, datetime.now(UTC) - timedelta(minutes=1)) == 0
        assert forget(fd, datetime.now(UTC) + timedelta(minutes=1)) == 1
    assert list((tmp_path / "taken").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "usable"),
    [("north-epic", True), ("Nördlich 2", True), ("a/b", False), ("..", False), (".x", False), ("taken", False),
     ("set-aside", False), ("", False), ("x.done", False), ("x.part", False), ("ä" * 80, True)],
)  # fmt: skip
def test_a_source_whose_name_is_no_folders_name_goes_by_its_id(name: str, usable: bool) -> None:
    assert is_usable_name(name) is usable
    assert str(folder_for("/drop", name, "id-1", "ehr")) == f"/drop/{name if usable else 'id-1'}/ehr"
