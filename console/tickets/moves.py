"""Changing a ticket's own fields, and writing down that it happened: what every change of a ticket ends in."""

import uuid
from datetime import datetime
from typing import Any

from django.db.models import F
from django.utils import timezone

from console.accounts.models import User
from console.tickets.models import Ticket, TicketEvent, TicketState
from console.tickets.states import NEXT, OVER
from console.tickets.targets import rules_of
from console.tickets.watching import tell_watchers

Kind = TicketEvent.Kind


class TicketError(Exception):
    """What was asked is not possible; the message says why in words for the page."""


class Collision(TicketError):
    """Somebody else changed the same thing since the person looked; nothing was overwritten.

    `field` names the thing (state, owner, severity, title, end, item); `theirs` is what stands there now.
    """

    def __init__(self, field: str, theirs: str, says: str = "") -> None:
        self.field = field
        self.theirs = theirs
        super().__init__(
            says or "Somebody else changed this while you were looking. Nothing of theirs was overwritten."
        )


def refuse_collision(
    ticket: Ticket,
    field: str,
    *,
    now: str,
    mine: str,
    seen: str | None = None,
    version: int | None = None,
    says: str = "",
) -> None:
    """Raise Collision where `field` is not what the person saw; both wanting the same is none.

    `seen` is the value that stood on the person's page, `version` the ticket's version there. Either will do; with
    both, a change to another field of the ticket does not stand in the way. The caller holds the ticket's lock.
    """
    if version is not None and version == ticket.version:
        return
    changed = now != seen if seen is not None else version is not None
    if changed and now != mine:
        raise Collision(field, now, says)


def change(ticket: Ticket, **fields: Any) -> None:
    """Set fields of the ticket's own and count the change; the caller holds the ticket's lock and writes the event."""
    Ticket.objects.filter(pk=ticket.pk).update(version=F("version") + 1, **fields)
    for name, value in fields.items():
        setattr(ticket, name, value)
    ticket.version += 1


def state_of(ticket: Ticket) -> str:
    """Give the state as events write it: a waiting one with for whom, `waiting:vendor`."""
    return f"{ticket.state}:{ticket.waiting_for}" if ticket.waiting_for else str(ticket.state)


def move(
    ticket: Ticket, to: TicketState, by: User | None, *, waiting_for: str = "", at: datetime | None = None
) -> None:
    """Change the state by compare-and-set and record it; the target's clock pauses and goes on with it.

    A ticket that waits may be moved to wait for somebody else. Watchers are told.
    """
    before = ticket.state
    waits_for = waiting_for if to == TicketState.WAITING else ""
    if to == before and waits_for in ("", ticket.waiting_for):
        return
    if to != before and to not in NEXT[before]:
        raise TicketError(f"A ticket cannot go from “{ticket.get_state_display()}” to “{to.label}”.")
    now = at or timezone.now()
    fields: dict[str, Any] = {"state": to, "waiting_for": "", "waiting_since": None}
    if to == TicketState.WAITING:
        fields |= {"waiting_for": waits_for, "waiting_since": now}
    if to == TicketState.RESOLVED:
        fields["resolved_at"] = now
    if before in OVER and to == TicketState.IN_PROGRESS:
        fields |= {"resolved_at": None, "reopened": ticket.reopened + 1}
    clock = _clock(ticket, waits_for, now)
    fields |= clock
    if not Ticket.objects.filter(pk=ticket.pk, state=before).update(version=F("version") + 1, **fields):
        raise TicketError("Somebody else changed this ticket just now. Look again, then decide.")
    was_left, was_due = ticket.paused_left_s, ticket.target_at
    for name, value in fields.items():
        setattr(ticket, name, value)
    ticket.version += 1
    write_event(ticket, Kind.STATE, by, at=now, before=before, after=state_of(ticket))
    if ticket.paused_left_s is not None and was_left is None:
        write_event(ticket, Kind.PAUSED, None, at=now, before=was_due.isoformat(), after=f"left {ticket.paused_left_s}")
    elif ticket.paused_left_s is None and was_left is not None:
        write_event(ticket, Kind.PAUSED, None, at=now, before=f"left {was_left}", after=ticket.target_at.isoformat())
    tell_watchers(ticket, by)


def _clock(ticket: Ticket, waits_for: str, now: datetime) -> dict[str, Any]:
    """Pause the target's clock, or let it go on, where the facility's calendar says so for this wait.

    A target that has passed already is missed: no pause takes that back.
    """
    paused = ticket.paused_left_s
    if paused is None and not waits_for:
        return {}
    rules = rules_of(ticket.facility_id)
    pauses = bool(waits_for) and rules.pauses(waits_for)
    if pauses and paused is None:
        left = rules.left(ticket.severity, now, ticket.target_at)
        return {"paused_left_s": left} if left > 0 else {}
    if not pauses and paused is not None:
        return {"paused_left_s": None, "target_at": rules.resumed(ticket.severity, now, paused)}
    return {}


def write_event(
    ticket: Ticket,
    kind: Kind,
    by: User | None,
    *,
    at: datetime | None = None,
    before: str = "",
    after: str = "",
    reference: uuid.UUID | None = None,
) -> TicketEvent:
    """Write one event in the caller's transaction."""
    return TicketEvent.objects.create(
        ticket=ticket,
        kind=kind,
        by=by,
        at=at or timezone.now(),
        before=before[:120],
        after=after[:120],
        reference=reference,
    )
