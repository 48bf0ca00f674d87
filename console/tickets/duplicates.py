"""See a duplicate before it is made: the open tickets that may be about the same failure, and why."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from console.notes.models import Note
from console.tickets.models import OPEN_STATES, Ticket, TicketNote

MOST = 5
SAME_NOTE, SAME_ERROR, SAME_CAUSE = "the same note", "the same error", "the same cause"
SAME_PLACE = "the same integration"


@dataclass(frozen=True)
class Match:
    """Be an open ticket that may be about the same, and why. A weak one shares no more than the integration."""

    ticket: Ticket
    why: str
    notes: int = 0

    @property
    def is_strong(self) -> bool:
        """Tell whether more than the integration speaks for it."""
        return self.why != SAME_PLACE


@dataclass(frozen=True)
class Sought:
    """Be what a new ticket would be about, as far as it is known."""

    notes: Sequence[Note] = ()
    integration_id: uuid.UUID | None = None
    signature: str = ""
    cause: str = ""


def window_start(now: datetime | None = None) -> datetime:
    """Give since when a failure counts as the same incident."""
    return (now or timezone.now()) - timedelta(hours=settings.DUPLICATE_WINDOW_H)


def duplicates(among: QuerySet[Ticket], sought: Sought, *, now: datetime | None = None) -> tuple[Match, ...]:
    """Give up to five open tickets of `among` that match, the strongest reason first.

    The same note matches however old its ticket is; error, cause and integration only within DUPLICATE_WINDOW_H of the
    ticket's opening or of the last note that joined it.
    """
    found: dict[uuid.UUID, str] = {}
    for why, condition in _reasons(sought, window_start(now)):
        rows = among.filter(condition, state__in=OPEN_STATES, merged_into=None).exclude(id__in=found)
        for ticket_id in rows.order_by("-opened_at", "-id").values_list("id", flat=True)[: MOST - len(found)]:
            found[ticket_id] = why
        if len(found) == MOST:
            break
    if not found:
        return ()
    rows = Ticket.objects.filter(id__in=found).select_related("integration", "facility", "owner")
    tickets = {ticket.id: ticket for ticket in rows.annotate(held=Count("ticket_notes"))}
    return tuple(Match(tickets[one], why, tickets[one].held) for one, why in found.items())


def _reasons(sought: Sought, since: datetime) -> Iterator[tuple[str, Q]]:
    mine = TicketNote.objects.filter(ticket=OuterRef("pk"))
    if sought.notes:
        yield SAME_NOTE, Q(Exists(mine.filter(note__in=[note.pk for note in sought.notes])))
    here = Q(integration=sought.integration_id) if sought.integration_id else Q()
    lately = Q(opened_at__gte=since) | Q(Exists(mine.filter(added_at__gte=since)))
    if sought.signature:
        yield SAME_ERROR, here & lately & Q(Exists(mine.filter(note__trace__signature=sought.signature)))
    if sought.cause:
        yield SAME_CAUSE, here & lately & Q(cause=sought.cause)
    if sought.integration_id:
        yield SAME_PLACE, here & lately


def signature_of_notes(notes: Sequence[Note]) -> str:
    """Give the masked error by which these notes failed; empty where none is known."""
    return next((note.trace.signature for note in notes if hasattr(note, "trace") and note.trace.signature), "")
