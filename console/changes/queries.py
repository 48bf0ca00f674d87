"""Read which version of a template and which mapping an integration works with."""

import uuid
from collections.abc import Collection, Iterable
from datetime import datetime

from django.utils import timezone

from console.changes.impact import Impact, impact
from console.changes.models import ChangeReview
from console.changes.shapes import Document
from console.integrations.models import Integration, Mapping, TemplateVersion


def in_force(
    integrations: Collection[uuid.UUID], template_id: str = "", at: datetime | None = None
) -> dict[uuid.UUID, TemplateVersion]:
    """Give the version in force of each integration, of one template where it is named."""
    rows = TemplateVersion.objects.filter(integration__in=integrations, created_at__lte=at or timezone.now())
    if template_id:
        rows = rows.filter(template_id=template_id)
    newest = rows.order_by("integration_id", "-created_at", "-id").distinct("integration_id")
    return {row.integration_id: row for row in newest}


def to_come(integrations: Collection[uuid.UUID]) -> dict[uuid.UUID, TemplateVersion]:
    """Give the next version of each integration that is approved and not in force yet."""
    rows = TemplateVersion.objects.filter(integration__in=integrations, created_at__gt=timezone.now())
    return {
        row.integration_id: row
        for row in rows.order_by("integration_id", "created_at", "id").distinct("integration_id")
    }


def mappings(integrations: Collection[uuid.UUID]) -> dict[uuid.UUID, Mapping]:
    """Give the mapping in force of each integration."""
    rows = Mapping.objects.filter(integration__in=integrations, created_at__lte=timezone.now())
    newest = rows.order_by("integration_id", "-created_at", "-id").distinct("integration_id")
    return {row.integration_id: row for row in newest}


def weigh(integrations: Iterable[Integration], template_id: str, content: Document) -> dict[uuid.UUID, Impact | None]:
    """Weigh a proposed version against the mapping of each integration; None where there is no mapping."""
    ids = [each.id for each in integrations]
    same, newest, ruled = in_force(ids, template_id), in_force(ids), mappings(ids)
    found: dict[uuid.UUID, Impact | None] = {}
    for id in ids:
        held = same.get(id) or newest.get(id)
        rules = ruled.get(id)
        found[id] = impact(held.content if held else None, content, rules.content) if rules else None
    return found


def waiting_for(facilities: Collection[uuid.UUID]) -> int:
    """Count the reviews that wait for a decision."""
    return ChangeReview.objects.filter(facility__in=facilities, state=ChangeReview.State.PROPOSED).count()
