"""What the figures mean: one text for the page, the CSV and the PDF. A figure nobody can recount is an opinion."""

from datetime import UTC, datetime

from console.reports.figures import SMALL
from console.tickets.models import Severity
from console.tickets.states import target


def _targets() -> str:
    """Say the targets as the tickets themselves reckon them."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    hours = {severity.label.lower(): target(severity, start) - start for severity in Severity}
    return ", ".join(f"{name} {length.total_seconds() / 3600:g} h" for name, length in hours.items())


# One paragraph a term: its name, a colon, what it means.
_TEXT = f"""
Which tickets count: Tickets whose last resolution lies in the period and that are still resolved or closed. Open
tickets are shown apart and are in no average. All times come from the events recorded on each ticket, never from when
a ticket was last edited. A ticket that was merged into another is not counted: its notes count with that one.

MTTR: The time from the opening of a ticket to its last resolution: as mean, as median (of an even number, the mean of
the two in the middle) and as 90th percentile, p90 (nearest rank: the shortest time that at least nine in ten tickets
did not exceed).

Wall time and active time: Wall time runs from opening to the last resolution without a break, nights, weekends and
waiting included. Active time leaves out the time in the state waiting, on whomever the ticket waited. The two are never
mixed in one table.

Reopened tickets: A reopened ticket counts once and runs to its last resolution; the time between a resolution and the
reopening is included. The share is that of tickets reopened at least once.

Time to diagnosis: The time from opening to the first finished diagnosis that named a cause. Tickets without one are
left out of this figure.

Time to acknowledgement: The time from opening until somebody first took the ticket or was given it. Tickets nobody took
are left out of this figure.

Within target: Resolved by the target of the severity that was in force at the last resolution, counted on the wall
clock from opening: {_targets()}. Where a facility has set
working hours, targets or pauses of its own, it is the target that the ticket was told by them.

Root cause: The cause that a person confirmed at the last resolution.

Days and months: Those of the time zone of the ticket's facility. The comparison is with as many days immediately
before.

Small groups: Groups of fewer than {SMALL} tickets are marked: their figures tell of single tickets. Times are rounded
to the second and, from a minute on, shown to the minute; shares and changes are rounded.

Restricted departments: Tickets with notes of a restricted department that the reader may not enter are left out. How
many these are is said from {SMALL} on.
"""


def _terms() -> tuple[tuple[str, str], ...]:
    paragraphs = (" ".join(paragraph.split()) for paragraph in _TEXT.strip().split("\n\n"))
    return tuple((name, meaning) for name, _, meaning in (paragraph.partition(": ") for paragraph in paragraphs))


DEFINITION = _terms()
