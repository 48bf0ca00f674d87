"""Merge a ticket into another, split notes off, link it to a parent incident: one page, one plain form each."""

import hashlib
import uuid
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from console.accounts.models import User
from console.accounts.roles import Right
from console.tickets import merging, parents
from console.tickets.access import ticket_or_404, visible
from console.tickets.models import OPEN_STATES, Ticket
from console.tickets.moves import TicketError
from console.tickets.note_lines import NoteLines, note_lines
from console.tickets.related import Related, related
from console.tickets.splitting import split as split_off

OFFERED = 20
_NUMBER = "Write the number of a ticket that you can work on, such as 1042."


@dataclass(frozen=True)
class OrganisePage:
    """Be everything on the page; `plan` is the merge that was asked about."""

    ticket: Ticket
    notes: NoteLines
    related: Related
    offered: list[Ticket]
    plan: merging.Plan | None
    wrong: str
    key: str


@login_required
@never_cache
@require_GET
def organise(request: HttpRequest, number: int) -> HttpResponse:
    """Show what can be done, and with `?into=` what a merge would do."""
    ticket = ticket_or_404(request.user, number, Right.WORK_TICKETS)
    wrong, plan = "", None
    if asked := request.GET.get("into", "").strip():
        other = _other(request.user, asked)
        wrong, plan = ("", merging.plan(ticket, other)) if other else (_NUMBER, None)
    return _page(request, ticket, wrong=wrong, plan=plan)


@login_required
@never_cache
@require_POST
def merge(request: HttpRequest, number: int) -> HttpResponse:
    """Merge this ticket into another, and go there."""
    ticket = ticket_or_404(request.user, number, Right.WORK_TICKETS)
    into = _other(request.user, request.POST.get("into", ""))
    if into is None:
        return _page(request, ticket, wrong=_NUMBER)
    try:
        merging.merge(ticket=ticket, into=into, by=request.user)
    except TicketError as refusal:
        return _page(request, ticket, wrong=str(refusal))
    messages.success(request, f"Ticket {ticket.number} went into this one. Its number leads here from now on.")
    return redirect("tickets:ticket", into.number)


@login_required
@never_cache
@require_POST
def split(request: HttpRequest, number: int) -> HttpResponse:
    """Take the chosen notes onto a new ticket, and go there."""
    ticket = ticket_or_404(request.user, number, Right.WORK_TICKETS)
    given = request.POST.get("key") or uuid.uuid4().hex
    key = hashlib.blake2b(f"{request.user.pk}:{given}".encode(), digest_size=32).hexdigest()
    chosen = [found for word in request.POST.getlist("note")[:500] if (found := _uuid(word))]
    try:
        new = split_off(ticket=ticket, note_ids=chosen, by=request.user, key=key)
    except TicketError as refusal:
        return _page(request, ticket, wrong=str(refusal))
    messages.success(request, "These notes are on a ticket of their own now; its diagnosis is under way.")
    return redirect("tickets:ticket", new.number)


@login_required
@never_cache
@require_POST
def parent(request: HttpRequest, number: int) -> HttpResponse:
    """Make the ticket part of an incident, or with an empty number of none."""
    ticket = ticket_or_404(request.user, number, Right.WORK_TICKETS)
    asked = request.POST.get("parent", "").strip()
    above = _other(request.user, asked) if asked else None
    if asked and above is None:
        return _page(request, ticket, wrong=_NUMBER)
    try:
        if above is None:
            parents.unlink(ticket=ticket, by=request.user)
        else:
            parents.link(ticket=ticket, parent=above, by=request.user)
    except TicketError as refusal:
        return _page(request, ticket, wrong=str(refusal))
    said = f"The ticket is part of ticket {above.number} now." if above else "The ticket is part of no incident now."
    messages.success(request, said)
    return redirect("tickets:ticket", ticket.number)


@login_required
@never_cache
@require_POST
def fix_children(request: HttpRequest, number: int) -> HttpResponse:
    """Move the parts of an incident that were shown to “fixed, to be confirmed”."""
    ticket = ticket_or_404(request.user, number, Right.WORK_TICKETS)
    shown = {found for word in request.POST.get("children", "").split()[:500] if (found := _uuid(word))}
    moved = parents.fix_children(ticket=ticket, ids=shown, by=request.user)
    noun = "ticket is" if moved == 1 else "tickets are"
    messages.success(request, f"{moved} {noun} “fixed, to be confirmed” now." if moved else "None of them could move.")
    return redirect("tickets:ticket", ticket.number)


def _page(request: HttpRequest, ticket: Ticket, *, wrong: str = "", plan: merging.Plan | None = None) -> HttpResponse:
    ticket.refresh_from_db()
    mine = visible(request.user, Right.WORK_TICKETS).filter(state__in=OPEN_STATES, integration=ticket.integration_id)
    page = OrganisePage(
        ticket=ticket,
        notes=note_lines(ticket, request.GET.get("notes", "")),
        related=related(request.user, ticket),
        offered=list(mine.exclude(pk=ticket.pk).order_by("-opened_at", "-id")[:OFFERED]),
        plan=plan,
        wrong=wrong,
        key=uuid.uuid4().hex,
    )
    return render(request, "tickets/organise.html", {"page": page}, status=422 if wrong else 200)


def _other(user: User, asked: str) -> Ticket | None:
    """Give a ticket that the person works on by its number, with or without a #."""
    word = asked.strip().removeprefix("#")
    if not word.isascii() or not word.isdecimal() or len(word) > 9:
        return None
    rows = visible(user, Right.WORK_TICKETS).select_related("integration", "facility", "merged_into", "parent")
    return rows.filter(number=int(word)).first()


def _uuid(word: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(word)
    except ValueError:
        return None
