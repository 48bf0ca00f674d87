"""What was pasted or reported when a ticket was opened: somebody's own words, which may name a patient.

They are masked as a note's content is: opened by who has the right, each opening recorded.
"""

from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from console.accounts.access import require
from console.accounts.models import User
from console.accounts.roles import Right
from console.accounts.services import record
from console.tickets.access import ticket_or_404
from console.tickets.content import readable
from console.tickets.models import Ticket, TicketEvent
from console.tickets.moves import write_event
from console.tickets.related import related


@transaction.atomic
def open_told(*, ticket: Ticket, by: User) -> list[tuple[str, str]]:
    """Give what was told, each under a heading, and record that the person saw it."""
    require(by, Right.OPEN_PAYLOAD, ticket.facility_id)
    found = []
    for report in related(by, ticket).reports:
        who = report.source.name if report.source else f"{report.by}, by mail"
        found.append((f"Reported by {who}", report.text or ""))
    if not found and ticket.pasted:
        found.append(("Pasted when it was opened", readable(ticket.pasted.encode()) or ""))
    record(by=by, action="told.opened", subject=ticket, facility=ticket.facility_id, detail={"ticket": ticket.number})
    write_event(ticket, TicketEvent.Kind.PAYLOAD_OPENED, by)
    return found


@login_required
@never_cache
@require_POST
def told(request: HttpRequest, number: int) -> HttpResponse:
    """Show what was told to somebody with the right."""
    ticket = ticket_or_404(request.user, number, Right.OPEN_PAYLOAD)
    found = open_told(ticket=ticket, by=request.user)
    return render(request, "tickets/told.html", {"ticket": ticket, "told": found})
