"""Offer to undo what one form on a ticket's page changed: what it was is read under the ticket's lock, before."""

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from console.diagnoses.models import ChecklistItemState
from console.tickets.access import ticket_or_404
from console.tickets.models import Severity, Ticket, TicketNote, Undoable
from console.tickets.stamps import stamp
from console.tickets.undo import item_stamp, offer

View = Callable[..., HttpResponse]


def say(request: HttpRequest, text: str, undoable: Undoable | None) -> None:
    """Say what was done; the message carries the button that takes it back."""
    messages.success(request, text, extra_tags=f"undo {undoable.id}" if undoable is not None else "")


def undoable(kind: str) -> Callable[[View], View]:
    """Let a view's change of a ticket be taken back: `kind` is owner, severity, checklist or note_ended."""

    def around(view: View) -> View:
        @wraps(view)
        def act(request: HttpRequest, number: int, **more: Any) -> HttpResponse:
            seen = ticket_or_404(request.user, number)
            with transaction.atomic():
                rows = Ticket.objects.select_for_update(of=("self",)).select_related("owner")
                before = _state(kind, rows.get(pk=seen.pk), request, more)
                answer = view(request, number, **more)
                now = _state(kind, Ticket.objects.select_related("owner").get(pk=seen.pk), request, more)
                if before is not None and now is not None and _differ(before, now):
                    row = offer(user=request.user, kind=kind, before=[{**before, "stamp": now["stamp"]}])
                    say(request, _words(kind, number, request, now), row)
            return answer

        return act

    return around


def _differ(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return any(one[name] != other[name] for name in one if name not in ("stamp", "ticket", "at"))


def _state(kind: str, ticket: Ticket, request: HttpRequest, more: dict[str, Any]) -> dict[str, Any] | None:
    """Give what would be put back: ids and names of states only."""
    told: dict[str, Any] = {"ticket": str(ticket.pk), "stamp": stamp(ticket)}
    if kind == "owner":
        return {**told, "owner": str(ticket.owner_id) if ticket.owner_id else None}
    if kind == "severity":
        return {**told, "severity": ticket.severity}
    if kind == "note_ended":
        row = TicketNote.objects.filter(ticket=ticket, note_id=more["note_id"]).first()
        return None if row is None else {**told, "note": str(row.note_id), "end": row.end, "stamp": row.end}
    return {**told, **_item(ticket, request.POST.get("item", "")[:40])}


def _item(ticket: Ticket, item: str) -> dict[str, Any]:
    row = ChecklistItemState.objects.filter(ticket_id=ticket.id, item=item).first()
    if row is None:
        return {"item": item, "state": None, "answer": "", "by": None, "by_check": "", "at": None, "stamp": ""}
    return {
        "item": item, "state": row.state, "answer": row.answer, "by": str(row.by_id) if row.by_id else None,
        "by_check": row.by_check, "at": row.at.isoformat(), "stamp": item_stamp(row),
    }  # fmt: skip


def _words(kind: str, number: int, request: HttpRequest, now: dict[str, Any]) -> str:
    match kind:
        case "owner":
            if now["owner"] is None:
                return f"You have given ticket {number} back."
            if uuid.UUID(now["owner"]) == request.user.pk:
                return f"You have taken ticket {number}."
            owner = Ticket.objects.select_related("owner").get(pk=now["ticket"]).owner
            return f"Ticket {number} is given to {owner}."
        case "severity":
            return f"Severity of ticket {number}: {Severity(now['severity']).label}."
        case "note_ended":
            return f"Note of ticket {number}: {str(TicketNote.End(now['end']).label).lower()}."
    return f"Checklist of ticket {number} changed."
