"""Handing a ticket over: a summary made from what was recorded, and the act that passes it on.

A summary names notes by their ids and nobody else than staff: it may be read aloud at a desk. What people wrote stays
on the ticket; the summary says how much of it there is.
"""

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from console.accounts.access import require
from console.accounts.models import User
from console.accounts.roles import Right
from console.diagnoses import words
from console.shared.templatetags.house import lasting
from console.tickets.access import visible
from console.tickets.edits import assign, lock
from console.tickets.models import OPEN_STATES, Comment, Ticket, TicketAction, TicketEvent, TicketNote, TicketState
from console.tickets.moves import TicketError, write_event
from console.tickets.waits import waits_in

Kind = TicketEvent.Kind
NOTES_NAMED = 20


@dataclass(frozen=True)
class Summary:
    """Be what the next person needs to know of one ticket, a few lines under each heading."""

    ticket: Ticket
    parts: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def text(self) -> str:
        """Give it as text to copy."""
        lines = [f"#{self.ticket.number} {self.ticket.title}"]
        for name, said in self.parts:
            lines += [f"{name}:", *(f"- {line}" for line in said)] if len(said) > 1 else [f"{name}: {said[0]}"]
        return "\n".join(lines) + "\n"


def summary(ticket: Ticket) -> Summary:
    """Sum one ticket up."""
    return summaries([ticket])[0]


def summaries(tickets: Sequence[Ticket]) -> tuple[Summary, ...]:
    """Sum tickets up; three queries, however many there are. Their owner, run and integration are read already."""
    ids = [ticket.pk for ticket in tickets]
    events: dict[uuid.UUID, list[TicketEvent]] = defaultdict(list)
    for event in TicketEvent.objects.filter(ticket__in=ids).order_by("at", "id"):
        events[event.ticket_id].append(event)
    notes: dict[uuid.UUID, list[TicketNote]] = defaultdict(list)
    for row in TicketNote.objects.filter(ticket__in=ids).select_related("note").order_by("added_at", "id"):
        notes[row.ticket_id].append(row)
    actions: dict[uuid.UUID, list[TicketAction]] = defaultdict(list)
    for action in TicketAction.objects.filter(ticket__in=ids).order_by("at", "id"):
        actions[action.ticket_id].append(action)
    return tuple(_sum_up(one, events[one.pk], notes[one.pk], actions[one.pk]) for one in tickets)


def _sum_up(ticket: Ticket, events: list[TicketEvent], notes: list[TicketNote], actions: list[TicketAction]) -> Summary:
    now = timezone.now()
    parts = [
        ("What", _what(ticket, notes)),
        ("Since", (f"{_at(ticket.opened_at)}, {lasting((ticket.resolved_at or now) - ticket.opened_at)} ago",)),
        ("Verdict", (_verdict(ticket),)),
        ("Done so far", _done(events, actions)),
        ("Waiting", _waiting(ticket, events)),
        ("Notes without an end", _without_end(notes)),
        ("Next", _next(ticket)),
        ("Target", (_target(ticket, now),)),
        ("Taken by", (str(ticket.owner) if ticket.owner else "nobody",)),
    ]
    return Summary(ticket, tuple((name, said) for name, said in parts if said))


def _what(ticket: Ticket, notes: list[TicketNote]) -> tuple[str, ...]:
    count = "one note" if len(notes) == 1 else f"{len(notes)} notes" if notes else "no note known"
    mode, severity = ticket.get_failure_mode_display(), ticket.get_severity_display()
    return (f"{mode} · {severity} · {ticket.integration.name} · {count} · {ticket.get_state_display().lower()}",)


def _verdict(ticket: Ticket) -> str:
    if not ticket.verdict:
        return "no cause established yet"
    certainty = words.CERTAINTIES.get(ticket.certainty, "")
    return f"{ticket.verdict} ({certainty.lower()})" if certainty else ticket.verdict


def _done(events: list[TicketEvent], actions: list[TicketAction]) -> tuple[str, ...]:
    lines = [
        f"{_at(action.at)} {action.get_kind_display()}: {action.get_outcome_display().lower()}" for action in actions
    ]
    counts = (
        (Kind.RUN_CONCLUDED, "diagnosis concluded", "diagnoses concluded"),
        (Kind.COMMENT, "comment", "comments"),
        (Kind.ATTACHMENT, "file attached", "files attached"),
        (Kind.CHECKLIST, "change to the checklist", "changes to the checklist"),
        (Kind.PACKET_SENT, "packet sent to the vendor", "packets sent to the vendor"),
        (Kind.VENDOR_ANSWER, "answer from the vendor", "answers from the vendor"),
        (Kind.RESEND, "step of a resend", "steps of a resend"),
        (Kind.PROVIDER_TOLD, "time the provider was told", "times the provider was told"),
    )
    for kind, one, many in counts:
        count = sum(event.kind == kind for event in events)
        if count:
            lines.append(f"{count} {one if count == 1 else many}")
    return tuple(lines) or ("nothing yet",)


def _waiting(ticket: Ticket, events: list[TicketEvent]) -> tuple[str, ...]:
    lines = []
    for wait in waits_in((event.at, event.after) for event in events if event.kind == Kind.STATE):
        ended = f"until {_at(wait.until)}" if wait.until else "still"
        lines.append(f"on {wait.whom} since {_at(wait.since)}, {ended}: {lasting(wait.lasted)}")
    return tuple(lines) or ("on nobody",)


def _without_end(notes: list[TicketNote]) -> tuple[str, ...]:
    waiting = [row for row in notes if row.end == TicketNote.End.WAITING]
    if not waiting:
        return ("none",) if notes else ()
    named = ", ".join(row.note.external_id for row in waiting[:NOTES_NAMED])
    more = len(waiting) - NOTES_NAMED
    return (f"{len(waiting)} of {len(notes)}: {named}" + (f" and {more} more" if more > 0 else ""),)


def _next(ticket: Ticket) -> tuple[str, ...]:
    lines = []
    if ticket.state == TicketState.WAITING:
        lines.append(f"Ask whether there is an answer ({ticket.get_waiting_for_display() or 'somebody'}).")
    if ticket.state == TicketState.FIXED:
        lines.append("See that the fix holds, and how each note ended.")
    document = (ticket.run.document if ticket.run else None) or {}
    root = document.get("root_cause") or {}
    if ticket.is_open and ticket.state != TicketState.FIXED:
        lines += [str(step) for step in root.get("remedy", ())]
        lines += [f"Still missing: {text}" for text in document.get("missing", ()) if not root]
    if ticket.state == TicketState.RESOLVED:
        lines.append("Decide about its article.")
    return tuple(lines) or ("nothing" if not ticket.is_open else "Find out the cause.",)


def _target(ticket: Ticket, now: datetime) -> str:
    if not ticket.is_open:
        return f"was {_at(ticket.target_at)}"
    if ticket.paused_left_s is not None:
        left = lasting(timedelta(seconds=ticket.paused_left_s))
        return f"paused, {left} left"
    late = "overdue by " if ticket.is_late else ""
    return f"{_at(ticket.target_at)}, {late}{lasting(ticket.target_at - now)}{'' if late else ' left'}"


def _at(value: datetime) -> str:
    local = timezone.localtime(value)
    return f"{local.day} {local:%b %H:%M}"


# -- the act -------------------------------------------------------------------------------------------------------


@transaction.atomic
def hand_over(*, ticket: Ticket, by: User, text: str, to: User | None = None, seen: str | None = None) -> None:
    """Keep what is said on handing over, and give the ticket to the next person where one is named."""
    require(by, Right.WORK_TICKETS, ticket.facility_id)
    if not text.strip():
        raise TicketError("There is nothing in the handover.")
    locked = lock(ticket)
    row = Comment.objects.create(facility_id=locked.facility_id, ticket=locked, by=by, text=text.strip())
    write_event(locked, Kind.HANDOVER, by, after=str(to or ""), reference=row.id)
    if to is not None:
        assign(ticket=locked, owner=to, by=by, seen=seen)
    ticket.refresh_from_db()


@dataclass(frozen=True)
class HandedOver:
    """Be what became of a shift's tickets: how many were given on, and which were not and why."""

    given: int
    kept: tuple[tuple[int, str], ...]


def hand_over_shift(*, tickets: Sequence[Ticket], by: User, to: User, text: str) -> HandedOver:
    """Give one's open tickets to a colleague, each with its summary; one that cannot go stays and is named."""
    kept: list[tuple[int, str]] = []
    given = 0
    for told in summaries(tickets):
        said = f"{text.strip()}\n\n{told.text}" if text.strip() else told.text
        try:
            hand_over(ticket=told.ticket, by=by, text=said, to=to, seen=str(by.pk))
        except TicketError as refusal:
            kept.append((told.ticket.number, str(refusal)))
        else:
            given += 1
    return HandedOver(given, tuple(kept))


def mine_open(user: User) -> list[Ticket]:
    """Give a person's own open tickets, the gravest first."""
    mine = visible(user, Right.WORK_TICKETS).filter(owner=user, state__in=OPEN_STATES)
    return list(mine.select_related("integration", "owner", "run", "facility").order_by("severity", "target_at", "id"))
