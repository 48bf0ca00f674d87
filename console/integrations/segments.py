"""The network segments of an integration: places its endpoints are looked at from, beside the integration's own.

They stand in the settings as the engine reads them (`Integration.segments`); the settings' own form leaves them.
"""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.text import slugify

from console.accounts.models import User
from console.accounts.services import record
from console.integrations.models import Integration
from console.integrations.services import IntegrationError

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


def _locked(integration: Integration) -> Integration:
    return Integration.objects.select_for_update(of=("self",)).get(pk=integration.pk)
