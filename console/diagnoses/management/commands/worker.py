"""`manage.py worker`: carry out background work."""

import logging
import os
from typing import Any

from django.core.management.base import BaseCommand

log = logging.getLogger(__name__)
SIGN_OF_LIFE_S = 10.0


class Command(BaseCommand):
    """Run a Celery worker with this project's settings."""

    help = "Carries out background work until stopped."
    requires_system_checks: list[str] = []  # pages and their addresses are no business of a background process

    def add_arguments(self, parser: Any) -> None:
        """Offer the network segment in which this worker stands."""
        parser.add_argument("--queues", default="default", help="comma-separated; segment_<slug> for a segment")
        parser.add_argument("--concurrency", type=int, default=2)

    def handle(self, *args: Any, **options: Any) -> None:
        """Start the worker in this process. A segment's sign of life comes from here, the default's from beat."""
        from console.celery import app

        segments = [name for name in options["queues"].split(",") if name.startswith("segment_")]
        if segments:
            _give_signs_of_life(segments)

        # Celery's command line would take this address as it stands, past the settings that know PGMQ.
        os.environ.pop("BROKER_URL", None)
        words = ["worker", "--queues", options["queues"], "--concurrency", str(options["concurrency"])]
        app.worker_main([*words, "--without-gossip", "--without-mingle", "--loglevel", "INFO"])


def _give_signs_of_life(queues: list[str]) -> None:
    """Let the loop that takes messages note that it turns: nobody else knows whether a worker stands in a segment."""
    from celery.signals import worker_ready

    def begin(sender: Any, **_: Any) -> None:
        _note(queues)
        sender.timer.call_repeatedly(SIGN_OF_LIFE_S, _note, (queues,))

    worker_ready.connect(begin, weak=False)


def _note(queues: list[str]) -> None:
    from django.db import DatabaseError, connection

    from console.diagnoses.workers import note_heartbeat

    try:
        for queue in queues:
            note_heartbeat(queue)
    except DatabaseError as problem:  # the next sign comes in seconds; a worker must not die for want of one
        log.warning("the sign of life could not be written (%s)", type(problem).__name__)
    finally:
        connection.close()
