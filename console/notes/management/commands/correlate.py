"""`manage.py correlate`: make both logs one story a note."""

import json
import sys
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    """Correlate what has come since the last time, or everything anew."""

    help = (
        "Correlate the stored log rows: what became of each note, where it broke, by which ids that is known. "
        "Without options only what rows have come since the last time bears on; the answer is the same either way."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the public options."""
        parser.add_argument("--since", metavar="T", help="anew, the notes that begin at this time (ISO 8601) or later")
        parser.add_argument("--all", action="store_true", help="anew, every note")
        parser.add_argument("--json", action="store_true", help="print the counts as JSON and nothing else")
        parser.add_argument("--workers", type=int, default=None, metavar="N", help="processes that share a large run")

    def handle(self, *args: Any, **options: Any) -> None:
        """Correlate and print how much there was."""
        from console.notes.correlation import correlate_all, correlate_new

        since = moment(options["since"]) if options["since"] else None
        workers = max(1, options["workers"] or settings.CORRELATION_WORKERS)
        progress = None if options["json"] or not sys.stderr.isatty() else self._show
        if since is not None or options["all"]:
            report = correlate_all(since=since, workers=workers, progress=progress)
        else:
            report = correlate_new(workers=workers, progress=progress, wait=True)
        if progress:
            self.stderr.write("")
        if options["json"]:
            self.stdout.write(json.dumps(report.as_dict()))
        else:
            self.stdout.write(
                f"{report.notes:,} notes looked at, {report.changed:,} changed, {report.orphans:,} documents at the EHR"
                f" of no note, from {report.rows:,} rows in {report.seconds:.1f} s."
            )

    def _show(self, notes: int) -> None:
        self.stderr.write(f"\r{notes:,} notes", ending="")
        self.stderr.flush()


def moment(text: str) -> datetime:
    """Read a time; one without an offset is UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"--since: {text!r} is no ISO 8601 time such as 2026-11-22T14:00Z.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
