"""Put notes that never arrived onto the stage: the practice EHR, a ticket, people, a worker's hands."""

import json
import random
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from console.accounts.models import User
from console.accounts.roles import Role
from console.integrations.models import Integration
from console.notes.case_import import keep_snapshots, set_integration
from console.notes.models import Note
from console.notes.services import keep_note
from console.resends import services
from console.resends.models import ResendBatch, ResendPass
from console.resends.worker import go_on
from console.shared.work import OPEN_STATES
from console.tickets.models import Ticket
from diagnostics import case_folder
from diagnostics.practice import PracticeEhr, build_case
from diagnostics.practice.fault import Habits
from diagnostics.practice.notes import write_note
from diagnostics.practice.packaging import document_reference
from diagnostics.practice.tenant import add_encounter, add_patient
from tests.console.builders import a_facility, a_person, a_ticket, an_integration

TENANT = "north"


@dataclass
class Stage:
    """One ticket with notes that wait, who may resend them, who may approve, and the EHR they never reached."""

    ehr: PracticeEhr
    integration: Integration
    ticket: Ticket
    desk: User
    engineer: User
    source: random.Random
    tenant: str = TENANT

    def a_note(self) -> Note:
        """Keep a note that the scribe has and the EHR never got; patient and visit are there."""
        tenant = self.ehr.tenant(self.tenant)
        number = self.source.randrange(10**6)
        told = write_note(
            tenant.texts, self.source, patient_id=f"P-{number:06d}", encounter_id=f"E-{number:06d}",
            provider_id="prov-7", department="internal-medicine", discrete=False,
        )  # fmt: skip
        add_patient(tenant, told.patient_id)
        add_encounter(tenant, told.encounter_id, told.patient_id, owner="prov-7")
        at = datetime.now(UTC)
        return keep_note(
            integration=self.integration, external_id=told.note_id, transaction_id=told.transaction_id,
            encounter_id=told.encounter_id, patient_id=told.patient_id, provider_id=told.provider_id, generated_at=at,
            payload=json.dumps(document_reference(told, at, Habits())).encode(), payload_name="note.json",
        )  # fmt: skip

    def a_ticket(self, notes: int = 1) -> Ticket:
        """Open a further ticket with notes of its own."""
        return a_ticket(self.integration, *(self.a_note() for _ in range(notes)))

    def prepared(self, ticket: Ticket | None = None) -> ResendBatch:
        """Prepare a resend and let a worker plan it."""
        batch = services.prepare(ticket=ticket or self.ticket, by=self.desk, key=uuid.uuid4().hex)
        work()
        return ResendBatch.objects.get(pk=batch.pk)

    def started(self, ticket: Ticket | None = None, **how: bool) -> ResendBatch:
        """Prepare and start a resend, approved where that is needed; no worker has come yet."""
        batch = self.prepared(ticket)
        services.start(batch=batch, by=self.desk, **how)
        batch.refresh_from_db()
        if batch.needs_second:
            services.approve(batch=batch, by=self.engineer)
            batch.refresh_from_db()
        return batch

    def documents(self, note: Note) -> int:
        """Count the documents that the EHR ever stored with a note's identifier, by its ledger."""
        return self.ehr.ledger.documents(self.tenant)[str((note.identifiers or {})["transaction_id"])]

    def held(self, note: Note) -> int:
        """Count the documents that the EHR holds with a note's identifier now."""
        named = str((note.identifiers or {})["transaction_id"])
        documents = self.ehr.tenant(self.tenant).store.all("DocumentReference")
        return sum(any(each.get("value") == named for each in one.get("identifier", [])) for one in documents)


def a_stage(
    ehr: PracticeEhr, folder: Path, *, notes: int = 1, environment: str = "sandbox", seed: int = 1, tenant: str = TENANT
) -> Stage:
    """Give a stage whose EHR is healthy."""
    build_case(ehr, tenant, None, folder / "case", seed=seed)
    facility = a_facility()
    case = case_folder.load(folder / "case")
    integration = an_integration(facility, environment=environment, resend_allowed=True)
    set_integration(integration, case)
    keep_snapshots(integration, case)
    desk, engineer = a_person(facility), a_person(facility, Role.INTEGRATION_ENGINEER)
    stage = Stage(ehr, integration, None, desk, engineer, random.Random(seed), tenant)  # type: ignore[arg-type]
    stage.ticket = stage.a_ticket(notes)
    return stage


def work(most: int = 100) -> int:
    """Do what the workers would do until nothing is due; give how many claims that took."""
    for done in range(most):
        row = ResendPass.objects.filter(state__in=OPEN_STATES).order_by("due_at", "id").first()
        if row is None:
            return done
        ResendPass.objects.filter(pk=row.pk).update(due_at=row.created_at)
        go_on(row.pk)
    raise AssertionError("the work does not come to an end")


def step() -> None:
    """Do one claim's work."""
    row = ResendPass.objects.filter(state__in=OPEN_STATES).order_by("due_at", "id").first()
    assert row is not None
    ResendPass.objects.filter(pk=row.pk).update(due_at=row.created_at)
    go_on(row.pk)
