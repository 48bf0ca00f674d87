"""One note: its page, its raw rows, its text beside the chart, a ticket for it."""

import hashlib
import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from console.accounts.roles import Right
from console.accounts.services import record
from console.notes.correlation.asked import tell_again
from console.tickets.compare_views import comparison_of, lines_of
from console.tickets.moves import TicketError
from console.worklist import services
from console.worklist.access import note_or_404, orphan_or_404
from console.worklist.note_page import NotePage
from console.worklist.raw_rows import open_orphan_rows, open_rows
from console.worklist.words import cause


@login_required
@never_cache
@require_GET
def note(request: HttpRequest, note_id: uuid.UUID) -> HttpResponse:
    """Show what became of a note, as far as any row that has come tells."""
    shown = note_or_404(request.user, note_id)
    if tell_again(shown):
        shown = note_or_404(request.user, note_id)
    page = NotePage(shown, request.user)
    return render(request, "worklist/note.html", {"page": page})


@login_required
@never_cache
@require_POST
def rows(request: HttpRequest, note_id: uuid.UUID) -> HttpResponse:
    """Show a note's rows as they came; that the person saw them is recorded."""
    shown = note_or_404(request.user, note_id, Right.OPEN_PAYLOAD)
    page = NotePage(shown, request.user)
    found = open_rows(note=shown, told=page.told, by=request.user)
    ids = {"Note": shown.external_id, **_named(shown.identifiers or {})}
    return render(request, "worklist/rows.html", {"page": page, "rows": found, "ids": ids})


@login_required
@never_cache
@require_POST
def compare(request: HttpRequest, note_id: uuid.UUID) -> HttpResponse:
    """Show what was sent beside what the chart holds; that the person saw both is recorded first."""
    shown = note_or_404(request.user, note_id, Right.OPEN_PAYLOAD)
    record(by=request.user, action="payload.opened", subject=shown, facility=shown.facility_id)
    comparison = comparison_of(shown)
    context = {"page": NotePage(shown, request.user), "comparison": comparison, "lines": lines_of(comparison)}
    return render(request, "worklist/compare.html", context)


@login_required
@never_cache
@require_POST
def orphan_rows(request: HttpRequest, trace_id: uuid.UUID) -> HttpResponse:
    """Show the rows of a document that only the EHR knows; recorded as well."""
    trace = orphan_or_404(request.user, trace_id, Right.OPEN_PAYLOAD)
    found = open_orphan_rows(trace=trace, by=request.user)
    return render(request, "worklist/rows.html", {"orphan": trace, "rows": found})


@login_required
@never_cache
@require_POST
def open_ticket(request: HttpRequest, note_id: uuid.UUID) -> HttpResponse:
    """Open a ticket for a note, or go to the open one that holds it."""
    shown = note_or_404(request.user, note_id, Right.WORK_TICKETS)
    headline = ""
    if hasattr(shown, "trace"):
        one = shown.trace
        headline = cause(one.failure_mode, one.status, one.ack, one.signature, one.broke_at).headline
    given = request.POST.get("key") or uuid.uuid4().hex
    key = hashlib.blake2b(f"{request.user.pk}:{given}".encode(), digest_size=32).hexdigest()
    try:
        ticket, came, _left = services.one_ticket(notes=[shown], by=request.user, key=key, cause=headline)
    except TicketError as refusal:
        messages.error(request, str(refusal))
        return redirect("worklist:note", note_id)
    if not came:
        messages.info(request, "This open ticket holds the note already.")
    return redirect("tickets:ticket", ticket.number)


def _named(ids: dict[str, str]) -> dict[str, str]:
    names = {"encounter_id": "Encounter", "transaction_id": "Transaction", "patient_id": "Patient"}
    return {name: str(ids[key]) for key, name in names.items() if ids.get(key)}
