"""Make the engine's case of a note and its integration from what the console holds now."""

import uuid
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.utils import timezone

from console.diagnoses.models import Answer, Run
from console.integrations.case_parts import join
from console.integrations.models import Baseline, Integration, Mapping, RolesSnapshot, TemplateVersion
from console.notes.correlation.by_engine import engine_note
from console.notes.models import EncounterSnapshot, FiledSnapshot, Note
from console.notes.note_rows import logs_of
from diagnostics import case as engine


def build_case(
    *, integration: Integration, note: Note | None, ticket_id: uuid.UUID | None = None, offline: bool = False,
    segment: str = "", now: datetime | None = None, writes: bool = True,
) -> engine.Case:  # fmt: skip
    """Give the case: the integration's current snapshots, the note's trace, the answers of people."""
    return engine.Case(
        integration=_with_windows(integration),
        now=now or timezone.now(),
        note=engine_note(note) if note else None,
        logs=engine.Logs(**logs_of(note)) if note else engine.Logs(),
        filed=_newest(FiledSnapshot, note=note) if note else None,
        # A version that was approved for a later day is not in force yet.
        template=_newest(TemplateVersion, integration=integration, created_at__lte=timezone.now()),
        mapping=_newest(Mapping, integration=integration),
        roles=_newest(RolesSnapshot, integration=integration),
        encounters=_encounters(note) if note else None,
        baseline=_baseline(integration, segment),
        answers=_answers(ticket_id) if ticket_id else (),
        offline=offline,
        allow_writes=writes,
    )


def case_of(run: Run) -> engine.Case:
    """Give the case of a run.

    Probes speak of now; a run without them judges as of the moment it was asked for, however long it queued.
    """
    return build_case(
        integration=run.integration,
        note=run.note,
        ticket_id=run.ticket_id,
        offline=run.offline,
        segment=run.segment,
        now=run.created_at if run.offline else None,
        writes=run.writes,
    )


def _with_windows(integration: Integration) -> engine.Integration:
    """Give the integration with the maintenance windows that people registered."""
    part = join(integration)
    rows = integration.maintenance_windows.order_by("start_at", "id")
    windows = tuple(engine.MaintenanceWindow(row.start_at, row.end_at) for row in rows)
    return replace(part, maintenance=(*part.maintenance, *windows)) if windows else part


def _newest(model: type[Any], **by: Any) -> dict[str, Any] | None:
    row = model.objects.filter(**by).first()
    return row.content if row else None


def _encounters(note: Note) -> tuple[dict[str, Any], ...] | None:
    content = _newest(EncounterSnapshot, note=note)
    if content is None:
        return None
    return tuple(content) if isinstance(content, list) else (content,)


def _baseline(integration: Integration, segment: str) -> dict[str, Any] | None:
    row = Baseline.objects.filter(integration=integration, segment=segment).first()
    return row.facts if row else None


def _answers(ticket_id: uuid.UUID) -> tuple[engine.Answer, ...]:
    rows = Answer.objects.filter(ticket_id=ticket_id).select_related("by").order_by("at", "id")
    return tuple(engine.Answer(row.question, row.value, str(row.by), row.at) for row in rows)
