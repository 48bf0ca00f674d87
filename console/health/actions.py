"""What people do on the page of an integration: one plain form each, back to the page afterwards."""

import uuid
from collections.abc import Callable
from typing import Any, TypeVar

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from console.accounts.roles import Right
from console.health.access import integration_or_404
from console.health.pages import IntegrationPage
from console.health.services import ask_for_test
from console.integrations import services, tokens
from console.integrations.forms import ContactForm, GuideForm, SourceForm, TokenForm, WindowForm
from console.integrations.models import Baseline, Contact, Integration, MaintenanceWindow, Source, SourceToken

Row = TypeVar("Row", Contact, MaintenanceWindow, Source, SourceToken)


def do(
    request: HttpRequest, held: Integration, form: forms.BaseForm, act: Callable[[dict[str, Any]], object], *,
    name: str, done: str, back: str,
) -> HttpResponse:  # fmt: skip
    """Call one service with a valid form; show the page again, with what is wrong (422), where that is not so."""
    if form.is_valid():
        try:
            act(form.cleaned_data)
        except services.IntegrationError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, done)
            return redirect(reverse("integrations:integration", args=[held.pk]) + f"#{back}")
    held.refresh_from_db()
    page = IntegrationPage(held, request.user)
    page.wrong = {name: form}
    return render(request, "health/integration.html", {"page": page}, status=422)


def _row(rows: QuerySet[Row], row_id: uuid.UUID) -> Row:
    """Give what belongs to the integration; the id alone opens nothing."""
    row = rows.filter(pk=row_id).first()
    if row is None:
        raise Http404("There is no such thing at this integration.")
    return row


@login_required
@never_cache
@require_POST
def test(request: HttpRequest, integration_id: uuid.UUID) -> HttpResponse:
    """Run the six steps without a note; nothing is written unless somebody ticks that."""
    held = integration_or_404(request.user, integration_id, Right.RUN_DIAGNOSIS)
    writes = IntegrationPage(held, request.user).canary and request.POST.get("writes") == "yes"
    place = request.POST.get("from", "")[:30]
    try:
        ask_for_test(integration=held, writes=writes, by=request.user, segment=place)
    except services.IntegrationError as refusal:
        messages.warning(request, str(refusal))
    return redirect("integrations:integration", held.pk)


@login_required
@never_cache
@require_POST
def baseline(request: HttpRequest, integration_id: uuid.UUID) -> HttpResponse:
    """Pin a baseline, or let later good runs take its place again."""
    held = integration_or_404(request.user, integration_id, Right.MANAGE_INTEGRATIONS)
    try:
        wanted = uuid.UUID(request.POST.get("baseline", ""))
    except ValueError:
        wanted = uuid.UUID(int=0)
    row = Baseline.objects.filter(integration=held, pk=wanted).select_related("integration").first()
    if row is None:
        messages.warning(request, "A later good run took this baseline's place meanwhile. Look at it, then pin that.")
    else:
        pinned = request.POST.get("pinned") == "yes"
        services.pin_baseline(baseline=row, pinned=pinned, by=request.user)
        messages.success(request, "The baseline is pinned." if pinned else "The next good run is the baseline.")
    return redirect(reverse("integrations:integration", args=[held.pk]) + "#baseline")


@login_required
@never_cache
@require_POST
def guide(request: HttpRequest, integration_id: uuid.UUID) -> HttpResponse:
    """Keep the runbook's address and the escalation path."""
    held = integration_or_404(request.user, integration_id, Right.MANAGE_INTEGRATIONS)
    return do(
        request, held, GuideForm(request.POST),
        lambda data: services.set_guide(integration=held, by=request.user, **data),
        name="guide", done="Runbook and escalation path are kept.", back="guide",
    )  # fmt: skip


@login_required
@never_cache
@require_POST
def add_contact(request: HttpRequest, integration_id: uuid.UUID) -> HttpResponse:
    """Add a contact."""
    held = integration_or_404(request.user, integration_id, Right.MANAGE_INTEGRATIONS)
    form = ContactForm(request.POST)
    return do(
        request, held, form,
        lambda _: services.keep_contact(integration=held, contact=form.save(commit=False), by=request.user),
        name="contact", done="The contact is added.", back="contacts",
    )  # fmt: skip


@login_required
@never_cache
@require_POST
def change_contact(request: HttpRequest, integration_id: uuid.UUID, contact_id: uuid.UUID) -> HttpResponse:
    """Change a contact."""
    held = integration_or_404(request.user, integration_id, Right.MANAGE_INTEGRATIONS)
    form = ContactForm(request.POST, instance=_row(held.contacts.all(), contact_id))
    return do(
        request, held, form,
        lambda _: services.keep_contact(integration=held, contact=form.save(commit=False), by=request.user),
        name=f"contact-{contact_id}", done="The contact is changed.", back="contacts",
    )  # fmt: skip


@login_required
@never_cache
@require_POST
def remove_contact(request: HttpRequest, integration_id: uuid.UUID, contact_id: uuid.UUID) -> HttpResponse:
    """Take a contact away."""
    held = integration_or_404(request.user, integration_id, Right.MANAGE_INTEGRATIONS)
    row = _row(held.contacts.all(), contact_id)
    return do(
        request, held, forms.Form(request.POST),
        lambda _: services.remove_contact(integration=held, contact=row, by=request.user),
        name="contact", done="The contact is removed.", back="contacts",
    )  # fmt: skip


@login_required
@never_cache
@require_POST
def add_window(request: HttpRequest, integration_id: uuid.UUID) -> HttpResponse:
    """Register a maintenance window."""
    held = integration_or_404(request.user, integration_id, Right.MANAGE_INTEGRATIONS)
    return do(
        request, held, WindowForm(request.POST, zone=held.facility.time_zone),
        lambda data: services.add_window(integration=held, by=request.user, **data),
        name="window", done="The maintenance window is registered.", back="windows",
    )  # fmt: skip


@login_required
@never_cache
@require_POST
def remove_window(request: HttpRequest, integration_id: uuid.UUID, window_id: uuid.UUID) -> HttpResponse:
    """Take a maintenance window away."""
    held = integration_or_404(request.user, integration_id, Right.MANAGE_INTEGRATIONS)
    row = _row(held.maintenance_windows.all(), window_id)
    return do(
        request, held, forms.Form(request.POST),
        lambda _: services.remove_window(integration=held, window=row, by=request.user),
        name="window", done="The maintenance window is removed.", back="windows",
    )  # fmt: skip


@login_required
@never_cache
@require_POST
def add_source(request: HttpRequest, integration_id: uuid.UUID) -> HttpResponse:
    """Add a system that hands in log rows."""
    held = integration_or_404(request.user, integration_id, Right.MANAGE_INTEGRATIONS)
    return do(
        request, held, SourceForm(request.POST),
        lambda data: services.add_source(integration=held, by=request.user, **data),
        name="source", done="The source is added. Make a token for it next.", back="sources",
    )  # fmt: skip


@login_required
@never_cache
@require_POST
def make_token(request: HttpRequest, integration_id: uuid.UUID, source_id: uuid.UUID) -> HttpResponse:
    """Make a token and show it in this answer, which is the only time: it is stored nowhere."""
    held = integration_or_404(request.user, integration_id, Right.MANAGE_INTEGRATIONS)
    source = _row(Source.objects.filter(integration=held), source_id)
    form = TokenForm(request.POST)
    page = IntegrationPage(held, request.user)
    if not form.is_valid():
        page.wrong = {f"token-{source_id}": form}
        return render(request, "health/integration.html", {"page": page}, status=422)
    page.made_token = tokens.make_token(source=source, by=request.user, **form.cleaned_data)
    return render(request, "health/integration.html", {"page": page})


@login_required
@never_cache
@require_POST
def revoke_token(request: HttpRequest, integration_id: uuid.UUID, token_id: uuid.UUID) -> HttpResponse:
    """End a token at once."""
    held = integration_or_404(request.user, integration_id, Right.MANAGE_INTEGRATIONS)
    row = _row(SourceToken.objects.filter(source__integration=held).select_related("source"), token_id)
    return do(
        request, held, forms.Form(request.POST), lambda _: tokens.revoke(token=row, by=request.user),
        name="source", done="The token is revoked: whoever uses it is refused from now on.", back="sources",
    )  # fmt: skip
