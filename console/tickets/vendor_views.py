"""Entering what a vendor answered."""

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from console.accounts.roles import Right
from console.tickets.access import ticket_or_404
from console.tickets.doing import do
from console.tickets.models import PacketSending
from console.tickets.vendor_answers import note_answer


class VendorAnswerForm(forms.Form):
    """An answer."""

    sending = forms.ModelChoiceField(
        queryset=PacketSending.objects.none(),
        required=False,
        error_messages={"invalid_choice": "Choose one of the packets of this ticket."},
    )
    case_number = forms.CharField(max_length=60, required=False)
    answered_at = forms.DateTimeField(
        required=False, error_messages={"invalid": "Enter when the answer came as date and time, or leave it empty."}
    )
    text = forms.CharField(max_length=20_000, required=False)
    go_on = forms.BooleanField(required=False)


@login_required
@never_cache
@require_POST
def answer(request: HttpRequest, number: int) -> HttpResponse:
    """Enter what the vendor answered."""
    ticket = ticket_or_404(request.user, number, Right.WORK_TICKETS)
    form = VendorAnswerForm(request.POST)
    form.fields["sending"].queryset = ticket.packets.defer("content")  # type: ignore[attr-defined]
    return do(
        request, ticket, form,
        lambda data: note_answer(
            ticket=ticket, by=request.user, text=data["text"], case_number=data["case_number"],
            sending=data["sending"], answered_at=data["answered_at"], go_on=data["go_on"],
        ),
        name="vendor_answer", back="vendor",
    )  # fmt: skip
