"""Ask for a test of an integration: the six steps without a note."""

from django.db import transaction

from console.accounts.models import User
from console.accounts.services import record
from console.diagnoses.models import Run
from console.diagnoses.services import request_run
from console.diagnoses.workers import workers
from console.integrations.models import Integration, Segment
from console.integrations.segments import way_shows_secrets
from console.integrations.services import IntegrationError
from console.shared.work import OPEN_STATES


@transaction.atomic
def ask_for_test(*, integration: Integration, writes: bool, by: User, segment: str = "") -> Run:
    """Queue a test, unless one is under way: two at once would ask the EHR twice for the same.

    `segment` is the short name of the facility's segment whose worker is to make it; empty: this place.
    """
    if segment:
        _must_stand_there(integration, segment)
    Integration.objects.select_for_update(of=("self",), no_key=True).get(pk=integration.pk)
    open_now = Run.objects.filter(integration=integration, note=None, ticket_id=None, state__in=OPEN_STATES)
    under_way = open_now.filter(segment=segment).first()
    if under_way is not None:
        return under_way
    run = request_run(integration=integration, by=by, writes=writes, segment=segment)
    detail = {"run": str(run.pk), "writes": writes} | ({"segment": segment} if segment else {})
    record(by=by, action="integration.tested", subject=integration, facility=integration.facility_id, detail=detail)
    return run


def segments_with_workers(integration: Integration) -> list[Segment]:
    """Give the facility's segments whose worker was seen lately."""
    rows = Segment.objects.filter(facility=integration.facility_id).order_by("name", "id")
    return [row for row in rows if workers(f"segment_{row.slug}").are_well]


def _must_stand_there(integration: Integration, slug: str) -> None:
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
