"""`manage.py add_person`: let somebody in, in a role at a facility."""

import getpass
import sys
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import transaction

from console.accounts.models import Facility, User
from console.accounts.roles import Role
from console.accounts.services import give_role


class Command(BaseCommand):
    """Add a person, or a further role to a person who is there."""

    help = "Lets a person in, in a role at a facility; a person who is there gets a further role."

    def add_arguments(self, parser: Any) -> None:
        """Ask for who, where and as what; the password comes from the terminal or from standard input."""
        parser.add_argument("email")
        parser.add_argument("name")
        parser.add_argument("facility", help="the facility's slug")
        parser.add_argument("role", choices=[role.value for role in Role])

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask for a password only where the person is new; never take it from the command line, where others see it."""
        facility = Facility.objects.filter(slug=options["facility"]).first()
        if facility is None:
            raise CommandError(f"There is no facility {options['facility']}; manage.py open_facility makes one.")
        email = options["email"].lower()
        with transaction.atomic():
            user = User.objects.filter(email=email).first() or self._new(email, options["name"])
            give_role(user=user, facility=facility, role=Role(options["role"]), by=None)
        self.stdout.write(f"{user} may act as {Role(options['role']).label} at {facility}.")

    def _new(self, email: str, name: str) -> User:
        user = User(email=email, name=name)
        password = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
        try:
            validate_email(email)
            validate_password(password, user)
        except ValidationError as problem:
            raise CommandError(" ".join(problem.messages)) from None
        user.set_password(password)
        user.save(force_insert=True)
        return user
