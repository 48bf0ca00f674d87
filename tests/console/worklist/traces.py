"""Traces as correlation would leave them, without any log rows: what the pages of notes read."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from console.integrations.models import Integration
from console.notes.models import LogBatch, Trace
from tests.console.builders import a_note

NOTE_FIELDS = ("external_id", "transaction_id", "encounter_id", "patient_id", "provider_id", "department")


def ago(minutes: float) -> datetime:
    return timezone.now() - timedelta(minutes=minutes)


def a_trace(integration: Integration, mode: str = "rejected", *, minutes: float = 120, **fields: Any) -> Trace:
    """Make a note with its trace, by default one that the EHR refused two hours ago."""
    at = fields.pop("born_at", ago(minutes))
    told = {name: fields.pop(name) for name in NOTE_FIELDS if name in fields}
    note = a_note(integration, generated_at=at, failure_mode=mode, **told)
    given = {
        "confidence": 1.0,
        "keys": "transaction_id",
        "provider": told.get("provider_id", ""),
        "site": "Main clinic",
        "generated_at": at,
        "last_at": at + timedelta(seconds=6),
        "attempts": 0 if mode == "never_sent" else 1,
    }
    if mode == "rejected":
        given |= {"status": 422, "signature": "unknown profile", "broke_at": "accepted"}
    if mode == "never_sent":
        given |= {"broke_at": "sent"}
    return Trace.objects.create(
        facility=integration.facility, integration=integration, note=note, failure_mode=mode, born_at=at,
        **(given | fields),
    )  # fmt: skip


def an_orphan(integration: Integration, *, minutes: float = 120, **fields: Any) -> Trace:
    """Make the trace of a document at the EHR that no scribe row tells of."""
    at = ago(minutes)
    number = Trace.objects.count()
    return Trace.objects.create(
        facility=integration.facility, integration=integration, orphan_hash=f"orphan-{number}".encode(),
        failure_mode="unknown", born_at=at, filed_at=at, last_at=at, **fields,
    )  # fmt: skip


def a_batch(integration: Integration, log: str, at: datetime, *, stored_at: datetime | None = None) -> LogBatch:
    """Make the mark of rows that came in live."""
    return LogBatch.objects.create(
        facility=integration.facility, integration=integration, log=log, first_at=at - timedelta(minutes=1),
        last_at=at, rows=10, stored_at=stored_at or at, correlated_at=stored_at or at,
    )  # fmt: skip
