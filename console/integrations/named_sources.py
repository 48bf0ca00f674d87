"""Find a source by its name; the one called `default` is made when it is first asked for."""

from django.db import connection, transaction

from console.accounts.models import Facility
from console.accounts.services import open_facility
from console.integrations.models import Integration, Source

DEFAULT = "default"
_LOCK = 0x6E74_736F_7572_6365


def named_source(name: str) -> Source | None:
    """Give the source of this name, or None; `default` belongs to the first facility and speaks UTC."""
    found = _found(name)
    if found is not None or name != DEFAULT:
        return found
    with transaction.atomic():
        with connection.cursor() as cursor:  # two imports on a fresh machine make it once
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        return _found(name) or _make_default()


def _found(name: str) -> Source | None:
    return Source.objects.select_related("integration", "facility").filter(name=name).first()


def _make_default() -> Source:
    facility = Facility.objects.order_by("created_at", "id").first()
    facility = facility or open_facility(slug="first-facility", name="First facility")
    integration, _ = Integration.objects.get_or_create(
        facility=facility, name="Imported logs", defaults={"vendor": "generic", "protocol": Integration.Protocol.FHIR}
    )
    return Source.objects.create(name=DEFAULT, facility=facility, integration=integration, time_zone="UTC")
