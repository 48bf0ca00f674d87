"""Sources: what each declares, the tokens with which its systems send rows, and by which ways else rows come in."""

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from console.accounts.access import grants
from console.accounts.place import places
from console.accounts.roles import Right
from console.integrations.forms import TokenForm as NameForm
from console.integrations.sources import forget_mapping, set_zone
from console.integrations.tokens import make_token, revoke, source_of
from console.monitoring.access import source_or_404, token_or_404
from console.monitoring.forms import TokenForm
from console.monitoring.log_pages import choices
from console.monitoring.source_forms import ZoneForm
from console.monitoring.source_pages import SourcePage, sources_page


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def sources(request: HttpRequest) -> HttpResponse:
    """Show every source and its tokens, and make a token: it is shown in this answer and never again."""
    shown = places(request, Right.MANAGE_INTEGRATIONS)
    if not grants(request.user).where(Right.MANAGE_INTEGRATIONS):
        raise PermissionDenied("Your role does not manage sources. Ask an integration engineer.")
    form = TokenForm(request.POST or None)
    form.fields["integration"].queryset = choices(shown)
    made = ""
    if form.is_bound and form.is_valid():
        source = source_of(form.cleaned_data["integration"])
        may_open = form.cleaned_data["opens_tickets"]
        made = make_token(source=source, name=form.cleaned_data["name"], by=request.user, opens_tickets=may_open)
        form = TokenForm()
        form.fields["integration"].queryset = choices(shown)
    page = sources_page(shown, form, made, choices(shown))
    return render(request, "monitoring/sources.html", {"page": page}, status=422 if form.is_bound else 200)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def source(request: HttpRequest, source_id: uuid.UUID) -> HttpResponse:
    """Show one source, and make a token for it, which this answer shows once."""
    page = SourcePage(source_or_404(request.user, source_id), request.user)
    status = 200
    if request.method == "POST":
        form = NameForm(request.POST)
        if form.is_valid():
            page.made_token = make_token(source=page.source, by=request.user, **form.cleaned_data)
        else:
            page.wrong, status = {"token": form}, 422
    return render(request, "monitoring/source.html", {"page": page}, status=status)


@login_required
@never_cache
@require_POST
def set_source_zone(request: HttpRequest, source_id: uuid.UUID) -> HttpResponse:
    """Declare the time zone of a source's clock."""
    held = source_or_404(request.user, source_id)
    form = ZoneForm(request.POST)
    if not form.is_valid():
        page = SourcePage(held, request.user)
        page.wrong = {"zone": form}
        return render(request, "monitoring/source.html", {"page": page}, status=422)
    if set_zone(source=held, by=request.user, **form.cleaned_data):
        messages.success(request, "The time zone holds for rows that come from now on. Rows stored keep their times.")
    else:
        messages.info(request, "That is the zone already declared. Nothing was changed.")
    return redirect("monitoring:source", held.pk)


@login_required
@never_cache
@require_POST
def forget_columns(request: HttpRequest, source_id: uuid.UUID) -> HttpResponse:
    """Forget what the columns of a log's files mean."""
    held = source_or_404(request.user, source_id)
    if forget_mapping(source=held, log=request.POST.get("log", ""), by=request.user):
        messages.success(request, "Forgotten: the next file of that log asks what its columns mean.")
    return redirect("monitoring:source", held.pk)


@login_required
@never_cache
@require_POST
def revoke_token(request: HttpRequest, token_id: uuid.UUID) -> HttpResponse:
    """End a token."""
    token = token_or_404(request.user, token_id)
    revoke(token=token, by=request.user)
    if request.POST.get("back") == "source":
        return redirect("monitoring:source", token.source_id)
    return redirect("monitoring:sources")
