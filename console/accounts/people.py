"""The people whom an administrator sees: everybody with a role or a department at one of his facilities."""

import uuid
from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet
from django.http import Http404
from guardian.models import UserObjectPermission

from console.accounts.access import facilities, grants
from console.accounts.models import Department, Facility, User
from console.accounts.roles import Right, Role
from console.accounts.services import group_name


@dataclass(frozen=True)
class RolesHere:
    """Be one facility's part of a person: the roles and the restricted departments."""

    facility: Facility
    roles: tuple[Role, ...]
    departments: tuple[Department, ...]
    may_change: bool

    @property
    def restricted(self) -> list[Department]:
        """Give the facility's restricted departments."""
        return list(self.facility.departments.filter(restricted=True).order_by("name", "id"))

    @property
    def words(self) -> str:
        """Name the roles."""
        return ", ".join(role.label for role in self.roles)


@dataclass(frozen=True)
class PersonLine:
    """Be one person of the list."""

    user: User
    here: tuple[RolesHere, ...]
    state: str  # active, invited, closed


def state_of(user: User) -> str:
    """Tell how an account stands."""
    if not user.is_active:
        return "closed"
    return "active" if user.has_usable_password() else "invited"


def known(user: User | AnonymousUser) -> QuerySet[User]:
    """Give the people with any role, or any department, at the facilities that somebody administers."""
    mine = list(facilities(user, Right.ADMINISTER))
    groups = [group_name(facility, role) for facility in mine for role in Role]
    departments = Department.objects.filter(facility__in=mine).values_list("pk", flat=True)
    entering = UserObjectPermission.objects.filter(
        content_type__app_label="accounts",
        content_type__model="department",
        object_pk__in=[str(pk) for pk in departments],
    ).values("user")
    return User.objects.filter(Q(groups__name__in=groups) | Q(pk__in=entering)).distinct().order_by("name", "id")


def person_or_404(user: User | AnonymousUser, person_id: uuid.UUID) -> User:
    """Give a person whom this administrator sees."""
    person = known(user).filter(pk=person_id).first()
    if person is None:
        raise Http404("There is no such person at your facilities.")
    return person


def lines(user: User | AnonymousUser, shown: frozenset[uuid.UUID]) -> tuple[PersonLine, ...]:
    """Give the list; a fixed number of queries, however many people."""
    mine = [facility for facility in facilities(user, Right.ADMINISTER) if facility.id in shown]
    people = list(known(user).prefetch_related("groups"))
    entering = _entering(people)
    found = (PersonLine(p, _here(p, mine, entering.get(p.pk, set()), mine), state_of(p)) for p in people)
    return tuple(line for line in found if line.here)


def everywhere(user: User | AnonymousUser, person: User) -> tuple[RolesHere, ...]:
    """Give a person's roles at every facility; what lies outside the administrator's reach can be seen, not changed."""
    mine = list(facilities(user, Right.ADMINISTER))
    others = [f for f in Facility.objects.order_by("name", "id") if f not in mine]
    entering = _entering([person]).get(person.pk, set())
    outside = tuple(here for here in _here(person, others, entering, mine) if here.roles)
    return _here(person, mine, entering, mine, empty=True) + outside


def may_close(user: User | AnonymousUser, person: User) -> bool:
    """Tell whether somebody administers every facility that a person works at: then the account is his."""
    mine = grants(user).where(Right.ADMINISTER)
    slugs = {name.partition(":")[0] for name in person.groups.values_list("name", flat=True)}
    return not Facility.objects.filter(slug__in=slugs).exclude(pk__in=mine).exists()


def _entering(people: list[User]) -> dict[uuid.UUID, set[uuid.UUID]]:
    rows = UserObjectPermission.objects.filter(
        user__in=people, content_type__app_label="accounts", content_type__model="department"
    ).values_list("user_id", "object_pk")
    found: dict[uuid.UUID, set[uuid.UUID]] = {}
    for user_id, key in rows:
        found.setdefault(user_id, set()).add(uuid.UUID(key))
    return found


def _here(
    person: User, places: list[Facility], entering: set[uuid.UUID], mine: list[Facility], *, empty: bool = False
) -> tuple[RolesHere, ...]:
    names = {group.name for group in person.groups.all()}
    departments = Department.objects.filter(pk__in=entering).order_by("name", "id") if entering else ()
    found = []
    for facility in places:
        roles = tuple(role for role in Role if group_name(facility, role) in names)
        inside = tuple(d for d in departments if d.facility_id == facility.id)
        if roles or inside or empty:
            found.append(RolesHere(facility, roles, inside, facility in mine))
    return tuple(found)
