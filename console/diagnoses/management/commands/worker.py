"""`manage.py worker`: carry out background work."""

import os
from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """Run a Celery worker with this project's settings."""

    help = "Carries out background work until stopped."
    requires_system_checks: list[str] = []  # pages and their addresses are no business of a background process

    def add_arguments(self, parser: Any) -> None:
        """Offer the network segment in which this worker stands."""
        parser.add_argument("--queues", default="default", help="comma-separated; segment_<slug> for a segment")
        parser.add_argument("--concurrency", type=int, default=2)

    def handle(self, *args: Any, **options: Any) -> None:
        """Start the worker in this process; the heartbeat of its first queue follows from beat."""
        from console.celery import app

        # Celery's command line would take this address as it stands, past the settings that know PGMQ.
        os.environ.pop("BROKER_URL", None)
        words = ["worker", "--queues", options["queues"], "--concurrency", str(options["concurrency"])]
        app.worker_main([*words, "--without-gossip", "--without-mingle", "--loglevel", "INFO"])
