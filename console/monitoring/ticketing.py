"""Bring an alert and a ticket together: one that holds its notes or an alert of its integration, else a new one."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Q

from console.accounts.models import User
from console.monitoring.measures import MOST_NOTES
from console.monitoring.models import Alert, RuleKind
from console.notes.correlation.asked import tell_asked
from console.notes.correlation.loading import Keys
from console.notes.models import Note
from console.tickets.models import OPEN_STATES, OpenedVia, Severity, Ticket, TicketEvent
from console.tickets.moves import write_event
from console.tickets.services import add_note, open_ticket, request_run

SAME_INCIDENT = timedelta(days=1)  # a ticket left open longer than this after its alert is another story
FAILURES = (RuleKind.TOKEN, RuleKind.EHR_5XX, RuleKind.SUCCESS_RATE)


def attach_ticket(alert: Alert, failing: Sequence[bytes], *, at: datetime, by: User | None = None) -> str:
    """Give an alert its ticket, with the failing notes and the diagnosis asked for; say which it is.

    `by` is the person who asked for it on the alert's page; nobody where the alert itself did.
    """
    notes = _failing_notes(alert, failing)
    ticket = _fitting(alert, [note.id for note in notes])
    if ticket is None:
        return _open(alert, notes, at, by)
    alert.ticket = ticket
    alert.save(update_fields=["ticket"])
    said = max(at, ticket.opened_at)
    write_event(ticket, TicketEvent.Kind.ALERT, by, at=said, before="joined", after=_words(alert), reference=alert.id)
    _add(ticket, notes)
    if ticket.run is None or (not ticket.cause and ticket.run.finished_at is not None):
        request_run(ticket=ticket, by=None)
    return f"Joined ticket {ticket.number}."


def add_failing_notes(alert: Alert, failing: Sequence[bytes], *, at: datetime) -> None:
    """Add what failed meanwhile, so that no note is forgotten; a ticket that was resolved too early is followed up."""
    ticket = alert.ticket
    if ticket is None or not failing:
        return
    if ticket.is_open:
        _add(ticket, _failing_notes(alert, failing))
    elif _failing_notes(alert, failing, since=ticket.resolved_at):
        attach_ticket(alert, failing, at=at)


def write_end(alert: Alert, says: str, *, at: datetime) -> None:
    """Tell the ticket's activity that its alert is over."""
    if alert.ticket is not None:
        after = f"{alert.get_kind_display()}. {says}"
        kind = TicketEvent.Kind.ALERT
        write_event(alert.ticket, kind, None, at=at, before="ended", after=after, reference=alert.id)


def _words(alert: Alert) -> str:
    return f"{alert.get_kind_display()}. {alert.says}"


def follow_merge(went: Ticket, kept: Ticket) -> None:
    """Let the alerts of a ticket that went into another belong to that one."""
    Alert.objects.filter(ticket=went).update(ticket=kept)


def _open(alert: Alert, notes: list[Note], at: datetime, by: User | None) -> str:
    key = f"alert-{alert.id}" if alert.ticket is None else f"alert-{str(alert.id)[-12:]}-after-{alert.ticket.number}"
    quiet = alert.kind == RuleKind.CERTIFICATE and not alert.grave
    ticket = open_ticket(
        by=by,
        integration=alert.integration,
        notes=notes,
        severity=Severity.NONE if quiet else Severity.UNDOCUMENTED,
        idempotency_key=key,
        opened_at=at,
        title=_title(alert),
        via=OpenedVia.ALERT,
    )
    alert.ticket = ticket
    alert.save(update_fields=["ticket"])
    write_event(ticket, TicketEvent.Kind.ALERT, by, at=at, before="opened", after=_words(alert), reference=alert.id)
    return f"Opened ticket {ticket.number}; its diagnosis was asked for."


def _title(alert: Alert) -> str:
    if alert.kind == RuleKind.CERTIFICATE:
        return f"Certificate of {alert.subject} {'has ended' if alert.grave else 'ends soon'}"[:160]
    return str(alert.get_kind_display())


def _fitting(alert: Alert, note_ids: list[uuid.UUID]) -> Ticket | None:
    """Find the open ticket of the same cause; a certificate that still holds is a matter of its own."""
    mine = Ticket.objects.filter(integration=alert.integration, state__in=OPEN_STATES).select_related("run")
    if alert.kind == RuleKind.CERTIFICATE:
        fits = Q(alerts__kind=RuleKind.CERTIFICATE, alerts__subject=alert.subject)
    else:
        still = Q(alerts__ended_at=None) | Q(alerts__ended_at__gt=alert.opened_at - SAME_INCIDENT)
        of_failures = Q(alerts__kind__in=FAILURES) | Q(alerts__grave=True)
        fits = Q(ticket_notes__note__in=note_ids) | (Q(alerts__isnull=False) & still & of_failures)
    return mine.filter(fits).order_by("-opened_at", "-id").distinct().first()


def _failing_notes(alert: Alert, failing: Sequence[bytes], *, since: datetime | None = None) -> list[Note]:
    """Give the notes, newest failure first.

    A note of a restricted department would hide the ticket from those who work on the others, so it stays out where
    there are others.
    """
    if alert.kind == RuleKind.CERTIFICATE or not failing:
        return []
    rank = {digest: number for number, digest in enumerate(failing)}
    tell_asked([alert.integration.facility_id], Keys(note=set(rank)), most=MOST_NOTES)  # rows of this very minute
    rows = Note.objects.filter(integration=alert.integration, external_hash__in=list(rank)).select_related("department")
    if since is not None:
        rows = rows.filter(generated_at__gt=since)
    found = sorted(rows, key=lambda note: rank[bytes(note.external_hash)])
    ordinary = [note for note in found if note.department is None or not note.department.restricted]
    return (ordinary or found)[:MOST_NOTES]


def _add(ticket: Ticket, notes: list[Note]) -> None:
    held = {row.note_id: row.department for row in ticket.ticket_notes.select_related("department")}
    guarded = any(department is not None and department.restricted for department in held.values())
    for note in notes:
        shut = note.department is not None and note.department.restricted
        if note.id in held or len(held) >= MOST_NOTES or (shut and held and not guarded):
            continue
        add_note(ticket=ticket, note=note, by=None)
        held[note.id] = note.department
