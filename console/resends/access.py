"""Which resends a person sees: those of the tickets he sees."""

import uuid

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404

from console.accounts.access import grants, require
from console.accounts.models import User
from console.accounts.roles import Right
from console.notes.models import Note
from console.notes.queries import visible as visible_notes
from console.resends.models import ResendBatch, ResendItem
from console.tickets.access import visible as visible_tickets

Person = User | AnonymousUser


def visible(user: Person) -> QuerySet[ResendBatch]:
    """Give the resends of the tickets that a person sees."""
    return ResendBatch.objects.filter(ticket__in=visible_tickets(user))


def batch_or_404(user: Person, batch_id: uuid.UUID, right: Right | None = None) -> ResendBatch:
    """Give a resend: 404 for what the person does not see, 403 where he lacks `right`."""
    people = ("prepared_by", "requested_by", "decided_by")
    batch = visible(user).filter(pk=batch_id).select_related("ticket", "integration", "facility", *people).first()
    if batch is None:
        raise Http404("There is no such resend.")
    if right is not None:
        require(user, right, batch.facility_id)
    return batch


def item_or_404(batch: ResendBatch, item_id: uuid.UUID) -> ResendItem:
    """Give a note of a resend; the id alone opens nothing."""
    item = batch.items.select_related("note").filter(pk=item_id).first()
    if item is None:
        raise Http404("There is no such note in this resend.")
    return item


def note_or_404(user: Person, note_id: uuid.UUID) -> Note:
    """Give a note that the person sees."""
    note = visible_notes(user).filter(pk=note_id).first()
    if note is None:
        raise Http404("There is no such note.")
    return note


def may_resend_somewhere(user: Person) -> None:
    """Refuse with 403 whoever neither prepares nor approves resends anywhere."""
    held = grants(user)
    if not held.where(Right.RESEND_NOTES) and not held.where(Right.APPROVE_RESEND):
        raise PermissionDenied("Your role neither prepares nor approves resends. Ask your facility's administrator.")
