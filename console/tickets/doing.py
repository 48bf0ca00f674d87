"""What every form on a ticket's page has in common: one service call, then the ticket again, or what was wrong."""

from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from console.tickets import drafts
from console.tickets.collisions import answer_collision
from console.tickets.models import Ticket
from console.tickets.moves import Collision, TicketError
from console.tickets.pages import TicketPage


def do(
    request: HttpRequest, ticket: Ticket, form: forms.Form, act: Callable[[dict[str, object]], object], *,
    name: str, done: str = "", back: str = "", draft: str = "", text: str = "text",
) -> HttpResponse:  # fmt: skip
    """Call one service with a valid form; show the ticket again, with what is wrong (422), where that is not so.

    What somebody else changed meanwhile answers 409 with both versions. `draft` names the place whose typed `text`
    is kept as a draft until the form has gone through.
    """
    if form.is_valid():
        try:
            act(form.cleaned_data)
        except Collision as refusal:
            return answer_collision(request, ticket, refusal)
        except TicketError as refusal:
            form.add_error(None, str(refusal))
        else:
            if draft:
                drafts.discard(user=request.user, ticket=ticket, place=draft)
            if done:
                messages.success(request, done)
            return redirect(reverse("tickets:ticket", args=[ticket.number]) + (f"#{back}" if back else ""))
    if draft:
        drafts.keep(user=request.user, ticket=ticket, place=draft, text=request.POST.get(text, ""))
    ticket.refresh_from_db()
    page = TicketPage(ticket, request.user)
    return render(request, "tickets/ticket.html", {"page": page, "wrong": {name: form}}, status=422)
