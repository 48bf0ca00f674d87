"""One alert: what was measured, what happened, who was told."""

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from console.accounts.roles import Right
from console.monitoring import alert_tickets, services
from console.monitoring.access import alert_or_404
from console.monitoring.alert_pages import alert_page
from console.tickets.access import visible


@login_required
@never_cache
@require_GET
def alert(request: HttpRequest, alert_id: uuid.UUID) -> HttpResponse:
    """Show an alert with its history."""
    shown = alert_or_404(request.user, alert_id)
    return render(request, "monitoring/alert.html", {"page": alert_page(request.user, shown)})


@login_required
@never_cache
@require_POST
def open_ticket(request: HttpRequest, alert_id: uuid.UUID) -> HttpResponse:
    """Open a ticket for an alert that has none open, and go there."""
    ticket = alert_tickets.open_ticket(alert=alert_or_404(request.user, alert_id, Right.WORK_TICKETS), by=request.user)
    if not visible(request.user).filter(pk=ticket.pk).exists():
        messages.info(request, "The alert has a ticket; it holds notes of a department that is closed to you.")
        return redirect("monitoring:alert", alert_id)
    return redirect("tickets:ticket", ticket.number)


@login_required
@never_cache
@require_POST
def acknowledge(request: HttpRequest, alert_id: uuid.UUID) -> HttpResponse:
    """Say that one looks after it."""
    services.acknowledge(alert=alert_or_404(request.user, alert_id, Right.WORK_TICKETS), by=request.user)
    return redirect("monitoring:alert", alert_id)
