"""Open an alert's ticket because a person asks: a muted alert has none, and a ticket may be over too early."""

from django.db import transaction
from django.utils import timezone

from console.accounts.access import grants, require
from console.accounts.models import User
from console.accounts.roles import Right
from console.monitoring.alerting import note
from console.monitoring.measures import measure
from console.monitoring.models import Alert, AlertEvent
from console.monitoring.ticketing import attach_ticket
from console.tickets.models import Ticket


def may_open(user: User, alert: Alert) -> bool:
    """Tell whether the person works on tickets there and the alert has no open one."""
    has_one = alert.ticket is not None and alert.ticket.is_open
    return not has_one and grants(user).has(Right.WORK_TICKETS, alert.facility_id)


@transaction.atomic
def open_ticket(*, alert: Alert, by: User) -> Ticket:
    """Give the alert's open ticket: the one it has, one that fits, or a new one with what fails now.

    However often and by however many the button is pressed, the alert gets one.
    """
    require(by, Right.WORK_TICKETS, alert.facility_id)
    held = Alert.objects.select_for_update(of=("self",)).select_related("integration", "ticket").get(pk=alert.pk)
    if held.ticket is not None and held.ticket.is_open:
        return held.ticket
    now = timezone.now()
    measured = measure([held.integration_id], now).get(held.integration_id)
    says = attach_ticket(held, measured.failing if measured else (), at=now, by=by)
    note(held, AlertEvent.Kind.TICKET, says, at=now)
    assert held.ticket is not None
    return held.ticket
