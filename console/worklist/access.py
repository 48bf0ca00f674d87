"""Which notes a person sees: those of his facilities outside the departments that are closed to him."""

import uuid
from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest

from console.accounts.access import closed_departments, grants, require
from console.accounts.models import User
from console.accounts.place import places
from console.accounts.roles import Right
from console.notes.models import Note, Trace
from console.notes.queries import visible

Person = User | AnonymousUser


@dataclass(frozen=True)
class Scope:
    """Be what a list may show: facilities, without the departments that are closed to the person."""

    facilities: tuple[uuid.UUID, ...]
    closed: tuple[uuid.UUID, ...]

    @property
    def params(self) -> dict[str, list[uuid.UUID]]:
        """Give it for a statement."""
        return {"facilities": list(self.facilities), "closed": list(self.closed)}


def scope(request: HttpRequest, right: Right = Right.SEE_TICKETS) -> Scope:
    """Give what this person's lists show, narrowed to the facility he chose."""
    return scope_of(request.user, places(request, right))


def scope_of(user: Person, facilities: frozenset[uuid.UUID]) -> Scope:
    """Give the scope of some facilities."""
    shut = closed_departments(user).filter(facility__in=facilities).values_list("id", flat=True)
    return Scope(tuple(sorted(facilities)), tuple(shut.order_by("id")))


def require_sight(request: HttpRequest) -> None:
    """Refuse a person who sees no notes anywhere."""
    if not grants(request.user).where(Right.SEE_TICKETS):
        raise PermissionDenied("Your role does not show notes. Ask your facility's administrator.")


def note_or_404(user: Person, note_id: uuid.UUID, right: Right | None = None) -> Note:
    """Give a note that the person sees: 404 where he does not, 403 where he lacks `right`."""
    rows = visible(user).select_related("facility", "integration", "department", "trace")
    note = rows.filter(pk=note_id).first()
    if note is None:
        raise Http404("There is no such note.")
    if right is not None:
        require(user, right, note.facility_id)
    return note


def orphan_or_404(user: Person, trace_id: uuid.UUID, right: Right) -> Trace:
    """Give a document of the EHR that no scribe row tells of."""
    mine = Trace.objects.filter(facility__in=grants(user).where(Right.SEE_TICKETS), note=None)
    trace = mine.select_related("facility", "integration").filter(pk=trace_id).first()
    if trace is None:
        raise Http404("There is no such document.")
    require(user, right, trace.facility_id)
    return trace
