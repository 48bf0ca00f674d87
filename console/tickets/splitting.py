"""Take some notes of a ticket onto a new one: they turned out to have a cause of their own."""

import uuid
from collections.abc import Collection

from django.db import transaction

from console.accounts.access import require
from console.accounts.models import User
from console.accounts.roles import Right
from console.tickets.busy import refuse_if_busy
from console.tickets.merging import acts_now
from console.tickets.models import OpenedVia, Ticket, TicketEvent
from console.tickets.moves import TicketError, change, write_event
from console.tickets.services import open_ticket, request_run


@transaction.atomic
def split(*, ticket: Ticket, note_ids: Collection[uuid.UUID], by: User, key: str) -> Ticket:
    """Open a ticket for some of the notes, with a diagnosis of its own; how they ended so far goes with them.

    The same `key` gives the ticket that the first call made. At least one note stays; raise TicketError otherwise.
    """
    require(by, Right.WORK_TICKETS, ticket.facility_id)
    locked = Ticket.objects.select_for_update(of=("self",)).get(pk=ticket.pk)
    made = Ticket.objects.filter(idempotency_key=key).first()
    if made is not None:
        return made
    if not locked.is_open:
        raise TicketError(
            f"Ticket {locked.number} is {locked.get_state_display().lower()}. Reopen it before you split it."
        )
    refuse_if_busy(locked)
    if acts_now(locked):
        raise TicketError("An action of this ticket is under way. Wait for its outcome, then split it.")
    chosen = locked.ticket_notes.filter(note__in=list(note_ids))
    count = chosen.count()
    if not count:
        raise TicketError("Choose the notes that belong on a ticket of their own.")
    if count == locked.ticket_notes.count():
        raise TicketError("At least one note must stay on this ticket. Choose fewer.")
    new = open_ticket(
        by=by, integration=locked.integration, notes=[], severity=locked.severity, idempotency_key=key,
        diagnose=False, via=OpenedVia.NOTE, title="Note missing from chart" if count == 1 else f"{count} notes missing",
    )  # fmt: skip
    chosen.update(ticket=new)
    change(locked)
    write_event(locked, TicketEvent.Kind.SPLIT, by, before=str(count), after=f"to {new.number}")
    write_event(new, TicketEvent.Kind.SPLIT, by, before=str(count), after=f"from {locked.number}")
    request_run(ticket=new, by=by)
    ticket.refresh_from_db()
    return new
