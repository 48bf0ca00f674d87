"""A parent incident and the tickets that are part of it: one level, linked and unlinked by people."""

import uuid
from collections.abc import Collection

from django.db import transaction
from django.db.models import QuerySet

from console.accounts.access import require
from console.accounts.models import User
from console.accounts.roles import Right
from console.tickets.access import visible
from console.tickets.edits import change_state
from console.tickets.merging import lock
from console.tickets.models import OPEN_STATES, Ticket, TicketEvent, TicketState
from console.tickets.moves import TicketError, change, state_of, write_event
from console.tickets.states import NEXT

Kind = TicketEvent.Kind


@transaction.atomic
def link(*, ticket: Ticket, parent: Ticket, by: User) -> None:
    """Make a ticket part of an incident, of this facility or another; linking it again changes nothing."""
    for one in (ticket, parent):
        require(by, Right.WORK_TICKETS, one.facility_id)
    held = lock(ticket, parent)
    child, above = held[ticket.pk], held[parent.pk]
    if child.parent_id == above.pk:
        return
    says = _why_not(child, above)
    if says:
        raise TicketError(says)
    _leave(child, by)
    change(child, parent=above)
    # No number stands in these events: who sees one of two tickets need not see the other.
    write_event(child, Kind.PARENT, by, before="part of", reference=above.pk)
    write_event(above, Kind.PARENT, by, before="holds", reference=child.pk)
    ticket.refresh_from_db()


@transaction.atomic
def unlink(*, ticket: Ticket, by: User) -> None:
    """Take a ticket out of its incident."""
    require(by, Right.WORK_TICKETS, ticket.facility_id)
    child = Ticket.objects.select_for_update(of=("self",)).get(pk=ticket.pk)
    if child.parent_id is not None:
        _leave(child, by)
        change(child, parent=None)
    ticket.refresh_from_db()


def children_of(user: User, ticket: Ticket) -> QuerySet[Ticket]:
    """Give the tickets that are part of an incident and that the person sees, open ones first."""
    return visible(user).filter(parent=ticket).select_related("owner", "integration", "facility")


def can_be_fixed(user: User, ticket: Ticket) -> list[Ticket]:
    """Give the children that the person may move to “fixed, to be confirmed” now."""
    mine = visible(user, Right.WORK_TICKETS).filter(parent=ticket, state__in=OPEN_STATES).order_by("number", "id")
    return [child for child in mine if TicketState.FIXED in NEXT[child.state]]


def fix_children(*, ticket: Ticket, ids: Collection[uuid.UUID], by: User) -> int:
    """Move the children that were shown to “fixed, to be confirmed”; give how many. Others stay as they are."""
    moved = 0
    for child in can_be_fixed(by, ticket):
        if child.pk in ids:
            change_state(ticket=child, to=TicketState.FIXED, by=by, expected=state_of(child))
            moved += 1
    return moved


def _leave(child: Ticket, by: User) -> None:
    if child.parent is not None:
        write_event(child, Kind.PARENT, by, before="left", reference=child.parent.pk)
        write_event(child.parent, Kind.PARENT, by, before="lost", reference=child.pk)


def _why_not(child: Ticket, above: Ticket) -> str:
    if child.pk == above.pk:
        return "A ticket cannot be part of itself."
    for one in (child, above):
        if one.merged_into is not None:
            return f"Ticket {one.number} went into ticket {one.merged_into.number}. Link that one."
    if not above.is_open:
        return f"Ticket {above.number} is {above.get_state_display().lower()}. A parent incident must be open."
    if above.parent is not None:
        return f"Ticket {above.number} is itself part of ticket {above.parent.number}. Link this ticket to that one."
    if child.children.exists():
        return f"Ticket {child.number} is a parent incident itself. Unlink its tickets first: incidents have one level."
    return ""
