"""Allow resends through an integration, or forbid them."""

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from console.accounts.roles import Right
from console.health.access import integration_or_404
from console.resends.services import allow


@login_required
@never_cache
@require_POST
def resend(request: HttpRequest, integration_id: uuid.UUID) -> HttpResponse:
    """Allow resends (`do=on`) or forbid them; either way is recorded."""
    held = integration_or_404(request.user, integration_id, Right.MANAGE_INTEGRATIONS)
    allowed = request.POST.get("do") == "on"
    allow(integration=held, allowed=allowed, by=request.user)
    says = "Notes may be resent through this integration." if allowed else "No note is resent here any more."
    messages.success(request, says)
    return redirect(reverse("integrations:integration", args=[held.pk]) + "#resend")
