"""The list of integrations, and the page of one with its live part."""

import uuid

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from console.accounts.place import places
from console.accounts.roles import Right
from console.health.access import integration_or_404, must_see
from console.health.list_page import ListPage
from console.health.pages import IntegrationPage
from console.shared.idle import polled


@login_required
@never_cache
@require_GET
def integrations(request: HttpRequest) -> HttpResponse:
    """Show how every integration is."""
    must_see(request.user)
    page = ListPage(request.user, places(request, Right.SEE_INTEGRATIONS))
    return render(request, "health/list.html", {"page": page})


@login_required
@never_cache
@require_GET
def integration(request: HttpRequest, integration_id: uuid.UUID) -> HttpResponse:
    """Show one integration."""
    page = IntegrationPage(integration_or_404(request.user, integration_id), request.user)
    return render(request, "health/integration.html", {"page": page})


@polled
@login_required
@never_cache
@require_GET
def live(request: HttpRequest, integration_id: uuid.UUID) -> HttpResponse:
    """Give the part that changes; while a test goes on it asks again by itself."""
    count = request.GET.get("n", "")
    page = IntegrationPage(
        integration_or_404(request.user, integration_id),
        request.user,
        polled=int(count) if count.isdecimal() and len(count) < 7 else 0,
    )
    return render(request, "health/_live.html", {"page": page})
