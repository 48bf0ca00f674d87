"""The top bar of every page: navigation, quick find, menu, and the banner of workers that are behind."""

from typing import Any

from django import template
from django.conf import settings

from console.accounts.access import grants
from console.accounts.roles import Right
from console.diagnoses.workers import workers
from console.tickets.access import visible
from console.tickets.models import OPEN_STATES

register = template.Library()

_LATE = {
    "starting": "The workers are starting. Diagnoses begin as soon as they are up; nothing is lost meanwhile.",
    "behind": "The workers are behind. Diagnoses wait in line and run as soon as a worker is back; nothing is lost.",
}


@register.inclusion_tag("shared/_top_bar.html", takes_context=True)
def top_bar(context: template.Context) -> dict[str, Any]:
    """Show what this person can reach; an error page, or a person not logged in, gets the bare bar."""
    request = context.get("request")
    person = getattr(request, "user", None)
    if request is None or person is None or not person.is_authenticated:
        return {"person": None}
    held = grants(person)
    match = getattr(request, "resolver_match", None)
    return {
        "person": person,
        "request": request,
        "csrf_token": context.get("csrf_token"),
        "here": match.app_name if match else "",
        "open_count": visible(person).filter(state__in=OPEN_STATES).count(),
        "may_open": bool(held.where(Right.WORK_TICKETS)),
        "practice": settings.DEMO and bool(held.where(Right.MANAGE_INTEGRATIONS) or held.where(Right.RUN_DIAGNOSIS)),
        "theme": request.COOKIES.get("theme", "auto"),
        "workers_late": _LATE.get(workers().state, ""),
    }
