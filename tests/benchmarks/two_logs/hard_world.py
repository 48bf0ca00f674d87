"""The people, visits and counters of the hard set, and what one day of it told."""

from __future__ import annotations

import random

from tests.benchmarks.two_logs.hard_note import HardNote, Line, Visit
from tests.benchmarks.two_logs.hospital import SITES, WEIGHTS, Site


class World:
    """Gives ids; holds the notes and the orphans of the day being told."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.notes: list[HardNote] = []
        self.orphans: list[Line] = []
        self._notes = self._encounters = self._patients = 0
        self._counters: dict[str, int] = {}

    def new_day(self) -> None:
        """Forget what was told, and let the message counters begin anew: tomorrow's ids were today's."""
        self.notes, self.orphans, self._counters = [], [], {}

    def encounter(self) -> str:
        self._encounters += 1
        return f"E-{self._encounters}"

    def patient(self) -> str:
        """Give a new patient, or one who was seen before."""
        if self._patients > 50 and self.rng.random() < 0.2:
            return f"P-{self.rng.randrange(1, self._patients)}"
        self._patients += 1
        return f"P-{self._patients}"

    def visit(self, site: str = "") -> Visit:
        place = next((one for one in SITES if one.name == site), None) or self.rng.choices(SITES, WEIGHTS)[0]
        return Visit(place, self.encounter(), self.patient(), f"prov-{self.rng.randrange(300)}")

    def transaction(self, site: Site) -> str:
        if site.protocol == "fhir":
            return f"urn:uuid:{self.rng.getrandbits(128):032x}"
        self._counters[site.name] = count = self._counters.get(site.name, 0) + 1
        return f"{site.name[0].upper()}{count:06d}"

    def note(self, visit: Visit, at: float, *, told: bool = True) -> HardNote:
        self._notes += 1
        client = visit.site.client
        if client == "scribe-west" and self.rng.random() < 0.3:
            client = "scribe-west-b"
        note = HardNote(self.rng, f"N-{self._notes:07d}", visit, at, self.transaction(visit.site), client)
        if told:
            self.notes.append(note)
        return note
