"""One note of the hard set while its story is told: acts in true time, written by clocks that are wrong."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from tests.benchmarks.two_logs import answers, clocks
from tests.benchmarks.two_logs.hospital import Site

Row = dict[str, Any]
STRANGE = ("\u2028", "\u2029", "\x85", "\x0b", "\x1c")  # they end a line for some readers, never for a log row


@dataclass(eq=False)
class Line:
    """One row with what only the generator knows of it."""

    log: str
    at: float
    row: Row
    owner: HardNote | None
    bare: bool = False


@dataclass
class Visit:
    """One encounter at one site."""

    site: Site
    encounter: str
    patient: str
    provider: str


@dataclass(eq=False)
class HardNote:
    """A note's ids, its rows and the truth about it. `at` is the story's present, in true time."""

    rng: random.Random
    note_id: str
    visit: Visit
    at: float
    transaction: str
    client: str
    story: str = ""
    mode: str = ""
    accepts: tuple[str, ...] = ()
    lines: list[Line] = field(default_factory=list)
    request: str = ""
    attempt: int = 0
    sent_at: float = 0.0
    intact: bool = True
    decidable: bool = False

    @property
    def fhir(self) -> bool:
        return self.visit.site.protocol == "fhir"

    # -- the scribe's log ---------------------------------------------------------------------------------------

    def scribe(self, event: str, *, named: bool = True, **values: Any) -> None:
        site = self.visit.site
        row: Row = {"at": clocks.shown(site.name, self.at, self.rng), "event": event, "site": site.name}
        if named:
            row |= {"note_id": self.note_id}
        self.lines.append(Line("scribe", self.at, row | values, self))

    def prepare(self) -> None:
        visit = self.visit
        seen = {"encounter_id": visit.encounter, "patient_id": visit.patient, "provider_id": visit.provider}
        self.scribe("generated", **seen)
        self.at += answers.thinking_time(self.rng)
        self.scribe("packaged", transaction_id=self.transaction, encounter_id=visit.encounter)
        self.at += 0.2 + self.rng.random()

    def call(self) -> Row:
        method, url = ("POST" if self.fhir else "MLLP"), self.visit.site.url
        return {
            "transaction_id": self.transaction, "request_id": self.request, "attempt": self.attempt,
            "method": method, "url": url,
        }  # fmt: skip

    def send(self, request: str = "") -> None:
        self.attempt += 1
        self.request = request or f"{self.rng.getrandbits(64):016x}"
        self.sent_at = self.at
        extra = {"content_type": "application/fhir+json"} if self.fhir else {}
        if self.rng.random() < 0.5:
            extra |= {"encounter_id": self.visit.encounter, "patient_id": self.visit.patient}
        self.scribe("sent", **self.call(), **extra)

    def answer(self, event: str, seconds: float, **values: Any) -> None:
        self.at = self.sent_at + seconds
        if not self.fhir and "ack" in values:
            values["ack_id"] = self.transaction
        self.scribe(event, **self.call(), latency_ms=round(seconds * 1000), **values)

    def lose_answer(self) -> None:
        self.answer("failed", 30.0, error=self.rng.choice(answers.LOST_ANSWERS))

    def not_connected(self) -> None:
        self.answer("failed", 0.1 + self.rng.random(), error=self.rng.choice(answers.CONNECTION_ERRORS))

    def accept(self, document: str, seconds: float | None = None) -> None:
        seconds = seconds or 0.3 + answers.answer_time(self.rng)
        if not self.fhir:
            return self.answer("acked", seconds, ack="AA")
        location = self.visit.site.url.removesuffix("/DocumentReference") + f"/{document}"
        if self.rng.random() < 0.7:
            location += "/_history/1"
        headers = {"response_headers": {"location": location}} if self.rng.random() < 0.85 else {}
        return self.answer("acked", seconds, status=201, **headers)

    def hold(self) -> None:
        """Answer that the note was taken but not filed yet, in one of the ways logs have for it."""
        if self.fhir:
            self.answer(self.rng.choice(("acked", "acked", "queued")), 0.4, status=202)
        else:
            self.answer(self.rng.choice(("acked", "queued")), 0.2, ack="CA")

    def refuse(self, seconds: float | None = None, *, heard: bool = True) -> None:
        """Refuse in the scribe's log, as `failed` or as `acked`, and in the EHR's unless a gateway did it."""
        seconds = seconds or 0.1 + answers.answer_time(self.rng)
        event = self.rng.choice(("failed", "acked"))
        if self.fhir:
            status, body = self.rng.choice(answers.FHIR_REFUSALS)
            if heard and status not in (401, 413):
                self.received()
                self.reject_inside(seconds * 0.8, status=status, error=self.odd(body))
            self.answer(event, seconds, status=status, error=self.odd(body))
        else:
            ack, words = self.rng.choice(answers.HL7_REFUSALS)
            if heard:
                self.received()
                self.reject_inside(seconds * 0.8, ack=ack, error=words)
            self.answer(event, seconds, ack=ack, error=f"MSA|{ack}|{self.transaction}\r{words}")

    def odd(self, text: str) -> str:
        """Now and then put a character into a text that looks like the end of a line."""
        place = text.find(" ")
        if place < 0 or self.rng.random() > 0.15:
            return text
        return text[:place] + self.rng.choice(STRANGE[:3]) + text[place:]

    # -- the EHR's log ------------------------------------------------------------------------------------------

    def ehr(self, event: str, after: float, **values: Any) -> None:
        """Write an EHR row `after` seconds after the request left."""
        at = self.sent_at + after
        row: Row = {"at": clocks.shown(self.client, at, self.rng), "event": event, "client_id": self.client}
        if self.client != "scribe-lake":  # this one's audit names no message
            row["transaction_id"] = self.transaction
        if self.client != "scribe-lake" or event == "received":
            row["request_id"] = self.request
        self.lines.append(Line("ehr", at, row | values, self))

    def received(self) -> None:
        self.ehr("received", answers.travel_time(self.rng))

    def reject_inside(self, after: float, **values: Any) -> None:
        self.ehr("rejected", after, encounter_id=self.visit.encounter, patient_id=self.visit.patient, **values)

    def document(self) -> str:
        name = f"{self.rng.getrandbits(44):011x}"
        return f"DocumentReference/D{name}" if self.fhir else f"DOC{name}"

    def file(self, document: str, after: float | None = None, *, encounter: str = "", patient: str = "") -> None:
        visit = self.visit
        where = {"encounter_id": encounter or visit.encounter, "patient_id": patient or visit.patient}
        values: Row = {"author_id": visit.provider}
        if self.client != "scribe-mill":  # this engine tells no document's name
            values["resource"] = document
        if self.fhir:
            values["status"] = 201
        if self.rng.random() < 0.2:
            values["fields"] = {"HPI_TXT": self.odd("Seen for follow-up of a long-standing complaint.")}
        self.ehr("filed", after or 0.1 + 0.8 * answers.answer_time(self.rng), **where, **values)

    def deliver(self, **where: str) -> str:
        """Send, file and accept; give the document's name."""
        self.send()
        return self.arrive(**where)

    def arrive(self, **where: str) -> str:
        seconds, document = 0.1 + answers.answer_time(self.rng), self.document()
        self.received()
        if self.rng.random() < 0.4:
            self.ehr("accepted", seconds * 0.6)
        self.file(document, seconds * 0.9, **where)
        self.accept(document, seconds)
        return document

    def type_by_hand(self, world_orphans: list[Line]) -> None:
        """Let the clinician type the note at a desk, into the same encounter, under another client."""
        at = self.at + 1800 + 7200 * self.rng.random()
        row: Row = {"at": clocks.shown("desktop", at, self.rng), "event": "filed", "client_id": "desktop"}
        seen = {
            "encounter_id": self.visit.encounter,
            "patient_id": self.visit.patient,
            "author_id": self.visit.provider,
        }
        world_orphans.append(Line("ehr", at, row | seen | {"resource": self.document()}, None))

    def end(self, mode: str, *accepts: str) -> None:
        self.mode, self.accepts = mode, accepts
