"""Take a case (a folder somebody brought, or a story of the demo) over into the console's own rows."""

from dataclasses import replace
from typing import Any

from django.db import transaction
from django.utils import timezone

from console.accounts.models import Department
from console.integrations.case_parts import split
from console.integrations.models import Integration, Mapping, RolesSnapshot, TemplateVersion
from console.notes.log_rows import store_rows
from console.notes.models import EncounterSnapshot, FiledSnapshot, LogEntry, Note
from console.notes.services import keep_note
from diagnostics.case import Case


@transaction.atomic
def set_integration(integration: Integration, case: Case) -> None:
    """Give an integration the settings and secrets of a case; its name, vendor and protocol stay its own."""
    settings, secrets = split(replace(case.integration, vendor=integration.vendor, name=integration.name))
    integration.settings, integration.secrets = settings, secrets or None
    integration.save(update_fields=["settings", "secrets"])


@transaction.atomic
def keep_snapshots(integration: Integration, case: Case) -> None:
    """Keep template, mapping and grants where they differ from the newest ones kept."""
    now = timezone.now()
    if case.template and _differs(TemplateVersion, integration, case.template):
        version = case.template.get("version")
        TemplateVersion.objects.create(
            integration=integration,
            template_id=str(case.template.get("template_id") or ""),
            version=version if isinstance(version, int) else 0,
            content=dict(case.template),
            created_at=now,
        )
    for model, content in ((Mapping, case.mapping), (RolesSnapshot, case.roles)):
        if content and _differs(model, integration, content):
            model.objects.create(integration=integration, content=dict(content), created_at=now)


def _differs(model: type[Any], integration: Integration, content: Any) -> bool:
    newest = model.objects.filter(integration=integration).first()
    return newest is None or newest.content != dict(content)


@transaction.atomic
def keep_case_note(integration: Integration, case: Case, *, department: Department | None) -> Note | None:
    """Keep the note of a case with its chart and encounter snapshots; None where the case tells of no note."""
    told = case.note
    if told is None:
        return None
    note = keep_note(
        integration=integration,
        external_id=told.id,
        transaction_id=told.transaction_id,
        encounter_id=told.encounter_id,
        patient_id=told.patient_id,
        provider_id=told.provider_id,
        department=department,
        generated_at=told.generated_at,
        payload=told.payload,
        payload_name=told.payload_name or "",
        narrative=told.narrative,
    )
    if case.filed is not None:
        FiledSnapshot.objects.create(facility_id=note.facility_id, note=note, content=dict(case.filed))
    if case.encounters is not None:
        encounters = [dict(encounter) for encounter in case.encounters]
        content = encounters[0] if len(encounters) == 1 else encounters
        EncounterSnapshot.objects.create(facility_id=note.facility_id, note=note, content=content)
    return note


def keep_logs(integration: Integration, case: Case) -> int:
    """Keep the rows of a case's logs; give how many."""
    count = 0
    for log in LogEntry.Log.values:
        rows = getattr(case.logs, log)
        if rows:
            count += store_rows(facility_id=integration.facility_id, integration=integration, log=log, rows=rows)
    return count
