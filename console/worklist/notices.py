"""Say above the pages about notes that a log went quiet: what did not come is not what failed."""

from collections.abc import Iterable

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from console.shared.navigation import Notice

PAGES = ("worklist", "monitoring", "integrations")
MOST_LINES = 2


def notices(request: HttpRequest) -> Iterable[Notice]:
    """Give a line for each silence of the facilities shown, or one for all where there are many."""
    match = getattr(request, "resolver_match", None)
    if match is None or match.app_name not in PAGES:
        return
    from console.accounts.place import places
    from console.accounts.roles import Right
    from console.worklist.gaps import gaps_in

    where = places(request, Right.SEE_TICKETS) | places(request, Right.SEE_INTEGRATIONS)
    found = list(gaps_in(where).values()) if where else []
    may_look = bool(places(request, Right.SEE_INTEGRATIONS))
    link = reverse("monitoring:overview") if may_look and match.app_name != "monitoring" else ""
    if len(found) > MOST_LINES:
        yield Notice(
            "warn", "hourglass",
            f"Logs of {len(found)} integrations went quiet. Newer notes of theirs cannot be judged: no answer yet is "
            "not failed.",
            link, "See monitoring" if link else "",
        )  # fmt: skip
        return
    for gap in found:
        yield Notice("warn", "hourglass", says(gap), link, "See monitoring" if link else "")


def says(gap: object) -> str:
    """Say which log is quiet, since when, and what follows for the notes."""
    since = clock(gap.since)
    if gap.logs == ("ehr",):
        return (
            f"The EHR's log of {gap.name} has been quiet since {since}. Notes since then cannot be judged: "
            "no answer yet is not failed."
        )
    if gap.logs == ("scribe",):
        return (
            f"The AI scribe's log of {gap.name} has been quiet since {since}, while the EHR's goes on. "
            "Notes since then are missing here until it comes."
        )
    return (
        f"Both logs of {gap.name} have been quiet since {since}. Look at what brings them in; "
        "notes since then are not known here."
    )


def clock(at: object) -> str:
    """Give the time of day, with the date where it was not today."""
    local = timezone.localtime(at)
    return f"{local:%H:%M}" if local.date() == timezone.localtime().date() else f"{local.day} {local:%b %H:%M}"
