"""Generate the plain set of the issue: `python -m tests.benchmarks.two_logs.easy NOTES FOLDER`.

3 % of the notes rejected, 1 % never sent, 1 % misplaced, 0.5 % filed twice, 0.5 % accepted and not filed (delayed), the
rest delivered, of these a few after a lost answer or a refusal that a second attempt mended. The EHR's clock is 0.8 s
ahead, with jitter. 2 % of the rows of either log have lost note, transaction and request id; what a row says of the
encounter and of the document stays. Rows come in a random order. Equal arguments give equal bytes.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from tests.benchmarks.two_logs import answers
from tests.benchmarks.two_logs.hospital import NOTES_A_DAY, Site, second_of_day, site, stamp
from tests.benchmarks.two_logs.shuffled import ShuffledLines

SEED = 20261123
OFFSET, JITTER = 0.8, 0.05
LOST = 0.02
FIRST_DAY = datetime(2026, 10, 19, tzinfo=UTC).timestamp()
SHARES = (
    ("rejected", 0.03),
    ("never_sent", 0.01),
    ("misplaced", 0.01),
    ("duplicate", 0.005),
    ("delayed", 0.005),
)
STRONG = ("note_id", "transaction_id", "request_id", "ack_id")
Row = dict[str, Any]


class Story:
    """The rows of one note, in both logs, while they are told."""

    def __init__(self, number: int, rng: random.Random, began: float, encounter: int) -> None:
        self.rng = rng
        self.at = began
        self.number = number
        self.site: Site = site(rng)
        self.fhir = self.site.protocol == "fhir"
        self.scribe: list[Row] = []
        self.ehr: list[Row] = []
        self.attempt = 0
        self.transaction = f"urn:uuid:{rng.getrandbits(128):032x}" if self.fhir else f"MSG{number:09d}"
        self.request = ""
        self.encounter, self.patient = f"E-{encounter}", f"P-{encounter // 3}"
        self.provider = f"prov-{encounter % 400}"
        self.ids: Row = {"note_id": f"N-{number:07d}", "encounter_id": self.encounter, "site": self.site.name}

    def scribe_row(self, event: str, **values: Any) -> None:
        self.scribe.append({"at": stamp(self.at), "event": event, **self.ids, **values})

    def ehr_row(self, event: str, after: float, **values: Any) -> None:
        at = self.at + after + OFFSET + self.rng.gauss(0, JITTER)
        row = {"at": stamp(at), "event": event, "transaction_id": self.transaction, "request_id": self.request}
        self.ehr.append({**row, "client_id": self.site.client, **values})

    def prepare(self) -> None:
        self.scribe_row("generated", patient_id=self.patient, provider_id=self.provider)
        self.at += answers.thinking_time(self.rng)
        self.scribe_row("packaged", transaction_id=self.transaction, provider_id=self.provider)
        self.at += 0.2 + self.rng.random()

    def send(self) -> None:
        """Post once; the EHR notices. The answer is another step."""
        self.attempt += 1
        self.request = f"{self.rng.getrandbits(64):016x}"
        self.scribe_row("sent", **self._call())
        if self.fhir:
            self.scribe[-1]["content_type"] = "application/fhir+json"

    def received(self) -> None:
        self.ehr_row("received", answers.travel_time(self.rng))

    def answered(self, event: str, seconds: float, **values: Any) -> None:
        self.at += seconds
        call = self._call()
        if not self.fhir:
            call["ack_id"] = self.transaction
        self.scribe_row(event, **call, latency_ms=round(seconds * 1000), **values)

    def _call(self) -> Row:
        method = "POST" if self.fhir else "MLLP"
        call = {"transaction_id": self.transaction, "request_id": self.request, "attempt": self.attempt}
        return {**call, "method": method, "url": self.site.url}

    def document(self) -> str:
        return (
            f"DocumentReference/D{self.rng.getrandbits(44):011x}"
            if self.fhir
            else f"DOC{self.rng.getrandbits(40):010x}"
        )

    def filed(self, after: float, document: str, encounter: str | None = None) -> None:
        values: Row = {"resource": document, "encounter_id": encounter or self.encounter, "patient_id": self.patient}
        if self.fhir:
            values["status"] = 201
        self.ehr_row("filed", after, author_id=self.provider, **values)

    def accepted(self, seconds: float, document: str) -> None:
        """Write the scribe's row of a good answer."""
        if self.fhir:
            location = {"location": self.site.url.removesuffix("/DocumentReference") + f"/{document}/_history/1"}
            self.answered("acked", seconds, status=201, response_headers=location)
        else:
            self.answered("acked", seconds, ack="AA")

    def refused(self, seconds: float) -> None:
        """Let both logs tell a refusal; a gateway's (401, 413) never reached the EHR's log."""
        if self.fhir:
            status, body = self.rng.choice(answers.FHIR_REFUSALS)
            if status not in (401, 413):
                self.received()
                self.ehr_row("rejected", seconds * 0.8, status=status, error=body, encounter_id=self.encounter)
            self.answered("failed", seconds, status=status, error=body)
        else:
            ack, words = self.rng.choice(answers.HL7_REFUSALS)
            self.received()
            self.ehr_row("rejected", seconds * 0.8, ack=ack, error=words, encounter_id=self.encounter)
            self.answered("failed", seconds, ack=ack, error=f"MSA|{ack}|{self.transaction}\r{words}")

    def delivered(self, encounter: str | None = None) -> None:
        """Send once and see it filed before the answer."""
        self.send()
        self.received()
        seconds, document = 0.1 + answers.answer_time(self.rng), self.document()
        if self.rng.random() < 0.5:
            self.ehr_row("accepted", seconds * 0.6)
        self.filed(seconds * 0.9, document, encounter)
        self.accepted(seconds, document)


def tell(story: Story, mode: str) -> None:
    """Tell how a note came to its mode."""
    rng = story.rng
    story.prepare()
    if mode == "delivered":
        way = rng.random()
        if way < 0.01:
            _lost_answer(story)
        elif way < 0.03:
            story.send()
            story.refused(answers.answer_time(rng))
            story.at += 20 + 60 * rng.random()
            story.delivered()
        else:
            story.delivered()
    elif mode == "rejected":
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            story.send()
            story.refused(0.05 + answers.answer_time(rng))
            story.at += 30 + 30 * rng.random()
    elif mode == "never_sent":
        _never_sent(story)
    elif mode == "misplaced":
        story.delivered(encounter=f"E-{rng.randrange(90_000_000, 99_000_000)}")
    elif mode == "duplicate":
        _lost_answer(story)
        story.at += 5 + 20 * rng.random()
        story.delivered()
    else:
        story.send()
        story.received()
        held: Row = {"status": 202} if story.fhir else {"ack": "CA"}
        story.ehr_row("accepted", 0.2, **held)
        story.answered("acked", 0.3 + answers.answer_time(rng), **held)


def _lost_answer(story: Story) -> None:
    story.send()
    story.received()
    story.filed(1 + story.rng.random(), story.document())
    story.answered("failed", 30.0, error=story.rng.choice(answers.LOST_ANSWERS))


def _never_sent(story: Story) -> None:
    way = story.rng.random()
    if way < 0.4 and story.fhir:
        call = {"method": "POST", "url": story.site.token_url}
        status, body = story.rng.choice(answers.TOKEN_ERRORS)
        story.scribe_row("token", **call)
        story.at += 0.3
        story.scribe_row("failed", **call, status=status, error=body)
    elif way < 0.8:
        story.send()
        story.answered("failed", 0.2 + story.rng.random(), error=story.rng.choice(answers.CONNECTION_ERRORS))
    else:
        story.scribe_row("queued", transaction_id=story.transaction)


def notes(count: int, seed: int = SEED) -> Iterator[tuple[Story, str]]:
    """Give every note's story with its mode, day by day."""
    rng = random.Random(seed)
    encounter = 1000
    last: tuple[float, int] | None = None
    for number in range(count):
        day = number // NOTES_A_DAY
        if last and rng.random() < 0.08:  # a second note of the same visit, minutes later
            began, visit = last[0] + 240 + 780 * rng.random(), last[1]
            last = None
        else:
            encounter += 1
            began, visit = FIRST_DAY + day * 86_400 + second_of_day(rng), encounter
            last = (began, visit)
        story = Story(number, rng, began, visit)
        draw = rng.random()
        mode = "delivered"
        for name, share in SHARES:
            draw -= share
            if draw < 0:
                mode = name
                break
        tell(story, mode)
        yield story, mode


def lose_ids(rows: list[Row], rng: random.Random) -> bool:
    """Take note, transaction and request id from 2 % of the rows; tell whether all kept theirs."""
    intact = True
    for row in rows:
        if rng.random() < LOST:
            intact = False
            for key in STRONG:
                row.pop(key, None)
    return intact


def token_row(at: float, place: Site, rng: random.Random) -> Row:
    """Give the row of a token fetched for many notes: it names none of them."""
    row = {"at": stamp(at), "event": "token", "site": place.name, "method": "POST", "url": place.token_url}
    granted = "system/DocumentReference.write system/Encounter.read"
    return {**row, "status": 200, "expires_in": 300, "scope": granted, "token_id": f"tk-{rng.getrandbits(24):06x}"}


def write(count: int, folder: Path, seed: int = SEED, *, watched: dict[str, list[Row]] | None = None) -> dict[str, int]:
    """Write scribe.ndjson, ehr.ndjson and truth.ndjson for `count` notes; give how many rows each has.

    The notes named in `watched` get their rows.
    """
    folder.mkdir(parents=True, exist_ok=True)
    noise = random.Random(f"{seed} noise")
    with (
        ShuffledLines(folder / "scribe.ndjson", f"{seed} scribe") as scribe,
        ShuffledLines(folder / "ehr.ndjson", f"{seed} ehr") as ehr,
        open(folder / "truth.ndjson", "wb") as truth,
    ):
        for story, mode in notes(count, seed):
            intact = lose_ids(story.scribe, noise) & lose_ids(story.ehr, noise)
            for row in story.scribe:
                scribe.add(orjson.dumps(row))
            for row in story.ehr:
                ehr.add(orjson.dumps(row))
            if story.fhir and noise.random() < 0.05:
                scribe.add(orjson.dumps(token_row(story.at - 30, story.site, noise)))
            if watched and story.ids["note_id"] in watched:
                watched[story.ids["note_id"]] = [{"log": "scribe", **row} for row in story.scribe]
                watched[story.ids["note_id"]] += [{"log": "ehr", **row} for row in story.ehr]
            told = {"note_id": story.ids["note_id"], "failure_mode": mode, "ids_intact": intact}
            truth.write(orjson.dumps(told | {"clock_offset_s": OFFSET}) + b"\n")
        counts = {"scribe": scribe.written, "ehr": ehr.written, "truth": count}
    return counts


if __name__ == "__main__":
    print(write(int(sys.argv[1]), Path(sys.argv[2])))
