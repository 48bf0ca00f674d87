"""Read how integrations are: their newest runs, their open tickets, their windows. A fixed number of queries each."""

import uuid
from collections import Counter, defaultdict
from collections.abc import Collection
from datetime import datetime

from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, Max, Q, QuerySet
from django.utils import timezone

from console.accounts.access import closed_departments
from console.accounts.models import User
from console.diagnoses.models import FindingRow, Run
from console.integrations.models import Baseline, MaintenanceWindow
from console.shared.work import WorkState
from console.tickets.access import visible as visible_tickets
from console.tickets.models import OPEN_STATES

Ids = Collection[uuid.UUID]


def runs_seen_by(user: User | AnonymousUser) -> QuerySet[Run]:
    """Give the runs whose answer a person may know: none about a note of a department closed to him."""
    return Run.objects.exclude(note__department__in=closed_departments(user)).defer("document", "progress")


def newest_runs(user: User | AnonymousUser, integrations: Ids) -> dict[uuid.UUID, Run]:
    """Give the newest finished run of each integration, with or without a ticket."""
    rows = runs_seen_by(user).filter(integration__in=integrations, state=WorkState.DONE)
    newest = rows.order_by("integration_id", "-created_at", "-id").distinct("integration_id")
    return {run.integration_id: run for run in newest}


def statuses(runs: Collection[Run]) -> dict[uuid.UUID, Counter[str]]:
    """Count the findings of each run by status."""
    rows = FindingRow.objects.filter(run__in=[run.pk for run in runs]).order_by()
    found: dict[uuid.UUID, Counter[str]] = defaultdict(Counter)
    for run_id, status, count in rows.values_list("run_id", "status").annotate(count=Count("id")):
        found[run_id][status] = count
    return found


def open_tickets(user: User | AnonymousUser, integrations: Ids) -> dict[uuid.UUID, int]:
    """Count the open tickets that a person sees."""
    rows = visible_tickets(user).filter(integration__in=integrations, state__in=OPEN_STATES).order_by()
    return dict(rows.values_list("integration_id").annotate(count=Count("id")))


def last_good(integrations: Ids) -> dict[uuid.UUID, datetime]:
    """Give when each integration had its last good run."""
    rows = Baseline.objects.filter(integration__in=integrations).order_by()
    return dict(rows.values_list("integration_id").annotate(at=Max("created_at")))


def in_maintenance(integrations: Ids) -> dict[uuid.UUID, MaintenanceWindow]:
    """Give the maintenance window that each integration is in now."""
    now = timezone.now()
    rows = MaintenanceWindow.objects.filter(integration__in=integrations, start_at__lte=now, end_at__gt=now)
    return {row.integration_id: row for row in rows.order_by("end_at", "id")}


def last_test(user: User | AnonymousUser, integration_id: uuid.UUID) -> Run | None:
    """Give the newest run that was asked for without a note, whatever became of it."""
    return runs_seen_by(user).filter(_whole(), integration=integration_id).order_by("-created_at", "-id").first()


def _whole() -> Q:
    """Match runs of an integration alone: neither a note nor a ticket asked for them."""
    return Q(note=None, ticket_id=None)
