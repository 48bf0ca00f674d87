"""What happens to an alert: it opens, goes on, is joined, ends. Each leaves its event, in the caller's transaction."""

from collections.abc import Sequence
from datetime import datetime

from console.integrations.models import Integration
from console.monitoring.models import Alert, AlertEvent, RuleKind
from console.monitoring.rules import Verdict
from console.monitoring.telling import tell
from console.monitoring.ticketing import add_failing_notes, attach_ticket, write_end

Kind = AlertEvent.Kind


def open_alert(
    *,
    integration: Integration,
    kind: RuleKind,
    subject: str,
    key: str,
    verdict: Verdict,
    count: int,
    failing: Sequence[bytes],
    muted: bool,
    at: datetime,
) -> Alert:
    """Open an alert; unless muted it gets its ticket and is told."""
    alert = Alert.objects.create(
        facility_id=integration.facility_id,
        integration=integration,
        kind=kind,
        subject=subject,
        key=key,
        says=verdict.says[:200],
        grave=verdict.grave,
        opened_at=at,
        last_seen_at=at,
        counted_to=at,
        occurrences=count,
        muted=muted,
    )
    note(alert, Kind.OPENED, verdict.says, at=at)
    if muted:
        note(alert, Kind.MUTED, "A maintenance window is open: nobody is told, no ticket is opened.", at=at)
    else:
        _sound(alert, failing, at)
    return alert


def go_on(
    alert: Alert, verdict: Verdict, times: Sequence[datetime], failing: Sequence[bytes], *, muted: bool, at: datetime
) -> None:
    """Count what is new of an open alert; when maintenance ends or it grows worse, tell."""
    alert.occurrences += sum(alert.counted_to < moment <= at for moment in times)
    alert.last_seen_at, alert.counted_to, alert.says = at, max(alert.counted_to, at), verdict.says[:200]
    worse, sounds = verdict.grave and not alert.grave, alert.muted and not muted
    alert.grave, alert.muted = verdict.grave, alert.muted and muted
    alert.save(update_fields=["occurrences", "last_seen_at", "counted_to", "says", "grave", "muted"], force_update=True)
    if worse:
        note(alert, Kind.WORSE, verdict.says, at=at)
    if sounds:
        _sound(alert, failing, at)
    elif not alert.muted:
        add_failing_notes(alert, failing, at=at)
        if worse:
            tell(alert, at_end=False, at=at)


def join_alert(alert: Alert, kind: RuleKind, says: str, failing: Sequence[bytes], *, at: datetime) -> None:
    """Let another rule's condition join the alert that explains it, once."""
    text = f"{kind.label}: {says}"[:200]
    AlertEvent.objects.get_or_create(alert=alert, kind=Kind.JOINED, rule_kind=kind, defaults={"at": at, "says": text})
    if not alert.muted:
        add_failing_notes(alert, failing, at=at)


def end_alert(alert: Alert, says: str, *, at: datetime) -> None:
    """End an alert, and tell those who were told of its start."""
    alert.ended_at = at
    alert.save(update_fields=["ended_at"])
    note(alert, Kind.ENDED, says, at=at)
    if not alert.muted:
        write_end(alert, says, at=at)
        tell(alert, at_end=True, at=at)


def note(alert: Alert, kind: str, says: str, *, at: datetime) -> None:
    """Write one event of an alert."""
    AlertEvent.objects.create(alert=alert, kind=kind, says=says[:200], at=at)


def _sound(alert: Alert, failing: Sequence[bytes], at: datetime) -> None:
    how = attach_ticket(alert, failing, at=at)
    note(alert, Kind.TICKET, how, at=at)
    told = tell(alert, at_end=False, at=at)
    people = "1 person" if told == 1 else f"{told} people"
    note(alert, Kind.TOLD, f"Mail to {people} who look after integrations." if told else "Nobody looks after "
         "integrations here, so no mail was sent.", at=at)  # fmt: skip
