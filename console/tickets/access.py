"""Which tickets a person sees: those of his facilities, all departments of whose notes he may enter."""

import uuid

from django.contrib.auth.models import AnonymousUser
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404

from console.accounts.access import closed_departments, grants, require
from console.accounts.models import User
from console.accounts.roles import Right
from console.tickets.models import Attachment, Ticket, TicketNote


def visible(user: User | AnonymousUser, right: Right = Right.SEE_TICKETS) -> QuerySet[Ticket]:
    """Give the tickets a person sees, in the queue's order left to the caller."""
    shut = TicketNote.objects.filter(ticket=OuterRef("pk"), department__in=closed_departments(user))
    return Ticket.objects.filter(facility__in=grants(user).where(right)).filter(~Exists(shut))


def ticket_or_404(user: User | AnonymousUser, number: int, right: Right | None = None) -> Ticket:
    """Give a ticket by its number: 404 for what the person does not see, 403 where he sees it but lacks `right`."""
    ticket = visible(user).filter(number=number).select_related("facility", "integration", "owner", "run").first()
    if ticket is None:
        raise Http404("There is no such ticket.")
    if right is None:
        return ticket
    require(user, right, ticket.facility_id)
    return current(user, ticket)


def current(user: User | AnonymousUser, ticket: Ticket) -> Ticket:
    """Give the ticket that a merged one went into, where the person sees it; any other is itself.

    Whoever acts under the old number, from a page that he has had open, acts on the ticket that is worked on.
    """
    if ticket.merged_into_id is None:
        return ticket
    rows = visible(user).select_related("facility", "integration", "owner", "run")
    return rows.filter(pk=ticket.merged_into_id).first() or ticket


def attachment_or_404(user: User | AnonymousUser, number: int, attachment_id: uuid.UUID) -> Attachment:
    """Give a file of a visible ticket; the id alone opens nothing."""
    ticket = ticket_or_404(user, number)
    attachment = ticket.attachments.filter(pk=attachment_id).first()
    if attachment is None:
        raise Http404("There is no such file.")
    return attachment
