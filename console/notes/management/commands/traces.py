"""`manage.py traces`: what became of each note, one JSON object a line."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from console.notes.management.commands.correlate import moment


class Command(BaseCommand):
    """Print the traces as NDJSON."""

    help = (
        "Print what became of each note, as correlated last, one JSON object a line in order of time. "
        "A document at the EHR that no scribe row explains has no note_id."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the public options."""
        parser.add_argument("--since", metavar="T", help="only notes that begin at this time (ISO 8601) or later")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        """Stream the traces; memory does not grow with them."""
        from console.notes.correlation.listing import traces

        since = moment(options["since"]) if options["since"] else None
        for told in traces(since):
            self.stdout.write(json.dumps(told, ensure_ascii=False, separators=(",", ":")))
