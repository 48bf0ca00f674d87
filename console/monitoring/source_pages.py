"""What the pages of sources show: what each declares, what came of it last, and by which ways rows come in."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.db.models import Count, Q, QuerySet
from django.forms import Form
from django.utils import timezone

from console.accounts.access import grants
from console.accounts.models import AuditEntry, User
from console.accounts.roles import Right
from console.integrations.models import Integration, Source, SourceToken
from console.integrations.sources import is_zone
from console.monitoring.drop_paths import folder_for
from console.monitoring.models import AuditPull, DropFile, DropLook
from console.notes.import_models import Log
from console.notes.models import LogImport, QuarantinedLine

MOST_SOURCES, MOST_TOKENS, RECENT = 500, 100, 10
REFUSED_LOOKED_AT = timedelta(days=30)
MOST_COUNTED = 1000
NO_ZONE = "at has no UTC offset, and the source names no time zone"
_BATCHES_LOOKED_AT = 200
# Per integration and log the newest batches by the index batch_newest: as many steps however many were stored.
_LAST = f"""
SELECT i.id, l.log, b.newest, b.pause FROM unnest(%s::uuid[]) i(id) CROSS JOIN unnest(%s::text[]) l(log)
CROSS JOIN LATERAL (
  SELECT max(last_at) AS newest, percentile_cont(0.5) WITHIN GROUP (ORDER BY gap) AS pause FROM (
    SELECT last_at, extract(epoch FROM last_at - lead(last_at) OVER (ORDER BY last_at DESC))::float8 AS gap
    FROM notes_logbatch WHERE integration_id = i.id AND log = l.log ORDER BY last_at DESC LIMIT {_BATCHES_LOOKED_AT}
  ) newest_batches
) b WHERE b.newest IS NOT NULL ORDER BY i.id, array_position(%s::text[], l.log)
"""


@dataclass(frozen=True)
class Last:
    """When a log's newest row is from, and how long it usually is until the next rows."""

    log: str
    at: datetime
    pause: timedelta | None

    @property
    def name(self) -> str:
        """Name the log."""
        return str(Log(self.log).label)


@dataclass(frozen=True)
class SourceRow:
    """Be a line of the list."""

    source: Source
    last: tuple[Last, ...]
    pull: AuditPull | None


@dataclass(frozen=True)
class SourcesPage:
    """The sources, the tokens, and the token just made."""

    form: Form
    made: str
    sources: tuple[SourceRow, ...]
    tokens: tuple[SourceToken, ...]
    address: str
    any_integration: bool
    look: DropLook | None
    folder: str


@dataclass(frozen=True)
class Columns:
    """Be what the columns of one log's files mean."""

    log: str
    columns: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        """Name the log."""
        return str(Log(self.log).label) if self.log in Log.values else self.log


def last_rows(integrations: Collection[uuid.UUID]) -> dict[uuid.UUID, list[Last]]:
    """Give by integration when the newest row of each log is from; a source of several shares what came."""
    found: dict[uuid.UUID, list[Last]] = {}
    if not integrations:
        return found
    logs = list(Log.values)
    with connection.cursor() as cursor:
        cursor.execute(_LAST, [list(integrations), logs, logs])
        for integration, log, newest, pause in cursor.fetchall():
            usual = None if pause is None else timedelta(seconds=pause)
            found.setdefault(integration, []).append(Last(log, newest, usual))
    return found


def sources_page(
    facilities: Collection[uuid.UUID], form: Form, made: str, choices: QuerySet[Integration]
) -> SourcesPage:
    """Read the page of all sources."""
    rows = Source.objects.filter(facility__in=facilities).select_related("integration", "facility")
    listed = rows.annotate(in_use=Count("tokens", filter=Q(tokens__revoked_at=None))).order_by("name", "id")
    sources = list(listed[:MOST_SOURCES])
    integrations = {one.integration_id for one in sources if one.integration_id}
    last = last_rows(integrations)
    pulls = {one.integration_id: one for one in AuditPull.objects.filter(integration__in=integrations)}
    tokens = SourceToken.objects.filter(source__facility__in=facilities).select_related(
        "source__integration", "source__facility", "created_by"
    )
    return SourcesPage(
        form=form,
        made=made,
        sources=tuple(
            SourceRow(one, tuple(last.get(one.integration_id, ())), pulls.get(one.integration_id)) for one in sources
        ),
        tokens=tuple(tokens.order_by("revoked_at", "-created_at", "-id")[:MOST_TOKENS]),
        address=f"{settings.CONSOLE_ADDRESS}api/v1/logs/",
        any_integration=choices.exists(),
        look=DropLook.objects.first() if settings.LOG_DROP_FOLDER else None,
        folder=settings.LOG_DROP_FOLDER,
    )


class SourcePage:
    """Be the page of one source; parts that the template does not ask for cost nothing."""

    def __init__(self, source: Source, user: User) -> None:
        self.source, self.user = source, user
        self.made_token = ""
        self.wrong: dict[str, Any] = {}
        self.may_open = grants(user).has(Right.OPEN_PAYLOAD, source.facility_id)
        self.may_import = grants(user).has(Right.WORK_TICKETS, source.facility_id)

    @cached_property
    def last(self) -> list[Last]:
        """Give when the newest row of each log is from."""
        place = self.source.integration_id
        return last_rows([place]).get(place, []) if place else []

    @cached_property
    def refused(self) -> int:
        """Count the lines set aside of late because no zone is declared, up to a thousand."""
        lines = QuarantinedLine.objects.filter(
            log_import__source=self.source, log_import__at__gte=timezone.now() - REFUSED_LOOKED_AT, reason=NO_ZONE
        )
        return len(lines.values_list("pk", flat=True)[:MOST_COUNTED])

    @property
    def example(self) -> tuple[str, str] | None:
        """Give a time without an offset, and what it is read as."""
        if not is_zone(self.source.time_zone):
            return None
        local = timezone.now().astimezone(ZoneInfo(self.source.time_zone)).replace(microsecond=0)
        return local.replace(tzinfo=None).isoformat(" "), local.astimezone(UTC).isoformat(" ").replace("+00:00", " UTC")

    @cached_property
    def changes(self) -> list[AuditEntry]:
        """Give who declared another zone, when and why."""
        entries = AuditEntry.objects.filter(
            object_type="source", object_id=str(self.source.pk), action="source.zone_changed"
        )
        return list(entries.select_related("who").order_by("-at", "-id")[:RECENT])

    @cached_property
    def tokens(self) -> list[SourceToken]:
        """Give the tokens, those in use first."""
        rows = self.source.tokens.select_related("created_by").order_by("revoked_at", "-created_at", "-id")
        return list(rows[:MOST_TOKENS])

    @property
    def mappings(self) -> list[Columns]:
        """Give what the columns of its files mean."""
        return [
            Columns(log, tuple((header, key or "left out") for header, key in sorted(columns.items())))
            for log, columns in sorted(self.source.mappings.items())
        ]

    @cached_property
    def imports(self) -> list[LogImport]:
        """Give what came in last."""
        return list(LogImport.objects.filter(source=self.source).select_related("by").order_by("-at", "-id")[:RECENT])

    @cached_property
    def pull(self) -> AuditPull | None:
        """Give the standing order to ask its EHR for audit events."""
        return AuditPull.objects.filter(integration=self.source.integration_id).first()

    @property
    def folders(self) -> list[str]:
        """Give where files of its logs are put, by log; empty where no drop folder is set up."""
        root = settings.LOG_DROP_FOLDER
        return [str(folder_for(root, self.source.name, self.source.pk, log)) for log in Log.values] if root else []

    @cached_property
    def files(self) -> list[DropFile]:
        """Give the files that lie or lay in the drop folder."""
        return list(self.source.drop_files.select_related("log_import").order_by("-created_at", "-id")[:RECENT])

    @property
    def address(self) -> str:
        """Give where its systems send rows."""
        return f"{settings.CONSOLE_ADDRESS}api/v1/logs/"
