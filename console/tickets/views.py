"""The opening of a ticket, and the ticket page with its live fragment."""

import base64
import hashlib
import io
import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from console.accounts.access import grants
from console.accounts.roles import Right
from console.shared.idle import polled
from console.tickets import drafts, presence
from console.tickets.access import attachment_or_404, current, ticket_or_404
from console.tickets.forms import OpenForm
from console.tickets.listed import nearby
from console.tickets.moves import TicketError
from console.tickets.opening import Opening, integrations_for, join_from, look, open_from
from console.tickets.pages import TicketPage


@login_required
@never_cache
@require_GET
def ticket(request: HttpRequest, number: int) -> HttpResponse:
    """Show one ticket; the number of one that went into another leads there, `?as=was` shows what it was."""
    shown = ticket_or_404(request.user, number)
    into = current(request.user, shown)
    if into.pk != shown.pk and request.GET.get("as") != "was":
        messages.info(request, f"Ticket {number} went into this one, so you were led here.")
        return redirect("tickets:ticket", into.number)
    presence.touch(ticket=shown, user=request.user)
    page = TicketPage(shown, request.user, notes_page=request.GET.get("notes", ""))
    return render(request, "tickets/ticket.html", {"page": page, "nearby": nearby(request, number)})


@polled
@login_required
@never_cache
@require_GET
def live(request: HttpRequest, number: int) -> HttpResponse:
    """Give the part of a ticket that changes; while a run goes on it asks again by itself."""
    shown = ticket_or_404(request.user, number)
    count = request.GET.get("n", "")
    times = int(count) if count.isdecimal() and len(count) < 7 else 0
    page = TicketPage(shown, request.user, polled=times, notes_page=request.GET.get("notes", ""))
    return render(request, "tickets/_live.html", {"page": page})


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def open_ticket(request: HttpRequest) -> HttpResponse:
    """Recognise what is pasted, show what matches, then open one ticket however often the button is pressed."""
    if not grants(request.user).where(Right.WORK_TICKETS):
        raise PermissionDenied("Your role does not open tickets. Ask your facility's administrator.")
    integrations = integrations_for(request.user)
    if not integrations.exists():
        return render(request, "tickets/no_integration.html", status=200 if request.method == "GET" else 422)
    if request.method == "GET":
        draft = drafts.kept(request.user, None).get("open")
        return render(request, "tickets/open.html", {"form": OpenForm(), "key": uuid.uuid4().hex, "draft": draft})
    form = OpenForm(request.POST, request.FILES)
    form.fields["integration"].queryset = integrations
    context = {"form": form, "key": request.POST.get("key") or uuid.uuid4().hex}
    valid = form.is_valid()
    if form.cleaned_data.get("pasted"):
        context["opening"] = opening = look(request.user, form.cleaned_data["pasted"])
        context["pasted"] = form.cleaned_data["pasted"]
        context["raw"] = base64.b64encode(form.cleaned_data.get("content") or b"").decode()
    if request.htmx:
        return render(request, "tickets/_recognised.html", context)
    if not valid:
        return render(request, "tickets/open.html", context, status=422)
    if joins := request.POST.get("join", ""):
        return _join(request, joins, opening, form, context)
    if request.POST.get("step") != "open":
        return render(request, "tickets/open.html", context)
    integration = form.cleaned_data["integration"] or opening.integration
    if integration is None or integration not in opening.integrations:
        form.add_error("integration", "Choose the integration through which the note was sent.")
        return render(request, "tickets/open.html", context, status=422)
    drafts.discard(user=request.user, ticket=None, place="open")
    made = open_from(
        opening=opening,
        integration=integration,
        text=form.cleaned_data["pasted"],
        by=request.user,
        key=_key(request, form.cleaned_data["key"]),
        content=form.cleaned_data["content"],
    )
    return redirect("tickets:ticket", made.number)


def _join(
    request: HttpRequest, number: str, opening: Opening, form: OpenForm, context: dict[str, object]
) -> HttpResponse:
    """Join what was pasted to one of the tickets that were shown."""
    ticket = ticket_or_404(request.user, int(number) if number.isdecimal() else 0, Right.WORK_TICKETS)
    data = form.cleaned_data
    try:
        said = join_from(opening=opening, ticket=ticket, text=data["pasted"], by=request.user, content=data["content"])
    except TicketError as refusal:
        form.add_error("pasted", str(refusal))
        return render(request, "tickets/open.html", context, status=422)
    drafts.discard(user=request.user, ticket=None, place="open")
    messages.success(request, said)
    return redirect("tickets:ticket", ticket.number)


def _key(request: HttpRequest, given: str) -> str:
    """Bind the form's key to the person, so that nobody can name another's."""
    return hashlib.blake2b(f"{request.user.pk}:{given or uuid.uuid4().hex}".encode(), digest_size=32).hexdigest()


@login_required
@never_cache
@require_GET
def attachment(request: HttpRequest, number: int, attachment_id: uuid.UUID) -> HttpResponse:
    """Hand out a file of a ticket; never shown in the page, because it is somebody else's content."""
    file = attachment_or_404(request.user, number, attachment_id)
    response = FileResponse(io.BytesIO(file.content), as_attachment=True, filename=file.name)
    response["Content-Type"] = "application/octet-stream"
    return response
