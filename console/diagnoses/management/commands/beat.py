"""`manage.py beat`: ring the scheduled bells. Exactly one runs per installation."""

import os
from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """Run Celery's beat with this project's settings."""

    help = "Rings scheduled work until stopped; run exactly one."
    requires_system_checks: list[str] = []  # pages and their addresses are no business of a background process

    def add_arguments(self, parser: Any) -> None:
        """Offer the file in which beat remembers its last round."""
        parser.add_argument("--schedule", default="beat-schedule")

    def handle(self, *args: Any, **options: Any) -> None:
        """Start beat in this process."""
        from console.celery import app

        os.environ.pop("BROKER_URL", None)  # see the worker command
        app.start(["beat", "--schedule", options["schedule"], "--pidfile", "", "--loglevel", "INFO"])
