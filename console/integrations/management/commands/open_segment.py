"""`manage.py open_segment`: name a network segment of a facility in which a worker of its own stands."""

import re
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from console.accounts.models import Facility
from console.integrations.segments import open_segment


class Command(BaseCommand):
    """Make the segment and say how its worker is started."""

    help = "Names a network segment of a facility, whose worker then takes the tests that are asked for from there."

    def add_arguments(self, parser: Any) -> None:
        """Take what the segment is called."""
        parser.add_argument("facility", help="the facility's short name")
        parser.add_argument("slug", help="the segment's short name: a-z, 0-9 and _, at most 30")
        parser.add_argument("--name", help="the segment's name on pages")

    def handle(self, *args: Any, **options: Any) -> None:
        """Refuse what could not be a queue's name."""
        facility = Facility.objects.filter(slug=options["facility"]).first()
        if facility is None:
            known = ", ".join(Facility.objects.order_by("slug").values_list("slug", flat=True)) or "none yet"
            raise CommandError(f"There is no facility {options['facility']}. There are: {known}.")
        slug = options["slug"]
        if not re.fullmatch(r"[a-z0-9_]{1,30}", slug):
            raise CommandError("A segment's short name is of a-z, 0-9 and _, at most 30 of them.")
        made = open_segment(facility=facility, slug=slug, name=(options["name"] or slug)[:80])
        self.stdout.write(f"{made.name} is {'a new' if made.new else 'already a'} segment of {facility.name}.\n")
        self.stdout.write(f"Start its worker there: manage.py worker --queues {made.queue}\n")
