"""The audit trail as a privacy officer reads it: who did what to which object, newest first."""

import datetime as dt
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlencode

from django.apps import apps
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from console.accounts.access import grants
from console.accounts.models import AuditEntry, User
from console.accounts.place import places
from console.accounts.roles import Right

PAGE_SIZE = 100


@dataclass(frozen=True)
class AuditPage:
    """Be one page of the trail with its filters."""

    page: Page[AuditEntry]
    people: tuple[tuple[str, str], ...]
    actions: tuple[tuple[str, str], ...]
    asked: Mapping[str, str]
    query: str


def audit_page(facility_ids: Collection[uuid.UUID], asked: Mapping[str, str]) -> AuditPage:
    """Read the trail of some facilities, narrowed by person, action and day; what is unknown narrows nothing."""
    entries = AuditEntry.objects.filter(_within(facility_ids))
    who = dict(User.objects.filter(pk__in=entries.order_by().values("who").distinct()).values_list("pk", "name"))
    people = tuple(sorted(((str(pk), name) for pk, name in who.items()), key=lambda pair: pair[1]))
    actions = tuple(
        (name, words(name)) for name in entries.order_by("action").values_list("action", flat=True).distinct()
    )
    kept = {}
    if asked.get("who") in dict(people):
        entries, kept["who"] = entries.filter(who=asked["who"]), asked["who"]
    if asked.get("action") in dict(actions):
        entries, kept["action"] = entries.filter(action=asked["action"]), asked["action"]
    for name, lookup in (("from", "at__gte"), ("to", "at__lt")):
        day = _day(asked.get(name, ""))
        if day is not None:
            start = timezone.make_aware(dt.datetime.combine(day, dt.time.min))
            entries = entries.filter(**{lookup: start + dt.timedelta(days=1) if name == "to" else start})
            kept[name] = day.isoformat()
    page = Paginator(_ordered(entries), PAGE_SIZE).get_page(asked.get("page"))
    return AuditPage(page, people, actions, kept, urlencode(kept))


def _within(facility_ids: Collection[uuid.UUID]) -> Q:
    """Match the facilities' own entries; one without a facility is about a person who works there."""
    return Q(facility__in=facility_ids)


def _ordered(entries: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
    return entries.select_related("who", "facility").order_by("-at", "-id")


def _day(text: str) -> dt.date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None


def object_words(model_name: str) -> str:
    """Name the kind of object an entry is about: `sourcetoken` becomes "source token"."""
    return _kinds().get(model_name, model_name)


@cache
def _kinds() -> dict[str, str]:
    return {model._meta.model_name: str(model._meta.verbose_name) for model in apps.get_models()}


def words(action: str) -> str:
    """Say an action's name as people read it: `payload.opened` becomes "Payload opened"."""
    return action.replace(".", " ").replace("_", " ").capitalize()


@login_required
@never_cache
@require_GET
def audit(request: HttpRequest) -> HttpResponse:
    """Show the audit trail of the facilities whose trail one may see."""
    if not grants(request.user).where(Right.SEE_AUDIT):
        raise PermissionDenied("Your role does not see the audit trail.")
    page = audit_page(places(request, Right.SEE_AUDIT), request.GET)
    return render(request, "accounts/audit.html", {"audit": page})
