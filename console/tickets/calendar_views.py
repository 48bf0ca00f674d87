"""The pages on which an administrator sets a facility's working hours, targets and pauses."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from console.accounts.access import facilities, require
from console.accounts.models import Facility, User
from console.accounts.place import all_of
from console.accounts.roles import Right
from console.accounts.services import record
from console.tickets.calendar_form import CalendarForm
from console.tickets.models import BusinessCalendar


@login_required
@never_cache
@require_GET
def calendars(request: HttpRequest) -> HttpResponse:
    """List the facilities whose targets a person sets."""
    mine = facilities(request.user, Right.ADMINISTER).select_related("calendar")
    if not mine.exists():
        raise PermissionDenied("Targets are set by a facility's administrator.")
    return render(request, "tickets/calendars.html", {"facilities": mine})


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def calendar(request: HttpRequest, facility_slug: str) -> HttpResponse:
    """Show a facility's calendar; try it on an example, or save it."""
    facility = Facility.objects.filter(slug=facility_slug, id__in=all_of(request)).first()
    if facility is None:
        raise Http404("There is no such facility.")
    require(request.user, Right.ADMINISTER, facility.id)
    row = BusinessCalendar.objects.filter(facility=facility).first()
    form = CalendarForm(request.POST if request.method == "POST" else None, row=row, time_zone=facility.time_zone)
    context = {"facility": facility, "form": form, "row": row}
    status = 200
    if request.method == "POST":
        if not form.is_valid():
            status = 422
        elif request.POST.get("step") == "save":
            if save(facility=facility, by=request.user, seen=form.cleaned_data["seen_version"], values=form.values()):
                messages.success(request, f"The targets of {facility} are saved and hold from now on.")
                return redirect("tickets:calendar", facility_slug)
            row = BusinessCalendar.objects.get(facility=facility)
            context["theirs"] = CalendarForm(row=row, time_zone=facility.time_zone)
            context["row"], status = row, 409
    return render(request, "tickets/calendar.html", context, status=status)


@transaction.atomic
def save(*, facility: Facility, by: User, seen: int | None, values: dict[str, Any]) -> bool:
    """Store a facility's calendar over version `seen`; False where somebody else saved another one meanwhile.

    Targets of open tickets stay as they were told; a new severity or the end of a pause reckons by the new calendar.
    """
    require(by, Right.ADMINISTER, facility.id)
    Facility.objects.select_for_update(of=("self",)).get(pk=facility.pk)  # the row may not exist yet
    row = BusinessCalendar.objects.filter(facility=facility).first()
    if (row.version if row else 0) != (seen or 0):
        return False
    row = row or BusinessCalendar(facility=facility, version=0)
    for name, value in values.items():
        setattr(row, name, value)
    row.version += 1
    row.save()
    record(by=by, action="targets.saved", subject=row, facility=facility, detail={"version": row.version})
    return True
