"""Many notes on one ticket: join what failed alike, join one from elsewhere, say how all that wait ended."""

import uuid

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from console.accounts.roles import Right
from console.notes.models import Note
from console.notes.queries import visible as visible_notes
from console.tickets.access import ticket_or_404
from console.tickets.alike import join_alike, proposal
from console.tickets.doing import do
from console.tickets.ending import end_waiting
from console.tickets.joining import join_notes
from console.tickets.many_forms import EndAllForm
from console.tickets.moves import TicketError


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def alike(request: HttpRequest, number: int) -> HttpResponse:
    """Show the notes that failed alike, to choose from, or join those that were chosen from a list that was shown."""
    ticket = ticket_or_404(request.user, number, Right.WORK_TICKETS)
    wrong = ""
    if request.method == "POST":
        try:
            came, left = join_alike(ticket=ticket, ids=_ids(request), by=request.user)
        except TicketError as refusal:
            wrong = str(refusal)
        else:
            said = "1 note joined this ticket." if came == 1 else f"{came} notes joined this ticket."
            if left:
                said += f" {left} stayed out: arrived, ended, or on another ticket meanwhile."
            messages.success(request, said)
            return redirect("tickets:ticket", ticket.number)
    found = proposal(request.user, ticket)
    rows = Note.objects.filter(pk__in=found.ids).select_related("department", "trace").defer("payload", "narrative")
    by_id = {note.pk: note for note in rows}
    notes = [by_id[one] for one in found.ids if one in by_id]
    page = {"ticket": ticket, "found": found, "notes": notes, "wrong": wrong}
    return render(request, "tickets/alike.html", {"page": page}, status=422 if wrong else 200)


@login_required
@never_cache
@require_POST
def join(request: HttpRequest, number: int) -> HttpResponse:
    """Join one note that the person sees to the ticket, from wherever it was shown."""
    ticket = ticket_or_404(request.user, number, Right.WORK_TICKETS)
    ids = _ids(request)
    note = visible_notes(request.user).select_related("department").filter(pk__in=ids).first() if ids else None
    if note is None:
        raise Http404("There is no such note.")

    def act(_: dict[str, object]) -> None:
        fresh = join_notes(ticket=ticket, notes=[note], by=request.user)
        messages.success(request, "The note joined this ticket." if fresh else "The note was on this ticket already.")

    return do(request, ticket, forms.Form(request.POST), act, name="join", back="notes")


@login_required
@never_cache
@require_POST
def end_all(request: HttpRequest, number: int) -> HttpResponse:
    """Say how every note that was shown as waiting ended."""
    ticket = ticket_or_404(request.user, number, Right.WORK_TICKETS)

    def act(data: dict[str, object]) -> None:
        ended = end_waiting(ticket=ticket, end=data["end"], count=data["count"], until=data["until"], by=request.user)
        noun = "note is" if ended == 1 else "notes are"
        messages.success(request, f"{ended} {noun} ended now." if ended else "None of these notes waits any more.")

    return do(request, ticket, EndAllForm(request.POST), act, name="end_all", back="notes")


def _ids(request: HttpRequest) -> list[uuid.UUID]:
    """Read note ids from ticked boxes and from one hidden field; what is no id is not there."""
    words = [word for value in request.POST.getlist("note")[:1000] for word in value[:40_000].split()]
    found = []
    for word in words[:1000]:
        try:
            found.append(uuid.UUID(word))
        except ValueError:
            continue
    return found
