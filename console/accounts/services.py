"""Changes to people, facilities and grants, and the writing of the audit trail."""

import uuid
from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction
from guardian.shortcuts import assign_perm, remove_perm

from console.accounts.access import forget_grants
from console.accounts.keys import make_keys
from console.accounts.models import AuditEntry, Department, Facility, User
from console.accounts.roles import ENTER_DEPARTMENT, RIGHTS, Role


@transaction.atomic
def open_facility(*, slug: str, name: str, time_zone: str = "UTC") -> Facility:
    """Make a facility with its keys and its groups of people."""
    facility = Facility.objects.create(slug=slug, name=name, time_zone=time_zone)
    make_keys(facility)
    for role in Role:
        group = Group.objects.create(name=group_name(facility, role))
        for right in sorted(RIGHTS[role]):
            assign_perm(right.value, group, facility)
    return facility


def group_name(facility: Facility, role: Role) -> str:
    """Name the group that holds a role at a facility."""
    return f"{facility.slug}:{role.value}"


@transaction.atomic
def give_role(*, user: User, facility: Facility, role: Role, by: User | None) -> None:
    """Let a person act in a role at a facility."""
    user.groups.add(Group.objects.get(name=group_name(facility, role)))
    forget_grants(user)
    record(by=by, action="role.given", subject=user, facility=facility, detail={"role": role.value})


@transaction.atomic
def take_role(*, user: User, facility: Facility, role: Role, by: User | None) -> None:
    """End a person's role at a facility."""
    user.groups.remove(Group.objects.get(name=group_name(facility, role)))
    forget_grants(user)
    record(by=by, action="role.taken", subject=user, facility=facility, detail={"role": role.value})


@transaction.atomic
def admit(*, user: User, department: Department, by: User | None) -> None:
    """Let a person see what belongs to a restricted department."""
    assign_perm(ENTER_DEPARTMENT, user, department)
    forget_grants(user)
    record(
        by=by, action="department.opened", subject=user, facility=department.facility, detail={"to": department.slug}
    )


@transaction.atomic
def shut_out(*, user: User, department: Department, by: User | None) -> None:
    """Take the grant on a restricted department back."""
    remove_perm(ENTER_DEPARTMENT, user, department)
    forget_grants(user)
    record(by=by, action="department.shut", subject=user, facility=department.facility, detail={"to": department.slug})


def record(
    *,
    by: User | None,
    action: str,
    subject: Any,
    facility: Facility | uuid.UUID | None,
    detail: dict[str, Any] | None = None,
) -> AuditEntry:
    """Write one audit entry in the caller's transaction: what is not recorded did not happen, and the reverse."""
    return AuditEntry.objects.create(
        facility_id=facility.id if isinstance(facility, Facility) else facility,
        who=by,
        action=action,
        object_type=subject._meta.model_name,
        object_id=str(subject.pk),
        detail=detail or {},
    )
