"""`manage.py import_logs (scribe|ehr|firewall|proxy) FILE`: bring a log in, of any known format and any size."""

import json
import os
import sys
import time
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError, CommandParser

from diagnostics.parsing.log_formats import FORMATS, BadFormat, BadPacking

LOGS = ("scribe", "ehr", "firewall", "proxy")
_SHOWN_PROBLEMS = 10
_EVERY_S = 0.5
_WIDTH = 30


class Command(BaseCommand):
    """Import one file; the last line on standard output is the receipt as JSON."""

    help = (
        "Bring the rows of a log in. The format is recognised; gzip is unpacked. The same row twice is stored once, "
        "and a run that was stopped goes on where it stopped when the same file is given again. Lines that cannot be "
        "read are set aside with their number and the reason."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the public options."""
        parser.add_argument("log", choices=LOGS, help="whose log it is")
        parser.add_argument("file", metavar="FILE", help="a file, or - for standard input")
        parser.add_argument("--source", default="default", metavar="NAME", help="where the rows come from")
        parser.add_argument("--format", choices=tuple(FORMATS), help="instead of recognising it")
        parser.add_argument(
            "--map", action="append", default=[], metavar="HEADER=KEY",
            help="what a column of a CSV file means; an empty KEY leaves it out (may be given several times)",
        )  # fmt: skip
        parser.add_argument("--json", action="store_true", help="print the receipt only")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, show how far it is, print the receipt.

        Exit codes: 0 the file was read to its end (lines may be set aside); 1 it was stopped and can be gone on with;
        2 the file cannot be read, or not to its end.
        """
        from console.integrations.named_sources import named_source
        from console.notes.importing import ImportStopped, import_stream
        from console.notes.models import LogImport

        name = options["source"]
        mapping = _mapping(options["map"])
        stream, size = self._open(options["file"])
        source = named_source(name)
        if source is None:
            named_source("default")  # so that there is a facility to keep the lines for
            self.stderr.write(f"No source is called {name}: every line is set aside until somebody says whose it is.")
        shown = _Shown(self, size, quiet=options["json"] or not sys.stderr.isatty())
        with stream:
            try:
                receipt = import_stream(
                    source=source, log=options["log"], stream=stream, via=LogImport.Via.COMMAND,
                    format=options["format"] or ("csv" if mapping else None), mapping=mapping, progress=shown,
                    name=os.path.basename(options["file"]), size=size, source_name="" if source else name[:80],
                )  # fmt: skip
            except ImportStopped as stopped:
                shown.end()
                raise CommandError(str(stopped), returncode=1) from None
            except KeyboardInterrupt:
                shown.end()
                raise CommandError("Stopped. Give the same file again to go on.", returncode=1) from None
            except (BadFormat, BadPacking) as problem:
                shown.end()
                raise CommandError(str(problem), returncode=2) from None
            except OSError as problem:
                shown.end()
                raise CommandError(f"{options['file']} cannot be read: {problem.strerror}.", returncode=2) from None
        shown.end()
        if not options["json"]:
            for number, reason in receipt.problems[:_SHOWN_PROBLEMS]:
                self.stderr.write(f"line {number}: {reason}")
            if receipt.quarantined > _SHOWN_PROBLEMS:
                self.stderr.write(f"… and {receipt.quarantined - _SHOWN_PROBLEMS} more lines set aside")
        counts = {key: getattr(receipt, key) for key in ("rows", "stored", "duplicate", "quarantined")}
        self.stdout.write(json.dumps(counts, separators=(",", ":")))

    def _open(self, name: str) -> tuple[BinaryIO, int | None]:
        if name == "-":
            return sys.stdin.buffer, None
        try:
            stream = open(name, "rb")  # noqa: SIM115  (closed by the caller)
            return stream, os.fstat(stream.fileno()).st_size
        except OSError as problem:
            raise CommandError(f"{name} cannot be read: {problem.strerror}.", returncode=2) from None


class _Shown:
    """Show on a terminal how far an import is."""

    def __init__(self, command: BaseCommand, size: int | None, *, quiet: bool) -> None:
        self._command, self._size, self._quiet = command, size, quiet
        self._began, self._last, self._before, self._drawn = time.monotonic(), 0.0, -1, False

    def __call__(self, made: Any) -> None:
        """Draw the line again, twice a second at most."""
        now = time.monotonic()
        if self._before < 0:
            self._before = made.rows
        if self._quiet or now - self._last < _EVERY_S:
            return
        rate = (made.rows - self._before) / max(now - self._began, 0.001)
        bar = ""
        if self._size:
            share = min(made.taken / self._size, 1.0)
            bar = f"[{'#' * round(share * _WIDTH):<{_WIDTH}}] {share:4.0%}  "
        text = f"{bar}{made.rows:,} rows, {made.quarantined:,} set aside, {rate:,.0f} rows/s"
        self._command.stderr.write(f"\r{text:<78}", ending="")
        self._command.stderr.flush()
        self._last, self._drawn = now, True

    def end(self) -> None:
        """Leave the line as it is and begin a new one."""
        if self._drawn:
            self._command.stderr.write("")


def _mapping(words: list[str]) -> dict[str, str] | None:
    mapping = {}
    for word in words:
        header, equals, key = word.rpartition("=")
        if not equals or not header.strip():
            raise CommandError(f"--map {word}: expected HEADER=KEY, for example --map 'Event time=at'.", returncode=2)
        mapping[header.strip()] = key.strip()
    return mapping or None
