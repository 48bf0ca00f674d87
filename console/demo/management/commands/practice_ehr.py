"""`manage.py practice_ehr`: an EHR to practise on, which can be made ill by name."""

from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """Run the practice EHR until stopped."""

    help = "Runs the practice EHR until stopped."
    requires_system_checks: list[str] = []

    def run_from_argv(self, argv: list[str]) -> None:
        """Hand the words over as they are: the practice EHR has its own options and its own --help."""
        from diagnostics.practice.__main__ import main

        raise SystemExit(main(argv[2:]))

    def handle(self, *args: Any, **options: Any) -> None:
        """Never reached: run_from_argv ends the process."""
