"""What the page of log import shows."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import QuerySet

from console.accounts.access import grants
from console.accounts.models import User
from console.accounts.roles import Right
from console.integrations.models import Integration, Source
from console.integrations.tokens import source_of
from console.monitoring.forms import LogForm
from console.notes.models import LogImport

RECENT = 20


@dataclass(frozen=True)
class LogsPage:
    """The form and the recent imports."""

    form: LogForm
    imports: tuple[LogImport, ...]
    any_integration: bool
    may_open: frozenset[uuid.UUID]
    may_manage: bool
    limit_bytes: int
    too_large: bool


def choices(facilities: Collection[uuid.UUID]) -> QuerySet[Integration]:
    """Give the integrations that rows may be brought in for."""
    rows = Integration.objects.filter(facility__in=facilities, active=True)
    return rows.select_related("facility").order_by("name", "id")


def destinations(facilities: Collection[uuid.UUID]) -> list[tuple[str, str]]:
    """Give where rows may go, as choices: each integration, and each of its sources where it has several."""
    integrations = choices(facilities).prefetch_related("sources")
    offered = [("", "Choose an integration")]
    for integration in integrations:
        sources = sorted(integration.sources.all(), key=lambda source: (source.name, source.id))
        if len(sources) < 2:
            offered.append((str(integration.id), integration.name))
        else:
            offered += [
                (str(one.id), f"{integration.name}: {one.name} ({one.time_zone or 'no zone'})") for one in sources
            ]
    return offered


def source_at(chosen: str) -> Source:
    """Give the source of a chosen destination."""
    source = Source.objects.select_related("integration", "facility").filter(pk=chosen).first()
    return source or source_of(Integration.objects.select_related("facility").get(pk=chosen))


def logs_page(
    user: User, facilities: Collection[uuid.UUID], form: LogForm, limit_bytes: int, *, too_large: bool = False
) -> LogsPage:
    """Read the page of log import."""
    rows = LogImport.objects.filter(facility__in=facilities).select_related("source__integration", "by")
    rights = grants(user)
    return LogsPage(
        form=form,
        imports=tuple(rows.order_by("-at", "-id")[:RECENT]),
        any_integration=len(form.fields["integration"].choices) > 1,
        may_open=rights.where(Right.OPEN_PAYLOAD),
        may_manage=bool(rights.where(Right.MANAGE_INTEGRATIONS)),
        limit_bytes=limit_bytes,
        too_large=too_large,
    )
