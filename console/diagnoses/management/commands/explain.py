"""`manage.py explain [--json] [FILE|-]`: error texts → category and cause of each."""

import io
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from diagnostics.explain import explain, explain_lines

MAX_TEXT = 16 * 1024 * 1024


class Command(BaseCommand):
    """Explain one error text, or, with --json, one JSON object a line."""

    help = "Explain error texts. Plain text is one error; with --json each line is one JSON object."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the public options."""
        parser.add_argument("file", nargs="?", default="-", metavar="FILE", help="a file, or - for standard input")
        parser.add_argument("--json", action="store_true", help="read and write one JSON object a line")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, explain, print."""
        if options["json"]:
            with self._open(options["file"]) as source:
                for line in explain_lines(source):
                    self.stdout.write(line)
            return
        with self._open(options["file"]) as source:
            found = explain(source.read(MAX_TEXT))
        category = (found.category or "unknown").replace("_", " ")
        self.stdout.write(f"{found.says}\n\ncategory   {category}\ncause      {found.cause or '-'}")
        self.stdout.write(f"certainty  {found.certainty or '-'}")

    def _open(self, name: str) -> io.TextIOWrapper:
        try:
            raw = sys.stdin.buffer if name == "-" else open(name, "rb")  # noqa: SIM115  (closed by the caller)
        except OSError as error:
            self.stderr.write(f"{name}: could not be read ({error.strerror})")
            sys.exit(2)
        return io.TextIOWrapper(raw, encoding="utf-8-sig", errors="replace", newline="\n")
