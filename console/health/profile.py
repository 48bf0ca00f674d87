"""A vendor's profile as it holds for one integration: shown, changed fact by fact, put back."""

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from console.accounts.roles import Right
from console.health.access import integration_or_404
from console.health.profile_page import ProfilePage
from console.integrations import vendor_copy
from console.integrations.models import Integration
from console.integrations.profile_forms import FactForm
from console.integrations.services import IntegrationError
from diagnostics.vendors.facts import BY_NAME, Fact


@login_required
@never_cache
@require_GET
def profile(request: HttpRequest, integration_id: uuid.UUID) -> HttpResponse:
    """Show every fact with its source and what is different here."""
    page = ProfilePage(integration_or_404(request.user, integration_id), request.user)
    return render(request, "health/profile.html", {"page": page})


@login_required
@never_cache
@require_POST
def change_fact(request: HttpRequest, integration_id: uuid.UUID, fact: str) -> HttpResponse:
    """Let one fact be different at this integration."""
    held = integration_or_404(request.user, integration_id, Right.MANAGE_INTEGRATIONS)
    one = _fact_or_404(fact)
    form = FactForm(request.POST, fact=one, value=None, seen="")
    if form.is_valid():
        data = form.cleaned_data
        try:
            vendor_copy.change_fact(
                integration=held, fact=one, value=data["value"], why=data["why"], seen=data["seen"], by=request.user
            )
        except IntegrationError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"Kept for this integration: {one.label}. Diagnoses use it from now on.")
            return _back(held, one)
    held.refresh_from_db()
    form.data = form.data.copy() | {"seen": vendor_copy.state_of(held)}  # saving again then counts as having looked
    return render(request, "health/profile.html", {"page": ProfilePage(held, request.user, wrong=form)}, status=422)


@login_required
@never_cache
@require_POST
def put_back(request: HttpRequest, integration_id: uuid.UUID, fact: str) -> HttpResponse:
    """Let the vendor's own value hold again."""
    held = integration_or_404(request.user, integration_id, Right.MANAGE_INTEGRATIONS)
    one = _fact_or_404(fact)
    try:
        done = vendor_copy.put_back(integration=held, fact=one, seen=request.POST.get("seen", "")[:64], by=request.user)
    except IntegrationError as refusal:
        messages.warning(request, str(refusal))
    else:
        messages.success(request, f"The vendor's value holds again: {one.label}." if done else "Nothing was different.")
    return _back(held, one)


def _fact_or_404(name: str) -> Fact:
    fact = BY_NAME.get(name)
    if fact is None or not fact.editable:
        raise Http404("There is no such fact to change.")
    return fact


def _back(held: Integration, fact: Fact) -> HttpResponse:
    return redirect(reverse("integrations:profile", args=[held.pk]) + f"#{fact.name}")
