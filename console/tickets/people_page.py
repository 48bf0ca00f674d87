"""What the ticket's page shows of people: who watches, who looks, on whom it waited, and the person's own drafts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from django.utils import timezone

from console.accounts.models import User
from console.tickets import drafts, presence
from console.tickets.models import Draft, Ticket, Watcher
from console.tickets.presence import Here
from console.tickets.waits import Wait, waits_of


@dataclass(frozen=True)
class Target:
    """Be the ticket's clock in words: by when, how much is left, and whether it stands still."""

    at: datetime
    left: timedelta
    paused_since: datetime | None
    late: bool
    over: bool


class PeoplePage:
    """Read once for a request; what the template does not ask for costs nothing."""

    def __init__(self, ticket: Ticket, user: User) -> None:
        self.ticket = ticket
        self.user = user

    @cached_property
    def watchers(self) -> list[Watcher]:
        """Give who watches, by name."""
        return list(self.ticket.watchers.select_related("user").order_by("user__name", "id"))

    @property
    def mine(self) -> Watcher | None:
        """Give the person's own watching, if any."""
        return next((row for row in self.watchers if row.user_id == self.user.pk), None)

    @cached_property
    def here(self) -> tuple[Here, ...]:
        """Give who else has the ticket open now."""
        return presence.others(ticket=self.ticket, user=self.user)

    @cached_property
    def waits(self) -> tuple[Wait, ...]:
        """Give on whom it waited, newest first."""
        return tuple(reversed(waits_of(self.ticket)))

    @cached_property
    def drafts(self) -> Mapping[str, Draft]:
        """Give what the person typed here and has not sent."""
        return drafts.kept(self.user, self.ticket)

    @property
    def target(self) -> Target:
        """Give the clock. A wall clock runs beside it and never stops."""
        ticket, now = self.ticket, timezone.now()
        paused = ticket.paused_left_s is not None and ticket.is_open
        left = timedelta(seconds=ticket.paused_left_s or 0) if paused else ticket.target_at - now
        return Target(
            at=ticket.target_at,
            left=left,
            paused_since=ticket.waiting_since if paused else None,
            late=ticket.is_late,
            over=not ticket.is_open,
        )
