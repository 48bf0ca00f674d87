"""The facility switcher: which of a person's facilities the lists show; what is allowed stays the same."""

import uuid

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from console.accounts.access import grants
from console.accounts.models import Facility
from console.accounts.roles import Right

SESSION_KEY = "facility"


def places(request: HttpRequest, right: Right) -> frozenset[uuid.UUID]:
    """Give the facilities whose rows a list shows: those with the right, narrowed to the chosen one."""
    allowed = grants(request.user).where(right)
    chosen = chosen_id(request)
    return allowed if chosen is None else allowed & {chosen}


def chosen_id(request: HttpRequest) -> uuid.UUID | None:
    """Give the chosen facility, None for all; a choice that is no longer this person's counts as none."""
    try:
        chosen = uuid.UUID(str(request.session.get(SESSION_KEY)))
    except ValueError:
        return None
    return chosen if chosen in all_of(request) else None


def all_of(request: HttpRequest) -> frozenset[uuid.UUID]:
    """Give every facility in which the person has any right."""
    return frozenset(id for ids in grants(request.user).facilities.values() for id in ids)


def options(request: HttpRequest) -> list[Facility]:
    """Give the facilities to choose between."""
    return list(Facility.objects.filter(id__in=all_of(request)).order_by("name", "id"))


@login_required
@require_POST
def choose_place(request: HttpRequest) -> HttpResponse:
    """Remember the choice for this session; an empty or foreign one means all."""
    try:
        chosen = uuid.UUID(request.POST.get("facility", ""))
    except ValueError:
        chosen = None
    if chosen in all_of(request):
        request.session[SESSION_KEY] = str(chosen)
    else:
        request.session.pop(SESSION_KEY, None)
    back = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        back = "/"
    return HttpResponseRedirect(back)
