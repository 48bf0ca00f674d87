"""What every page says of alerts: a dot while one is open, and a line for each that began or ended just now."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from console.shared.navigation import Badge, Notice

MOST_LINES = 2
FRESH = timedelta(hours=1)  # later, and once somebody acknowledged it, the dot alone goes on: a bar for ever is no news
_MEMO = "_notetrace_alerts"


def shown(request: HttpRequest) -> bool:
    """Tell whether this person sees monitoring."""
    from console.accounts.access import grants
    from console.accounts.roles import Right

    return bool(grants(request.user).where(Right.SEE_INTEGRATIONS))


def badge(request: HttpRequest) -> Badge | None:
    """Give the dot while an alert is open."""
    count = sum(alert.ended_at is None for alert in _told(request))
    if not count:
        return None
    return Badge("1 alert is open" if count == 1 else f"{count} alerts are open")


def notices(request: HttpRequest) -> Iterable[Notice]:
    """Give a line for each alert that is news, or one for all where there are many."""
    told = _told(request)
    now = timezone.now()
    still_open = [a for a in told if a.ended_at is None and a.acknowledged_at is None and now - a.opened_at < FRESH]
    over = [alert for alert in told if alert.ended_at is not None]
    if len(still_open) > MOST_LINES:
        where = len({alert.integration_id for alert in still_open})
        at = "1 integration" if where == 1 else f"{where} integrations"
        yield Notice(
            "bad",
            "bell-ringing",
            f"{len(still_open)} alerts began at {at}.",
            reverse("monitoring:overview"),
            "See alerts",
        )
    else:
        for alert in still_open:
            yield _line(alert, "bad" if alert.kind != "certificate" or alert.grave else "warn", "bell-ringing", "since")
    for alert in over[:MOST_LINES]:
        yield _line(alert, "", "circle-check", "over since")


def _line(alert: object, tone: str, icon: str, word: str) -> Notice:
    from console.monitoring.telling import headline

    at = alert.ended_at or alert.opened_at
    text = f"{headline(alert)} at {alert.integration.name} {word} {_clock(at)}"
    if alert.ticket is not None:
        text += f" · ticket {alert.ticket.number}"
    return Notice(tone, icon, text, reverse("monitoring:alert", args=[alert.id]), "See alert")


def _clock(at: datetime) -> str:
    local, today = timezone.localtime(at), timezone.localtime().date()
    return f"{local:%H:%M}" if local.date() == today else f"{local.day} {local:%b %H:%M}"


def _told(request: HttpRequest) -> list:
    """Read once a request: the dot and the lines ask for the same."""
    if not hasattr(request, _MEMO):
        from console.accounts.place import places
        from console.accounts.roles import Right
        from console.monitoring.queries import told_of

        where = places(request, Right.SEE_INTEGRATIONS)
        setattr(request, _MEMO, told_of(where, timezone.now()) if where else [])
    return getattr(request, _MEMO)
