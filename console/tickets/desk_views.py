"""The people around a ticket: watching, who looks, handing over, telling the provider, drafts."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from console.accounts.access import grants
from console.accounts.models import User
from console.accounts.roles import Right
from console.shared.idle import polled
from console.tickets import drafts, handover, presence, watching
from console.tickets.access import ticket_or_404
from console.tickets.collisions import answer_collision
from console.tickets.models import Ticket, TicketEvent
from console.tickets.moves import Collision, TicketError, write_event
from console.tickets.people import colleagues, working_beside
from console.tickets.people_page import PeoplePage
from console.tickets.provider_text import provider_text

Kind = TicketEvent.Kind


@login_required
@never_cache
@require_POST
def watch(request: HttpRequest, number: int) -> HttpResponse:
    """Watch a ticket, with mails or without, or stop watching."""
    ticket = ticket_or_404(request.user, number)
    if request.POST.get("watch") == "no":
        watching.unwatch(ticket=ticket, by=request.user)
    else:
        watching.watch(ticket=ticket, by=request.user, by_mail=request.POST.get("mail") != "no")
    return redirect("tickets:ticket", number)


@polled
@login_required
@never_cache
@require_GET
def present(request: HttpRequest, number: int) -> HttpResponse:
    """Note that the page is still open, and tell who else has it open."""
    ticket = ticket_or_404(request.user, number)
    presence.touch(ticket=ticket, user=request.user)
    return render(request, "tickets/_present.html", {"ticket": ticket, "here": PeoplePage(ticket, request.user).here})


# -- handing over --------------------------------------------------------------------------------------------------


class HandoverForm(forms.Form):
    """What is said, and who goes on."""

    text = forms.CharField(max_length=20_000, error_messages={"required": "There is nothing in the handover."})
    to = forms.ModelChoiceField(
        queryset=User.objects.none(),
        required=False,
        error_messages={"invalid_choice": "Choose one of the people listed."},
    )
    seen = forms.CharField(max_length=40, required=False)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def hand_over(request: HttpRequest, number: int) -> HttpResponse:
    """Sum a ticket up; keep what is said and give it to the next person."""
    ticket = ticket_or_404(request.user, number, Right.WORK_TICKETS)
    people = colleagues(ticket)
    form = HandoverForm(request.POST if request.method == "POST" else None)
    form.fields["to"].queryset = people
    if request.method == "POST":
        if form.is_valid():
            to = form.cleaned_data["to"]
            try:
                handover.hand_over(
                    ticket=ticket, by=request.user, text=form.cleaned_data["text"], to=to,
                    seen=form.cleaned_data["seen"] if "seen" in request.POST else None,
                )  # fmt: skip
            except Collision as refusal:
                _keep_draft(request, ticket)
                return answer_collision(request, ticket, refusal)
            except TicketError as refusal:
                form.add_error(None, str(refusal))
            else:
                drafts.discard(user=request.user, ticket=ticket, place="handover")
                messages.success(request, f"Ticket {number} was handed over{f' to {to}' if to else ''}.")
                return redirect(reverse("tickets:ticket", args=[number]) + "#activity")
        _keep_draft(request, ticket)
    told = handover.summary(ticket)
    draft = drafts.kept(request.user, ticket).get("handover")
    context = {"ticket": ticket, "told": told, "form": form, "people": people, "draft": draft}
    return render(request, "tickets/handover.html", context, status=422 if form.errors else 200)


def _keep_draft(request: HttpRequest, ticket: Ticket) -> None:
    drafts.keep(user=request.user, ticket=ticket, place="handover", text=request.POST.get("text", ""))


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def hand_over_shift(request: HttpRequest) -> HttpResponse:
    """Show all of one's open tickets on a page, and give those listed to one colleague."""
    if not grants(request.user).where(Right.WORK_TICKETS):
        raise PermissionDenied("Your role does not work on tickets.")
    mine = handover.mine_open(request.user)
    people = working_beside(request.user)
    wrong = ""
    if request.method == "POST":
        listed = set(request.POST.getlist("ticket"))
        chosen = [ticket for ticket in mine if str(ticket.number) in listed]
        to = people.filter(pk=request.POST["to"]).first() if _is_id(request.POST.get("to", "")) else None
        if to is None:
            wrong = "Choose the colleague who goes on."
        elif not chosen:
            wrong = "Choose at least one ticket that is still yours."
        else:
            done = handover.hand_over_shift(
                tickets=chosen, by=request.user, to=to, text=request.POST.get("text", "")[:5000]
            )
            noun = "ticket was" if done.given == 1 else "tickets were"
            messages.success(request, f"{done.given} {noun} handed over to {to}.")
            for number, why in done.kept:
                messages.warning(request, f"Ticket {number} stays with you: {why}")
            return redirect("tickets:queue")
    context = {"told": handover.summaries(mine), "people": people, "wrong": wrong}
    return render(request, "tickets/shift.html", context, status=422 if wrong else 200)


def _is_id(text: str) -> bool:
    try:
        User._meta.pk.to_python(text)
    except forms.ValidationError:
        return False
    return bool(text)


# -- the provider --------------------------------------------------------------------------------------------------


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def tell_provider(request: HttpRequest, number: int) -> HttpResponse:
    """Show the ready text for the provider, and keep that he was told."""
    ticket = ticket_or_404(request.user, number, Right.WORK_TICKETS)
    if request.method == "POST":
        write_event(ticket, Kind.PROVIDER_TOLD, request.user)
        messages.success(request, "It is noted that the provider was told.")
        return redirect(reverse("tickets:ticket", args=[number]) + "#activity")
    text = provider_text(
        mode=ticket.failure_mode,
        state=ticket.state,
        waiting_for=ticket.waiting_for,
        ends=list(ticket.ticket_notes.values_list("end", flat=True)),
        wrong_patient=ticket.severity == "a_wrong_patient",
    )
    told = ticket.events.filter(kind=Kind.PROVIDER_TOLD).select_related("by").order_by("-at", "-id").first()
    return render(request, "tickets/provider.html", {"ticket": ticket, "text": text, "told": told})


# -- drafts --------------------------------------------------------------------------------------------------------


@login_required
@never_cache
@require_POST
def keep_draft(request: HttpRequest, number: int | None = None) -> HttpResponse:
    """Keep what somebody is typing; answered without a page."""
    ticket = _ticket_of_draft(request, number)
    place, text = request.POST.get("place", ""), request.POST.get("text", "")
    if place not in drafts.places():
        return HttpResponseBadRequest("No draft is kept for this form.")
    if len(text) > drafts.LIMIT:
        return HttpResponse("This text is too long to be kept as a draft.", status=413)
    drafts.keep(user=request.user, ticket=ticket, place=place, text=text)
    return HttpResponse(status=204)


@login_required
@never_cache
@require_POST
def discard_draft(request: HttpRequest, number: int | None = None) -> HttpResponse:
    """Forget a draft and show the form empty."""
    ticket = _ticket_of_draft(request, number)
    place = request.POST.get("discard", "")
    drafts.discard(user=request.user, ticket=ticket, place=place)
    return redirect(drafts.page_of(place, number))


def _ticket_of_draft(request: HttpRequest, number: int | None) -> Ticket | None:
    if number is not None:
        return ticket_or_404(request.user, number, Right.WORK_TICKETS)
    if not grants(request.user).where(Right.WORK_TICKETS):
        raise PermissionDenied("Your role does not work on tickets.")
    return None
