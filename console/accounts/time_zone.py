"""Show times in the reader's own time zone."""

from collections.abc import Callable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from console.accounts.models import Facility
from console.accounts.place import all_of, chosen_id


def _of_facility(request: HttpRequest) -> str:
    """Give the zone of the chosen facility, or of the only one; several facilities have no zone in common."""
    chosen = chosen_id(request)
    mine = {chosen} if chosen else all_of(request)
    zones = set(Facility.objects.filter(id__in=mine).values_list("time_zone", flat=True))
    return zones.pop() if len(zones) == 1 else ""


class TimeZoneMiddleware:
    """Activate the person's time zone for the request, or that of the facility he works at."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Fall back to UTC where none or an unknown one is set."""
        wished = ""
        if request.user.is_authenticated:
            wished = request.user.time_zone or _of_facility(request)
        try:
            zone = ZoneInfo(wished) if wished else None
        except (ZoneInfoNotFoundError, ValueError):
            zone = None
        with timezone.override(zone):
            return self.get_response(request)
