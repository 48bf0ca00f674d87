"""End notes that were not in the chart, or open them again: the one door, whoever says so and on whatever page.

Tickets stand above notes and hold an end of their own for each of theirs; they follow by being told.
"""

import uuid
from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from django.db import connection, transaction
from django.utils import timezone

from console.accounts.access import require
from console.accounts.models import User
from console.accounts.roles import Right
from console.notes.models import End, Note, NoteEnd, Trace

Follower = Callable[[Sequence[Note], End, User | None, datetime], None]
_followers: list[Follower] = []

_NEWEST = """
SELECT wanted.id AS note_id, newest.how FROM unnest(%(notes)s::uuid[]) AS wanted (id) CROSS JOIN LATERAL (
    SELECT how FROM notes_noteend WHERE note_id = wanted.id ORDER BY at DESC, id DESC LIMIT 1
) AS newest
"""
_CARRY_OVER = f"""
UPDATE notes_trace t SET ended = e.how FROM ({_NEWEST}) e
 WHERE t.note_id = e.note_id AND e.how <> 'open' AND t.ended <> e.how
"""


def follow(follower: Follower) -> None:
    """Register who is told of ends; called in the transaction that writes them, so both happen or neither."""
    if follower not in _followers:
        _followers.append(follower)


@transaction.atomic
def end_notes(
    *, notes: Collection[Note], how: str, by: User | None, reason: str = "", at: datetime | None = None,
    only_waiting: bool = False,
) -> list[Note]:  # fmt: skip
    """Say how notes ended, or with `End.OPEN` that they wait again; give those for which that is news.

    All ends of one call bear the same time, by which they are found again together. With `only_waiting` a note that
    somebody else has ended meanwhile keeps what he said.
    """
    said = End(how)
    if by is not None:
        for facility_id in {note.facility_id for note in notes}:
            require(by, Right.WORK_TICKETS, facility_id)
    ids = sorted(note.id for note in notes)
    held = {note.id: note for note in Note.objects.select_for_update(of=("self",)).filter(id__in=ids).order_by("id")}
    now = ends_of(ids)
    fresh = [
        note
        for note in held.values()
        if now.get(note.id, End.OPEN) != said and not (only_waiting and now.get(note.id, End.OPEN) != End.OPEN)
    ]
    moment = at or timezone.now()
    NoteEnd.objects.bulk_create(
        NoteEnd(facility_id=note.facility_id, note=note, how=said, by=by, at=moment, reason=reason or None)
        for note in fresh
    )
    Trace.objects.filter(note__in=[note.id for note in fresh]).update(ended="" if said == End.OPEN else said)
    for follower in _followers:
        follower(fresh, said, by, moment)
    return fresh


def ends_of(note_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, End]:
    """Give how notes ended by now; one that nobody spoke of is absent."""
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST, {"notes": list(note_ids)})
        return {note_id: End(how) for note_id, how in cursor.fetchall()}


def carry_over(note_ids: Collection[uuid.UUID]) -> int:
    """Bring what was said of notes to traces made since; whoever inserts traces calls it. Give how many changed."""
    with connection.cursor() as cursor:
        cursor.execute(_CARRY_OVER, {"notes": list(note_ids)})
        return cursor.rowcount
