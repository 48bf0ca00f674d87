"""Play a note's story against a running practice: some good notes, perhaps a change, then the note in question."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

from diagnostics.practice.fault import Fault, Habits, Story, Variation
from diagnostics.practice.notes import APSO, SOAP, Note, write_note
from diagnostics.practice.packaging import document_reference
from diagnostics.practice.scribe import Attempt, PracticeScribe
from diagnostics.practice.server import PracticeEhr
from diagnostics.practice.store import Filing
from diagnostics.practice.tenant import Tenant, add_encounter, add_patient, iso

ALL_GRANTS = ("document:read", "document:write", "encounter:read", "encounter:write", "problem:write", "order:write")
DEPARTMENT = "internal-medicine"
EARLIER_MINUTES = (175.0, 118.0, 64.0)


class StoryPlayer:
    """Hold what one story brings together."""

    def __init__(
        self, ehr: PracticeEhr, tenant: Tenant, conditions: tuple[Fault | Variation, ...], source: random.Random
    ) -> None:
        self.ehr, self.tenant, self.conditions, self.source = ehr, tenant, conditions, source
        self.habits, self.story = Habits(), Story()
        for condition in conditions:
            self.habits = replace(self.habits, **condition.scribe)
            self.story = replace(self.story, **condition.story)
        self.hl7 = any(condition.protocol == "hl7v2" for condition in conditions)
        tenant.discrete = tenant.template.discrete = not self.hl7
        trust = ehr.ca_pem
        if any(condition.ehr.get("proxy") == "strip" for condition in conditions):
            trust += ehr.inspector.ca_pem
        self.trust_pem = trust
        good = replace(Habits(), flow=self.habits.flow, mllp_tls=self.habits.mllp_tls, proxy=self.habits.proxy)
        self.scribe = PracticeScribe(ehr, tenant, good, source, trust)
        self.changed_at = iso(tenant.clock.timestamp() - 40 * 86400)
        self.note = self._note(1)
        self.attempt = Attempt(self.note)

    def play(self) -> None:
        """Play three good notes, then the change, then the note in question."""
        tenant, story = self.tenant, self.story
        now_shift = -60.0 * story.minutes_ago
        earlier = list(EARLIER_MINUTES)
        for number, minutes in enumerate(earlier):
            tenant.clock.shift_s = now_shift - 60.0 * minutes
            self.scribe.deliver(self._admit(self._note(number + 2), {}))
        if self.habits.reuse_token:
            # The last good note left a token that is still cached when it has run out.
            tenant.clock.shift_s = now_shift - 60.0 * 11
            self.scribe.deliver(self._admit(self._note(9), {}))
        tenant.clock.shift_s = now_shift - 300.0
        if story.change:
            self.changed_at = iso(tenant.clock.timestamp())
            tenant.audit.write("change", change=self._change())
        self.ehr.set_faults(tenant.name, [condition.name for condition in self.conditions])
        tenant.unmapped = story.unmapped
        tenant.clock.shift_s = now_shift
        self.scribe.habits = self.habits
        note = self.note
        if self.habits.reuse_identifier:
            self._older_document(note)
        if self.habits.message == "long_id":
            note = replace(note, transaction_id=f"{note.transaction_id}-{note.note_id}")
        if self.habits.payload == "references":
            self._admit(note, story.encounter)
            note = replace(note, encounter_id=f"{note.encounter_id}7")
        else:
            self._admit(note, story.encounter)
        self.note = note
        self.attempt = self.scribe.deliver(note)
        deadline = time.monotonic() + 2
        while tenant.open_mllp and time.monotonic() < deadline:
            time.sleep(0.01)  # a torn frame is noted when the connection has ended

    def _note(self, number: int) -> Note:
        current = number == 1
        bulk = self.habits.bulk if current else 0
        return write_note(
            self.tenant.texts,
            self.source,
            patient_id=f"P-{self.source.randrange(10**6):06d}",
            encounter_id=f"E-{self.source.randrange(10**6):06d}",
            provider_id="prov-7",
            department=str(self.story.encounter.get("department", DEPARTMENT)) if current else DEPARTMENT,
            discrete=not self.hl7,
            order=APSO if current and self.habits.note_order == "apso" else SOAP,
            bulk=bulk,
        )

    def _admit(self, note: Note, special: Any) -> Note:
        add_patient(self.tenant, note.patient_id)
        owner = special.get("owner", note.provider_id)
        rest = {name: value for name, value in special.items() if name != "owner"}
        add_encounter(self.tenant, note.encounter_id, note.patient_id, owner=owner, **rest)
        return note

    def _older_document(self, note: Note) -> None:
        """Place a document with the note's identifier that is older than any log."""
        older = self._note(8)
        older = replace(self._admit(older, {}), transaction_id=note.transaction_id)
        at = self.tenant.clock.now() - timedelta(days=30)
        self.tenant.store.create("DocumentReference", document_reference(older, at, Habits()), at.isoformat())

    def _change(self) -> dict[str, str]:
        tenant = self.tenant
        left = [grant for grant in ALL_GRANTS if grant not in self.story.grants_lost]
        words = {
            "client": tenant.client_id,
            "practice": tenant.practice_id,
            "other_practice": other_practice(tenant),
            "template": tenant.template.template_id,
            "old_version": str(tenant.template.version),
            "new_version": str(tenant.template.version + 1),
            "account": tenant.account,
            "all_grants": " ".join(ALL_GRANTS),
            "left_grants": " ".join(left),
        }
        return {key: value.format(**words) for key, value in (self.story.change or {}).items()}

    def filings(self) -> list[Filing]:
        """List what the chart holds of the note, under whatever identifier it was sent."""
        ids = {row["transaction_id"] for row in self.scribe.rows if row["note_id"] == self.note.note_id}
        return [f for f in self.tenant.store.filings if f.transaction_id in ids]


def other_practice(tenant: Tenant) -> str:
    """Give the number of the practice the client is really allowed to use."""
    return str(int(tenant.practice_id) + 7)
