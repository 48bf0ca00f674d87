"""`manage.py seed`: sample data for the demo, made once."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from console.accounts.models import Facility
from console.demo.models import Seeding
from console.demo.sample import make_sample


class Command(BaseCommand):
    """Fill an empty database with the demo's hospitals."""

    help = "Makes the demo's sample data in an empty database."

    def handle(self, *args: Any, **options: Any) -> None:
        """Make all or nothing; never touch a database that holds facilities of its own."""
        if Seeding.objects.exists():
            self.stdout.write("The sample data is there already.")
            return
        if Facility.objects.exists():
            raise CommandError("This database holds facilities already; sample data goes into an empty one only.")
        began = time.monotonic()
        with transaction.atomic():
            counts = make_sample(say=self.stdout.write)
            Seeding.objects.create(detail=counts)
        told = ", ".join(f"{count} {name}" for name, count in counts.items())
        self.stdout.write(f"Made {told} in {time.monotonic() - began:.1f} s.")
