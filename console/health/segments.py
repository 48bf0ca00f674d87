"""What people do about the network segments of an integration."""

import uuid

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from console.accounts.roles import Right
from console.health.access import integration_or_404
from console.health.actions import do
from console.integrations.segment_forms import SegmentForm
from console.integrations.segments import add_segment, remove_segment


@login_required
@never_cache
@require_POST
def add(request: HttpRequest, integration_id: uuid.UUID) -> HttpResponse:
    """Add a segment."""
    held = integration_or_404(request.user, integration_id, Right.MANAGE_INTEGRATIONS)
    return do(
        request, held, SegmentForm(request.POST),
        lambda data: add_segment(integration=held, by=request.user, **data),
        name="segment", done="The segment is added. Test now to look from there as well.", back="segments",
    )  # fmt: skip


@login_required
@never_cache
@require_POST
def remove(request: HttpRequest, integration_id: uuid.UUID) -> HttpResponse:
    """Take a segment away."""
    held = integration_or_404(request.user, integration_id, Right.MANAGE_INTEGRATIONS)
    return do(
        request, held, forms.Form(request.POST),
        lambda _: remove_segment(integration=held, name=request.POST.get("name", ""), by=request.user),
        name="segment", done="The segment is removed.", back="segments",
    )  # fmt: skip
