"""A note as it was sent beside what the chart holds: for people who may open payloads, made when they ask for it."""

import uuid

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from console.accounts.roles import Right
from console.diagnoses.cases import build_case
from console.notes.models import Note
from console.tickets import services
from console.tickets.access import ticket_or_404
from console.tickets.models import Ticket
from diagnostics.evidence.side_by_side import Comparison, State, compare
from diagnostics.gather import read_parts
from diagnostics.remembering import forget

# the pill's colour and icon for each state; words carry the meaning
LOOKS = {
    State.SAME: ("ok", "check"),
    State.ADDED: ("", "plus"),
    State.UNSEEN: ("", "help-circle"),
    State.MOVED: ("bad", "arrow-right"),
    State.MERGED: ("bad", "arrow-right"),
    State.OVERWRITTEN: ("bad", "x"),
    State.LOST: ("bad", "x"),
    State.CUT: ("bad", "x"),
    State.CHANGED: ("warn", "alert-triangle"),
}


@login_required
@never_cache
@require_POST
def show(request: HttpRequest, number: int, note_id: uuid.UUID) -> HttpResponse:
    """Show both texts by section; that the person saw them is recorded first."""
    ticket = ticket_or_404(request.user, number, Right.OPEN_PAYLOAD)
    row = ticket.ticket_notes.select_related("note__integration", "note__department").filter(note_id=note_id).first()
    if row is None:
        raise Http404("There is no such note on this ticket.")
    services.open_payload(ticket=ticket, note=row.note, by=request.user)
    comparison = comparison_of(row.note, ticket)
    context = {"ticket": ticket, "row": row, "comparison": comparison, "lines": lines_of(comparison)}
    return render(request, "tickets/compare.html", context)


def lines_of(comparison: Comparison) -> list[dict[str, object]]:
    """Give the sections as the page's fragment shows them."""
    return [
        {"row": line, "look": LOOKS[line.state], "percent": None if line.share is None else round(100 * line.share),
         "label": comparison.labels.get(line.held_in or "", "")}
        for line in comparison.rows
    ]  # fmt: skip


def comparison_of(note: Note, ticket: Ticket | None = None) -> Comparison:
    """Work the comparison out from what is sealed, and a ticket's answers; nothing of it is kept."""
    case = build_case(integration=note.integration, note=note, ticket_id=ticket.id if ticket else None, offline=True)
    try:
        return compare(read_parts(case))
    finally:
        forget()
