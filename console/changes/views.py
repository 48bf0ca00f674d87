"""The template register, the proposing of versions, their review, and the rules of a mapping."""

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from console.accounts.place import places
from console.accounts.roles import Right
from console.changes import services
from console.changes.access import integration_or_404, must_see, review_or_404, version_or_404
from console.changes.forms import DecideForm, MappingForm, ProposeForm, RuleFormSet, TemplateForm
from console.changes.mapping_page import MappingPage
from console.changes.pages import ProposePage, RegisterPage, ReviewPage, VersionPage


@login_required
@never_cache
@require_GET
def register(request: HttpRequest) -> HttpResponse:
    """Show the versions in force, and what waits for a decision."""
    must_see(request.user)
    page = RegisterPage(request.user, places(request, Right.SEE_INTEGRATIONS))
    return render(request, "changes/register.html", {"page": page})


@login_required
@never_cache
@require_GET
def version(request: HttpRequest, version_id: uuid.UUID) -> HttpResponse:
    """Show one version: its fields, what differs from another, and the rules that meet it."""
    shown = version_or_404(request.user, version_id)
    page = VersionPage(shown, request.user, request.GET.get("with", ""))
    return render(request, "changes/version.html", {"page": page})


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def propose(request: HttpRequest) -> HttpResponse:
    """Take a template, show whom it concerns, then put it up for review."""
    must_see(request.user, Right.REVIEW_KNOWLEDGE)
    if request.method == "GET":
        return render(request, "changes/propose.html", {"page": ProposePage(request.user, TemplateForm())})
    if request.POST.get("step") != "propose":
        first = TemplateForm(request.POST, request.FILES)
        status = 200 if first.is_valid() else 422
        return render(request, "changes/propose.html", {"page": ProposePage(request.user, first)}, status=status)
    form = ProposeForm(request.POST, request.FILES, user=request.user)
    if form.is_valid():
        data = form.cleaned_data
        try:
            made = services.propose(
                integrations=list(data["integrations"]), content=data["content"], goes_live_on=data["goes_live_on"],
                note=data["note"], by=request.user,
            )  # fmt: skip
        except services.ChangeError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "The version waits for a decision. Its impact is below.")
            return redirect("changes:review", made.pk)
    return render(request, "changes/propose.html", {"page": ProposePage(request.user, form)}, status=422)


@login_required
@never_cache
@require_GET
def review(request: HttpRequest, review_id: uuid.UUID) -> HttpResponse:
    """Show a proposed version with what it would break."""
    page = ReviewPage(review_or_404(request.user, review_id), request.user)
    return render(request, "changes/review.html", {"page": page})


@login_required
@never_cache
@require_POST
def decide(request: HttpRequest, review_id: uuid.UUID) -> HttpResponse:
    """Approve a version or send it back."""
    held = review_or_404(request.user, review_id, Right.REVIEW_KNOWLEDGE)
    form = DecideForm(request.POST)
    if form.is_valid():
        approve = form.cleaned_data["decision"] == "approve"
        try:
            services.decide(review=held, approve=approve, reason=form.cleaned_data["reason"], by=request.user)
        except services.ChangeError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Approved." if approve else "Sent back to its proposer.")
            return redirect("changes:review", held.pk)
    held = review_or_404(request.user, review_id)
    return render(request, "changes/review.html", {"page": ReviewPage(held, request.user, form)}, status=422)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def mapping(request: HttpRequest, integration_id: uuid.UUID) -> HttpResponse:
    """Show and change the rules by which sections go to fields."""
    held = integration_or_404(request.user, integration_id, Right.MANAGE_INTEGRATIONS)
    page = MappingPage(held)
    if request.method == "GET":
        return render(request, "changes/mapping.html", {"page": page})
    form = MappingForm(request.POST)
    rules = RuleFormSet(request.POST, prefix="rule", form_kwargs={"others": page.own_sections})
    page.take(form, rules)
    if form.is_valid() and rules.is_valid():
        lines: list[dict[str, Any]] = [
            {"section": r["section"], "field": r["field"], "mode": r["mode"] or "append"}
            for r in rules.cleaned_data
            if r.get("section")
        ]
        try:
            services.set_mapping(
                integration=held, rules=lines, output=form.cleaned_data["output"], seen=form.cleaned_data["seen"],
                written_for=page.version if form.cleaned_data["adopt"] else None, by=request.user,
            )  # fmt: skip
        except services.ChangeError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "The new rules are in force. Earlier ones are kept.")
            return redirect("changes:register")
    return render(request, "changes/mapping.html", {"page": page}, status=422)
