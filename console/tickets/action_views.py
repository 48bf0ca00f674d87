"""Start what a remedy's step can have done by the console: one plain form each, back to the ticket afterwards."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from console.accounts.roles import Right
from console.tickets import acting
from console.tickets.access import ticket_or_404
from console.tickets.confirming import BeforeAndAfter
from console.tickets.models import TicketAction
from console.tickets.moves import TicketError


class ActionForm(forms.Form):
    """What is to be done, and from where."""

    kind = forms.ChoiceField(choices=TicketAction.Kind.choices)
    segment = forms.SlugField(max_length=30, required=False)


@login_required
@never_cache
@require_POST
def start(request: HttpRequest, number: int) -> HttpResponse:
    """Start one thing; its outcome appears on the ticket by itself."""
    ticket = ticket_or_404(request.user, number, Right.RUN_DIAGNOSIS)
    form = ActionForm(request.POST)
    try:
        if not form.is_valid():
            raise TicketError("The console cannot do that.")
        acting.start(
            ticket=ticket, kind=form.cleaned_data["kind"], by=request.user, segment=form.cleaned_data["segment"]
        )
    except TicketError as refusal:
        messages.warning(request, str(refusal))
    return redirect(reverse("tickets:ticket", args=[number]) + "#actions")


@login_required
@never_cache
@require_GET
def before_and_after(request: HttpRequest, number: int) -> HttpResponse:
    """Show what had failed beside what a diagnosis after the fix says of it."""
    ticket = ticket_or_404(request.user, number)
    return render(request, "tickets/before_and_after.html", {"page": BeforeAndAfter(ticket)})
