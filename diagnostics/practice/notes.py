"""Invent a visit note: sections, narrative and the discrete data that belong to it. No sentence is a person's."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from diagnostics.practice.texts import PracticeTexts

HEADINGS = {
    "chief_complaint": "Chief Complaint",
    "hpi": "History of Present Illness",
    "ros": "Review of Systems",
    "physical_exam": "Physical Exam",
    "assessment": "Assessment",
    "plan": "Plan",
    "subjective": "Subjective",
}
SOAP = ("chief_complaint", "hpi", "ros", "physical_exam", "assessment", "plan")
APSO = ("assessment", "plan", "chief_complaint", "hpi", "ros", "physical_exam")

_SENTENCES = {
    "chief_complaint": ("Cough and sore throat for four days.", "Stiff left shoulder since the spring."),
    "hpi": (
        "Symptoms began after a long train journey and have eased a little since.",
        "Sleep is disturbed by the discomfort, appetite is unchanged.",
        "The patient manages daily tasks without help and walks to work.",
        "There was a similar episode two winters ago which settled by itself.",
    ),
    "ros": (
        "Constitutional: no fever, no weight loss.",
        "Respiratory: no wheeze, no breathlessness at rest.",
        "Gastrointestinal: no nausea, no change of habit.",
    ),
    "physical_exam": (
        "Alert and comfortable, in no acute distress.",
        "Chest clear on both sides, heart sounds regular.",
        "Throat mildly red without exudate, neck supple.",
    ),
    "assessment": (
        "The course fits an uncomplicated illness that resolves by itself.",
        "The long-standing condition remains stable on review.",
    ),
    "plan": (
        "Rest, warm drinks and a humidified bedroom were advised.",
        "Warning signs were explained and a leaflet was handed over.",
        "The patient agrees with the arrangement and has no further questions.",
    ),
}


@dataclass(frozen=True)
class Note:
    """One generated note with everything a scribe knows of it."""

    note_id: str
    transaction_id: str
    patient_id: str
    encounter_id: str
    provider_id: str
    department: str
    sections: tuple[tuple[str, str], ...]
    vitals: tuple[tuple[str, str], ...] = ()
    diagnoses: tuple[str, ...] = ()

    @property
    def narrative(self) -> str:
        """Give the plain text with its headings."""
        return "\n\n".join(f"{HEADINGS[name]}:\n{text}" for name, text in self.sections) + "\n"

    def without_sections(self, *names: str) -> Note:
        """Give the same note with some sections left out."""
        return replace(self, sections=tuple(s for s in self.sections if s[0] not in names))


def write_note(
    texts: PracticeTexts,
    source: random.Random,
    *,
    patient_id: str,
    encounter_id: str,
    provider_id: str,
    department: str,
    discrete: bool,
    order: tuple[str, ...] = SOAP,
    extra: str = "",
    bulk: int = 0,
) -> Note:
    """Write a note in the given order; with `discrete`, vitals and a diagnosis code stand in its text as well."""
    bodies: dict[str, str] = {}
    for name in SOAP:
        pool = _SENTENCES[name]
        chosen = pool if name != "chief_complaint" else (source.choice(pool),)
        bodies[name] = " ".join(texts.say(sentence) for sentence in chosen)
    if bulk:
        filler: list[str] = []
        while len(" ".join(filler)) < bulk:
            filler.append(texts.say(source.choice(_SENTENCES["hpi"])) + f" Item {len(filler) + 1}.")
        bodies["hpi"] += " " + " ".join(filler)
    if extra:
        bodies["assessment"] += f" {extra}"
    vitals: tuple[tuple[str, str], ...] = ()
    diagnoses: tuple[str, ...] = ()
    if discrete:
        systolic, diastolic, pulse = source.randint(112, 134), source.randint(70, 84), source.randint(62, 82)
        bodies["physical_exam"] = f"BP {systolic}/{diastolic}, HR {pulse}. " + bodies["physical_exam"]
        bodies["assessment"] += " Acute nasopharyngitis (J00). Essential hypertension (I10)."
        vitals = (("85354-9", f"{systolic}/{diastolic}"), ("8867-4", str(pulse)))
        diagnoses = ("J00", "I10")
    number = f"{source.randrange(16**8):08x}"
    return Note(
        note_id=f"N-{number}",
        transaction_id=f"TX-{source.randrange(16**10):010X}",
        patient_id=patient_id,
        encounter_id=encounter_id,
        provider_id=provider_id,
        department=department,
        sections=tuple((name, bodies[name]) for name in order),
        vitals=vitals,
        diagnoses=diagnoses,
    )


def split_sections(text: str) -> list[tuple[str, str]]:
    """Read a narrative back into sections by its heading lines, as the practice EHR does when it files."""
    names = {heading.lower(): name for name, heading in HEADINGS.items()}
    found: list[tuple[str, list[str]]] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        stripped = line.strip()
        if stripped.endswith(":") and stripped[:-1].lower() in names:
            found.append((names[stripped[:-1].lower()], []))
        elif found:
            found[-1][1].append(line)
    return [(name, "\n".join(lines).strip()) for name, lines in found]
