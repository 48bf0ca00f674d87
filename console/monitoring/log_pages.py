"""What the page of log import shows."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import QuerySet

from console.accounts.access import grants
from console.accounts.models import User
from console.accounts.roles import Right
from console.integrations.models import Integration
from console.monitoring.forms import LogForm
from console.notes.models import LogImport

RECENT = 20
SHOWN_PROBLEMS = 20


@dataclass(frozen=True)
class LogsPage:
    """The form, the import just made, and the recent ones."""

    form: LogForm
    done: LogImport | None
    problems: tuple[tuple[int, str], ...]
    imports: tuple[LogImport, ...]
    any_integration: bool
    may_open: frozenset[uuid.UUID]
    may_manage: bool


def choices(facilities: Collection[uuid.UUID]) -> QuerySet[Integration]:
    """Give the integrations that rows may be brought in for."""
    rows = Integration.objects.filter(facility__in=facilities, active=True)
    return rows.select_related("facility").order_by("name", "id")


def logs_page(user: User, facilities: Collection[uuid.UUID], form: LogForm, done: str) -> LogsPage:
    """Read the page of log import."""
    rows = LogImport.objects.filter(facility__in=facilities).select_related("source__integration", "by")
    imports = tuple(rows.order_by("-at", "-id")[:RECENT])
    made = next((one for one in imports if str(one.id) == done), None)
    problems = made.quarantined_lines.order_by("number", "id").values_list("number", "reason") if made else ()
    rights = grants(user)
    return LogsPage(
        form=form,
        done=made,
        problems=tuple(problems[:SHOWN_PROBLEMS]),
        imports=imports,
        any_integration=choices(facilities).exists(),
        may_open=rights.where(Right.OPEN_PAYLOAD),
        may_manage=bool(rights.where(Right.MANAGE_INTEGRATIONS)),
    )
