"""Switch the pull of an integration's audit events on and off."""

import uuid

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from console.accounts.roles import Right
from console.health.access import integration_or_404
from console.health.actions import do
from console.monitoring import audit_pulls
from console.monitoring.models import AuditPull
from console.monitoring.source_models import LONGEST_PULL_MINUTES, SHORTEST_PULL_MINUTES


class PullForm(forms.Form):
    """How often an EHR is asked."""

    every_minutes = forms.IntegerField(
        min_value=SHORTEST_PULL_MINUTES,
        max_value=LONGEST_PULL_MINUTES,
        error_messages={"required": "Say how many minutes lie between two questions."},
    )


@login_required
@never_cache
@require_POST
def audit_events(request: HttpRequest, integration_id: uuid.UUID) -> HttpResponse:
    """Switch on or change (`do=on`), switch off (`do=off`), or let the next pull come at once (`do=now`)."""
    held = integration_or_404(request.user, integration_id, Right.MANAGE_INTEGRATIONS)
    wanted = request.POST.get("do", "on")
    if wanted == "on":
        return do(
            request, held, PullForm(request.POST),
            lambda data: audit_pulls.switch_on(integration=held, by=request.user, **data),
            name="audit_events", done="The EHR is asked for its audit events from now on.", back="audit-events",
        )  # fmt: skip
    pull = AuditPull.objects.filter(integration=held).select_related("integration").first()
    if pull is not None and wanted == "off":
        audit_pulls.switch_off(pull=pull, by=request.user)
        messages.success(request, "The EHR is asked no more. What came stays.")
    elif pull is not None and pull.is_on:
        audit_pulls.pull_now(pull=pull, by=request.user)
        messages.success(request, "The EHR is asked as soon as a worker is free. Reload the page in a moment.")
    return redirect(reverse("integrations:integration", args=[held.pk]) + "#audit-events")
