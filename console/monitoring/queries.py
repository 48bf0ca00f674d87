"""Read rules, alerts and what they need to know."""

import uuid
from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import QuerySet

from console.integrations.models import Integration, MaintenanceWindow
from console.monitoring.models import Alert, AlertRule, RuleKind, SeenCertificate

JUST_OVER = timedelta(minutes=15)
FORGOTTEN = timedelta(days=14)  # an endpoint not seen for so long, while others were, is no longer used


class Rules:
    """The rules in force: an integration's own stands above its facility's."""

    def __init__(self, rows: Collection[AlertRule]) -> None:
        self._own = {(row.integration_id, row.kind): row for row in rows if row.integration_id}
        self._shared = {(row.facility_id, row.kind): row for row in rows if not row.integration_id}

    def of(self, integration: Integration, kind: RuleKind) -> AlertRule | None:
        """Give the rule that holds, None where it is switched off."""
        rule = self._own.get((integration.id, kind)) or self._shared.get((integration.facility_id, kind))
        return rule if rule is not None and rule.active else None


def open_alerts(facilities: Collection[uuid.UUID]) -> QuerySet[Alert]:
    """Give the open alerts of facilities, gravest and newest first."""
    return (
        Alert.objects.filter(facility__in=facilities, ended_at=None)
        .select_related("integration", "ticket", "facility")
        .order_by("-grave", "-opened_at", "-id")
    )


def told_of(facilities: Collection[uuid.UUID], now: datetime) -> list[Alert]:
    """Give what every page speaks of: open alerts that are not muted, and those over for a few minutes; one query."""
    rows = Alert.objects.filter(facility__in=facilities, muted=False).select_related("integration", "ticket")
    recent = rows.filter(ended_at=None) | rows.filter(ended_at__gt=now - JUST_OVER)
    return list(recent.order_by("-opened_at", "-id")[:20])


def ended_alerts(facilities: Collection[uuid.UUID], since: datetime) -> QuerySet[Alert]:
    """Give the alerts that are over, newest first."""
    rows = Alert.objects.filter(facility__in=facilities, ended_at__gte=since)
    return rows.select_related("integration", "ticket").order_by("-ended_at", "-id")


def in_maintenance(now: datetime) -> set[uuid.UUID]:
    """Give the integrations in whose maintenance window it is."""
    return set(
        MaintenanceWindow.objects.filter(start_at__lte=now, end_at__gt=now).values_list("integration_id", flat=True)
    )


def certificates(integrations: Collection[uuid.UUID], now: datetime) -> dict[uuid.UUID, list[SeenCertificate]]:
    """Give each integration's certificates, those of endpoints no longer used left out."""
    found: dict[uuid.UUID, list[SeenCertificate]] = defaultdict(list)
    for row in SeenCertificate.objects.filter(integration__in=integrations, seen_at__lte=now).order_by("host", "id"):
        found[row.integration_id].append(row)
    for id, rows in found.items():
        newest = max(row.seen_at for row in rows)
        found[id] = [row for row in rows if row.seen_at >= newest - FORGOTTEN]
    return found
