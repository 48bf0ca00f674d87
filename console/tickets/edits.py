"""What people set on a ticket: state, owner, severity and title. What somebody else set meanwhile stays.

Each call takes the ticket's lock, so that of two that come at once the second sees what the first did. `seen` is the
value that stood on the person's page, `version` the ticket's version there; without either the newest word counts.
"""

from django.db import transaction

from console.accounts.access import require
from console.accounts.models import User
from console.accounts.roles import Right
from console.tickets.access import visible
from console.tickets.models import Comment, Severity, Ticket, TicketEvent, TicketState, WaitingFor
from console.tickets.moves import TicketError, change, move, refuse_collision, state_of, write_event
from console.tickets.states import CHOSEN_BY_PEOPLE, OVER
from console.tickets.targets import rules_of

Kind = TicketEvent.Kind


def lock(ticket: Ticket) -> Ticket:
    """Read a ticket anew and hold it until the transaction ends."""
    return Ticket.objects.select_for_update(of=("self",)).get(pk=ticket.pk)


@transaction.atomic
def assign(
    *, ticket: Ticket, owner: User | None, by: User, seen: str | None = None, version: int | None = None
) -> None:
    """Give a ticket to somebody who works on tickets there, or to nobody; `seen` is the owner's id or empty."""
    require(by, Right.WORK_TICKETS, ticket.facility_id)
    if owner is not None and not visible(owner, right=Right.WORK_TICKETS).filter(pk=ticket.pk).exists():
        raise TicketError(f"{owner} cannot work on this ticket.")
    locked = lock(ticket)
    now, mine = str(locked.owner_id or ""), str(owner.pk if owner else "")
    refuse_collision(locked, "owner", now=now, mine=mine, seen=seen, version=version)
    if now != mine:
        before = str(locked.owner or "")
        change(locked, owner=owner)
        write_event(locked, Kind.OWNER, by, before=before, after=str(owner or ""))
    ticket.refresh_from_db()


def take(*, ticket: Ticket, by: User, seen: str | None = None) -> None:
    """Take a ticket oneself. With `seen=""`, as the button of a ticket that nobody had, nobody loses it thereby."""
    assign(ticket=ticket, owner=by, by=by, seen=seen)


@transaction.atomic
def change_state(
    *,
    ticket: Ticket,
    to: str,
    by: User,
    expected: str | None = None,
    version: int | None = None,
    waiting_for: str = "",
) -> None:
    """Move a ticket on.

    `expected` is the state that the person saw, a waiting one also as `waiting:vendor`: when somebody was faster,
    nothing is overwritten.
    """
    require(by, Right.WORK_TICKETS, ticket.facility_id)
    if to not in CHOSEN_BY_PEOPLE:
        raise TicketError("This state follows from the diagnosis; it cannot be chosen.")
    if to == TicketState.WAITING and waiting_for not in WaitingFor.values:
        raise TicketError("Say for whom the ticket waits.")
    waiting_for = waiting_for if to == TicketState.WAITING else ""
    locked = lock(ticket)
    refuse_state(locked, expected, version, mine=f"{to}:{waiting_for}" if waiting_for else to)
    move(locked, TicketState(to), by, waiting_for=waiting_for)
    ticket.refresh_from_db()


def refuse_state(locked: Ticket, expected: str | None, version: int | None = None, *, mine: str = "") -> None:
    """Raise Collision where a ticket is no longer in the state that a person saw."""
    now = state_of(locked)
    if expected == locked.state:
        expected = now  # a form that does not say on whom the ticket waited saw the same state
    says = f"Meanwhile the ticket became “{locked.get_state_display()}”. Look again, then decide."
    refuse_collision(locked, "state", now=now, mine=mine, seen=expected, version=version, says=says)


@transaction.atomic
def reopen(*, ticket: Ticket, by: User, reason: str, version: int | None = None) -> None:
    """Reopen a ticket that is over, saying why; what it was before stays in its history."""
    require(by, Right.WORK_TICKETS, ticket.facility_id)
    if not reason.strip():
        raise TicketError("Say why the ticket is reopened.")
    locked = lock(ticket)
    if locked.state not in OVER:
        refuse_collision(locked, "state", now=state_of(locked), mine="", version=version)
        raise TicketError("This ticket is open already.")
    if locked.merged_into_id:
        raise TicketError("This ticket was merged into another one. Go on there.")
    move(locked, TicketState.IN_PROGRESS, by)
    row = Comment.objects.create(facility_id=locked.facility_id, ticket=locked, by=by, text=reason.strip())
    write_event(locked, Kind.COMMENT, by, reference=row.id)
    ticket.refresh_from_db()


@transaction.atomic
def set_severity(
    *, ticket: Ticket, severity: str, by: User, seen: str | None = None, version: int | None = None
) -> None:
    """Change how grave a ticket is; its target follows."""
    require(by, Right.WORK_TICKETS, ticket.facility_id)
    locked = lock(ticket)
    refuse_collision(locked, "severity", now=locked.severity, mine=severity, seen=seen, version=version)
    put_severity(locked, severity, by)
    ticket.refresh_from_db()


def put_severity(locked: Ticket, severity: str, by: User | None) -> None:
    """Set the severity of a ticket that the caller holds; nobody as `by` means that the diagnosis proposed it.

    The target is counted anew from the opening, less what is said of pauses: time that stood still does not count
    against it. What a ticket that is over had as its target stays history.
    """
    before = locked.severity
    if before == severity:
        return
    fields: dict[str, object] = {"severity": Severity(severity)}
    if locked.is_open:
        fields |= _new_target(locked, before, severity)
    change(locked, **fields)
    write_event(locked, Kind.SEVERITY, by, before=before, after=severity)


def _new_target(locked: Ticket, before: str, severity: str) -> dict[str, object]:
    from console.tickets.waits import paused_until_now

    rules = rules_of(locked.facility_id)
    if not rules.pausing:
        return {"target_at": rules.due(severity, locked.opened_at)}
    return paused_until_now(locked, rules, severity)


@transaction.atomic
def set_title(*, ticket: Ticket, title: str, by: User, seen: str | None = None, version: int | None = None) -> None:
    """Give a ticket a title of one's own; later diagnoses leave it alone."""
    require(by, Right.WORK_TICKETS, ticket.facility_id)
    title = " ".join(title.split())
    if not title:
        raise TicketError("A ticket needs a title.")
    locked = lock(ticket)
    refuse_collision(locked, "title", now=locked.title, mine=title, seen=seen, version=version)
    if locked.title != title:
        before = locked.title
        change(locked, title=title[:160])
        write_event(locked, Kind.TITLE, by, before=before, after=title)
    ticket.refresh_from_db()
