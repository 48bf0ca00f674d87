"""`manage.py setup`: the first facility, administrator and integration of an empty installation."""

import getpass
import re
import sys
from typing import Any
from zoneinfo import available_timezones

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import URLValidator, validate_email
from django.db import transaction

from console.accounts.models import Facility, User
from console.accounts.roles import Role
from console.accounts.services import give_role, open_facility, record
from console.integrations.models import Integration
from diagnostics.vendors import slugs

FIRST_ROLES = (Role.ADMINISTRATOR, Role.INTEGRATION_ENGINEER)


class Command(BaseCommand):
    """Ask for what is not given, then make all three or nothing."""

    help = "Sets up an empty installation: a facility, its administrator and, if you like, a first integration."

    def add_arguments(self, parser: Any) -> None:
        """Take every answer as an option too, for installations without a terminal; never the password."""
        parser.add_argument("--facility", help="the hospital's name on pages")
        parser.add_argument("--time-zone", help="such as America/Chicago")
        parser.add_argument("--email", help="the administrator's login")
        parser.add_argument("--name", help="the administrator's name")
        parser.add_argument("--integration", help="a name for the connection; an empty one makes none now")
        parser.add_argument("--vendor", help="the EHR's vendor")
        parser.add_argument("--protocol", choices=Integration.Protocol.values)
        parser.add_argument("--address", help="FHIR base URL, or host:port of the HL7 interface")

    def handle(self, *args: Any, **options: Any) -> None:
        """Refuse an installation that is set up: from then on people and facilities have pages and commands."""
        if Facility.objects.exists():
            raise CommandError(
                "NoteTrace is set up already. People are invited on the page People; "
                "manage.py open_facility makes a further facility."
            )
        self._given = options
        name = self._ask("facility", "Name of the hospital")
        zone = self._ask("time_zone", "Its time zone", "UTC", check=_zone)
        email = self._ask("email", "Your e-mail address", check=_email)
        person = User(email=email.lower(), name=self._ask("name", "Your name"))
        person.set_password(self._password(person))
        integration = self._ask("integration", "Name of the first integration (empty: later)", "")
        told = self._integration() if integration else None
        with transaction.atomic():
            facility = open_facility(slug=_slug(name), name=name, time_zone=zone)
            person.save(force_insert=True)
            for role in FIRST_ROLES:
                give_role(user=person, facility=facility, role=role, by=None)
            if told is not None:
                made = Integration.objects.create(facility=facility, name=integration, **told)
                record(by=None, action="integration.made", subject=made, facility=facility)
        self.stdout.write(f"Set up {name}. {person.name} logs in as {person.email}.")
        self.stdout.write(f"Next: log in at {settings.CONSOLE_ADDRESS} and follow docs/first-real-ehr.md.")

    def _integration(self) -> dict[str, Any]:
        vendors = sorted(slugs())
        vendor = self._ask("vendor", f"The EHR's vendor ({', '.join(vendors)})", "generic", check=_one_of(vendors))
        protocols = Integration.Protocol.values
        protocol = self._ask("protocol", "How notes travel (fhir, hl7v2)", "fhir", check=_one_of(protocols))
        if protocol == Integration.Protocol.FHIR:
            return {
                "vendor": vendor,
                "protocol": protocol,
                "settings": {"fhir_base_url": self._ask("address", "FHIR base URL", check=_url)},
            }
        host, _, port = self._ask("address", "Host and port of the HL7 interface", check=_host_and_port).rpartition(":")
        return {"vendor": vendor, "protocol": protocol, "settings": {"hl7": {"host": host, "port": int(port)}}}

    def _ask(self, option: str, question: str, default: str | None = None, check: Any = None) -> str:
        """Take the option if it is given, else ask on a terminal until the answer will do."""
        given = self._given.get(option)
        asked = given is None and sys.stdin.isatty()
        while True:
            if asked:
                given = input(f"{question}{f' [{default}]' if default else ''}: ").strip()
            value = (given or "").strip() or default
            problem = "needs an answer" if value is None else check(value) if check and value else ""
            if not problem:
                return value or ""
            if not asked:
                raise CommandError(f"--{option.replace('_', '-')} {problem}.")
            self.stderr.write(f"This {problem}.")

    def _password(self, person: User) -> str:
        """Ask twice on a terminal, else read the first line of standard input: other people see a command line."""
        while True:
            if sys.stdin.isatty():
                password = getpass.getpass("Choose a password, at least 12 characters: ")
                problem = "" if getpass.getpass("The same again: ") == password else "The two differ."
            else:
                password, problem = sys.stdin.readline().rstrip("\n"), ""
            try:
                validate_password(password, person)
            except ValidationError as refusal:
                problem = problem or " ".join(refusal.messages)
            if not problem:
                return password
            if not sys.stdin.isatty():
                raise CommandError(f"The password (first line of standard input) will not do: {problem}")
            self.stderr.write(problem)


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "facility"


def _zone(value: str) -> str:
    return "" if value in available_timezones() else "is no time zone; one looks like America/Chicago"


def _email(value: str) -> str:
    try:
        validate_email(value)
    except ValidationError:
        return "is no e-mail address"
    return ""


def _url(value: str) -> str:
    try:
        URLValidator(schemes=["https", "http"])(value)
    except ValidationError:
        # Django's own check knows no hosts without a dot, which hospitals have.
        return (
            ""
            if re.fullmatch(r"https?://[\w.-]+(:\d+)?(/\S*)?", value)
            else "is no address such as https://ehr/fhir/R4"
        )
    return ""


def _host_and_port(value: str) -> str:
    host, _, port = value.rpartition(":")
    return "" if host and port.isdecimal() and 0 < int(port) < 65_536 else "is not of the form host:port"


def _one_of(values: list[str]) -> Any:
    return lambda value: "" if value in values else f"is none of {', '.join(values)}"
