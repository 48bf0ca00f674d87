"""Notes with a story in both logs: one that was really refused, one that is in the chart, over FHIR and HL7 v2."""

import uuid

import pytest

from console.accounts.roles import Role
from console.resends import services
from console.resends.models import ResendBatch
from diagnostics import case_folder
from diagnostics.practice import PracticeEhr, build_case
from tests.console.builders import a_facility, a_person, a_ticket
from tests.console.resends.stage import TENANT, work
from tests.journeys.stage import take_over

pytestmark = pytest.mark.django_db(transaction=True)
REFUSED_ONCE = "hl7-internal-error"


class Told:
    """A ticket about the note of a story that was played at the practice EHR, which is well again."""

    def __init__(self, ehr: PracticeEhr, fault: str | None, folder) -> None:
        build_case(ehr, TENANT, fault, folder)
        ehr.set_faults(TENANT, ())
        facility = a_facility()
        integration, note = take_over(facility, case_folder.load(folder), "Told")
        integration.environment, integration.resend_allowed = "staging", True
        integration.save(update_fields=["environment", "resend_allowed"])
        assert note is not None
        self.note, self.ticket = note, a_ticket(integration, note)
        self.desk = a_person(facility)
        self.engineer = a_person(facility, Role.INTEGRATION_ENGINEER)

    def prepared(self) -> ResendBatch:
        batch = services.prepare(ticket=self.ticket, by=self.desk, key=uuid.uuid4().hex)
        work()
        batch.refresh_from_db()
        return batch


def test_a_refused_message_goes_again_and_counts_as_taken_only(ehr, tmp_path) -> None:
    told = Told(ehr, REFUSED_ONCE, tmp_path)
    batch = told.prepared()
    item = batch.items.get()
    assert (item.state, item.way) == ("planned", "message"), item.plan
    assert item.plan["url"].startswith("mllp")
    services.start(batch=batch, by=told.desk)
    work()
    item.refresh_from_db()
    assert (item.state, item.ack, item.found, item.in_chart) == ("created", "AA", None, False)
    row = told.ticket.ticket_notes.get()
    assert row.end == "waiting", "an acknowledgement is no sight of the chart"
    again = told.prepared().items.get()
    assert again.state == "not_possible"
    assert "The EHR took an earlier resend" in again.plan["refused"]


def test_a_note_in_the_chart_is_left_out_with_words(ehr, tmp_path) -> None:
    told = Told(ehr, None, tmp_path)
    batch = told.prepared()
    item = batch.items.get()
    assert item.state == "not_possible"
    assert "in the chart already" in item.plan["refused"]
    with pytest.raises(services.ResendError, match="None of these notes can be resent"):
        services.start(batch=batch, by=told.desk)
