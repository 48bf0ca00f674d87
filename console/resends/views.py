"""The pages of resends; what changes something stands in actions.py."""

import uuid

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from console.resends.access import batch_or_404, may_resend_somewhere, note_or_404, visible
from console.resends.pages import BatchPage, Panel, attempts_page
from console.resends.queries import counted, waiting_for
from console.shared.idle import polled
from console.tickets.access import ticket_or_404

SHOWN = 100  # of what waits: the oldest first


@login_required
@never_cache
@require_GET
def of_ticket(request: HttpRequest, number: int) -> HttpResponse:
    """Show a ticket's resends and whether one can be prepared; to htmx the ticket page's part of it."""
    panel = Panel(ticket_or_404(request.user, number), request.user)
    name = "resends/_panel.html" if request.htmx else "resends/of_ticket.html"
    return render(request, name, {"panel": panel})


@login_required
@never_cache
@require_GET
def of_note(request: HttpRequest, note_id: uuid.UUID) -> HttpResponse:
    """Show the attempts to resend a note; to htmx the note page's part of it."""
    page = attempts_page(note_or_404(request.user, note_id), visible(request.user))
    name = "resends/_of_note.html" if request.htmx else "resends/of_note.html"
    return render(request, name, {"page": page})


@login_required
@never_cache
@require_GET
def batch(request: HttpRequest, batch_id: uuid.UUID) -> HttpResponse:
    """Show a resend: what would be sent, how far it is, what became of each note."""
    page = BatchPage(batch_or_404(request.user, batch_id), request.user)
    return render(request, "resends/batch.html", {"page": page})


@polled
@login_required
@never_cache
@require_GET
def live(request: HttpRequest, batch_id: uuid.UUID) -> HttpResponse:
    """Give the part of a resend that changes; while a worker has something to do it asks again by itself."""
    count = request.GET.get("n", "")
    polls = int(count) if count.isdecimal() and len(count) < 7 else 0
    page = BatchPage(batch_or_404(request.user, batch_id), request.user, polled=polls)
    return render(request, "resends/_live.html", {"page": page})


@login_required
@never_cache
@require_GET
def waiting(request: HttpRequest) -> HttpResponse:
    """Show the resends that wait for this person's word, and those he asked for."""
    may_resend_somewhere(request.user)
    people = ("ticket", "integration", "requested_by")
    mine = visible(request.user).filter(stage="asked", requested_by=request.user)
    context = {
        "for_me": counted(waiting_for(request.user)).select_related(*people).order_by("requested_at", "id")[:SHOWN],
        "by_me": counted(mine).select_related(*people).order_by("requested_at", "id")[:SHOWN],
    }
    return render(request, "resends/waiting.html", context)
