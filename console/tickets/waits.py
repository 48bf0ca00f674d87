"""On whom a ticket has waited, since when and how long: read from its events, so that nothing of it is lost."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from console.tickets.models import Ticket, TicketEvent, TicketState, WaitingFor
from console.tickets.targets import Rules


@dataclass(frozen=True)
class Wait:
    """Be one wait; `until` is None while it goes on."""

    waiting_for: str
    since: datetime
    until: datetime | None

    @property
    def lasted(self) -> timedelta:
        """Give how long it lasted, or has lasted."""
        return (self.until or timezone.now()) - self.since

    @property
    def whom(self) -> str:
        """Name for whom, as it stands within a sentence: `the vendor`, `the EHR team`."""
        name = str(dict(WaitingFor.choices).get(self.waiting_for, "somebody"))
        return f"the {name if name.startswith('EHR') else name.lower()}"


def waits_of(ticket: Ticket) -> tuple[Wait, ...]:
    """Read a ticket's waits, oldest first."""
    moves = ticket.events.filter(kind=TicketEvent.Kind.STATE).order_by("at", "id").values_list("at", "after")
    return waits_in(moves)


def waits_in(moves: Iterable[tuple[datetime, str]]) -> tuple[Wait, ...]:
    """Find the waits in a ticket's moves: when, and to which state, `waiting:vendor`."""
    found: list[Wait] = []
    whom, since = "", None
    for at, after in moves:
        if since is not None:
            found.append(Wait(whom, since, at))
            since = None
        state, _, waiting_for = after.partition(":")
        if state == TicketState.WAITING:
            whom, since = waiting_for, at
    if since is not None:
        found.append(Wait(whom, since, None))
    return tuple(found)


def paused_until_now(ticket: Ticket, rules: Rules, severity: str) -> dict[str, object]:
    """Count a ticket's target anew under a severity, giving back the time in which its clock stood still.

    Answer what changes: `target_at`, and `paused_left_s` where the clock stands still now.
    """
    target_at = rules.due(severity, ticket.opened_at)
    for wait in waits_of(ticket):
        left = rules.left(severity, wait.since, target_at) if rules.pauses(wait.waiting_for) else 0
        if left <= 0:
            continue
        if wait.until is None:
            return {"target_at": target_at, "paused_left_s": left}
        target_at = rules.resumed(severity, wait.until, left)
    return {"target_at": target_at, "paused_left_s": None}
