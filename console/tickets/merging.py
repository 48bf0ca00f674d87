"""Make two tickets one: everything people wrote and did goes over, the other closes and points to where it went.

It cannot be undone: afterwards nobody could say which comment belonged where.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from console.accounts.access import require
from console.accounts.models import User
from console.accounts.roles import Right
from console.diagnoses.models import Answer, ChecklistItemState, TicketChecklist
from console.tickets.busy import why_busy
from console.tickets.models import (
    Draft,
    InboundMail,
    Ticket,
    TicketAction,
    TicketEvent,
    TicketNote,
    TicketState,
    Watcher,
)
from console.tickets.moves import TicketError, change, write_event
from console.tickets.services import request_run

Kind = TicketEvent.Kind
Follower = Callable[[Ticket, Ticket], None]
_followers: list[Follower] = []
# What tells of a comment, a file, an answer, goes where these go.
_TOLD = (
    Kind.COMMENT, Kind.ATTACHMENT, Kind.ANSWER, Kind.DISAGREED, Kind.PACKET_SENT, Kind.VENDOR_ANSWER,
    Kind.PROVIDER_TOLD, Kind.HANDOVER,
)  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """Be what a merge would do: why it cannot be done, or what goes over."""

    ticket: Ticket
    into: Ticket
    refused: str
    notes: int = 0
    held_by_both: int = 0
    comments: int = 0
    files: int = 0


def follow(follower: Follower) -> None:
    """Register who is told of a merge, (what went, where it went), in its transaction: upper apps hold more."""
    if follower not in _followers:
        _followers.append(follower)


def plan(ticket: Ticket, into: Ticket) -> Plan:
    """Look what merging one ticket into another would do."""
    refused = _why_not(ticket, into)
    if refused:
        return Plan(ticket, into, refused)
    mine = ticket.ticket_notes
    both = mine.filter(note__in=into.ticket_notes.values("note")).count()
    return Plan(ticket, into, "", mine.count() - both, both, ticket.comments.count(), ticket.attachments.count())


@transaction.atomic
def merge(*, ticket: Ticket, into: Ticket, by: User) -> Plan:
    """Merge `ticket` into `into`; raise TicketError with the reason where that cannot be."""
    for one in (ticket, into):
        require(by, Right.WORK_TICKETS, one.facility_id)
    held = lock(ticket, into)
    went, kept = held[ticket.pk], held[into.pk]
    done = plan(went, kept)
    if done.refused:
        raise TicketError(done.refused)
    _move_notes(went, kept)
    _move_words(went, kept)
    _move_checklists(went, kept)
    _move_links(went, kept)
    for follower in _followers:
        follower(went, kept)
    now = timezone.now()
    before = went.state
    change(
        went, state=TicketState.CLOSED, waiting_for="", waiting_since=None, paused_left_s=None, resolved_at=now,
        merged_into=kept, parent=None,
    )  # fmt: skip
    Ticket.objects.filter(merged_into=went).update(merged_into=kept)  # a pointer never points to a pointer
    write_event(went, Kind.STATE, by, at=now, before=before, after=TicketState.CLOSED)
    write_event(went, Kind.MERGED, by, at=now, before="into", after=str(kept.number))
    write_event(kept, Kind.MERGED, by, at=now, before="from", after=str(went.number))
    change(kept)
    if kept.run_id is None and done.notes:
        request_run(ticket=kept, by=by)
    for one in (ticket, into):
        one.refresh_from_db()
    return done


def lock(*tickets: Ticket) -> dict[uuid.UUID, Ticket]:
    """Lock tickets in one order, whoever asks, so that two people who merge crosswise do not wait for each other."""
    rows = Ticket.objects.select_for_update(of=("self",)).filter(pk__in=[ticket.pk for ticket in tickets])
    return {row.pk: row for row in rows.select_related("integration").order_by("pk")}


def one_kind(notes: QuerySet[TicketNote]) -> bool:
    """Tell whether who sees one of these notes sees all: a restricted department's stand with no others."""
    kinds = set(notes.order_by().values_list("department_id", "department__restricted").distinct())
    return len(kinds) < 2 or not any(restricted for _, restricted in kinds)


def acts_now(ticket: Ticket) -> bool:
    """Tell whether an action of the ticket is under way."""
    return ticket.actions.filter(outcome=TicketAction.Outcome.RUNNING).exists()


def _why_not(ticket: Ticket, into: Ticket) -> str:
    if ticket.pk == into.pk:
        return "A ticket cannot be merged into itself."
    for one in (ticket, into):
        if one.merged_into is not None:
            return f"Ticket {one.number} went into ticket {one.merged_into.number} already."
        if not one.is_open:
            return f"Ticket {one.number} is {one.get_state_display().lower()}. Only open tickets can be merged."
    if ticket.integration_id != into.integration_id:
        return "These tickets are of two integrations, so they have two causes. Link both to a parent incident instead."
    for one in (ticket, into):
        if says := why_busy(one):
            return f"Ticket {one.number}: {says}"
        if acts_now(one):
            return f"An action of ticket {one.number} is under way. Wait for its outcome, then merge."
    if not one_kind(TicketNote.objects.filter(ticket__in=[ticket.pk, into.pk])):
        return (
            "One of these tickets holds notes of a restricted department. Merged, they would hide the others from "
            "people who work on them. Link both to a parent incident instead."
        )
    if into.parent_id not in (None, ticket.pk) and ticket.children.exists():
        return f"Ticket {ticket.number} is a parent incident and ticket {into.number} is part of one. Unlink one first."
    return ""


def _move_notes(went: Ticket, kept: Ticket) -> None:
    """Bring notes over; one that both hold stays where it is, with the end that somebody has said."""
    twice = {row.note_id: row for row in went.ticket_notes.filter(note__in=kept.ticket_notes.values("note"))}
    for row in kept.ticket_notes.filter(note__in=twice, end=TicketNote.End.WAITING):
        said = twice[row.note_id]
        if said.end != TicketNote.End.WAITING:
            row.end, row.ended_by_id, row.ended_at = said.end, said.ended_by_id, said.ended_at
            row.save(update_fields=["end", "ended_by", "ended_at"])
    went.ticket_notes.filter(note__in=twice).delete()
    went.ticket_notes.update(ticket=kept)


def _move_words(went: Ticket, kept: Ticket) -> None:
    for rows in (went.comments, went.attachments, went.disagreements, went.packets, went.vendor_answers):
        rows.update(ticket=kept)
    Answer.objects.filter(ticket_id=went.pk).update(ticket_id=kept.pk)
    InboundMail.objects.filter(ticket=went).update(ticket=kept)
    went.events.filter(kind__in=_TOLD).update(ticket=kept)
    _once_each(Watcher, went, kept, "user_id")
    for user_id, place in Draft.objects.filter(ticket=kept).values_list("user_id", "place"):
        Draft.objects.filter(ticket=went, user=user_id, place=place).update(place=f"{place[:30]} {went.number}")
    Draft.objects.filter(ticket=went).update(ticket=kept)


def _once_each(model: type[Model], went: Ticket, kept: Ticket, field: str) -> None:
    rows: QuerySet[Any] = model.objects  # type: ignore[attr-defined]
    there = rows.filter(ticket=kept).values(field)
    rows.filter(ticket=went, **{f"{field}__in": there}).delete()
    rows.filter(ticket=went).update(ticket=kept)


def _move_checklists(went: Ticket, kept: Ticket) -> None:
    """Bring ticks over: an item that is settled on either ticket is settled."""
    opened = ChecklistItemState.State.OPEN
    rows = ChecklistItemState.objects
    settled = rows.filter(ticket_id=went.pk).exclude(state=opened).values("item")
    rows.filter(ticket_id=kept.pk, state=opened, item__in=settled).delete()
    rows.filter(ticket_id=went.pk).exclude(item__in=rows.filter(ticket_id=kept.pk).values("item")).update(
        ticket_id=kept.pk
    )
    held = TicketChecklist.objects.filter(ticket_id=kept.pk).values("template__slug")
    TicketChecklist.objects.filter(ticket_id=went.pk).exclude(template__slug__in=held).update(ticket_id=kept.pk)


def _move_links(went: Ticket, kept: Ticket) -> None:
    """Keep incidents together: one level, and nobody the parent of himself."""
    if kept.parent_id == went.pk:
        change(kept, parent=None)
    went.children.exclude(pk=kept.pk).update(parent=kept)
    adopts = kept.parent_id is None and went.parent_id not in (None, kept.pk)
    if adopts and not Ticket.objects.filter(Q(parent=kept)).exists():
        change(kept, parent=went.parent)
