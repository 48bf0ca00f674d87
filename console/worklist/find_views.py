"""Find any note: one box, and lists by provider and time."""

from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from console.worklist.access import require_sight, scope
from console.worklist.asking import read
from console.worklist.find_page import find_page, look_up


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def find(request: HttpRequest) -> HttpResponse:
    """Look up what was typed and go there; show what was found, or the newest notes."""
    require_sight(request)
    place = scope(request)
    wrong = ""
    if request.method == "POST":
        zone = timezone.get_current_timezone()
        typed = request.POST.get("asked", "")
        asked = read(typed, now=timezone.now(), zone=zone if isinstance(zone, ZoneInfo) else ZoneInfo("UTC"))
        wrong = asked.wrong or ("Type an id, a provider or a time first." if asked.is_empty else "")
        if not wrong:
            led = look_up(place, asked, request.session)
            if led.note is not None:
                return redirect("worklist:note", led.note)
            if not led.nothing:
                return redirect(f"{reverse('worklist:find')}?{led.query}")
            wrong = led.nothing
    page = find_page(request.user, place, request.GET, request.session)
    # What was typed is given back only in this answer, never kept.
    context = {"page": page, "wrong": wrong, "typed": request.POST.get("asked", "")}
    return render(request, "worklist/find.html", context, status=422 if wrong else 200)
