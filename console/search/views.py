"""One box for everything. It is sent by POST: an id must not stand in an address, and nobody knows what is typed."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from console.accounts.access import grants
from console.accounts.roles import Right
from console.search.searching import MOST_TYPED, SHORTEST
from console.search.searching import search as look
from console.worklist.access import scope_of


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def search(request: HttpRequest) -> HttpResponse:
    """Show what was found, or go there where it can only mean one thing; a GET shows the empty box."""
    held = grants(request.user)
    context = {"typed": "", "may_open": bool(held.where(Right.WORK_TICKETS))}
    if request.method == "GET":
        return render(request, "search/search.html", context)
    typed = request.POST.get("asked", "")[:MOST_TYPED]
    context["typed"] = typed  # given back in this answer only, never kept
    if len(typed.strip()) < SHORTEST:
        context["wrong"] = "Type at least two characters."
        return render(request, "search/search.html", context, status=422)
    # Everything a person sees, not only the facility that the lists show at the moment: a search that says "nothing"
    # must mean nothing.
    found = look(request.user, scope_of(request.user, held.where(Right.SEE_TICKETS)), typed, request.session)
    if found.at_once and request.POST.get("list") != "yes":
        return redirect(found.at_once)
    return render(request, "search/search.html", {**context, "found": found})
