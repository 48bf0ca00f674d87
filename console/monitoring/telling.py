"""Tell people of an alert's start and end by mail; no patient data leaves the house."""

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.urls import reverse
from guardian.shortcuts import get_users_with_perms

from console.accounts.mail import send
from console.accounts.models import Facility
from console.accounts.roles import Right
from console.monitoring.models import Alert, AlertMail


def tell(alert: Alert, *, at_end: bool, at: datetime) -> int:
    """Queue mails to those who look after the facility's integrations; give how many."""
    addresses = _addresses(alert.facility)
    if not addresses:
        return 0
    subject = f"{'Over' if at_end else 'Alert'}: {headline(alert)} at {alert.integration.name}"
    mails = send(
        facility=alert.facility, to=addresses, subject=subject, body=_body(alert, at_end=at_end), about="alert"
    )
    AlertMail.objects.bulk_create(AlertMail(alert=alert, mail=mail, at_end=at_end) for mail in mails)
    return len(mails)


def headline(alert: Alert) -> str:
    """Name the alert; a certificate that has ended is no longer about to."""
    if alert.grave:
        return "Certificate has ended"
    return str(alert.get_kind_display())


def _addresses(facility: Facility) -> list[str]:
    people = get_users_with_perms(
        facility, only_with_perms_in=[Right.MANAGE_INTEGRATIONS.value], with_superusers=False, with_group_users=True
    )
    return sorted(people.filter(is_active=True).values_list("email", flat=True))


def _body(alert: Alert, *, at_end: bool) -> str:
    lines = [
        f"{headline(alert)} at {alert.integration.name}, {alert.facility.name}.",
        alert.says,
        "",
        f"Since: {_moment(alert.opened_at, alert.facility)}",
    ]
    if at_end and alert.ended_at:
        lines.append(f"Over since: {_moment(alert.ended_at, alert.facility)}")
    lines += ["", f"The alert: {_link(reverse('monitoring:alert', args=[alert.id]))}"]
    if alert.ticket is not None:
        path = reverse("tickets:ticket", args=[alert.ticket.number])
        lines.append(f"Its ticket {alert.ticket.number}, with the diagnosis: {_link(path)}")
    return "\n".join(lines) + "\n"


def _link(path: str) -> str:
    return settings.CONSOLE_ADDRESS + path.lstrip("/")


def _moment(value: datetime, facility: Facility) -> str:
    try:
        local = value.astimezone(ZoneInfo(facility.time_zone))
    except (ZoneInfoNotFoundError, ValueError):
        local = value
    return f"{local.day} {local:%b %Y %H:%M %Z}"
