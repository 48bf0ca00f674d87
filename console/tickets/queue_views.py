"""The queue and its saved views, each with an address of its own."""

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from console.accounts.place import places
from console.accounts.roles import Right
from console.tickets import listed, saved_views
from console.tickets.models import SavedView
from console.tickets.moves import TicketError
from console.tickets.queue import QueuePage, integrations_of, queue_page, understood
from console.tickets.queue_forms import ACTS, ViewForm
from console.tickets.queue_rows import sight


@login_required
@never_cache
@require_GET
def queue(request: HttpRequest) -> HttpResponse:
    """Show the tickets a person sees, filtered."""
    return _show(request, queue_page(request.user, request.GET, places(request, Right.SEE_TICKETS)))


@login_required
@never_cache
@require_GET
def view(request: HttpRequest, view_id: uuid.UUID) -> HttpResponse:
    """Show the queue under a saved view; further filters and pages are those of its address."""
    saved = saved_views.view_or_404(request.user, view_id)
    said = QueryDict(saved.query, mutable=True)
    if request.GET.get("after"):
        said["after"] = request.GET["after"]
    # A mailed address shows what it names, whichever facility the lists are narrowed to at the moment.
    return _show(request, queue_page(request.user, said, None, saved))


def _show(request: HttpRequest, page: QueuePage) -> HttpResponse:
    listed.remember(request, page.numbers)
    form = ViewForm(user=request.user, initial={"query": page.query})
    return render(request, "tickets/queue.html", {"queue": page, "form": form, "acts": ACTS.items()})


@login_required
@never_cache
@require_POST
def save_view(request: HttpRequest) -> HttpResponse:
    """Keep what the queue shows under a name."""
    form = ViewForm(request.POST, user=request.user)
    if form.is_valid():
        mine = sight(request.user)
        asked = understood(QueryDict(form.cleaned_data["query"]), integrations_of(mine))
        try:
            saved = saved_views.save(
                user=request.user,
                name=form.cleaned_data["name"],
                query=asked.query(),
                facility=form.cleaned_data["facility"],
            )
        except TicketError as refusal:
            form.add_error("name", str(refusal))
        else:
            messages.success(request, f"The view “{saved.name}” is saved. Its address can be sent to colleagues."
                             if saved.facility_id else f"The view “{saved.name}” is saved.")  # fmt: skip
            return redirect("tickets:view", saved.id)
    return render(request, "tickets/view_form.html", {"form": form}, status=422)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def change_view(request: HttpRequest, view_id: uuid.UUID) -> HttpResponse:
    """Rename a view, share it or keep it for oneself."""
    saved = saved_views.own_or_404(request.user, view_id)
    if request.method == "GET":
        said = {"name": saved.name, "facility": saved.facility_id, "query": saved.query}
        return render(request, "tickets/view_form.html", {"form": ViewForm(user=request.user, initial=said),
                                                          "view": saved})  # fmt: skip
    form = ViewForm(request.POST, user=request.user)
    if form.is_valid():
        try:
            saved_views.change(
                view=saved, name=form.cleaned_data["name"], facility=form.cleaned_data["facility"], by=request.user
            )
        except TicketError as refusal:
            form.add_error("name", str(refusal))
        else:
            return redirect("tickets:view", saved.id)
    kept = SavedView.objects.get(pk=saved.pk)
    return render(request, "tickets/view_form.html", {"form": form, "view": kept}, status=422)


@login_required
@never_cache
@require_POST
def delete_view(request: HttpRequest, view_id: uuid.UUID) -> HttpResponse:
    """Delete a view of one's own."""
    saved = saved_views.own_or_404(request.user, view_id)
    saved_views.delete(view=saved)
    messages.success(request, f"The view “{saved.name}” is deleted. Its tickets are where they were.")
    return redirect(f"{reverse('tickets:queue')}?{saved.query}")
