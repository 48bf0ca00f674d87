"""What the page of one alert shows."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from console.accounts.access import grants
from console.accounts.models import User
from console.accounts.roles import Right
from console.monitoring.alert_tickets import may_open
from console.monitoring.models import Alert, AlertEvent, AlertMail, RuleKind
from console.monitoring.pages import AlertRow, alert_row
from console.shared.work import WorkState

_ICONS = {
    AlertEvent.Kind.OPENED: "bell-ringing",
    AlertEvent.Kind.WORSE: "alert-triangle",
    AlertEvent.Kind.JOINED: "git-merge",
    AlertEvent.Kind.MUTED: "bell-off",
    AlertEvent.Kind.TOLD: "mail",
    AlertEvent.Kind.TICKET: "flag",
    AlertEvent.Kind.ACKNOWLEDGED: "user-check",
    AlertEvent.Kind.ENDED: "circle-check",
}
_COUNTED = {
    RuleKind.SUCCESS_RATE: "failed notes",
    RuleKind.EHR_5XX: "answers with a 5xx status",
    RuleKind.TOKEN: "failed token requests",
}
_MAIL = {
    WorkState.QUEUED: ("clock", "waits to be sent"),
    WorkState.RUNNING: ("send", "is being sent"),
    WorkState.DONE: ("circle-check", "sent"),
    WorkState.FAILED: ("circle-x", "could not be sent"),
    WorkState.GAVE_UP: ("circle-x", "could not be sent"),
}
_NEXT = {
    RuleKind.TOKEN: "Look at the ticket's first step: it says which part of the token request is refused. "
    "Notes wait until a token is granted again.",
    RuleKind.EHR_5XX: "5xx answers come from the EHR's side. Send its vendor the packet from the ticket: it holds "
    "request ids and times.",
    RuleKind.SUCCESS_RATE: "Open the ticket: it holds the notes that failed. Its diagnosis says where they stopped.",
    RuleKind.CERTIFICATE: "Ask whoever runs this endpoint for a new certificate before the day it ends, then run a "
    "diagnosis: it sees the new one and ends this alert.",
}


@dataclass(frozen=True)
class HistoryRow:
    """One thing that happened."""

    icon: str
    at: datetime
    what: str
    says: str


@dataclass(frozen=True)
class MailRow:
    """One mail and how far it came."""

    to: str
    subject: str
    icon: str
    state: str
    at: datetime
    bad: bool


@dataclass(frozen=True)
class AlertPage:
    """Everything on the page."""

    row: AlertRow
    alert: Alert
    counted: str
    lasted: timedelta
    next: str
    history: tuple[HistoryRow, ...]
    mails: tuple[MailRow, ...]
    may_acknowledge: bool
    may_open_ticket: bool


def alert_page(user: User, alert: Alert) -> AlertPage:
    """Read one alert."""
    counted = _COUNTED.get(RuleKind(alert.kind), "")
    mails = AlertMail.objects.filter(alert=alert).select_related("mail").order_by("mail__created_at", "mail__to", "id")
    return AlertPage(
        row=alert_row(user, alert),
        alert=alert,
        counted=f"{alert.occurrences} {counted}" if counted else "",
        lasted=(alert.ended_at or timezone.now()) - alert.opened_at,
        next=_NEXT[RuleKind(alert.kind)],
        history=tuple(_history(event) for event in alert.events.select_related("by").order_by("-at", "-id")),
        mails=tuple(_mail(row) for row in mails),
        may_acknowledge=alert.ended_at is None
        and alert.acknowledged_at is None
        and grants(user).has(Right.WORK_TICKETS, alert.facility_id),
        may_open_ticket=may_open(user, alert),
    )


def _history(event: AlertEvent) -> HistoryRow:
    what = str(event.get_kind_display())
    if event.by is not None:
        what = f"{what} by {event.by}"
    return HistoryRow(_ICONS[AlertEvent.Kind(event.kind)], event.at, what, event.says)


def _mail(row: AlertMail) -> MailRow:
    mail = row.mail
    icon, state = _MAIL[WorkState(mail.state)]
    if mail.state == WorkState.QUEUED and mail.attempt:
        state = f"waits for attempt {mail.attempt + 1} after {mail.error or 'a failure'}"
    bad = mail.state in (WorkState.FAILED, WorkState.GAVE_UP)
    return MailRow(mail.to, mail.subject, icon, state, mail.finished_at or mail.created_at, bad)
