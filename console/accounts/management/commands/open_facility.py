"""`manage.py open_facility`: make a hospital, with its keys and its groups of people."""

from typing import Any
from zoneinfo import available_timezones

from django.core.management.base import BaseCommand, CommandError

from console.accounts.models import Facility
from console.accounts.services import open_facility


class Command(BaseCommand):
    """Make a facility."""

    help = "Makes a facility with its keys and its groups of people."

    def add_arguments(self, parser: Any) -> None:
        """Ask for what a facility needs."""
        parser.add_argument("slug", help="short name for addresses and groups, such as north-campus")
        parser.add_argument("name", help="name on pages")
        parser.add_argument("--time-zone", default="UTC", help="such as America/Chicago")

    def handle(self, *args: Any, **options: Any) -> None:
        """Refuse what exists or cannot be, in one line."""
        if Facility.objects.filter(slug=options["slug"]).exists():
            raise CommandError(f"There is a facility {options['slug']} already.")
        if options["time_zone"] not in available_timezones():
            raise CommandError(f"{options['time_zone']} is no time zone; one looks like America/Chicago.")
        open_facility(slug=options["slug"], name=options["name"], time_zone=options["time_zone"])
        self.stdout.write(f"Made {options['name']}. Next: manage.py add_person EMAIL NAME {options['slug']} ROLE")
