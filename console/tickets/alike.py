"""Notes that failed like a ticket's notes and wait on no ticket: proposed as a list that is frozen when it is shown.

What fails later is on a later list: whoever joins "7 more notes" joins those seven.
"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction

from console.accounts.access import closed_departments
from console.accounts.models import User
from console.notes.models import Note
from console.tickets.joining import MOST_NOTES, join_notes
from console.tickets.models import OPEN_STATES, Ticket
from console.tickets.moves import TicketError

MOST_KINDS = 5  # ways to fail on one ticket that are followed
IN_ONE_FORM = 50  # a longer list is looked through on a page of its own

# One statement: how the ticket's notes failed, then by trace_by_signature or trace_by_time what failed so as well. Each
# way to fail is looked up by itself, newest first, so however many notes failed alike, no more than `most` are read.
_ALIKE = """
WITH kind AS (
    SELECT DISTINCT ON (signature, status, ack, broke_at, failure_mode)
           signature, status, ack, broke_at, failure_mode, born_at
      FROM (SELECT t.signature, t.status, t.ack, t.broke_at, t.failure_mode, t.born_at
              FROM tickets_ticketnote n JOIN notes_trace t ON t.note_id = n.note_id
             WHERE n.ticket_id = %(ticket)s AND t.failure_mode <> 'delivered'
             ORDER BY n.added_at, n.id LIMIT 50) AS own
     ORDER BY signature, status, ack, broke_at, failure_mode, born_at
     LIMIT %(kinds)s
)
SELECT found.note_id, found.born_at, found.shut, found.closed
  FROM kind CROSS JOIN LATERAL (
    SELECT t.note_id, t.born_at, CASE WHEN d.restricted THEN d.id END AS shut,
           coalesce(d.id = ANY(%(closed)s), false) AS closed
      FROM notes_trace t JOIN notes_note o ON o.id = t.note_id
      LEFT JOIN accounts_department d ON d.id = o.department_id
     WHERE t.integration_id = %(integration)s AND {key}
       AND t.status IS NOT DISTINCT FROM kind.status AND t.ack = kind.ack AND t.broke_at = kind.broke_at
       AND t.failure_mode = kind.failure_mode AND t.ended = ''
       AND t.born_at >= kind.born_at - %(window)s AND {only}
       AND NOT EXISTS (SELECT FROM tickets_ticketnote x JOIN tickets_ticket y ON y.id = x.ticket_id
                        WHERE x.note_id = t.note_id AND (y.id = %(ticket)s OR y.state = ANY(%(open)s)))
     ORDER BY t.born_at DESC, t.id DESC LIMIT %(most)s
  ) AS found
 ORDER BY found.born_at DESC, found.note_id LIMIT %(most)s
"""
# The same for a kind with an error and one without, so that each finds its index.
_WITH_ERROR = _ALIKE.replace("{key}", "t.signature = kind.signature AND t.signature <> '' AND kind.signature <> ''")
_WITHOUT = _ALIKE.replace("{key}", "t.signature = '' AND kind.signature = ''")


class _Found(NamedTuple):
    """One note that failed alike; `shut` is its department where that is restricted."""

    note: uuid.UUID
    born_at: datetime
    shut: uuid.UUID | None
    closed: bool


@dataclass(frozen=True)
class Proposal:
    """Be the notes that failed alike. `left_out` lie in restricted departments and stay out."""

    ids: tuple[uuid.UUID, ...] = ()
    since: datetime | None = None
    left_out: int = 0
    more: bool = False

    @property
    def count(self) -> int:
        """Count the notes that would join."""
        return len(self.ids)

    @property
    def in_one_form(self) -> bool:
        """Tell whether the list is short enough to stand behind one button."""
        return self.count <= IN_ONE_FORM

    @property
    def words(self) -> str:
        """Give the list as a hidden field carries it."""
        return " ".join(str(one) for one in self.ids)


def proposal(user: User, ticket: Ticket) -> Proposal:
    """Give what failed like the ticket's notes, at most 500 notes; two statements, however many failed.

    The window reaches DUPLICATE_WINDOW_H back from the first of the ticket's notes that failed so, and up to now.
    """
    if not ticket.is_open or ticket.merged_into_id:
        return Proposal()
    rows = _find(user, ticket, None)
    own = _department_of(ticket)
    seen = [one for one in rows if not one.closed]
    kept = [one for one in seen if one.shut == own]
    chosen = kept[:MOST_NOTES]
    return Proposal(
        ids=tuple(one.note for one in chosen),
        since=min((one.born_at for one in chosen), default=None),
        left_out=len(seen) - len(kept),
        more=len(rows) > MOST_NOTES,
    )


@transaction.atomic
def join_alike(*, ticket: Ticket, ids: Collection[uuid.UUID], by: User) -> tuple[int, int]:
    """Join notes of a list that was shown; give how many came, and how many of the list no longer can.

    Only what still fails like the ticket's notes and waits on no open ticket joins, so a list that was tampered with
    brings in nothing else.
    """
    wanted = set(ids)
    if not wanted:
        raise TicketError("Choose the notes that shall join this ticket.")
    if len(wanted) > MOST_NOTES:
        raise TicketError(f"Up to {MOST_NOTES} notes join at once. Choose fewer.")
    locked = Ticket.objects.select_for_update(of=("self",)).get(pk=ticket.pk)
    own = _department_of(locked)
    still = [one.note for one in _find(by, locked, sorted(wanted)) if not one.closed and one.shut == own]
    notes = list(Note.objects.filter(pk__in=still).select_related("department").order_by("generated_at", "id"))
    if not notes:
        raise TicketError("None of these notes waits any more: they arrived, ended, or are on another ticket.")
    came = join_notes(ticket=ticket, notes=notes, by=by)
    return len(came), len(wanted) - len(came)


def _find(user: User, ticket: Ticket, only: list[uuid.UUID] | None) -> list[_Found]:
    params: dict[str, Any] = {
        "ticket": ticket.pk,
        "integration": ticket.integration_id,
        "kinds": MOST_KINDS,
        "window": timedelta(hours=settings.DUPLICATE_WINDOW_H),
        "open": [str(state) for state in OPEN_STATES],
        "closed": list(closed_departments(user).filter(facility=ticket.facility_id).values_list("id", flat=True)),
        "most": MOST_NOTES + 1,
        "only": only,
    }
    narrowed = "t.note_id = ANY(%(only)s)" if only is not None else "TRUE"
    found: dict[uuid.UUID, _Found] = {}
    with connection.cursor() as cursor:
        for statement in (_WITH_ERROR, _WITHOUT):
            cursor.execute(statement.replace("{only}", narrowed), params)
            found |= {row[0]: _Found(*row) for row in cursor.fetchall()}
    return sorted(found.values(), key=lambda one: (one.born_at, one.note), reverse=True)[: MOST_NOTES + 1]


def _department_of(ticket: Ticket) -> uuid.UUID | None:
    """Give the restricted department that all notes of the ticket lie in; None for an ordinary ticket."""
    row = ticket.ticket_notes.filter(department__restricted=True).values_list("department_id").first()
    return row[0] if row else None
