"""Read log rows back: a note's own, and those around it."""

from datetime import timedelta
from typing import Any

from django.db.models import Max, Min, Q

from console.notes.masking import mask
from console.notes.models import LogEntry, Note
from console.notes.storing import store_rows

__all__ = ["mask", "rows_of", "store_rows"]
BEFORE, AFTER = timedelta(hours=12), timedelta(hours=3)
MOST_ROWS = 3000


def rows_of(note: Note, log: str) -> tuple[dict[str, Any], ...] | None:
    """Give one log around a note, in its order; None where the integration has no such log at all.

    The note's own rows come whatever their time. Those of other notes in the same hours come along because only
    they tell whether one note failed, or one provider's, or all.
    """
    entries = LogEntry.objects.filter(facility_id=note.facility_id, integration_id=note.integration_id, log=log)
    if not entries.exists():
        return None
    own = _own(note)
    ends = LogEntry.objects.filter(facility_id=note.facility_id, integration_id=note.integration_id).filter(own)
    span = ends.aggregate(first=Min("at"), last=Max("at"))
    first = span["first"] or note.generated_at or note.created_at
    last = span["last"] or first
    around = Q(at__gte=first - BEFORE, at__lte=last + AFTER)
    near = entries.filter(around).order_by("at", "position", "id")[:MOST_ROWS]
    found = {entry.pk: entry for entry in [*near, *entries.filter(own)[:MOST_ROWS]]}
    in_order = sorted(found.values(), key=lambda entry: (entry.at, entry.position, entry.pk))
    return tuple(entry.sealed for entry in in_order)


def _own(note: Note) -> Q:
    own = Q(note_hash=bytes(note.external_hash))
    if note.transaction_hash:
        own |= Q(transaction_hash=bytes(note.transaction_hash))
    if note.encounter_hash:
        own |= Q(encounter_hash=bytes(note.encounter_hash))
    return own
