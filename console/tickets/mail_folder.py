"""Watch a Maildir: what a mail server delivers into its `new` is taken, then deleted, or set aside where refused.

What was refused is moved to `cur`, where the operator's mail program shows it. A mail that could not be taken stays in
`new` and is tried again with the next look.
"""

import logging
import os
import stat
from dataclasses import dataclass

from django.conf import settings
from django.db import connection

from console.tickets.mail_in import LIMIT_BYTES, NotSetUp, take
from console.tickets.models import InboundMail

log = logging.getLogger(__name__)
ADVISORY_LOCK = 0x4E6F746D  # one look at a time, whoever asks for it
MOST_A_LOOK = 50


@dataclass
class Looked:
    """What one look did."""

    taken: int = 0
    refused: int = 0
    left: int = 0


def look() -> Looked | None:
    """Look once; give None where no folder is set up or somebody else is looking."""
    if not settings.MAIL_IN_FOLDER or not _lock("pg_try_advisory_lock"):
        return None
    try:
        return _look(settings.MAIL_IN_FOLDER)
    finally:
        _lock("pg_advisory_unlock")


def _look(root: str) -> Looked:
    done = Looked()
    try:
        names = sorted(name for name in os.listdir(os.path.join(root, "new")) if not name.startswith("."))
    except OSError as problem:
        log.warning("the mail folder cannot be read: %s", problem.strerror)
        return done
    for name in names[:MOST_A_LOOK]:
        try:
            _one(root, name, done)
        except NotSetUp:
            log.warning("mails wait, but MAIL_IN_AUTHSERV is not set: nobody's mail is taken")
            done.left = len(names)
            return done
        except Exception as problem:  # one mail that fails keeps no other from being taken
            log.warning("a mail could not be taken now: %s", type(problem).__name__)
            done.left += 1
    return done


def _one(root: str, name: str, done: Looked) -> None:
    """Take one file. Only plain files are read: no link leads elsewhere, no pipe keeps the worker waiting."""
    where = os.path.join(root, "new", name)
    handle = os.open(where, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError("no plain file")
        row = take(file.read(LIMIT_BYTES + 1))
    if row.state == InboundMail.State.REFUSED:
        os.makedirs(os.path.join(root, "cur"), mode=0o700, exist_ok=True)
        os.rename(where, os.path.join(root, "cur", f"{name}:2,"))
        done.refused += 1
    else:
        os.unlink(where)
        done.taken += 1


def _lock(function: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [ADVISORY_LOCK])
        return bool(cursor.fetchone()[0])
