"""What people do to a resend: one plain form each, back to the resend afterwards."""

import hashlib
import uuid
from collections.abc import Callable

from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from console.accounts.access import grants, require
from console.accounts.roles import Right
from console.accounts.services import record
from console.resends import services
from console.resends.access import batch_or_404, item_or_404
from console.resends.models import ResendBatch
from console.resends.pages import BatchPage, Line, Panel
from console.tickets.access import ticket_or_404
from console.tickets.content import readable
from console.tickets.models import TicketEvent
from console.tickets.moves import write_event


@login_required
@never_cache
@require_POST
def prepare(request: HttpRequest, number: int) -> HttpResponse:
    """Find out what a resend of the ticket's waiting notes would send; nothing is sent."""
    ticket = ticket_or_404(request.user, number, Right.RESEND_NOTES)
    given = request.POST.get("key") or uuid.uuid4().hex
    key = hashlib.blake2b(f"{request.user.pk}:{ticket.pk}:{given}".encode(), digest_size=32).hexdigest()
    try:
        made = services.prepare(ticket=ticket, by=request.user, key=key)
    except services.ResendError as refusal:
        context = {"panel": Panel(ticket, request.user), "wrong": str(refusal)}
        return render(request, "resends/of_ticket.html", context, status=422)
    return redirect("resends:batch", made.pk)


@login_required
@never_cache
@require_POST
def start(request: HttpRequest, batch_id: uuid.UUID) -> HttpResponse:
    """Send what was prepared, or ask a second person for it."""
    held = batch_or_404(request.user, batch_id, Right.RESEND_NOTES)
    stops = request.POST.get("go_on_after_problems") != "yes"
    return _do(request, held, lambda: services.start(batch=held, by=request.user, stop_at_first_problem=stops))


@login_required
@never_cache
@require_POST
def decide(request: HttpRequest, batch_id: uuid.UUID) -> HttpResponse:
    """Approve a resend as the second person, or decline it; who asked for it may take it back."""
    held = batch_or_404(request.user, batch_id)
    if request.POST.get("decision") == "approve":
        require(request.user, Right.APPROVE_RESEND, held.facility_id)
        return _do(request, held, lambda: services.approve(batch=held, by=request.user))
    return _do(request, held, lambda: services.decline(batch=held, by=request.user))


@login_required
@never_cache
@require_POST
def steer(request: HttpRequest, batch_id: uuid.UUID) -> HttpResponse:
    """Pause a resend, let it go on, or stop it."""
    held = batch_or_404(request.user, batch_id)
    if not grants(request.user).has(Right.APPROVE_RESEND, held.facility_id):
        require(request.user, Right.RESEND_NOTES, held.facility_id)
    act = {"pause": services.pause, "go_on": services.go_on}.get(request.POST.get("do", ""), services.stop)
    return _do(request, held, lambda: act(batch=held, by=request.user))


@login_required
@never_cache
@require_POST
def look(request: HttpRequest, batch_id: uuid.UUID, item_id: uuid.UUID) -> HttpResponse:
    """Look at the EHR again for a note that is not certain; only reads are made."""
    held = batch_or_404(request.user, batch_id, Right.RESEND_NOTES)
    item = item_or_404(held, item_id)
    return _do(request, held, lambda: services.look_again(item=item, by=request.user))


@login_required
@never_cache
@require_POST
def content(request: HttpRequest, batch_id: uuid.UUID, item_id: uuid.UUID) -> HttpResponse:
    """Show exactly what would be sent of a note; that the person saw it is recorded first."""
    held = batch_or_404(request.user, batch_id, Right.OPEN_PAYLOAD)
    item = item_or_404(held, item_id)
    with transaction.atomic():
        detail = {"ticket": held.ticket.number, "resend": str(held.pk)}
        record(by=request.user, action="payload.opened", subject=item.note, facility=held.facility_id, detail=detail)
        write_event(held.ticket, TicketEvent.Kind.PAYLOAD_OPENED, request.user, reference=item.note_id)
    context = {"batch": held, "line": Line(item), "body": readable(item.body)}
    return render(request, "resends/content.html", context)


def _do(request: HttpRequest, held: ResendBatch, act: Callable[[], object]) -> HttpResponse:
    """Call one service and show the resend again; with 422 where that was not possible."""
    try:
        act()
    except services.ResendError as refusal:
        page = BatchPage(batch_or_404(request.user, held.pk), request.user)
        page.wrong = str(refusal)
        return render(request, "resends/batch.html", {"page": page}, status=422)
    return redirect("resends:batch", held.pk)
