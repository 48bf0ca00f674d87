"""Who may see and do what. Everything asks here; the answers come from guardian's grants and nowhere else."""

import uuid
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from guardian.models import GroupObjectPermission, UserObjectPermission

from console.accounts.models import Department, Facility, User
from console.accounts.roles import ENTER_DEPARTMENT, Right

_MEMO = "_notetrace_grants"


@dataclass(frozen=True)
class Grants:
    """All of one person's grants, read once a request."""

    facilities: dict[str, frozenset[uuid.UUID]]
    departments: frozenset[uuid.UUID]

    def where(self, right: Right) -> frozenset[uuid.UUID]:
        """Give the facilities in which the person has a right."""
        return self.facilities.get(right, frozenset())

    def has(self, right: Right, facility_id: uuid.UUID) -> bool:
        """Tell whether the person has a right in a facility."""
        return facility_id in self.where(right)


def grants(user: User | AnonymousUser) -> Grants:
    """Read a person's grants; superusers and global permissions open nothing here."""
    if not user.is_authenticated or not user.is_active:
        return Grants({}, frozenset())
    memo = user.__dict__.get(_MEMO)
    if isinstance(memo, Grants):
        return memo
    facilities: dict[str, set[uuid.UUID]] = defaultdict(set)
    departments: set[uuid.UUID] = set()
    mine: Any = {UserObjectPermission: Q(user=user), GroupObjectPermission: Q(group__user=user)}
    for model, whose in mine.items():
        rows = model.objects.filter(whose, content_type__app_label="accounts").values_list(
            "content_type__model", "permission__codename", "object_pk"
        )
        for kind, codename, key in rows:
            if kind == Facility._meta.model_name:
                facilities[codename].add(uuid.UUID(key))
            elif kind == Department._meta.model_name and codename == ENTER_DEPARTMENT:
                departments.add(uuid.UUID(key))
    answer = Grants({right: frozenset(ids) for right, ids in facilities.items()}, frozenset(departments))
    user.__dict__[_MEMO] = answer
    return answer


def forget_grants(user: User) -> None:
    """Read the grants anew next time; needed only where one object outlives a change of its grants."""
    user.__dict__.pop(_MEMO, None)


def require(user: User | AnonymousUser, right: Right, facility_id: uuid.UUID) -> None:
    """Refuse with 403 a person who sees the object but lacks the right."""
    if not grants(user).has(right, facility_id):
        raise PermissionDenied("Your role here does not allow this. Ask your facility's administrator.")


def facilities(user: User | AnonymousUser, right: Right = Right.SEE_TICKETS) -> QuerySet[Facility]:
    """Give the facilities in which a person has a right."""
    return Facility.objects.filter(id__in=grants(user).where(right)).order_by("name", "id")


def closed_departments(user: User | AnonymousUser) -> QuerySet[Department]:
    """Give the restricted departments that a person may not enter: what lies there is hidden."""
    return Department.objects.filter(restricted=True).exclude(id__in=grants(user).departments)


def may_enter(user: User | AnonymousUser, department: Department | None) -> bool:
    """Tell whether a person may see what belongs to a department."""
    return department is None or not department.restricted or department.id in grants(user).departments
