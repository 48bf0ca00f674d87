"""Who can be given a ticket."""

import uuid

from django.db.models import QuerySet
from guardian.shortcuts import get_users_with_perms

from console.accounts.access import facilities
from console.accounts.models import Department, User
from console.accounts.roles import Right
from console.tickets.models import Ticket


def colleagues(ticket: Ticket) -> QuerySet[User]:
    """Give the people who work on tickets at the ticket's facility and may enter all its departments.

    Superusers are left out: they are for the installation only.
    """
    people = get_users_with_perms(
        ticket.facility, only_with_perms_in=[Right.WORK_TICKETS.value], with_superusers=False
    ).filter(is_active=True)
    shut = Department.objects.filter(restricted=True, id__in=ticket.ticket_notes.values("department")).distinct()
    for department in shut:
        people = people.filter(
            pk__in=get_users_with_perms(department, only_with_perms_in=["enter_department"], with_superusers=False)
        )
    return people.order_by("name", "id")


def working_beside(user: User) -> QuerySet[User]:
    """Give the people who work on tickets at any facility where a person does, that person aside.

    Whether one of them may work on a certain ticket is asked when it is given to him.
    """
    found: set[uuid.UUID] = set()
    for facility in facilities(user, Right.WORK_TICKETS):
        found |= set(
            get_users_with_perms(facility, only_with_perms_in=[Right.WORK_TICKETS.value], with_superusers=False)
            .filter(is_active=True)
            .values_list("pk", flat=True)
        )
    return User.objects.filter(pk__in=found - {user.pk}).order_by("name", "id")
