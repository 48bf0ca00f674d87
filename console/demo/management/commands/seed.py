"""`manage.py seed`: sample data for the demo, made once."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from console.accounts.models import Facility
from console.demo.models import Seeding
from console.demo.sample import make_sample


class Command(BaseCommand):
    """Fill an empty database with the demo's hospitals."""

    help = "Makes the demo's sample data in an empty database."

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the data once; never touch a database that holds facilities of its own."""
        if Seeding.objects.exists():
            self.stdout.write("The sample data is there already.")
            return
        if Facility.objects.exists():
            raise CommandError(
                "This database holds facilities already; sample data goes into an empty one only. "
                "If an earlier start of the demo was interrupted, start it with --reset."
            )
        began = time.monotonic()
        # Not one transaction: the diagnoses in it are real runs, whose own threads must see what they are about.
        counts = make_sample(say=self.stdout.write)
        Seeding.objects.create(detail=counts)
        told = ", ".join(f"{count} {name}" for name, count in counts.items())
        self.stdout.write(f"Made {told} in {time.monotonic() - began:.1f} s.")
