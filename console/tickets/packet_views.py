"""The packet for the vendor: look at it, take it along, mail it to one of the integration's contacts."""

import json

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from console.accounts.roles import Right
from console.integrations.models import Contact
from console.tickets.access import ticket_or_404
from console.tickets.models import Ticket
from console.tickets.moves import TicketError
from console.tickets.packet import as_json, as_text, mail_packet, note_taken, packet


class SendForm(forms.Form):
    """To whom."""

    contact = forms.ModelChoiceField(
        queryset=Contact.objects.none(),
        error_messages={"required": "Choose a contact.", "invalid_choice": "Choose one of the integration's contacts."},
    )


def _page(request: HttpRequest, ticket: Ticket, wrong: str = "") -> HttpResponse:
    content = packet(ticket)
    contacts = Contact.objects.filter(integration=ticket.integration_id).exclude(email="").order_by("name", "id")
    context = {"ticket": ticket, "packet": content, "text": as_text(content), "contacts": contacts, "wrong": wrong}
    return render(request, "tickets/packet.html", context, status=422 if wrong else 200)


@login_required
@never_cache
@require_GET
def show(request: HttpRequest, number: int) -> HttpResponse:
    """Show exactly what would leave the house."""
    return _page(request, ticket_or_404(request.user, number, Right.WORK_TICKETS))


@login_required
@never_cache
@require_POST
def download(request: HttpRequest, number: int) -> HttpResponse:
    """Hand the packet out as text or as JSON; that it was taken along is recorded."""
    ticket = ticket_or_404(request.user, number, Right.WORK_TICKETS)
    content = packet(ticket)
    as_data = request.POST.get("format") == "json"
    body = json.dumps(as_json(content), ensure_ascii=False, indent=2) if as_data else as_text(content)
    note_taken(ticket=ticket, by=request.user)
    response = HttpResponse(body, content_type="application/json" if as_data else "text/plain; charset=utf-8")
    name = f"notetrace-ticket-{ticket.number}.{'json' if as_data else 'txt'}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@login_required
@never_cache
@require_POST
def mail(request: HttpRequest, number: int) -> HttpResponse:
    """Mail the packet."""
    ticket = ticket_or_404(request.user, number, Right.WORK_TICKETS)
    form = SendForm(request.POST)
    form.fields["contact"].queryset = Contact.objects.filter(integration=ticket.integration_id)
    if not form.is_valid():
        return _page(request, ticket, " ".join(form.errors["contact"]))
    contact = form.cleaned_data["contact"]
    try:
        mail_packet(ticket=ticket, contact=contact, by=request.user)
    except TicketError as refusal:
        return _page(request, ticket, str(refusal))
    messages.success(request, f"The packet is on its way to {contact}.")
    return redirect("tickets:ticket", ticket.number)
