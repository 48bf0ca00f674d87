"""`manage.py diagnose CASE_DIR`: the engine's door that needs no browser, database or broker."""

import json
import sys
from pathlib import Path
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandParser

from diagnostics import case_folder, engine, report, serialize
from diagnostics.errors import CaseError
from diagnostics.probes.vantage import door_for


class Command(BaseCommand):
    """Diagnose one case folder and say what is wrong, why, and what to do."""

    help = "Diagnose a case folder. Exit code: 0 delivered, 1 a cause is established, 2 unreadable, 3 undetermined."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the public options."""
        parser.add_argument("case", type=Path, metavar="CASE_DIR", help="a folder that holds case.json")
        parser.add_argument("--json", action="store_true", help="print the JSON document and nothing else")
        parser.add_argument("--no-write", action="store_true", help="forbid canary writes")
        parser.add_argument("--offline", action="store_true", help="forbid every network call")
        parser.add_argument("--timeout", type=float, default=30.0, metavar="S", help="seconds for the whole run")
        parser.add_argument("--all", action="store_true", help="also list the checks that passed")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the engine in this process and leave with the contract's exit code."""
        try:
            case = case_folder.load(options["case"], offline=options["offline"], allow_writes=not options["no_write"])
        except CaseError as error:
            self._leave(" ".join(str(error).split()))
        try:
            door = None if case.offline else door_for(case)
        except ValueError as error:
            self._leave(f"case.json: integration: {error}")
        diagnosis = engine.run(case, door=door, budget_s=max(0.1, options["timeout"]))
        document = (serialize.to_json if options["json"] else serialize.to_document)(diagnosis, case)
        if options["json"]:
            self.stdout.write(json.dumps(document, ensure_ascii=False, indent=2))
        else:
            colour = self.stdout.isatty() and not options["no_color"]
            self.stdout.write("\n".join(report.lines(document, colour=colour, every_check=options["all"])))
        self.stdout.flush()
        sys.exit(report.exit_code(document))

    def _leave(self, line: str) -> NoReturn:
        self.stderr.write(line)
        sys.exit(2)
