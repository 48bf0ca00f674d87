"""Watching a ticket without having taken it: who does, and the mail that tells them of a change."""

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from console.accounts.mail import send
from console.accounts.models import User
from console.tickets.access import visible
from console.tickets.models import Ticket, TicketState, WaitingFor, Watcher

_QUIET = (TicketState.DIAGNOSING,)  # that a diagnosis runs is no news; what it concluded is


@transaction.atomic
def watch(*, ticket: Ticket, by: User, by_mail: bool = True) -> Watcher:
    """Watch a ticket, with mails or without; watching twice only changes which."""
    row, made = Watcher.objects.get_or_create(ticket=ticket, user=by, defaults={"by_mail": by_mail})
    if not made and row.by_mail != by_mail:
        row.by_mail = by_mail
        row.save(update_fields=["by_mail"])
    return row


@transaction.atomic
def unwatch(*, ticket: Ticket, by: User) -> None:
    """Stop watching."""
    Watcher.objects.filter(ticket=ticket, user=by).delete()


def tell_watchers(ticket: Ticket, by: User | None) -> None:
    """Queue one mail for each watcher who may still see the ticket, whoever made the change aside.

    The mail says number, state and where to look: neither title nor note, which may hold what a mail must not.
    """
    if ticket.state in _QUIET:
        return
    rows = Watcher.objects.filter(ticket_id=ticket.pk, by_mail=True, user__is_active=True).select_related("user")
    to = [row.user.email for row in rows if row.user != by and visible(row.user).filter(pk=ticket.pk).exists()]
    if not to:
        return
    state = _state(ticket)
    where = settings.CONSOLE_ADDRESS + reverse("tickets:ticket", args=[ticket.number]).lstrip("/")
    body = (
        f"Ticket {ticket.number} at {ticket.facility.name} is now: {state}.\n"
        f"Changed by {by or 'NoteTrace'}.\n\n{where}\n\n"
        "You get this mail because you watch the ticket. Choose “Stop watching” on its page to end that.\n"
    )
    send(facility=ticket.facility, to=to, subject=f"Ticket {ticket.number}: {state}", body=body, about="watching")


def _state(ticket: Ticket) -> str:
    if ticket.state == TicketState.WAITING and ticket.waiting_for:
        whom = WaitingFor(ticket.waiting_for).label
        return f"waiting on {whom if whom.startswith('EHR') else whom.lower()}"
    return TicketState(ticket.state).label.lower()
