"""What every page says to those who look after sources: what fetches rows by itself does so no more."""

import uuid
from collections.abc import Collection, Iterable
from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from console.accounts.access import grants
from console.accounts.place import places
from console.accounts.roles import Right
from console.monitoring.models import AuditPull, DropFile, DropLook
from console.shared.navigation import Notice
from console.shared.work import OPEN_STATES

FRESH = timedelta(hours=24)
SILENT = timedelta(minutes=10)
TELL_AFTER = 3
TOLD_AT_ONCE = frozenset({"not_set_up", "token", "scope", "forbidden", "not_offered"})  # waiting mends none of these
_MANY = 100


def notices(request: HttpRequest) -> Iterable[Notice]:
    """Give a line for failing pulls, one for files that were set aside, one for a folder that cannot be used."""
    if not grants(request.user).where(Right.MANAGE_INTEGRATIONS):
        return
    where = places(request, Right.MANAGE_INTEGRATIONS)
    yield from _pulls(where)
    if settings.LOG_DROP_FOLDER:
        yield from _folder()
        yield from _files(where)


def _pulls(where: Collection[uuid.UUID]) -> Iterable[Notice]:
    failing = AuditPull.objects.filter(facility__in=where, state__in=OPEN_STATES, failures__gt=0)
    told = failing.filter(Q(failures__gte=TELL_AFTER) | Q(trouble__in=TOLD_AT_ONCE)).select_related("integration")
    rows = list(told.order_by("failing_since", "id")[:2])
    if len(rows) == 1:
        row = rows[0]
        text = f"The audit events of {row.integration.name} do not come: {row.says}"
        link = reverse("integrations:integration", args=[row.integration_id]) + "#audit-events"
        yield Notice("warn", "database-import", text, link, "See what to do")
    elif rows:
        text = "The audit events of several integrations do not come."
        yield Notice("warn", "database-import", text, reverse("monitoring:sources"), "See sources")


def _folder() -> Iterable[Notice]:
    look = DropLook.objects.first()
    if look is not None and look.trouble:
        yield Notice("bad", "files", look.trouble, reverse("monitoring:sources"), "See sources")
    elif look is not None and timezone.now() - look.at > SILENT:
        text = "Nobody has looked into the drop folder for a while: its files wait."
        yield Notice("warn", "files", text, reverse("monitoring:sources"), "See sources")


def _files(where: Collection[uuid.UUID]) -> Iterable[Notice]:
    bad = (DropFile.End.SET_ASIDE, DropFile.End.STUCK)
    ended = Q(finished_at__gte=timezone.now() - FRESH, end__in=bad)
    waiting = Q(state__in=OPEN_STATES) & ~Q(says="")
    rows = DropFile.objects.filter(ended | waiting, facility__in=where)
    sources = list(rows.order_by("source_id", "id").values_list("source_id", flat=True)[:_MANY])
    if not sources:
        return
    says = "1 file of the drop folder needs a look."
    if len(sources) > 1:
        says = f"{'At least 100' if len(sources) == _MANY else len(sources)} files of the drop folder need a look."
    only = len(set(sources)) == 1
    link = reverse("monitoring:source", args=[sources[0]]) if only else reverse("monitoring:sources")
    yield Notice("warn", "files", says, link, "See why")
