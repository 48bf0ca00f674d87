"""The health of integrations, and the alert rules."""

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from console.accounts.access import grants
from console.accounts.place import places
from console.accounts.roles import Right
from console.monitoring import services
from console.monitoring.access import facility_or_404, integration_or_404, rule_or_404
from console.monitoring.forms import RuleForm
from console.monitoring.models import RuleKind
from console.monitoring.pages import integration_page, overview_page
from console.monitoring.periods import chosen
from console.monitoring.rule_pages import integrations_of, rules_page


@login_required
@never_cache
@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """Show every integration's health and the open alerts."""
    _see(request)
    page = overview_page(request.user, places(request, Right.SEE_INTEGRATIONS), chosen(request.GET.get("period")))
    return render(request, "monitoring/overview.html", {"page": page})


@login_required
@never_cache
@require_GET
def integration(request: HttpRequest, integration_id: uuid.UUID) -> HttpResponse:
    """Show one integration over time."""
    shown = integration_or_404(request.user, integration_id)
    page = integration_page(request.user, shown, chosen(request.GET.get("period")))
    return render(request, "monitoring/integration.html", {"page": page})


@login_required
@never_cache
@require_GET
def rules(request: HttpRequest) -> HttpResponse:
    """Show the alert rules."""
    _see(request)
    page = rules_page(request.user, places(request, Right.SEE_INTEGRATIONS))
    return render(request, "monitoring/rules.html", {"page": page})


@login_required
@never_cache
@require_POST
def set_rule(request: HttpRequest, facility_id: uuid.UUID, rule_kind: str) -> HttpResponse:
    """Change a rule, or give one integration a rule of its own."""
    facility = facility_or_404(request.user, facility_id)
    if rule_kind not in RuleKind.values:
        raise Http404("There is no such rule.")
    form = RuleForm(request.POST, kind=RuleKind(rule_kind), integrations=integrations_of(facility))
    if not form.is_valid():
        page = rules_page(request.user, places(request, Right.SEE_INTEGRATIONS), wrong=(facility.id, rule_kind, form))
        return render(request, "monitoring/rules.html", {"page": page}, status=422)
    said = form.cleaned_data
    services.set_rule(
        facility=facility,
        integration=said["integration"],
        kind=rule_kind,
        threshold=said["threshold"],
        min_sample=said["min_sample"] or 20,
        active=said["active"],
        by=request.user,
    )
    messages.success(request, f"“{RuleKind(rule_kind).label}” is changed. The next look, within a minute, goes by it.")
    return redirect("monitoring:rules")


@login_required
@never_cache
@require_POST
def drop_rule(request: HttpRequest, alert_rule_id: uuid.UUID) -> HttpResponse:
    """Let an integration follow its facility's rule again."""
    services.drop_rule(rule=rule_or_404(request.user, alert_rule_id), by=request.user)
    return redirect("monitoring:rules")


def _see(request: HttpRequest) -> None:
    if not grants(request.user).where(Right.SEE_INTEGRATIONS):
        raise PermissionDenied("Your role does not show the health of integrations. Ask your facility's administrator.")
