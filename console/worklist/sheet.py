"""The worklist as CSV, for those who work through it elsewhere."""

import csv
import io
from collections.abc import Iterator

from django.utils import timezone

from console.accounts.models import User
from console.worklist.keyset import read_key
from console.worklist.lines import Line
from console.worklist.waiting import Narrowed
from console.worklist.waiting_page import Encounter, encounters_of

MOST = 5000
AT_ONCE = 500
COLUMNS = (
    "Waiting since", "Hours", "Provider", "Department", "Site", "Facility", "Integration", "Encounter",
    "Failure mode", "Certainty", "Cause", "Answer", "Notes of the encounter", "In the chart", "Ticket",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(user: User, asked: Narrowed) -> tuple[bytes, int]:
    """Write the encounters that wait, oldest first; give the text with its mark for spreadsheets, and their number."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    count, after = 0, None
    while count < MOST:
        encounters, older = encounters_of(user, asked, after, AT_ONCE)
        for one in encounters:
            writer.writerow([safe(str(cell)) for cell in _cells(one)])
        count += len(encounters)
        after = read_key(older)
        if after is None:
            break
    else:
        writer.writerow([f"Cut after {MOST} encounters: narrow the list to get the rest."])
    return out.getvalue().encode("utf-8-sig"), count


def safe(cell: str) -> str:
    """Disarm a text that a spreadsheet would run as a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _cells(one: Encounter) -> Iterator[object]:
    line: Line = one.lead
    yield timezone.localtime(line.at).isoformat(timespec="minutes")
    yield round(line.waits_for.total_seconds() / 3600, 1)
    yield from (line.provider, line.department, line.site, line.facility, line.integration, line.encounter_id)
    yield from (line.pill, line.sureness, line.cause.headline, line.cause.detail)
    yield from (1 + len(one.more), one.in_chart, line.ticket.number if line.ticket else "")
