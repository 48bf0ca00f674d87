"""Builders of what tests need: plain functions, invented people."""

import itertools
import uuid
from typing import Any

from console.accounts.models import Department, Facility, User
from console.accounts.roles import Role
from console.accounts.services import give_role, open_facility
from console.integrations.models import Integration
from console.notes.models import Note
from console.notes.services import keep_note
from console.tickets.models import Ticket
from console.tickets.services import open_ticket

_numbers = itertools.count(1)


def a_facility(**fields: Any) -> Facility:
    number = next(_numbers)
    return open_facility(slug=fields.pop("slug", f"facility-{number}"), name=f"Facility {number}", **fields)


def a_department(facility: Facility, *, restricted: bool = False) -> Department:
    number = next(_numbers)
    return Department.objects.create(
        facility=facility, slug=f"unit-{number}", name=f"Unit {number}", restricted=restricted
    )


def a_person(facility: Facility | None = None, role: Role | None = Role.HELP_DESK) -> User:
    user = User.objects.create_user(f"person{next(_numbers)}@test.example", None, name="Test Person")
    if facility is not None and role is not None:
        give_role(user=user, facility=facility, role=role, by=None)
    return user


def an_integration(facility: Facility, **fields: Any) -> Integration:
    return Integration.objects.create(
        facility=facility, name=f"Integration {next(_numbers)}", vendor="generic", protocol="fhir", **fields
    )


def a_note(integration: Integration, **fields: Any) -> Note:
    return keep_note(
        integration=integration, external_id=fields.pop("external_id", f"N-{uuid.uuid4().hex[:8]}"), **fields
    )


def a_ticket(integration: Integration, *notes: Note, **fields: Any) -> Ticket:
    return open_ticket(
        by=fields.pop("by", None),
        integration=integration,
        notes=list(notes),
        idempotency_key=fields.pop("idempotency_key", uuid.uuid4().hex),
        diagnose=fields.pop("diagnose", False),
        **fields,
    )
