"""Failures alike: the list, one group, and one ticket for all of a group's notes."""

import hashlib
import uuid
from datetime import datetime

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from console.accounts.access import grants, require
from console.accounts.roles import Right
from console.integrations.models import Integration
from console.notes.models import Note
from console.tickets.moves import TicketError
from console.worklist import services
from console.worklist.access import require_sight, scope, scope_of
from console.worklist.failures import FAILING, MOST_NOTES, GroupKey, Narrowing, Span, note_ids
from console.worklist.failures_page import failures_page, group_page, read_asked
from console.worklist.words import cause


@login_required
@never_cache
@require_GET
def failures(request: HttpRequest) -> HttpResponse:
    """Show failures by what they have in common."""
    require_sight(request)
    page = failures_page(request.user, scope(request), request.GET)
    return render(request, "worklist/failures.html", {"page": page})


@login_required
@never_cache
@require_GET
def group(request: HttpRequest, integration_id: uuid.UUID, mode: str, digest: str) -> HttpResponse:
    """Show one group: how many, since when, whom it touches."""
    one, key = _key_or_404(request, integration_id, mode, digest)
    page = group_page(request.user, scope_of(request.user, frozenset({one.facility_id})), key, request.GET)
    return render(request, "worklist/group.html", {"page": page})


@login_required
@never_cache
@require_POST
def group_ticket(request: HttpRequest, integration_id: uuid.UUID, mode: str, digest: str) -> HttpResponse:
    """Bring the group's waiting notes, as the page counted them, onto one ticket."""
    one, key = _key_or_404(request, integration_id, mode, digest)
    require(request.user, Right.WORK_TICKETS, one.facility_id)
    place = scope_of(request.user, frozenset({one.facility_id}))
    asked, _kept = read_asked(place, {"period": request.POST.get("period", "")}, timezone.now())
    since, until = _moment(request.POST.get("since", "")), _moment(request.POST.get("until", ""))
    if since is not None and until is not None:  # what failed after the page was made has nobody seen counted
        asked = Narrowing(place, Span(since, until, 1))
    ids = [note for _, note in note_ids(asked, key, only_waiting=True, limit=MOST_NOTES)]
    notes = list(Note.objects.filter(id__in=ids).select_related("department", "integration").order_by("id"))
    if not notes:
        messages.error(request, "None of these notes waits any more.")
        return redirect("worklist:group", integration_id, mode, digest)
    rows = Note.objects.filter(id=notes[0].id).values_list(
        "trace__status", "trace__ack", "trace__signature", "trace__broke_at"
    )
    headline = cause(mode, *rows[0]).headline
    try:
        ticket, came, left = services.one_ticket(notes=notes, by=request.user, key=_once(request), cause=headline)
    except TicketError as refusal:
        messages.error(request, str(refusal))
        return redirect("worklist:group", integration_id, mode, digest)
    noun = "note is" if came == 1 else "notes are"
    said = f"{came} {noun} on this ticket now." if came else "All these notes were on this ticket already."
    if left:
        said += f" {left} of a restricted department stayed out, or nobody else could see the ticket."
    messages.success(request, said)
    return redirect("tickets:ticket", ticket.number)


def _once(request: HttpRequest) -> str:
    """Bind the form's key to the person, so that a double click opens one ticket and nobody names another's."""
    given = request.POST.get("key") or uuid.uuid4().hex
    return hashlib.blake2b(f"{request.user.pk}:{given}".encode(), digest_size=32).hexdigest()


def _key_or_404(
    request: HttpRequest, integration_id: uuid.UUID, mode: str, digest: str
) -> tuple[Integration, GroupKey]:
    seen = grants(request.user).where(Right.SEE_TICKETS)
    one = Integration.objects.filter(pk=integration_id, facility__in=seen).first()
    if one is None or mode not in FAILING:
        raise Http404("There are no such failures.")
    return one, GroupKey(integration_id, mode, digest)


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
