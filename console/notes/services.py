"""Changes to notes."""

import uuid
from datetime import datetime
from typing import Any

from django.db import transaction

from console.accounts.keys import keyring
from console.accounts.models import Department
from console.integrations.models import Integration
from console.notes.models import Note

HASHED = {"transaction_id": "transaction", "encounter_id": "encounter", "patient_id": "patient"}


@transaction.atomic
def keep_note(
    *,
    integration: Integration,
    external_id: str,
    transaction_id: str | None = None,
    encounter_id: str | None = None,
    patient_id: str | None = None,
    provider_id: str | None = None,
    department: Department | None = None,
    generated_at: datetime | None = None,
    payload: bytes | None = None,
    payload_name: str = "",
    narrative: str | None = None,
    failure_mode: str | None = None,
) -> Note:
    """Make a note, or fill in what an earlier telling of the same note did not know."""
    digest = external_hash(integration, external_id)
    note = Note.objects.select_for_update(of=("self",)).filter(integration=integration, external_hash=digest).first()
    note = note or blank_note(integration, external_id)
    told = {
        "transaction_id": transaction_id,
        "encounter_id": encounter_id,
        "patient_id": patient_id,
        "provider_id": provider_id,
    }
    identify(note, {key: value for key, value in told.items() if value})
    for name, value in (
        ("department", department),
        ("generated_at", generated_at),
        ("payload", payload),
        ("payload_name", payload_name),
        ("narrative", narrative),
        ("failure_mode", failure_mode),
    ):
        if value:
            setattr(note, name, value)
    note.save()
    return note


def blank_note(integration: Integration, external_id: str) -> Note:
    """Give a note that is not stored yet."""
    return Note(
        facility_id=integration.facility_id,
        integration=integration,
        external_id=external_id,
        external_hash=external_hash(integration, external_id),
    )


def identify(note: Note, told: dict[str, str]) -> None:
    """Add what became known of a note's ids, and the hashes by which it is found."""
    ring = keyring(note.facility_id)
    identifiers: dict[str, Any] = {**(note.identifiers or {}), **told}
    note.identifiers = identifiers or None
    for key, kind in HASHED.items():
        if identifiers.get(key):
            setattr(note, f"{kind}_hash", ring.hash(identifiers[key], kind))
    note.provider = identifiers.get("provider_id") or note.provider


def external_hash(integration: Integration, external_id: str) -> bytes:
    """Give the hash by which a note of an integration is found."""
    return keyring(integration.facility_id).hash(external_id, "note")


def hashes_for(facility_id: uuid.UUID, pasted: str) -> dict[str, bytes]:
    """Give the hashes under which a pasted id could stand in a facility."""
    ring = keyring(facility_id)
    return {kind: ring.hash(pasted, kind) for kind in ("note", "transaction", "encounter")}
