"""What a ticket is tied to: its incident, its parts, what went into it, and how it was told of."""

from dataclasses import dataclass
from functools import cached_property

from django.db.models import Count, Q

from console.accounts.models import User
from console.tickets.access import visible
from console.tickets.models import OPEN_STATES, Ticket, TicketNote, TicketReport, TicketState
from console.tickets.parents import can_be_fixed, children_of

SHOWN = 50


@dataclass(frozen=True)
class Related:
    """Read once for a request; parts the template does not ask for cost nothing."""

    user: User
    ticket: Ticket

    @cached_property
    def into(self) -> Ticket | None:
        """Give the ticket that this one went into, where the person sees it."""
        if self.ticket.merged_into_id is None:
            return None
        return visible(self.user).filter(pk=self.ticket.merged_into_id).first()

    @cached_property
    def parent(self) -> Ticket | None:
        """Give the incident that this ticket is part of, where the person sees it."""
        if self.ticket.parent_id is None:
            return None
        return visible(self.user).filter(pk=self.ticket.parent_id).select_related("owner", "facility").first()

    @cached_property
    def children(self) -> list[Ticket]:
        """Give what is part of this incident, open ones first, each with how many of its notes wait."""
        waits = Count("ticket_notes", filter=Q(ticket_notes__end=TicketNote.End.WAITING))
        rows = children_of(self.user, self.ticket).annotate(waits=waits).order_by("number", "id")[: SHOWN + 1]
        return sorted(rows, key=lambda child: child.state not in OPEN_STATES)

    @property
    def open_children(self) -> int:
        """Count the parts shown that are still open."""
        return sum(child.state in OPEN_STATES for child in self.children)

    @cached_property
    def fixable(self) -> list[Ticket]:
        """Give the parts that may follow, once this incident is fixed or over: offered, never done by itself."""
        over = (TicketState.FIXED, TicketState.RESOLVED, TicketState.CLOSED)
        if self.ticket.state not in over or not self.open_children:
            return []
        return can_be_fixed(self.user, self.ticket)

    @cached_property
    def merged(self) -> list[Ticket]:
        """Give the tickets that went into this one."""
        return list(visible(self.user).filter(merged_into=self.ticket).order_by("number", "id")[:SHOWN])

    @cached_property
    def reports(self) -> list[TicketReport]:
        """Give what other systems and mails told of it, or of what went into it."""
        own = Q(ticket=self.ticket) | Q(ticket__merged_into=self.ticket)
        return list(TicketReport.objects.filter(own).select_related("source", "by").order_by("at", "id")[:SHOWN])

    @property
    def told(self) -> bool:
        """Tell whether words are kept that somebody reported or pasted; they may name a patient, so they are masked."""
        return bool(self.reports) or self.ticket.__dict__.get("pasted") is not None

    @property
    def any(self) -> bool:
        """Tell whether there is anything to show."""
        return bool(self.ticket.parent_id or self.children or self.merged or self.told)


def related(user: User, ticket: Ticket) -> Related:
    """Give what a ticket is tied to."""
    return Related(user, ticket)
