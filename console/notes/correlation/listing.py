"""Give the traces as the public contract spells them, one after the other, however many."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from console.accounts.keys import keyring
from console.integrations.models import Integration
from console.notes.models import Trace
from console.shared.sealing import Address

CHUNK = 2000
_FIELDS = (
    "note_id", "facility_id", "note__external_id", "failure_mode", "broke_at", "keys", "confidence", "offset_s",
)  # fmt: skip


def traces(since: datetime | None = None) -> Iterator[dict[str, Any]]:
    """Yield `{"note_id", "failure_mode", "broke_at", "match", "confidence", "clock_offset_s"}` in order of time."""
    for integration in Integration.objects.order_by("id").values_list("pk", flat=True):
        rows = Trace.objects.filter(integration=integration).order_by("born_at", "id")
        if since is not None:
            rows = rows.filter(born_at__gte=since)
        for note, facility, sealed, mode, broke_at, keys, confidence, offset in rows.values_list(*_FIELDS).iterator(
            chunk_size=CHUNK
        ):
            told: dict[str, Any] = {}
            if note is not None:
                told["note_id"] = keyring(facility).open(sealed, Address("notes_note", "external_id", note, facility))
                told["note_id"] = told["note_id"].decode()
            yield told | {
                "failure_mode": mode,
                "broke_at": broke_at or None,
                "match": keys.split(",") if keys else [],
                "confidence": confidence,
                "clock_offset_s": offset,
            }
