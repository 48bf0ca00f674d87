"""The segments of a facility in which a worker stands: from where a run can be made."""

from console.diagnoses.workers import workers
from console.integrations.models import Integration, Segment
from console.integrations.segments import way_shows_secrets
from console.integrations.services import IntegrationError


def segments_with_workers(integration: Integration) -> list[Segment]:
    """Give the facility's segments whose worker was seen lately."""
    rows = Segment.objects.filter(facility=integration.facility_id).order_by("name", "id")
    return [row for row in rows if workers(f"segment_{row.slug}").are_well]


def must_stand_there(integration: Integration, slug: str) -> Segment:
    """Give the segment; refuse one without a worker, and a way on which secrets would be readable."""
    row = Segment.objects.filter(facility=integration.facility_id, slug=slug).first()
    if row is None:
        raise IntegrationError("From: this facility has no such segment. Choose another place.")
    if not workers(f"segment_{slug}").are_well:
        raise IntegrationError(f"From: no worker was seen in {row.name} lately. Start it first, or test from here.")
    if way_shows_secrets(integration, slug):
        raise IntegrationError(
            f"From: {row.name} leaves by a proxy or DNS server of its own, and an address of this integration is plain "
            "http: the secrets would be readable on the way. Use https addresses, or test from here."
        )
    return row
