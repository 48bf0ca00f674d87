"""What vendors answered to a ticket's packets, entered by whoever got the answer."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from console.accounts.access import require
from console.accounts.models import User
from console.accounts.roles import Right
from console.tickets.models import PacketSending, Ticket, TicketEvent, TicketState, VendorAnswer, WaitingFor
from console.tickets.moves import TicketError, move, write_event

_AHEAD = timedelta(minutes=5)  # clocks differ; an answer from the future is a slip of the pen


@dataclass(frozen=True)
class SendingLine:
    """Be one packet that was sent, with what was answered to it."""

    sending: PacketSending
    answers: tuple[VendorAnswer, ...]


@dataclass(frozen=True)
class VendorPage:
    """Be what a ticket shows of its vendor: packets newest first, and answers that belong to none of them."""

    lines: tuple[SendingLine, ...]
    unasked: tuple[VendorAnswer, ...]
    waits: bool

    @property
    def shown(self) -> bool:
        """Tell whether there is anything to show."""
        return bool(self.lines or self.unasked or self.waits)


def vendor_page(ticket: Ticket) -> VendorPage:
    """Read packets and answers; two queries, however many there are."""
    sendings = list(ticket.packets.select_related("by").defer("content"))
    answers = list(ticket.vendor_answers.select_related("by"))
    by_sending: dict[uuid.UUID | None, list[VendorAnswer]] = {}
    for answer in answers:
        by_sending.setdefault(answer.sending_id, []).append(answer)
    return VendorPage(
        lines=tuple(SendingLine(sending, tuple(by_sending.get(sending.id, ()))) for sending in sendings),
        unasked=tuple(by_sending.get(None, ())),
        waits=_waits(ticket),
    )


@transaction.atomic
def note_answer(
    *,
    ticket: Ticket,
    by: User,
    text: str = "",
    case_number: str = "",
    sending: PacketSending | None = None,
    answered_at: datetime | None = None,
    go_on: bool = False,
) -> VendorAnswer:
    """Keep what the vendor answered; with `go_on` a ticket that waits on the vendor is in progress again."""
    require(by, Right.WORK_TICKETS, ticket.facility_id)
    now = timezone.now()
    at = answered_at or now
    if not text.strip() and not case_number.strip():
        raise TicketError("Enter what the vendor answered, or at least their case number.")
    if sending is not None and sending.ticket_id != ticket.id:
        raise TicketError("This packet belongs to another ticket.")
    if at > now + _AHEAD:
        raise TicketError("The answer lies in the future. Enter when it came.")
    if sending is not None and at < sending.at - _AHEAD:
        raise TicketError("The answer is older than the packet it answers. Choose another packet, or correct the time.")
    row = VendorAnswer.objects.create(
        facility_id=ticket.facility_id,
        ticket=ticket,
        sending=sending,
        case_number=case_number.strip(),
        answered_at=at,
        by=by,
        text=text.strip(),
    )
    write_event(ticket, TicketEvent.Kind.VENDOR_ANSWER, by, after=row.case_number, reference=row.id)
    if go_on:
        locked = Ticket.objects.select_for_update(of=("self",)).get(pk=ticket.pk)
        if _waits(locked):
            move(locked, TicketState.IN_PROGRESS, by)
            ticket.refresh_from_db()
    return row


def _waits(ticket: Ticket) -> bool:
    return ticket.state == TicketState.WAITING and ticket.waiting_for == WaitingFor.VENDOR
