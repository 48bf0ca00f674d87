"""Drive a sample ticket through its past: the same service calls as in life, with the times put where they belong."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from console.accounts.models import User
from console.demo.stories import Tale
from console.diagnoses.models import ChecklistItemState, Run
from console.diagnoses.services import execute
from console.notes.models import NoteEnd
from console.tickets import services
from console.tickets.models import Comment, Disagreement, Ticket, TicketEvent, TicketNote, TicketState

S = TicketState
AFTER_DIAGNOSED = (S.IN_PROGRESS, S.WAITING, S.FIXED, S.RESOLVED, S.CLOSED)
ENDS = (TicketNote.End.IN_CHART, TicketNote.End.IN_CHART, TicketNote.End.BY_HAND)


def tell(ticket: Ticket, tale: Tale, owner: User | None, *, live: bool) -> None:
    """Let happen what the tale says."""
    at = ticket.opened_at
    if tale.state == S.NEW:
        return
    run = _at(at, ticket, lambda: services.request_run(ticket=ticket, by=None))
    if tale.state == S.DIAGNOSING:
        return  # its worker comes with the demo
    Run.objects.filter(pk=run.pk).update(created_at=at, offline=not live)
    _at(at + timedelta(seconds=6), ticket, lambda: execute(run.pk))
    Run.objects.filter(pk=run.pk).update(started_at=at + timedelta(seconds=1), finished_at=at + timedelta(seconds=6))
    if owner is None or tale.state not in AFTER_DIAGNOSED:
        return
    _at(at + timedelta(minutes=8), ticket, lambda: services.take(ticket=ticket, by=owner))
    _move(ticket, S.IN_PROGRESS, owner, at + timedelta(minutes=9))
    if tale.comment:
        _at(at + timedelta(minutes=14), ticket, lambda: services.comment(ticket=ticket, text=tale.comment, by=owner))
    if tale.state == S.WAITING:
        _move(ticket, S.WAITING, owner, at + timedelta(minutes=20), waiting_for=tale.waiting_for)
    if tale.state in (S.FIXED, S.RESOLVED, S.CLOSED):
        _move(ticket, S.FIXED, owner, at + timedelta(minutes=35))
    if tale.state in (S.RESOLVED, S.CLOSED) or tale.reopened:
        _resolve(ticket, owner, at + timedelta(minutes=50))
    if tale.state == S.CLOSED:
        close = lambda: services.close(ticket=ticket, by=owner, article="not_needed")  # noqa: E731
        _at(at + timedelta(hours=5), ticket, close)
    if tale.reopened:
        _move(ticket, S.IN_PROGRESS, owner, at + timedelta(hours=3))


def _resolve(ticket: Ticket, owner: User, at: datetime) -> None:
    ticket.refresh_from_db()
    ids = ticket.ticket_notes.order_by("added_at", "id").values_list("note_id", flat=True)
    ends = {note_id: ENDS[number % len(ENDS)] for number, note_id in enumerate(ids)}
    category = ticket.category or "endpoint_configuration"
    resolve = lambda: services.resolve(  # noqa: E731
        ticket=ticket,
        by=owner,
        category=category,
        cause=ticket.cause,
        ends=ends,
        unconfirmed_because="The visit was documented by hand before the failure was mended.",
    )
    _at(at + timedelta(minutes=1), ticket, resolve)


def _move(ticket: Ticket, to: TicketState, by: User, at: datetime, *, waiting_for: str = "") -> None:
    _at(at, ticket, lambda: services.change_state(ticket=ticket, to=to, by=by, waiting_for=waiting_for))


def _at(when: datetime, ticket: Ticket, act: Callable[[], Any]) -> Any:
    """Do something now and date what it left to when it is said to have happened."""
    began = timezone.now()
    result = act()
    for model, field in (
        (TicketEvent, "at"),
        (Comment, "at"),
        (Disagreement, "at"),
        (TicketNote, "added_at"),
        (TicketNote, "ended_at"),
    ):
        model.objects.filter(ticket=ticket, **{f"{field}__gte": began}).update(**{field: when})
    ChecklistItemState.objects.filter(ticket_id=ticket.id, at__gte=began).update(at=when)
    NoteEnd.objects.filter(note__ticket_notes__ticket=ticket, at__gte=began).update(at=when)
    for field in ("waiting_since", "resolved_at"):
        Ticket.objects.filter(pk=ticket.pk, **{f"{field}__gte": began}).update(**{field: when})
    return result
