"""Change integrations and what belongs to them. The audit trail gets the names of what changed, never values."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from console.accounts.models import Facility, User
from console.accounts.services import record
from console.integrations.models import Baseline, Contact, Integration, MaintenanceWindow, ProfileChange, Source
from console.integrations.settings_fields import COLUMNS, SECRET_WORDS, bound_to, values_of
from console.integrations.tokens import source_of


class IntegrationError(Exception):
    """Somebody asked for what cannot be; the message says why in plain words."""


class EditedMeanwhile(IntegrationError):
    """Somebody else saved between the reading and the saving of a form."""


@dataclass(frozen=True)
class Changed:
    """Say what a change did: fields by name, secrets by their words."""

    fields: tuple[str, ...]
    dropped: tuple[str, ...]
    facts: tuple[str, ...] = ()  # of the old vendor's profile, put back with another vendor


def fingerprint(integration: Integration) -> str:
    """Give what tells one state of an integration's settings from another; it says nothing about the secrets."""
    plain = {name: getattr(integration, name) for name in COLUMNS} | {"settings": integration.settings}
    sealed = integration.__dict__.get("secrets")
    text = json.dumps(plain, sort_keys=True, ensure_ascii=False, default=str).encode()
    return hashlib.sha256(text + b"\0" + (bytes(sealed) if isinstance(sealed, bytes) else b"")).hexdigest()


@transaction.atomic
def create(
    *,
    facility: Facility,
    columns: Mapping[str, Any],
    settings: dict[str, Any],
    secrets: dict[str, str],
    by: User | None,
) -> Integration:
    """Make an integration, with the source that its log rows come from."""
    integration = Integration(facility=facility, settings=settings, secrets=secrets or None, **columns)
    try:
        with transaction.atomic():
            integration.save(force_insert=True)
    except IntegrityError:
        raise IntegrationError("Another integration of this facility has this name.") from None
    source_of(integration)
    detail = {"protocol": integration.protocol, "secrets": sorted(secrets)}
    record(by=by, action="integration.created", subject=integration, facility=facility, detail=detail)
    return integration


@transaction.atomic
def change(
    *, integration: Integration, columns: Mapping[str, Any], settings: dict[str, Any], secrets: Mapping[str, str],
    drop: Sequence[str], seen: str, by: User | None,
) -> Changed:  # fmt: skip
    """Change settings and secrets; `seen` is the fingerprint of what the person looked at.

    Stored secrets are bound to where they are sent: a changed address takes away those that were not entered anew.
    """
    held = Integration.objects.select_for_update(of=("self",)).get(pk=integration.pk)
    if fingerprint(held) != seen:
        raise EditedMeanwhile(
            "Somebody saved other settings while you edited. Nothing was overwritten; your entries stand below, "
            "beside what is stored now. Save again to put yours in its place. Secrets must be entered again."
        )
    kept = {name: value for name, value in (held.secrets or {}).items() if name not in drop or name in secrets}
    moved = bound_to(held.settings) != bound_to(settings)
    dropped = tuple(sorted(name for name in kept if moved and name not in secrets))
    kept = {name: value for name, value in kept.items() if name not in dropped} | dict(secrets)
    facts: tuple[str, ...] = ()
    if columns.get("vendor", held.vendor) != held.vendor:
        facts = tuple(sorted(settings.get("vendor_profile") or {}))
        settings = {key: value for key, value in settings.items() if key != "vendor_profile"}
    changed = _changed(held, columns, settings)
    removed = sorted(set(held.secrets or {}) - set(kept))
    for name, value in columns.items():
        setattr(held, name, value)
    held.settings = settings
    update = ["settings", *columns]
    if removed or secrets:
        held.secrets = kept or None
        update.append("secrets")
    try:
        with transaction.atomic():
            held.save(update_fields=update)
    except IntegrityError:
        raise IntegrationError("Another integration of this facility has this name.") from None
    if changed or removed or secrets:
        detail: dict[str, Any] = {"changed": changed, "secrets_set": sorted(secrets), "secrets_removed": removed}
        if facts:
            put_all_back(held, facts, "The integration is of another vendor now.", by)
            detail["facts_put_back"] = list(facts)
        record(by=by, action="integration.changed", subject=held, facility=held.facility_id, detail=detail)
    return Changed(tuple(changed), tuple(SECRET_WORDS[name] for name in dropped), facts)


def put_all_back(held: Integration, facts: Sequence[str], why: str, by: User | None) -> None:
    """Write into the history of a copy that the vendor's values hold again."""
    rows = [ProfileChange(integration=held, fact=fact, put_back=True, why=why, by=by) for fact in facts]
    ProfileChange.objects.bulk_create(rows)


def _changed(held: Integration, columns: Mapping[str, Any], settings: Mapping[str, Any]) -> list[str]:
    before, after = values_of(held.settings), values_of(settings)
    names = [name for name, value in columns.items() if getattr(held, name) != value]
    return sorted([*names, *(name for name in after if _plain(before[name]) != _plain(after[name]))])


def _plain(value: Any) -> str:
    """Bring a value into the form in which two are the same setting: no flow and the flow "none", 7 and "7"."""
    return "" if value in (None, "none", False, [], {}) else str(value)


@transaction.atomic
def set_guide(*, integration: Integration, runbook_url: str, escalation: str, by: User) -> None:
    """Say where the runbook is and whom to ask next."""
    integration.runbook_url, integration.escalation = runbook_url, escalation
    integration.save(update_fields=["runbook_url", "escalation"])
    _note(integration, "integration.guide_changed", by)


@transaction.atomic
def keep_contact(*, integration: Integration, contact: Contact, by: User) -> Contact:
    """Add a contact or keep its changes."""
    contact.integration = integration
    new = contact._state.adding
    contact.save()
    _note(integration, "contact.added" if new else "contact.changed", by, contact=str(contact.pk))
    return contact


@transaction.atomic
def remove_contact(*, integration: Integration, contact: Contact, by: User) -> None:
    """Take a contact away."""
    _note(integration, "contact.removed", by, contact=str(contact.pk))
    contact.delete()


@transaction.atomic
def add_window(
    *, integration: Integration, start: datetime, end: datetime, note: str, by: User | None
) -> MaintenanceWindow:
    """Register a maintenance window."""
    window = MaintenanceWindow.objects.create(integration=integration, start_at=start, end_at=end, note=note)
    _note(integration, "window.added", by, start=start.isoformat(), end=end.isoformat())
    return window


@transaction.atomic
def remove_window(*, integration: Integration, window: MaintenanceWindow, by: User) -> None:
    """Take a maintenance window away."""
    _note(integration, "window.removed", by, start=window.start_at.isoformat(), end=window.end_at.isoformat())
    window.delete()


@transaction.atomic
def pin_baseline(*, baseline: Baseline, pinned: bool, by: User) -> None:
    """Hold a baseline against later good runs, or let those take its place again."""
    rows = Baseline.objects.filter(integration=baseline.integration, segment=baseline.segment)
    rows.exclude(pk=baseline.pk).update(pinned=False)
    rows.filter(pk=baseline.pk).update(pinned=pinned)
    _note(baseline.integration, "baseline.pinned" if pinned else "baseline.unpinned", by, baseline=str(baseline.pk))


@transaction.atomic
def add_source(*, integration: Integration, name: str, time_zone: str, by: User) -> Source:
    """Add a system that hands in log rows."""
    if Source.objects.filter(name=name).exists():
        raise IntegrationError("Another source has this name: give it one of its own.")
    source = Source.objects.create(
        facility_id=integration.facility_id, integration=integration, name=name, time_zone=time_zone
    )
    _note(integration, "source.added", by, source=str(source.pk))
    return source


def _note(integration: Integration, action: str, by: User | None, **detail: str) -> None:
    record(by=by, action=action, subject=integration, facility=integration.facility_id, detail=detail)
