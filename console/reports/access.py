"""Whose numbers a person gets: those of his facilities with the right, narrowed by his choices."""

import uuid

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest

from console.accounts.access import grants
from console.accounts.models import Facility
from console.accounts.place import places
from console.accounts.roles import Right


def facilities_or_403(request: HttpRequest) -> list[Facility]:
    """Give the facilities a person may read reports of, under the facility switcher; none anywhere is refused."""
    if not grants(request.user).where(Right.SEE_REPORTS):
        raise PermissionDenied("Your role here does not include reports. Ask your facility's administrator.")
    here = places(request, Right.SEE_REPORTS)
    return list(Facility.objects.filter(id__in=here).order_by("name", "id"))


def chosen_or_404(facilities: list[Facility], wanted: str) -> list[Facility]:
    """Give the one facility that an address names, all where it names none; a foreign one does not exist."""
    if not wanted:
        return facilities
    try:
        key = uuid.UUID(wanted)
    except ValueError:
        raise Http404("There is no such facility.") from None
    chosen = [one for one in facilities if one.id == key]
    if not chosen:
        raise Http404("There is no such facility.")
    return chosen
