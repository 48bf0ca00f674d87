"""Put a case of the practice EHR onto the console's stage: facility, integration, note, logs, a ticket."""

import uuid
from dataclasses import dataclass

from console.accounts.models import Facility, User
from console.accounts.roles import Role
from console.diagnoses.models import Run
from console.integrations.models import Integration
from console.notes.case_import import keep_case_note, keep_logs, keep_snapshots, set_integration
from console.notes.models import Note
from console.shared.work import ENDED_STATES
from console.tickets.models import Ticket
from console.tickets.services import open_ticket
from diagnostics.case import Case
from tests.console.builders import a_facility, a_person
from tests.faults.stack import wait_for


@dataclass(frozen=True)
class Place:
    """One facility and somebody at its help desk."""

    facility: Facility
    desk: User


def a_place(**fields: str) -> Place:
    """Open a facility with one person at its help desk."""
    facility = a_facility(**fields)
    return Place(facility, a_person(facility, Role.HELP_DESK))


def take_over(facility: Facility, case: Case, name: str) -> tuple[Integration, Note | None]:
    """Keep a case as the console keeps it: an integration of its own, so that no baseline of another story speaks."""
    integration = Integration.objects.create(
        facility=facility, name=name, vendor=case.integration.vendor, protocol=case.integration.protocol
    )
    set_integration(integration, case)
    keep_snapshots(integration, case)
    keep_logs(integration, case)
    return integration, keep_case_note(integration, case, department=None)


def open_for(place: Place, case: Case, name: str) -> Ticket:
    """Open a ticket for a case's note as somebody at the help desk does; its diagnosis is queued at once."""
    integration, note = take_over(place.facility, case, name)
    return open_ticket(
        by=place.desk, integration=integration, notes=[note] if note else [], idempotency_key=uuid.uuid4().hex
    )


def ended(tickets: list[Ticket], limit_s: float = 120.0) -> list[Run]:
    """Wait until every ticket's run has ended; give the runs in the order of the tickets."""
    wanted = [ticket.run_id for ticket in tickets]
    wait_for(
        "the end of all runs",
        lambda: Run.objects.filter(pk__in=wanted, state__in=ENDED_STATES).count() == len(wanted),
        limit_s,
    )
    runs = Run.objects.in_bulk(wanted)
    return [runs[run_id] for run_id in wanted]
