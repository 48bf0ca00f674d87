"""Reads about resends that several pages share."""

import uuid
from collections.abc import Collection

from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, Q, QuerySet

from console.accounts.access import grants
from console.accounts.models import User
from console.accounts.roles import Right
from console.notes.models import Note
from console.resends.access import visible
from console.resends.models import HELD_BY_EHR, UNCERTAIN_ITEMS, ResendBatch, ResendItem, Stage
from console.tickets.models import Ticket, TicketNote

MOST_NOTES = 200  # of one resend: what a person can look through before giving a word for it


def waiting_for(user: User | AnonymousUser) -> QuerySet[ResendBatch]:
    """Give the resends that wait for this person's word: never those he asked for himself."""
    if not user.is_authenticated or not grants(user).where(Right.APPROVE_RESEND):
        return ResendBatch.objects.none()
    mine = visible(user).filter(facility__in=grants(user).where(Right.APPROVE_RESEND), stage=Stage.ASKED)
    return mine.exclude(requested_by=user)


def counted(batches: QuerySet[ResendBatch]) -> QuerySet[ResendBatch]:
    """Add how many notes a resend holds, and what became of them."""
    return batches.annotate(
        notes=Count("items", filter=~Q(items__state="not_possible")),
        in_chart=Count("items", filter=Q(items__in_chart=True)),
        taken=Count("items", filter=Q(items__state__in=HELD_BY_EHR, items__in_chart=False)),
        uncertain=Count("items", filter=Q(items__state__in=UNCERTAIN_ITEMS)),
        not_possible=Count("items", filter=Q(items__state="not_possible")),
    )


def waiting_notes(ticket: Ticket) -> QuerySet[TicketNote]:
    """Give the ticket's notes that nobody has said an end of, in the order they were added."""
    return ticket.ticket_notes.filter(end=TicketNote.End.WAITING).select_related("note").order_by("added_at", "id")


def attempts_of(notes: Collection[uuid.UUID | Note]) -> QuerySet[ResendItem]:
    """Give the attempts to resend notes, newest first; those that were only prepared are none."""
    rows = ResendItem.objects.filter(note__in=notes, started_at__isnull=False)
    return rows.select_related("batch", "batch__ticket").order_by("-started_at", "-id")
