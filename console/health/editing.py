"""The settings of an integration: a new one, and changes to one."""

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from console.accounts.access import facilities
from console.accounts.roles import Right
from console.health.access import integration_or_404, must_see
from console.health.settings_page import SettingsPage
from console.integrations import services
from console.integrations.forms import IntegrationForm, NewIntegrationForm


@sensitive_post_parameters()
@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Make an integration."""
    must_see(request.user, Right.MANAGE_INTEGRATIONS)
    where = facilities(request.user, Right.MANAGE_INTEGRATIONS)
    form = NewIntegrationForm(request.POST or None, facilities=where, initial={"vendor": "generic"})
    if request.method == "POST" and form.is_valid():
        try:
            made = services.create(
                facility=form.cleaned_data["facility"], columns=form.columns, settings=form.settings,
                secrets=form.entered_secrets(), by=request.user,
            )  # fmt: skip
        except services.IntegrationError as refusal:
            form.add_error("name", str(refusal))
        else:
            messages.success(request, f"{made.name} is set up. Test it now: the six steps run without a note.")
            return redirect("integrations:integration", made.pk)
    return _settings_page(request, SettingsPage(form))


@sensitive_post_parameters()
@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def settings(request: HttpRequest, integration_id: uuid.UUID) -> HttpResponse:
    """Change an integration."""
    held = integration_or_404(request.user, integration_id, Right.MANAGE_INTEGRATIONS)
    form = IntegrationForm(request.POST or None, facility=held.facility, stored=held)
    page = SettingsPage(form, held)
    if request.method == "POST" and form.is_valid():
        try:
            done = services.change(
                integration=held, columns=form.columns, settings=form.settings, secrets=form.entered_secrets(),
                drop=form.dropped_secrets(), seen=form.cleaned_data["seen"], by=request.user,
            )  # fmt: skip
        except services.EditedMeanwhile as refusal:
            form.add_error(None, str(refusal))
            page.show_both()
        except services.IntegrationError as refusal:
            form.add_error("name", str(refusal))
        else:
            messages.success(request, "The settings are kept.")
            if done.dropped:
                gone = ", ".join(word[:1].lower() + word[1:] for word in done.dropped)
                says = f"Removed because the address they are sent to, or the way there, changed: {gone}."
                messages.warning(request, f"{says} Enter them again before the next test.")
            if done.facts:
                says = f"What was different here from the old vendor's profile was put back ({len(done.facts)})."
                messages.warning(request, f"{says} The history on the vendor profile's page keeps them.")
            return redirect("integrations:integration", held.pk)
    return _settings_page(request, page)


def _settings_page(request: HttpRequest, page: SettingsPage) -> HttpResponse:
    status = 422 if request.method == "POST" else 200
    return render(request, "health/settings.html", {"page": page}, status=status)
