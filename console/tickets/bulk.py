"""Do one thing to several tickets: exactly those that were shown, as they were shown, and no other."""

import re
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.http import Http404

from console.accounts.access import grants
from console.accounts.models import User
from console.accounts.roles import Right
from console.tickets.access import visible
from console.tickets.closing import close_without_article
from console.tickets.edits import assign, change_state, set_severity
from console.tickets.models import Severity, Ticket, TicketEvent, TicketState, Undoable, WaitingFor, Watcher
from console.tickets.moves import TicketError, write_event
from console.tickets.queue import state_words
from console.tickets.stamps import stamp
from console.tickets.states import NEXT
from console.tickets.undo import offer
from console.tickets.watching import watch

MOST = 500
_PICKED = re.compile(r"([1-9]\d{0,8})\.([0-9a-f]{10})")


@dataclass(frozen=True)
class Act:
    """Be what is to be done: `kind` with its value; `person` where it is about one."""

    kind: str
    value: str = ""
    person: User | None = None

    @property
    def says(self) -> str:
        """Say it as a heading."""
        match self.kind:
            case "take":
                return "Take"
            case "assign":
                return f"Give to {self.person}"
            case "waiting":
                name = str(WaitingFor(self.value).label)
                return f"Waiting on {name if name.startswith('EHR') else name.lower()}"
            case "severity":
                return f"Severity: {Severity(self.value).label}"
            case "watch":
                return f"Add {self.person} as watcher"
        return "Close without an article"


@dataclass(frozen=True)
class Left:
    """Be a ticket that is left as it is, and why."""

    ticket: Ticket
    why: str


@dataclass(frozen=True)
class Plan:
    """Be what an act would change and what not; `frozen` names the first with their marks."""

    act: Act
    will: tuple[Ticket, ...]
    left: tuple[Left, ...]
    frozen: str


@dataclass(frozen=True)
class Outcome:
    """Be what was changed and what was left."""

    changed: tuple[int, ...]
    left: tuple[Left, ...]
    undoable: Undoable | None


def read_picked(said: Iterable[str]) -> dict[int, str]:
    """Read the tickets that a form names, each with the mark of how it was seen; anything else is unknown."""
    picked: dict[int, str] = {}
    for each in (part for text in said for part in text.split(",") if part):
        found = _PICKED.fullmatch(each.strip())
        if found is None:
            raise Http404("There is no such ticket.")
        picked[int(found[1])] = found[2]
    return picked


def freeze(tickets: Iterable[Ticket]) -> dict[int, str]:
    """Give tickets as a form names them, as they are now."""
    return {ticket.number: stamp(ticket) for ticket in tickets}


def look(user: User, picked: Mapping[int, str]) -> list[Ticket]:
    """Give the tickets; one that the person does not see makes the whole list unknown."""
    tickets = list(
        visible(user).filter(number__in=picked).select_related("facility", "owner", "integration").order_by("number")
    )
    if len(tickets) != len(picked):
        raise Http404("There is no such ticket.")
    return tickets


def plan(user: User, picked: Mapping[int, str], act: Act) -> Plan:
    """Say what an act would change now and what not, without changing anything."""
    tickets = look(user, picked)
    refused = _refusals(user, tickets, picked, act)
    will = tuple(ticket for ticket in tickets if ticket.pk not in refused)
    left = tuple(Left(ticket, refused[ticket.pk]) for ticket in tickets if ticket.pk in refused)
    return Plan(act, will, left, ",".join(f"{number}.{mark}" for number, mark in freeze(will).items()))


@transaction.atomic
def apply(user: User, picked: Mapping[int, str], act: Act) -> Outcome:
    """Do it, to each ticket that is still as it was shown; what was changed meanwhile is left out and named."""
    look(user, picked)
    rows = Ticket.objects.select_for_update(of=("self",)).filter(number__in=picked).select_related("facility", "owner")
    tickets = list(rows.order_by("pk"))  # one order for all, so that two lists cannot wait for each other
    refused = _refusals(user, tickets, picked, act)
    before: list[dict[str, Any]] = []
    done: list[Ticket] = []
    for ticket in tickets:
        if ticket.pk in refused:
            continue
        was = {"ticket": str(ticket.pk), "owner": str(ticket.owner_id or "") or None, "severity": ticket.severity}
        try:
            with transaction.atomic():
                _do(ticket, act, user)
        except TicketError as refusal:
            refused[ticket.pk] = str(refusal)
            continue
        done.append(ticket)
        before.append(was)
    return Outcome(
        tuple(sorted(ticket.number for ticket in done)),
        tuple(Left(ticket, refused[ticket.pk]) for ticket in tickets if ticket.pk in refused),
        _undoable(user, act, done, before),
    )


def _do(ticket: Ticket, act: Act, by: User) -> None:
    match act.kind:
        case "take" | "assign":
            assign(ticket=ticket, owner=by if act.kind == "take" else act.person, by=by)
        case "waiting":
            change_state(ticket=ticket, to=TicketState.WAITING, by=by, waiting_for=act.value)
        case "severity":
            set_severity(ticket=ticket, severity=act.value, by=by)
        case "watch":
            assert act.person is not None
            watch(ticket=ticket, by=act.person)
            write_event(ticket, TicketEvent.Kind.WATCH, by, after=str(act.person))
        case "close":
            close_without_article(ticket, by)
            ticket.refresh_from_db()


def _undoable(user: User, act: Act, done: Sequence[Ticket], before: list[dict[str, Any]]) -> Undoable | None:
    kind = {"take": "owner", "assign": "owner", "severity": "severity", "watch": "watch"}.get(act.kind)
    if kind is None or not done:
        return None
    marks = {str(ticket.pk): stamp(ticket) for ticket in Ticket.objects.filter(pk__in=[one.pk for one in done])}
    watcher = {"watcher": str(act.person.pk)} if act.person is not None and kind == "watch" else {}
    return offer(user=user, kind=kind, before=[{**one, **watcher, "stamp": marks[one["ticket"]]} for one in before])


# -- why a ticket is left as it is -------------------------------------------------------------------------------------


def _refusals(user: User, tickets: Sequence[Ticket], picked: Mapping[int, str], act: Act) -> dict[uuid.UUID, str]:
    ids = [ticket.pk for ticket in tickets]
    able: set[uuid.UUID] = set()
    if act.kind in ("assign", "watch") and act.person is not None:
        right = Right.WORK_TICKETS if act.kind == "assign" else Right.SEE_TICKETS
        able = set(visible(act.person, right).filter(pk__in=ids).values_list("pk", flat=True))
    watched: set[uuid.UUID] = set()
    if act.kind == "watch":
        watched = set(Watcher.objects.filter(ticket__in=ids, user=act.person).values_list("ticket_id", flat=True))
    found = {}
    for ticket in tickets:
        why = _refusal(user, ticket, act, able, watched)
        if stamp(ticket) != picked[ticket.number]:
            owner = f", taken by {ticket.owner}" if ticket.owner else ""
            why = f"somebody changed it meanwhile: {state_words(ticket).lower()}{owner}"
        if why:
            found[ticket.pk] = why
    return found


def _refusal(user: User, ticket: Ticket, act: Act, able: Collection[uuid.UUID], watched: Collection[uuid.UUID]) -> str:
    held = grants(user)
    state = state_words(ticket).lower()
    if act.kind == "close":
        if not held.has(Right.REVIEW_KNOWLEDGE, ticket.facility_id):
            return "whether it needs an article, somebody who reviews knowledge decides"
        return "" if ticket.state == TicketState.RESOLVED else f"only a resolved ticket can be closed, it is {state}"
    if not held.has(Right.WORK_TICKETS, ticket.facility_id):
        return "your role only reads tickets there"
    if act.kind != "watch" and not ticket.is_open:
        return f"it is {state}"
    match act.kind:
        case "take":
            return "you have it already" if ticket.owner_id == user.pk else ""
        case "assign":
            if ticket.pk not in able:
                return f"{act.person} cannot work on it"
            return f"{act.person} has it already" if act.person and ticket.owner_id == act.person.pk else ""
        case "waiting":
            if ticket.state == TicketState.WAITING and ticket.waiting_for == act.value:
                return "it waits for them already"
            may = ticket.state == TicketState.WAITING or TicketState.WAITING in NEXT[ticket.state]
            return "" if may else f"it cannot wait while it is {state}"
        case "severity":
            return "it has this severity already" if ticket.severity == act.value else ""
        case "watch":
            if ticket.pk not in able:
                return f"{act.person} does not see it"
            return f"{act.person} watches it already" if ticket.pk in watched else ""
    return ""
