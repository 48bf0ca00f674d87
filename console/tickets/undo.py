"""Take a change back for two minutes: what each ticket was before, put back where nobody has changed it since.

Only what stays within the console can be taken back. What reached an EHR, went out as mail, resolved or closed a
ticket is not offered: saying that it did not happen would be untrue.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from console.accounts.access import grants
from console.accounts.models import User
from console.accounts.roles import Right
from console.diagnoses.models import ChecklistItemState
from console.tickets.access import visible
from console.tickets.edits import assign, put_severity
from console.tickets.models import Ticket, TicketEvent, TicketNote, Undoable, Watcher
from console.tickets.moves import TicketError, write_event
from console.tickets.services import end_note
from console.tickets.stamps import stamp

OFFERED_FOR = timedelta(minutes=2)
KINDS = ("owner", "severity", "checklist", "note_ended", "watch")


@dataclass(frozen=True)
class Done:
    """Be what became of an undo: the tickets put back, and those left alone."""

    back: tuple[int, ...]
    left: tuple[int, ...]


def offer(*, user: User, kind: str, before: Sequence[dict[str, Any]]) -> Undoable:
    """Keep what some tickets were before a change, in the change's own transaction.

    Each of `before` holds the ticket's id, its stamp after the change, and what `kind` needs to put it back: ids and
    names of states only.
    """
    assert kind in KINDS
    return Undoable.objects.create(user=user, kind=kind, before=list(before))


@transaction.atomic
def undo(*, user: User, undoable_id: uuid.UUID) -> Done:
    """Put back what the person changed; a ticket that somebody changed since is left as it is now."""
    row = Undoable.objects.select_for_update().filter(pk=undoable_id, user=user).first()
    if row is None:
        raise TicketError("There is nothing to undo.")
    if row.used_at is not None:
        raise TicketError("This was undone already.")
    if timezone.now() - row.at > OFFERED_FOR:
        raise TicketError("Two minutes are over: change it by hand.")
    told = {uuid.UUID(one["ticket"]): one for one in row.before}
    seen = set(visible(user).filter(pk__in=told).values_list("pk", flat=True))
    works_at = grants(user).where(Right.WORK_TICKETS)
    back, left = [], []
    for ticket in Ticket.objects.select_for_update(of=("self",)).filter(pk__in=told).order_by("pk"):
        before = told[ticket.pk]
        may = ticket.pk in seen and ticket.facility_id in works_at
        if may and _unchanged(row.kind, ticket, before) and _put_back(row.kind, ticket, before, user):
            write_event(ticket, TicketEvent.Kind.UNDONE, user, after=row.kind)
            back.append(ticket.number)
        else:
            left.append(ticket.number)
    if not back:
        raise TicketError(_refusal(left))
    row.used_at = timezone.now()
    row.save(update_fields=["used_at"])
    return Done(tuple(sorted(back)), tuple(sorted(left)))


def _refusal(left: Iterable[int]) -> str:
    numbers = ", ".join(f"#{number}" for number in sorted(left)[:10])
    return f"Somebody changed this since ({numbers}), so it stays as it is now. Look again, then decide."


def _unchanged(kind: str, ticket: Ticket, before: dict[str, Any]) -> bool:
    """Tell whether what would be put back still is as the change left it.

    An item or a note's end is compared by itself: others may work on the rest of the ticket meanwhile.
    """
    if kind == "checklist":
        row = ChecklistItemState.objects.filter(ticket_id=ticket.id, item=before["item"]).first()
        return row is not None and item_stamp(row) == before["stamp"]
    if kind == "note_ended":
        note = TicketNote.objects.filter(ticket=ticket, note_id=before["note"]).first()
        return note is not None and note.end == before["stamp"]
    return kind == "watch" or stamp(ticket) == before["stamp"]


def item_stamp(row: ChecklistItemState) -> str:
    """Give the mark of a checklist item as it stands."""
    return f"{row.state} {row.by_id} {row.at.isoformat()}"


def _put_back(kind: str, ticket: Ticket, before: dict[str, Any], user: User) -> bool:
    match kind:
        case "owner":
            owner = User.objects.filter(pk=before["owner"], is_active=True).first() if before["owner"] else None
            if before["owner"] and owner is None:
                return False  # who had it has left
            try:
                with transaction.atomic():
                    assign(ticket=ticket, owner=owner, by=user)
            except TicketError:
                return False
        case "severity":
            put_severity(ticket, before["severity"], user)
        case "watch":
            return bool(Watcher.objects.filter(ticket=ticket, user_id=before["watcher"]).delete()[0])
        case "note_ended":
            row = TicketNote.objects.select_related("note").get(ticket=ticket, note_id=before["note"])
            end_note(ticket=ticket, note=row.note, end=before["end"], by=user)
        case "checklist":
            _put_item_back(ticket, before)
    return True


def _put_item_back(ticket: Ticket, before: dict[str, Any]) -> None:
    rows = ChecklistItemState.objects.filter(ticket_id=ticket.id, item=before["item"])
    if before["state"] is None:
        rows.delete()
        return
    row = rows.get()
    # What a person had written beside it lies in the item's own past, which is sealed; the change just made leaves it.
    past = (row.history or [{}])[-1]
    row.history = (row.history or [])[:-1] or None
    row.state, row.answer, row.by_check = before["state"], before["answer"], before["by_check"]
    row.by_id, row.at = before["by"], datetime.fromisoformat(before["at"])
    row.note = past.get("note") or None
    row.save()


def forget_old() -> int:
    """Drop what can no longer be taken back, a day later; give how many."""
    return Undoable.objects.filter(at__lt=timezone.now() - timedelta(days=1)).delete()[0]
