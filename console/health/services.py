"""Ask for a test of an integration: the six steps without a note."""

from django.db import transaction

from console.accounts.models import User
from console.accounts.services import record
from console.diagnoses.models import Run
from console.diagnoses.segments import must_stand_there
from console.diagnoses.services import request_run
from console.integrations.models import Integration
from console.shared.work import OPEN_STATES


@transaction.atomic
def ask_for_test(*, integration: Integration, writes: bool, by: User, segment: str = "") -> Run:
    """Queue a test, unless one is under way: two at once would ask the EHR twice for the same.

    `segment` is the short name of the facility's segment whose worker is to make it; empty: this place.
    """
    if segment:
        must_stand_there(integration, segment)
    Integration.objects.select_for_update(of=("self",), no_key=True).get(pk=integration.pk)
    open_now = Run.objects.filter(integration=integration, note=None, ticket_id=None, state__in=OPEN_STATES)
    under_way = open_now.filter(segment=segment).first()
    if under_way is not None:
        return under_way
    run = request_run(integration=integration, by=by, writes=writes, segment=segment)
    detail = {"run": str(run.pk), "writes": writes} | ({"segment": segment} if segment else {})
    record(by=by, action="integration.tested", subject=integration, facility=integration.facility_id, detail=detail)
    return run
