"""The page that answers an edit which came too late: both versions side by side, and nothing that was typed is lost."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from console.accounts.models import User
from console.diagnoses.models import ChecklistItemState
from console.tickets.models import Severity, Ticket, TicketEvent, TicketNote, TicketState, WaitingFor
from console.tickets.moves import Collision
from console.tickets.states import NEXT
from diagnostics.checklists import ITEMS

Kind = TicketEvent.Kind

# Of each field: how the page calls it, the event that tells who changed it, and the form's name of the value.
_FIELDS: dict[str, tuple[str, Kind, str]] = {
    "state": ("State", Kind.STATE, "state"),
    "owner": ("Taken by", Kind.OWNER, "owner"),
    "severity": ("Severity", Kind.SEVERITY, "severity"),
    "title": ("Title", Kind.TITLE, "title"),
    "end": ("How the note ended", Kind.NOTE_ENDED, "end"),
    "item": ("Checklist item", Kind.CHECKLIST, "state"),
}
_TYPED = (("text", "Text"), ("note", "Note"), ("reason", "Reason"))
_PLUMBING = frozenset({"csrfmiddlewaretoken", "seen", "seen_version"})


@dataclass(frozen=True)
class CollisionPage:
    """Be both versions, who made the other one, and what can be done now."""

    ticket: Ticket
    says: str
    what: str
    before: str
    theirs: str
    mine: str
    by: str
    at: datetime | None
    typed: tuple[tuple[str, str], ...]
    action: str
    again: tuple[tuple[str, str], ...]
    refused: str


def answer_collision(request: HttpRequest, ticket: Ticket, refusal: Collision) -> HttpResponse:
    """Answer 409 with both versions; to htmx as well, which puts them in the place of the page."""
    ticket.refresh_from_db()
    response = render(request, "tickets/collision.html", {"page": _page(request, ticket, refusal)}, status=409)
    if getattr(request, "htmx", False):
        response["HX-Retarget"], response["HX-Reswap"] = "body", "innerHTML"
    return response


def _page(request: HttpRequest, ticket: Ticket, refusal: Collision) -> CollisionPage:
    what, kind, name = _FIELDS[refusal.field]
    mine = _mine(request, refusal.field, name)
    event = _last(request, ticket, refusal.field, kind)
    item = request.POST.get("item", "")
    kept = [(key, value) for key, value in request.POST.items() if key not in _PLUMBING]
    return CollisionPage(
        ticket=ticket,
        says=str(refusal),
        what=ITEMS[item].text if refusal.field == "item" and item in ITEMS else what,
        before=_words(refusal.field, request.POST.get("seen", "")) if "seen" in request.POST else "",
        theirs=_words(refusal.field, refusal.theirs),
        mine=_words(refusal.field, mine),
        by=str(event.by) if event and event.by else "NoteTrace" if event else "",
        at=event.at if event else None,
        typed=tuple((label, request.POST[key]) for key, label in _TYPED if request.POST.get(key)),
        action=request.path,
        again=(*kept, ("seen", refusal.theirs), ("seen_version", str(ticket.version))),
        refused=_refused(ticket, refusal.field, mine),
    )


def _mine(request: HttpRequest, field: str, name: str) -> str:
    if field == "owner" and name not in request.POST:
        return request.POST.get("to", str(request.user.pk))  # a handover; or the button “Take”
    value = request.POST.get(name, "")
    said = request.POST.get("answer", "")
    if field == "item" and said:
        return f"{value}:{said}"
    whom = request.POST.get("waiting_for", "")
    return f"{value}:{whom}" if field == "state" and value == TicketState.WAITING and whom else value


def _last(request: HttpRequest, ticket: Ticket, field: str, kind: Kind) -> TicketEvent | None:
    """Find who made the other version; of notes and items only the one in question."""
    events = ticket.events.filter(kind=kind).select_related("by")
    match = request.resolver_match
    note_id = match.kwargs.get("note_id") if match else None
    if field == "end" and isinstance(note_id, uuid.UUID):
        events = events.filter(reference=note_id)
    if field == "item":
        item = request.POST.get("item", "")
        events = events.filter(Q(before=item) | Q(before__startswith=f"{item} "))
    return events.order_by("-at", "-id").first()


def _refused(ticket: Ticket, field: str, mine: str) -> str:
    state = mine.partition(":")[0]
    if field != "state" or state == ticket.state or state in NEXT[ticket.state]:
        return ""
    return f"A ticket that is “{ticket.get_state_display()}” cannot become “{_words('state', mine)}”."


def _words(field: str, value: str) -> str:
    match field:
        case "state":
            state, _, whom = value.partition(":")
            name = str(dict(TicketState.choices).get(state, state))
            waits = str(dict(WaitingFor.choices).get(whom, ""))
            return f"{name} on {waits if waits.startswith('EHR') else waits.lower()}" if waits else name
        case "owner":
            try:
                person = User.objects.filter(pk=value).first() if value else None
            except (ValueError, TypeError, ValidationError):
                person = None
            return str(person) if person else "Nobody"
        case "severity":
            return str(dict(Severity.choices).get(value, value))
        case "end":
            return str(dict(TicketNote.End.choices).get(value, value))
        case "item":
            state, _, said = value.partition(":")
            name = str(dict(ChecklistItemState.State.choices).get(state, state))
            return f"{name}, {said}" if said else name
    return value
