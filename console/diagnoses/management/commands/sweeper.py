"""`manage.py sweeper`: ring again for work that nobody holds. Needs the database only, not the queue it repairs."""

import logging
import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection

from console.shared.work import sweep

log = logging.getLogger(__name__)
ADVISORY_LOCK = 0x4E6F7465  # one sweeper works at a time, further ones stand by


class Command(BaseCommand):
    """Sweep until told to stop."""

    help = "Rings again for background work that is due and held by nobody; runs until stopped."
    requires_system_checks: list[str] = []  # pages and their addresses are no business of a background process

    def add_arguments(self, parser: Any) -> None:
        """Offer one round, for cron and for tests."""
        parser.add_argument("--once", action="store_true", help="sweep once and end")

    def handle(self, *args: Any, **options: Any) -> None:
        """Loop under an advisory lock; a lost database connection is waited out."""
        stop = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
        signal.signal(signal.SIGINT, lambda *_: stop.set())
        while not stop.is_set():
            try:
                if self._has_lock():
                    done = sweep()
                    if any(done.values()):
                        log.info("swept: %s", done)
            except DatabaseError as problem:
                log.warning("the sweeper waits for the database: %s", type(problem).__name__)
                connection.close()
            if options["once"]:
                return
            stop.wait(settings.WORK_SWEEP_S)

    def _has_lock(self) -> bool:
        """Take the lock, or find that this session has it: a session's lock counts up, hence the look first."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND classid = 0 AND objid = %s"
                " AND pid = pg_backend_pid() AND granted)",
                [ADVISORY_LOCK],
            )
            if cursor.fetchone()[0]:
                return True
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [ADVISORY_LOCK])
            return bool(cursor.fetchone()[0])
