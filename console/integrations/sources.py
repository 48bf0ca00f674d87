"""What a source declares: the time zone of its clock, and what the columns of its files mean."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import transaction

from console.accounts.access import require
from console.accounts.models import User
from console.accounts.roles import Right
from console.accounts.services import record
from console.integrations.models import Source


def is_zone(name: str) -> bool:
    """Tell whether this is an IANA time zone, such as America/Chicago."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return bool(name)


@transaction.atomic
def set_zone(*, source: Source, time_zone: str, why: str, by: User) -> bool:
    """Declare the zone of rows that come from now on; those stored keep their times. Empty: none is declared.

    Tell whether anything changed.
    """
    require(by, Right.MANAGE_INTEGRATIONS, source.facility_id)
    held = Source.objects.select_for_update(of=("self",)).get(pk=source.pk)
    if held.time_zone == time_zone:
        return False
    detail = {"from": held.time_zone or "none", "to": time_zone or "none", "why": why[:200]}
    Source.objects.filter(pk=source.pk).update(time_zone=time_zone)
    record(by=by, action="source.zone_changed", subject=source, facility=source.facility_id, detail=detail)
    source.time_zone = time_zone
    return True


@transaction.atomic
def forget_mapping(*, source: Source, log: str, by: User) -> bool:
    """Forget what the columns of a log's files mean: the next file is asked about. Tell whether there was anything."""
    require(by, Right.MANAGE_INTEGRATIONS, source.facility_id)
    held = Source.objects.select_for_update(of=("self",)).get(pk=source.pk)
    kept = {name: columns for name, columns in held.mappings.items() if name != log}
    if kept == held.mappings:
        return False
    Source.objects.filter(pk=source.pk).update(mappings=kept)
    record(by=by, action="source.mapping_forgotten", subject=source, facility=source.facility_id, detail={"log": log})
    source.mappings = kept
    return True
