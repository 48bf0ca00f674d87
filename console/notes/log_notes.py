"""Make the notes known that the scribe's log tells of, so that a pasted id finds them; many at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from console.integrations.models import Integration
from console.notes.models import Note
from console.notes.services import blank_note, external_hash, identify

_IDS = ("transaction_id", "encounter_id", "patient_id", "provider_id")
_TOLD = ["identifiers", "transaction_hash", "encounter_hash", "patient_hash", "provider", "generated_at"]


@dataclass
class _Told:
    external_id: str
    ids: dict[str, str] = field(default_factory=dict)
    generated_at: datetime | None = None


def keep_notes(integration: Integration, rows: Iterable[Mapping[str, Any]]) -> None:
    """Make the notes of scribe rows, or fill in what is new; four queries, however many rows."""
    told = _told(integration, rows)
    if not told:
        return
    known = set(map(bytes, _notes(integration, told).values_list("external_hash", flat=True)))
    fresh = [blank_note(integration, one.external_id) for digest, one in told.items() if digest not in known]
    for note in fresh:
        _tell(note, told[note.external_hash])
    Note.objects.bulk_create(fresh, ignore_conflicts=True)
    mine = {note.id for note in fresh}
    # Whoever made one of them meanwhile made it of other rows: it is filled in like those known before.
    others = _notes(integration, told).exclude(id__in=mine).select_for_update(of=("self",)).order_by("id")
    changed = [note for note in others if _tell(note, told[bytes(note.external_hash)])]
    if changed:
        Note.objects.bulk_create(changed, update_conflicts=True, unique_fields=["id"], update_fields=_TOLD)


def _notes(integration: Integration, told: Mapping[bytes, _Told]) -> Any:
    return Note.objects.filter(integration=integration, external_hash__in=list(told))


def _told(integration: Integration, rows: Iterable[Mapping[str, Any]]) -> dict[bytes, _Told]:
    told: dict[bytes, _Told] = {}
    for row in sorted(rows, key=lambda row: datetime.fromisoformat(row["at"])):
        if not row.get("note_id"):
            continue
        external_id = str(row["note_id"])
        one = told.setdefault(external_hash(integration, external_id), _Told(external_id))
        one.ids |= {key: str(row[key]) for key in _IDS if row.get(key)}
        if row["event"] == "generated" and one.generated_at is None:
            one.generated_at = datetime.fromisoformat(row["at"])
    return told


def _tell(note: Note, told: _Told) -> bool:
    """Fill in what a note did not know, and tell whether anything changed."""
    before = (note.identifiers, note.generated_at)
    identify(note, told.ids)
    if told.generated_at and (note.generated_at is None or told.generated_at < note.generated_at):
        note.generated_at = told.generated_at
    return before != (note.identifiers, note.generated_at)
