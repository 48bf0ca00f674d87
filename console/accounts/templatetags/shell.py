"""The top bar of every page: navigation, quick find, facility, menu, and notices about the whole console."""

from typing import Any

from django import template

from console.accounts.access import grants
from console.accounts.place import chosen_id, options
from console.accounts.roles import Right
from console.shared.navigation import Entry, entries, notices

register = template.Library()


@register.inclusion_tag("shared/_top_bar.html", takes_context=True)
def top_bar(context: template.Context) -> dict[str, Any]:
    """Show what this person can reach; an error page, or a person not logged in, gets the bare bar."""
    request = context.get("request")
    person = getattr(request, "user", None)
    if request is None or person is None or not person.is_authenticated:
        return {"person": None}
    match = getattr(request, "resolver_match", None)
    mine = entries(request)
    here = match.view_name if match else ""
    if not any(here in entry.here for entry in mine):  # an entry that names the very page goes before its namespace
        here = match.app_name if match else ""
    shown = [(entry, here in entry.here, _badge(entry, request)) for entry in mine]
    return {
        "person": person,
        "request": request,
        "csrf_token": context.get("csrf_token"),
        "front": [item for item in shown if not item[0].more],
        "folded": [item for item in shown if item[0].more],
        "in_folded": any(is_here for entry, is_here, _ in shown if entry.more),
        "may_open": bool(grants(person).where(Right.WORK_TICKETS)),
        "places": options(request),
        "place": chosen_id(request),
        "theme": request.COOKIES.get("theme", "auto"),
        "notices": notices(request),
    }


def _badge(entry: Entry, request: Any) -> Any:
    return entry.badge(request) if entry.badge else None
