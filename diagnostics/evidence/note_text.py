"""Hold the note as it was sent: its sections, and what stands in its text that could be discrete data."""

from dataclasses import dataclass, field
from typing import ClassVar

from diagnostics.case import Case
from diagnostics.evidence.base import Evidence, Key, Missing
from diagnostics.parsing import note_payload
from diagnostics.parsing.note_codes import DiagnosisCode, find_codes
from diagnostics.parsing.note_plans import FollowUp, MedicationMention, find_follow_ups, find_medications
from diagnostics.parsing.note_sections import Section, merged, split
from diagnostics.parsing.note_specialties import SPECIALTY_OF
from diagnostics.parsing.note_unknown import UnknownHeading, unknown_headings
from diagnostics.parsing.note_vitals import Measure, Vital, find_measures, find_vitals
from diagnostics.probes.declare import part
from diagnostics.vocabulary import Instant

_NOT_PRESENT_FACTS = frozenset(
    {"pmh", "psh", "family_history", "social_history", "instructions", "birth_history", "psychiatric_history"}
    | {"substance_use", "cardiac_history"}
)
_OF_THE_PLAN = frozenset({"plan", "assessment_plan", "prescriptions", "orders", "follow_up", "instructions"})


@dataclass(frozen=True, kw_only=True)
class NoteSections(Evidence):
    """Hold the note's sections; `source` is narrative, attachment, composition or obx.

    `texts` maps each canonical section to its text (nested lines belong to their section). Items keep their offset
    in `text`; one with a cue, or in a section of history, is no present fact.
    """

    instant: ClassVar[Instant] = Instant.THEN
    how_to_get: ClassVar[str] = "the note's text as sent: the payload, or the narrative with its headings"
    source: str
    text: str = field(repr=False)
    sections: tuple[Section, ...] = field(repr=False)
    vitals: tuple[Vital, ...] = field(default=(), repr=False)
    measures: tuple[Measure, ...] = field(default=(), repr=False)
    codes: tuple[DiagnosisCode, ...] = field(default=(), repr=False)
    medications: tuple[MedicationMention, ...] = field(default=(), repr=False)
    follow_ups: tuple[FollowUp, ...] = field(default=(), repr=False)
    unknown: tuple[UnknownHeading, ...] = field(default=(), repr=False)

    @property
    def texts(self) -> dict[str, str]:
        """Return the text of each canonical section that has one."""
        return merged(self.sections)

    @property
    def specialties(self) -> tuple[str, ...]:
        """Return the specialties whose own sections or measures the note has."""
        found = {SPECIALTY_OF[s.name] for s in self.sections if s.name in SPECIALTY_OF}
        found |= {"cardiology" for m in self.measures if m.kind in ("ef", "rhythm") and not m.cue}
        found |= {"pediatrics" for v in self.vitals if v.kind == "head"}
        return tuple(sorted(found | {"pediatrics" for m in self.measures if m.kind == "weight_for_age"}))

    @property
    def present_vitals(self) -> tuple[Vital, ...]:
        """Return the vital signs of this visit."""
        return tuple(v for v in self.vitals if not v.cue and self._section_at(v.offset) not in _NOT_PRESENT_FACTS)

    @property
    def present_codes(self) -> tuple[DiagnosisCode, ...]:
        """Return the diagnosis codes that the note states as present."""
        return tuple(c for c in self.codes if not c.cue and self._section_at(c.offset) not in _NOT_PRESENT_FACTS)

    @property
    def planned_medications(self) -> tuple[MedicationMention, ...]:
        """Return the medications that the plan changes: started, increased, decreased or stopped."""
        changed = ("start", "increase", "decrease", "stop")
        mentioned = (m for m in self.medications if m.verb in changed and not m.cue and not m.over_the_counter)
        return tuple(m for m in mentioned if self._in_plan(m.offset))

    @property
    def agreed_returns(self) -> tuple[FollowUp, ...]:
        """Return the returns agreed for a time, without those only as needed."""
        return tuple(f for f in self.follow_ups if f.days is not None and self._in_plan(f.offset))

    def _in_plan(self, offset: int) -> bool:
        """Tell whether a place is in the plan, or the note has no section that says otherwise."""
        section = self._section_at(offset)
        return section in _OF_THE_PLAN or not any(s.name for s in self.sections)

    def _section_at(self, offset: int) -> str | None:
        holding = [s for s in self.sections if s.start <= offset < s.end]
        return holding[-1].name if holding else None


@dataclass(frozen=True, kw_only=True)
class SentDiscrete(Evidence):
    """Hold what the payload says beside its text: whom it is for, and the discrete data in it."""

    instant: ClassVar[Instant] = Instant.THEN
    how_to_get: ClassVar[str] = "the payload as sent"
    patient_ids: tuple[str, ...] = ()
    encounter_id: str | None = None
    codes: frozenset[str] = frozenset()
    observations: frozenset[str] = frozenset()
    readings: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    kinds: frozenset[str] = frozenset()
    bundle: bool = False


@part(gives=NoteSections)
def note_sections(case: Case) -> NoteSections | Missing:
    """Read the note's sections from the narrative, else from the payload."""
    note = case.note
    if note is None:
        return Missing(Key(NoteSections), "the case has no note")
    if note.narrative and note.narrative.strip():
        text, sections, source = note.narrative, split(note.narrative), "narrative"
    else:
        sent = note_payload.read(note.payload) if note.payload else None
        if sent is None or not sent.text.strip():
            return Missing(Key(NoteSections), "the note's text is not at hand", NoteSections.how_to_get)
        text, sections, source = sent.text, sent.sections, sent.source
    return NoteSections(
        source=source,
        text=text,
        sections=sections,
        vitals=find_vitals(text),
        measures=find_measures(text),
        codes=find_codes(text),
        medications=find_medications(text),
        follow_ups=find_follow_ups(text),
        unknown=unknown_headings(text) if source in ("narrative", "attachment") else (),
    )


@part(gives=SentDiscrete)
def sent_discrete(case: Case) -> SentDiscrete | Missing:
    """Read the ids and discrete data of the payload."""
    note = case.note
    sent = note_payload.read(note.payload) if note is not None and note.payload else None
    if sent is None:
        return Missing(Key(SentDiscrete), "the payload is not at hand or cannot be read", SentDiscrete.how_to_get)
    return SentDiscrete(
        patient_ids=sent.patient_ids,
        encounter_id=sent.encounter_id,
        codes=sent.codes,
        observations=sent.observations,
        readings=sent.readings,
        kinds=sent.kinds,
        bundle=sent.bundle,
    )
