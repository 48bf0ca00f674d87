"""The entry in the top bar: who sees it, and how many notes wait, counted as far as a badge can show."""

from django.http import HttpRequest

from console.shared.navigation import Badge

MOST = 100


def shown(request: HttpRequest) -> bool:
    """Tell whether this person sees notes."""
    from console.accounts.access import grants
    from console.accounts.roles import Right

    return bool(grants(request.user).where(Right.SEE_TICKETS))


def badge(request: HttpRequest) -> Badge | None:
    """Count the notes that are not in a chart, an index scan of at most a hundred rows."""
    from django.utils import timezone

    from console.worklist.access import scope
    from console.worklist.waiting import GRACE, count_waiting

    place = scope(request)
    count = count_waiting(place, timezone.now() - GRACE, MOST) if place.facilities else 0
    if not count:
        return None
    if count >= MOST:
        return Badge(f"{MOST} or more notes are not in a chart", f"{MOST - 1}+")
    return Badge("1 note is not in a chart" if count == 1 else f"{count} notes are not in a chart", count)
