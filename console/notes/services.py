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
    ring = keyring(integration.facility_id)
    digest = ring.hash(external_id, "note")
    note = Note.objects.select_for_update(of=("self",)).filter(integration=integration, external_hash=digest).first()
    if note is None:
        note = Note(
            facility_id=integration.facility_id, integration=integration, external_id=external_id, external_hash=digest
        )
    told = {
        "transaction_id": transaction_id,
        "encounter_id": encounter_id,
        "patient_id": patient_id,
        "provider_id": provider_id,
    }
    identifiers: dict[str, Any] = {**(note.identifiers or {}), **{key: value for key, value in told.items() if value}}
    note.identifiers = identifiers or None
    for key, kind in HASHED.items():
        if identifiers.get(key):
            setattr(note, f"{kind}_hash", ring.hash(identifiers[key], kind))
    for name, value in (
        ("department", department),
        ("provider", provider_id),
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


def external_hash(integration: Integration, external_id: str) -> bytes:
    """Give the hash by which a note of an integration is found."""
    return keyring(integration.facility_id).hash(external_id, "note")


def hashes_for(facility_id: uuid.UUID, pasted: str) -> dict[str, bytes]:
    """Give the hashes under which a pasted id could stand in a facility."""
    ring = keyring(facility_id)
    return {kind: ring.hash(pasted, kind) for kind in ("note", "transaction", "encounter")}
