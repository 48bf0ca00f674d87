"""The demo's alerts: the rules look at the sample's own log rows, hour by hour, as they would have in life."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from console.accounts.models import OutgoingMail
from console.integrations.models import Integration
from console.integrations.tokens import make_token, source_of
from console.monitoring.evaluating import evaluate
from console.monitoring.models import Alert, AlertEvent, AlertMail, RuleKind
from console.shared.work import WorkState
from console.tickets.models import Ticket, TicketEvent
from console.tickets.moves import write_event

LOOK_BACK = timedelta(hours=8)
EVERY = timedelta(minutes=15)
# Over long ago: (cause of the ticket it led to, rule, what was measured, how it ended, minutes, occurrences)
_PAST = (
    ("auth", RuleKind.TOKEN, "The last 5 token requests failed.", "A token was granted again.", 52, 5),
    ("net", RuleKind.EHR_5XX, "4 answers of the EHR with a 5xx status in the last 30 minutes.",
     "No answer with a 5xx status for 30 minutes.", 64, 4),
)  # fmt: skip


def make_monitoring(now: datetime) -> int:
    """Give every integration a source with a token, and let the rules look at the last hours; give how many alerts.

    Alerts join the sample's tickets, which hold the notes that failed.
    """
    for integration in Integration.objects.select_related("facility").order_by("id"):
        make_token(source=source_of(integration), name="Scribe vendor", by=None)
    at = now - LOOK_BACK
    while at < now:
        evaluate(now=at)
        at += EVERY
    evaluate(now=now)
    for past in _PAST:
        _over(*past)
    _mails_of_their_time()
    return Alert.objects.count()


@transaction.atomic
def _over(prefix: str, kind: RuleKind, says: str, end: str, minutes: int, count: int) -> None:
    """Tell of an alert that is over, beside the closed ticket it led to."""
    rows = Ticket.objects.filter(cause__startswith=f"{prefix}.", state="closed", ticket_notes__isnull=False)
    ticket = rows.select_related("integration").order_by("opened_at", "id").first()
    if ticket is None:
        return
    opened = ticket.opened_at - timedelta(minutes=1)
    ended = opened + timedelta(minutes=minutes)
    key = f"{kind}:{ticket.integration_id}:"
    alert = Alert.objects.create(
        facility_id=ticket.facility_id, integration=ticket.integration, kind=kind, key=key,
        says=says, opened_at=opened, last_seen_at=ended - EVERY, counted_to=ended, occurrences=count, ended_at=ended,
        ticket=ticket,
    )  # fmt: skip
    story = (
        (AlertEvent.Kind.OPENED, opened, says),
        (AlertEvent.Kind.TICKET, ticket.opened_at, f"Joined ticket {ticket.number}."),
        (AlertEvent.Kind.ENDED, ended, end),
    )
    AlertEvent.objects.bulk_create(AlertEvent(alert=alert, kind=step, at=when, says=text) for step, when, text in story)
    for before, when, text in (("joined", ticket.opened_at, says), ("ended", ended, end)):
        after = f"{kind.label}. {text}"
        write_event(ticket, TicketEvent.Kind.ALERT, None, at=when, before=before, after=after, reference=alert.id)


@transaction.atomic
def _mails_of_their_time() -> None:
    """Date the mails to their alerts and take them for sent, so that the demo does not begin with a pile of them."""
    for row in AlertMail.objects.select_related("alert"):
        at = row.alert.ended_at if row.at_end and row.alert.ended_at else row.alert.opened_at
        OutgoingMail.objects.filter(pk=row.mail_id).update(
            state=WorkState.DONE, created_at=at, started_at=at, finished_at=at, attempt=F("attempt") + 1
        )
