"""Who else is looking at a ticket right now: a sign of life from each open page, gone after a minute."""

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from console.accounts.models import User
from console.tickets.models import Draft, Presence, Ticket

FRESH = timedelta(minutes=1)
KEPT_FOR = timedelta(hours=1)


@dataclass(frozen=True)
class Here:
    """Be somebody with the ticket's page open."""

    name: str
    writing: bool


def touch(*, ticket: Ticket, user: User) -> None:
    """Note that a person has the page open; whoever typed within the last minute is writing."""
    now = timezone.now()
    writing = Draft.objects.filter(user=user, ticket=ticket, at__gt=now - FRESH).exists()
    Presence.objects.bulk_create(
        [Presence(ticket=ticket, user=user, at=now, writing=writing)],
        update_conflicts=True,
        unique_fields=["ticket", "user"],
        update_fields=["at", "writing"],
    )


def others(*, ticket: Ticket, user: User) -> tuple[Here, ...]:
    """Give who else has it open now, by name."""
    rows = Presence.objects.filter(ticket=ticket, at__gt=timezone.now() - FRESH).exclude(user=user)
    return tuple(Here(str(row.user), row.writing) for row in rows.select_related("user").order_by("user__name", "id"))


def forget_old() -> int:
    """Drop signs that say nothing any more; give how many."""
    return Presence.objects.filter(at__lt=timezone.now() - KEPT_FOR).delete()[0]
