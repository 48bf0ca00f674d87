"""The packet for the vendor: look at it, take it along, mail it to a contact of the integration, look at old ones."""

import uuid

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from console.accounts.roles import Right
from console.integrations.models import Contact
from console.tickets.access import ticket_or_404
from console.tickets.models import PacketSending, Ticket
from console.tickets.moves import TicketError
from console.tickets.packet import packet
from console.tickets.packet_sending import FORMS, content_of, mail_packet, may_wait, take_along
from console.tickets.packet_text import as_text, text_of


class SendForm(forms.Form):
    """To whom, in which form, and whether the ticket then waits on the vendor."""

    contact = forms.ModelChoiceField(
        queryset=Contact.objects.none(),
        error_messages={"required": "Choose a contact.", "invalid_choice": "Choose one of the integration's contacts."},
    )
    format = forms.ChoiceField(
        choices=list(FORMS.items()),
        required=False,
        error_messages={"invalid_choice": "Take the packet along as PDF, text, JSON, or all three."},
    )
    wait = forms.BooleanField(required=False)

    def __init__(self, *args: object, ticket: Ticket, needs_contact: bool, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["contact"].queryset = _contacts(ticket)  # type: ignore[attr-defined]
        self.fields["contact"].required = needs_contact


def _contacts(ticket: Ticket) -> QuerySet[Contact]:
    return Contact.objects.filter(integration=ticket.integration_id).order_by("name", "id")


def _page(request: HttpRequest, ticket: Ticket, wrong: str = "", form: SendForm | None = None) -> HttpResponse:
    contacts = list(_contacts(ticket))
    wanted = str(request.POST.get("contact") or request.GET.get("contact") or "")
    contact = next((one for one in contacts if str(one.id) == wanted), contacts[0] if contacts else None)
    content = packet(ticket, contact=contact, by=request.user)
    context = {
        "ticket": ticket,
        "packet": content,
        "text": as_text(content),
        "contacts": contacts,
        "contact": contact,
        "may_wait": may_wait(ticket),
        "wait": form.data.get("wait") if form else True,
        "wrong": wrong,
    }
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
    """Hand the packet out; that it was taken along, and what it said, is kept."""
    ticket = ticket_or_404(request.user, number, Right.WORK_TICKETS)
    form = SendForm(request.POST, ticket=ticket, needs_contact=False)
    if not form.is_valid():
        return _page(request, ticket, _complaints(form), form)
    data = form.cleaned_data
    body, media, name = take_along(
        ticket=ticket, how=data["format"] or "zip", by=request.user, contact=data["contact"], wait=data["wait"]
    )
    response = HttpResponse(body, content_type=media)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@login_required
@never_cache
@require_POST
def mail(request: HttpRequest, number: int) -> HttpResponse:
    """Mail the packet."""
    ticket = ticket_or_404(request.user, number, Right.WORK_TICKETS)
    form = SendForm(request.POST, ticket=ticket, needs_contact=True)
    if not form.is_valid():
        return _page(request, ticket, _complaints(form), form)
    contact = form.cleaned_data["contact"]
    try:
        mail_packet(ticket=ticket, contact=contact, by=request.user, wait=form.cleaned_data["wait"])
    except TicketError as refusal:
        return _page(request, ticket, str(refusal), form)
    messages.success(request, f"The packet is on its way to {contact}.")
    return redirect("tickets:ticket", ticket.number)


@login_required
@never_cache
@require_GET
def sent(request: HttpRequest, number: int, sending_id: uuid.UUID) -> HttpResponse:
    """Show what a packet said when it was sent."""
    ticket = ticket_or_404(request.user, number, Right.WORK_TICKETS)
    sending = PacketSending.objects.filter(ticket=ticket, pk=sending_id).select_related("by").first()
    if sending is None:
        raise Http404("There is no such packet on this ticket.")
    text = text_of(content_of(sending))
    return render(request, "tickets/packet_sent.html", {"ticket": ticket, "sending": sending, "text": text})


def _complaints(form: SendForm) -> str:
    return " ".join(str(error) for errors in form.errors.values() for error in errors)
