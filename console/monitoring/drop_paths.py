"""Touch the drop folder safely: nothing is followed out of it, only plain files are opened, nothing is overwritten.

Every folder is opened below the one before, without following links, and files are named relative to an open folder:
what somebody exchanges meanwhile is found out or not met. Names are bytes; they may be any, and are never logged.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

TAKEN, SET_ASIDE = "taken", "set-aside"
REASON = b".reason.txt"
MARKER = b".done"
_UNFINISHED = (b".part", b".tmp", b".filepart", b".partial", b"~", MARKER)
_LONGEST_NAME = 255
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a pipe without a writer must hold nobody


class Refused(Exception):
    """What lies there is not read; the message says why, in words for whoever put it there."""


@contextlib.contextmanager
def opened(root: str, *names: bytes) -> Iterator[int]:
    """Open a folder below the drop folder; raise OSError where it is none, is a link or is closed to us.

    The drop folder itself may be a link: the operator named it.
    """
    folder = os.open(root, _FOLDER)
    try:
        for name in names:
            if name in (b"", b".", b"..") or b"/" in name:
                raise NotADirectoryError(errno.ENOTDIR, "no folder's name")
            below = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = below
        yield folder
    finally:
        os.close(folder)


def listed(folder: int) -> Iterator[tuple[bytes, os.stat_result]]:
    """Yield what lies in a folder, by name; links are not followed, what is unfinished or done with is left out."""
    with os.scandir(folder) as entries:
        names = sorted(os.fsencode(entry.name) for entry in entries)
    for name in names:
        if name.startswith(b".") or name.endswith(_UNFINISHED) or name in (TAKEN.encode(), SET_ASIDE.encode()):
            continue
        with contextlib.suppress(FileNotFoundError):
            yield name, os.stat(name, dir_fd=folder, follow_symlinks=False)


def has_marker(folder: int, name: bytes) -> bool:
    """Tell whether the sender said by an empty file beside it that the file is whole."""
    try:
        os.stat(name + MARKER, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return False
    return True


def open_file(folder: int, name: bytes) -> int:
    """Open a plain file; raise Refused for anything else, OSError where it cannot be had."""
    if stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
        raise Refused("This is a link. Put the file itself here: links are not followed.")
    file = os.open(name, _FILE, dir_fd=folder)
    try:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode):
            raise Refused("This is no plain file. Only plain files are read.")
        if found.st_nlink > 1:
            raise Refused("This file has a second name elsewhere (a hard link). Copy it here instead.")
    except BaseException:
        os.close(file)
        raise
    return file


def is_same(folder: int, name: bytes, found: os.stat_result) -> bool:
    """Tell whether a name still stands for the file that was opened, as it was."""
    try:
        now = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return (now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns) == (
        found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns,
    )  # fmt: skip


def move(folder: int, name: bytes, into: str, *, reason: str = "", now: datetime) -> None:
    """Move a file into `taken` or `set-aside` beside it, with a reason to read; nothing there is overwritten.

    Raise OSError where that is not possible; the file then lies where it lay.
    """
    with contextlib.suppress(FileExistsError):
        os.mkdir(into, 0o750, dir_fd=folder)
    place = os.open(into, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)
    try:
        new = _free_name(place, name)
        os.rename(name, new, src_dir_fd=folder, dst_dir_fd=place)
        if reason:
            with contextlib.suppress(OSError):  # the console tells it too; a full disk must not hold the file here
                _write(place, _short(new, len(REASON)) + REASON, f"{now:%Y-%m-%d %H:%M} UTC\n{reason}\n")
        with contextlib.suppress(OSError):
            os.unlink(name + MARKER, dir_fd=folder)
    finally:
        os.close(place)


def forget(folder: int, before: datetime) -> int:
    """Delete what was taken before a time; give how many. A file's move is when its entry last changed."""
    try:
        place = os.open(TAKEN, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)
    except FileNotFoundError:
        return 0
    gone = 0
    try:
        with os.scandir(place) as entries:
            names = [os.fsencode(entry.name) for entry in entries]
        for name in names:
            found = os.stat(name, dir_fd=place, follow_symlinks=False)
            if not stat.S_ISDIR(found.st_mode) and found.st_ctime < before.timestamp():
                os.unlink(name, dir_fd=place)
                gone += 1
    finally:
        os.close(place)
    return gone


def is_usable_name(name: str) -> bool:
    """Tell whether a source's name can be a folder's; otherwise its id is."""
    plain = name not in (TAKEN, SET_ASIDE, "") and not name.startswith(".") and "/" not in name and "\0" not in name
    return plain and len(os.fsencode(name)) <= _LONGEST_NAME and not os.fsencode(name).endswith(_UNFINISHED)


def folder_for(root: str, source_name: str, source_id: object, log: str) -> Path:
    """Give the folder whose files are a source's rows of one log."""
    return Path(root) / (source_name if is_usable_name(source_name) else str(source_id)) / log


def _free_name(place: int, name: bytes) -> bytes:
    for number in range(1, 100_000):
        new = name if number == 1 else _short(name, 8) + b".%d" % number
        try:
            os.stat(new, dir_fd=place, follow_symlinks=False)
        except FileNotFoundError:
            return new
    raise FileExistsError("no free name")


def _short(name: bytes, room: int) -> bytes:
    return name[: _LONGEST_NAME - room]


def _write(place: int, name: bytes, text: str) -> None:
    file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o640, dir_fd=place)
    with os.fdopen(file, "w", encoding="utf-8") as out:
        out.write(text)
