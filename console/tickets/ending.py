"""Say how all notes of a ticket that wait have ended, exactly those that were shown."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from console.accounts.access import require
from console.accounts.models import User
from console.accounts.roles import Right
from console.notes.ends import end_notes
from console.notes.models import Note
from console.tickets.busy import refuse_if_busy
from console.tickets.models import Ticket, TicketEvent, TicketNote
from console.tickets.moves import Collision, TicketError, change, write_event

End = TicketNote.End


@transaction.atomic
def end_waiting(*, ticket: Ticket, end: str, count: int, until: datetime, by: User) -> int:
    """End every note that waits and was on the ticket at `until`; `count` is how many the person was shown.

    Give how many ended: fewer where somebody ended some meanwhile. Raise Collision where more wait now than were
    shown, TicketError where the notes are in use.
    """
    require(by, Right.WORK_TICKETS, ticket.facility_id)
    if end not in (End.IN_CHART, End.BY_HAND, End.NOT_NEEDED):
        raise TicketError("Say how these notes ended: in chart, entered by hand, or not needed.")
    locked = Ticket.objects.select_for_update(of=("self",)).get(pk=ticket.pk)
    refuse_if_busy(locked)
    rows = locked.ticket_notes.select_for_update(of=("self",)).filter(end=End.WAITING, added_at__lte=until)
    ids = list(rows.order_by("id").values_list("note_id", flat=True))
    if len(ids) > count:
        raise Collision(
            "end", str(len(ids)), f"{len(ids)} notes wait now; you were shown {count}. Look again, then decide."
        )
    if not ids:
        return 0
    at = timezone.now()
    TicketNote.objects.filter(ticket=locked, note__in=ids).update(end=end, ended_by=by, ended_at=at)
    change(locked)
    if len(ids) == 1:
        write_event(locked, TicketEvent.Kind.NOTE_ENDED, by, at=at, before=End.WAITING, after=end, reference=ids[0])
    else:
        write_event(locked, TicketEvent.Kind.NOTE_ENDED, by, at=at, before=f"{len(ids)} notes", after=end)
    end_notes(notes=list(Note.objects.filter(pk__in=ids)), how=end, by=by, at=at)  # other tickets, and the worklist
    ticket.refresh_from_db()
    return len(ids)
