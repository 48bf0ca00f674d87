"""`manage.py practice_ehr`: an EHR to practise on, which can be made ill by name."""

from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """Run the practice EHR until stopped."""

    help = "Runs the practice EHR until stopped. Options: practice_ehr --help."
    requires_system_checks: list[str] = []

    def run_from_argv(self, argv: list[str]) -> None:
        """Hand the words over as they are: the practice EHR has its own options and its own --help.

        `--demo` plays the tenants of the demo's sample data instead.
        """
        words = argv[2:]
        if words == ["--demo"]:
            from console.demo.practice_process import run
            from console.launch.state import state_folder

            raise SystemExit(run(state_folder() / "practice"))
        from diagnostics.practice.__main__ import parse, serve

        raise SystemExit(serve(parse(words)))

    def handle(self, *args: Any, **options: Any) -> None:
        """Never reached: run_from_argv ends the process."""
