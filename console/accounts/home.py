"""Where a person lands: on the page of his work."""

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from console.accounts.access import grants
from console.accounts.models import User
from console.accounts.roles import Right

# The first right that a person holds decides. Who changes connections looks at their health first, who reviews
# knowledge at what waits for review; a help desk has tickets, a manager numbers, a privacy officer the audit trail.
_LANDINGS = (
    (frozenset({Right.REVIEW_KNOWLEDGE}), "knowledge:review"),
    (frozenset({Right.WORK_TICKETS, Right.MANAGE_INTEGRATIONS}), "integrations:list"),
    (frozenset({Right.WORK_TICKETS}), "tickets:queue"),
    (frozenset({Right.SEE_REPORTS}), "reports:mttr"),
    (frozenset({Right.SEE_AUDIT}), "accounts:audit"),
    (frozenset({Right.ADMINISTER}), "accounts:people"),
    (frozenset({Right.SEE_TICKETS}), "tickets:queue"),
)


def landing(user: User | AnonymousUser) -> str:
    """Name the page a person lands on; empty where nobody gave him a role yet."""
    held = {Right(name) for name, ids in grants(user).facilities.items() if ids}
    return next((page for needed, page in _LANDINGS if needed <= held), "")


@login_required
@never_cache
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Lead to the page of this person's work."""
    page = landing(request.user)
    return redirect(page) if page else render(request, "accounts/no_role.html")
