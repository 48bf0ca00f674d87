"""Changes to people, facilities and grants, and the writing of the audit trail."""

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.contrib.auth.tokens import default_token_generator
from django.db import transaction
from django.db.models import F
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from guardian.shortcuts import assign_perm, remove_perm

from console.accounts.access import forget_grants, grants
from console.accounts.keys import make_keys
from console.accounts.mail import send
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
def invite(*, email: str, name: str, roles: Mapping[Facility, Iterable[Role]], by: User | None) -> User:
    """Let a new person in, or give a person who is there further roles; a new one gets a mail with a link.

    Until the link is used nobody can log in with the address. The link works once and for PASSWORD_RESET_TIMEOUT.
    """
    user = User.objects.filter(email=email.lower()).first()
    is_new = user is None
    if user is None:
        user = User.objects.create_user(email, None, name=name)
    for facility, given in roles.items():
        for role in given:
            if not user.groups.filter(name=group_name(facility, role)).exists():
                give_role(user=user, facility=facility, role=role, by=by)
    if is_new:
        facility = next(iter(roles))
        record(by=by, action="person.invited", subject=user, facility=facility)
        mail_link(user=user, facility=facility, about="invitation")
    return user


def mail_link(*, user: User, facility: Facility, about: str) -> None:
    """Mail a person the link to choose a password; `about` is "invitation" or "reset"."""
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    path = reverse("accounts:choose_password", args=[uid, default_token_generator.make_token(user)])
    link = settings.CONSOLE_ADDRESS.rstrip("/") + path
    days = settings.PASSWORD_RESET_TIMEOUT // 86_400
    subject, opening = _LETTERS[about]
    body = (
        f"Hello {user.name},\n\n{opening.format(facility=facility)}\n\n{link}\n\n"
        f"The link works once, and for {days} days. If you did not expect this mail, ignore it.\n"
    )
    send(facility=facility, to=[user.email], subject=subject.format(facility=facility), body=body, about=about)


_LETTERS = {
    "invitation": (
        "NoteTrace at {facility}: choose your password",
        "You were given access to NoteTrace at {facility}. Choose a password to log in:",
    ),
    "reset": ("NoteTrace: choose a new password", "Somebody asked for a new password for you. Choose it here:"),
}


@transaction.atomic
def set_roles(*, user: User, facility: Facility, roles: Iterable[Role], by: User) -> None:
    """Give exactly these roles at a facility; refuse to leave it without an administrator."""
    wanted = set(roles)
    group = Group.objects.select_for_update().get(name=group_name(facility, Role.ADMINISTRATOR))
    others = group.user_set.exclude(pk=user.pk).filter(is_active=True)
    is_one = group.user_set.filter(pk=user.pk).exists()
    if Role.ADMINISTRATOR not in wanted and is_one and not others.exists():
        raise PeopleError(f"{user} is the last administrator of {facility}. Make somebody else one first.")
    held = roles_of(user, facility)
    for role in Role:
        if role in wanted and role not in held:
            give_role(user=user, facility=facility, role=role, by=by)
        elif role in held and role not in wanted:
            take_role(user=user, facility=facility, role=role, by=by)


def roles_of(user: User, facility: Facility) -> set[Role]:
    """Give the roles that a person holds at a facility."""
    names = set(user.groups.values_list("name", flat=True))
    return {role for role in Role if group_name(facility, role) in names}


@transaction.atomic
def set_departments(*, user: User, facility: Facility, departments: Iterable[Department], by: User) -> None:
    """Let a person into exactly these restricted departments of a facility."""
    wanted = {department.pk for department in departments}
    held = grants(user).departments
    for department in facility.departments.filter(restricted=True).order_by("name", "id"):
        if department.pk in wanted and department.pk not in held:
            admit(user=user, department=department, by=by)
        elif department.pk in held and department.pk not in wanted:
            shut_out(user=user, department=department, by=by)


@transaction.atomic
def sign_out_everywhere(*, user: User, by: User | None, facility: Facility | None = None) -> None:
    """End every session of a person, on every machine."""
    User.objects.filter(pk=user.pk).update(session_epoch=F("session_epoch") + 1)
    user.refresh_from_db(fields=["session_epoch"])
    record(by=by, action="person.signed_out", subject=user, facility=facility)


@transaction.atomic
def set_active(*, user: User, active: bool, by: User, facility: Facility) -> None:
    """Close a person's account, or open it again; closing ends every session."""
    if not active and user.pk == by.pk:
        raise PeopleError("You cannot close your own account. Ask another administrator.")
    User.objects.filter(pk=user.pk).update(is_active=active)
    user.refresh_from_db(fields=["is_active"])
    record(by=by, action="person.opened" if active else "person.closed", subject=user, facility=facility)
    if not active:
        sign_out_everywhere(user=user, by=by, facility=facility)


class PeopleError(Exception):
    """What was asked is not possible; the message says why in words for the page."""


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
