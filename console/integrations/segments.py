"""The network segments of an integration: places its endpoints are looked at from, beside the integration's own.

A facility's segment in which a worker of its own stands is a row (`models.Segment`); a run from there is the worker's.
They stand in the settings as the engine reads them (`Integration.segments`); the settings' own form leaves them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from django.utils.text import slugify

from console.accounts.models import Facility, User
from console.accounts.services import record
from console.integrations.models import Integration, Segment
from console.integrations.services import IntegrationError
from console.integrations.settings_fields import ORIGINS, values_of

MOST = 8
WAYS = {"source_address": "source address", "proxy": "proxy", "resolver": "DNS server"}
_OWN = "here"  # how the engine calls the place a run itself stands in


def segments_of(integration: Integration) -> list[Mapping[str, Any]]:
    """Give the segments as they are stored; a case may have brought some that no form would take."""
    held = integration.settings.get("segments") or []
    return [each for each in held if isinstance(each, Mapping) and each.get("name")]


def queue_name(name: str) -> str:
    """Give a segment's name as the queue of its worker is called; two names alike in it are one segment."""
    return slugify(name).replace("-", "_")[:30]


@transaction.atomic
def add_segment(
    *, integration: Integration, name: str, source_address: str = "", proxy: str = "", resolver: str = "",
    by: User | None,
) -> None:  # fmt: skip
    """Add a segment; refuse a name that is taken, which would make two places one."""
    held = _locked(integration)
    there = segments_of(held)
    if name.casefold() == _OWN:
        raise IntegrationError("Name: “here” is the place NoteTrace itself stands in. Give the segment another name.")
    for other in (str(each["name"]) for each in there):
        if name.casefold() == other.casefold():
            raise IntegrationError("Name: another segment of this integration has this name.")
        if queue_name(name) and queue_name(name) == queue_name(other):
            raise IntegrationError(f"Name: too like “{other}”. Let the first 30 letters or digits differ.")
    if len(there) >= MOST:
        raise IntegrationError(f"Every test looks from all segments, so there are at most {MOST}. Remove one first.")
    ways = {"source_address": source_address, "proxy": proxy, "resolver": resolver}
    made = {"name": name} | {way: value for way, value in ways.items() if value}
    held.settings = {**held.settings, "segments": [*(held.settings.get("segments") or []), made]}
    held.save(update_fields=["settings"])
    detail = {"segment": name, "set": [way for way in ways if way in made]}
    record(by=by, action="segment.added", subject=held, facility=held.facility_id, detail=detail)


@transaction.atomic
def remove_segment(*, integration: Integration, name: str, by: User | None) -> None:
    """Take a segment away; one that is gone already is no fault."""
    held = _locked(integration)
    there = held.settings.get("segments") or []
    kept = [each for each in there if not (isinstance(each, Mapping) and each.get("name") == name)]
    if len(kept) == len(there):
        return
    held.settings = {key: value for key, value in held.settings.items() if key != "segments"}
    if kept:
        held.settings["segments"] = kept
    held.save(update_fields=["settings"])
    record(by=by, action="segment.removed", subject=held, facility=held.facility_id, detail={"segment": name})


@dataclass(frozen=True)
class Opened:
    """Say which segment a facility has now, and the queue of its worker."""

    name: str
    queue: str
    new: bool


@transaction.atomic
def open_segment(*, facility: Facility, slug: str, name: str) -> Opened:
    """Name a place in which a worker stands; one that is there already keeps its name."""
    row, new = Segment.objects.get_or_create(facility=facility, slug=slug, defaults={"name": name})
    if new:
        record(by=None, action="segment.opened", subject=row, facility=facility, detail={"segment": slug})
    return Opened(row.name, f"segment_{slug}", new)


def way_shows_secrets(integration: Integration, slug: str) -> bool:
    """Tell whether a run from a segment would send stored secrets in the clear through the segment's own way out.

    Secrets are bound to the integration's own proxy and DNS server; those of a segment may see only what TLS hides.
    """
    own = next((each for each in segments_of(integration) if queue_name(str(each["name"])) == slug), {})
    if not integration.secrets or not (own.get("proxy") or own.get("resolver")):
        return False
    values = values_of(integration.settings)
    return any(values[name] and urlsplit(str(values[name])).scheme.lower() != "https" for name in ORIGINS)


def _locked(integration: Integration) -> Integration:
    return Integration.objects.select_for_update(of=("self",)).get(pk=integration.pk)
