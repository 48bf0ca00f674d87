"""Tell a note of which the console holds more than log rows as the engine does: payload, text and chart count too."""

import uuid
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from django.db import connection, transaction

from console.integrations.case_parts import join
from console.notes.correlation.counts import Done
from console.notes.correlation.new_notes import fill_in
from console.notes.correlation.state import Scope
from console.notes.correlation.writing import COLUMNS, Stored, Values, Written, keep_traces, stored, values_of
from console.notes.masking import mask
from console.notes.models import FiledSnapshot, Note
from diagnostics import case as engine
from diagnostics.evidence.log_parts import note_trace
from diagnostics.evidence.logs import NoteTrace
from diagnostics.tracing.story import Story
from diagnostics.tracing.thread import Thread
from diagnostics.vocabulary import Stage

UNTOLD = """
SELECT n.id, n.external_hash FROM notes_note AS n
 WHERE n.integration_id = %s AND NOT EXISTS (SELECT FROM notes_trace AS t WHERE t.note_id = n.id)
   AND (n.payload IS NOT NULL OR n.narrative IS NOT NULL
        OR EXISTS (SELECT FROM notes_filedsnapshot AS f WHERE f.note_id = n.id))
"""
_STAGES = {
    Stage.GENERATED: "generated_at", Stage.PACKAGED: "packaged_at", Stage.SENT: "sent_at",
    Stage.ACCEPTED: "accepted_at", Stage.FILED: "filed_at",
}  # fmt: skip


def engine_note(note: Note) -> engine.Note:
    """Give the engine's words for a stored note."""
    ids = note.identifiers or {}
    return engine.Note(
        id=note.external_id,
        transaction_id=ids.get("transaction_id"),
        encounter_id=ids.get("encounter_id"),
        patient_id=ids.get("patient_id"),
        provider_id=ids.get("provider_id"),
        department=note.department.slug if note.department else None,
        generated_at=note.generated_at,
        payload=note.payload,
        payload_name=note.payload_name or None,
        narrative=note.narrative,
    )


def told_by_engine(scope: Scope, note_id: uuid.UUID, story: Story | None) -> Values:
    """Give the columns of the trace as the engine tells it; what it does not tell stays as correlation has it."""
    from console.notes.note_rows import logs_of  # it reads by this package's look-ups

    note = Note.objects.select_related("department", "integration").get(pk=note_id)
    filed = FiledSnapshot.objects.filter(note=note).first()
    case = engine.Case(
        integration=join(note.integration),
        now=scope.now,
        note=engine_note(note),
        logs=engine.Logs(**logs_of(note)),
        filed=filed.content if filed else None,
    )
    found = note_trace(case)
    base: dict[str, Any] = _without_rows(note) if story is None else _base(story, note)
    if isinstance(found, NoteTrace):
        base |= _of(found)
    return tuple(base[name] for name in COLUMNS)


def keep_by_engine(
    scope: Scope, told: Mapping[bytes, tuple[uuid.UUID, Story | None]], have: Mapping[bytes, Stored],
    threads: Mapping[bytes, Thread] = MappingProxyType({}),
) -> Written:  # fmt: skip
    """Keep the engine's trace of notes, by the hashes of their ids, with what their rows tell of them filled in."""
    fill_in(scope, {key: have[key].note for key in told if key in threads}, threads)
    return keep_traces(scope, {key: told_by_engine(scope, *which) for key, which in told.items()}, have)


def tell_kept(scope: Scope) -> Done:
    """Tell the notes of which no log row is stored, but a payload, a text or what the chart held."""
    done = Done()
    with connection.cursor() as cursor:
        cursor.execute(UNTOLD, (scope.integration,))
        untold = [(note_id, bytes(key)) for note_id, key in cursor.fetchall()]
    for note_id, key in untold:
        with transaction.atomic():
            written = keep_by_engine(scope, {key: (note_id, None)}, stored(scope, [key]))
        done.notes += written.notes
        done.changed += written.changed
    return done


def _base(story: Story, note: Note) -> dict[str, Any]:
    return dict(zip(COLUMNS, values_of(story, note.provider), strict=True))


def _without_rows(note: Note) -> dict[str, Any]:
    """Give the trace of a note of which no log says anything."""
    at = note.generated_at or note.created_at
    nothing: dict[str, Any] = dict.fromkeys(COLUMNS)
    texts = dict.fromkeys(("failure_mode", "broke_at", "keys", "ack", "signature", "site", "client"), "")
    counts = {"confidence": 0.0, "ambiguous": False, "attempts": 0, "weak": False}
    return (
        nothing | texts | counts | {"failure_mode": "unknown", "provider": note.provider, "born_at": at, "last_at": at}
    )


def _of(found: NoteTrace) -> dict[str, Any]:
    last = found.attempts[-1].answer if found.attempts else None
    told: dict[str, Any] = {
        "failure_mode": str(found.failure_mode),
        "broke_at": str(found.broke_at or ""),
        "keys": ",".join(found.keys)[:80],
        "confidence": round(found.confidence, 2),
        "ambiguous": bool(found.candidates),
        "attempts": len(found.attempts),
    }
    if last is not None:
        told |= {"status": last.status, "ack": last.ack or "", "signature": mask(last.error or "")}
    if found.clock_offset_s is not None:
        told["offset_s"] = found.clock_offset_s
    return told | {_STAGES[s.stage]: s.at for s in found.journey if s.at is not None}
