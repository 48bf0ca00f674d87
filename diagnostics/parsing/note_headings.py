"""Know the sections of a clinical note by name: the words clinicians use, and how sections stand to one another.

The canonical names are those of the public contract (mapping.json `section`); domain.md section 4 gives their synonyms
and LOINC section codes.
"""

import re
import unicodedata

from diagnostics.parsing.note_specialties import HEADINGS as SPECIALTY_HEADINGS
from diagnostics.parsing.note_specialties import WIDER as SPECIALTY_WIDER

_SYNONYMS: dict[str, str] = {
    "chief_complaint": "cc|chief complaint|chief complaints|chief concern|reason for visit|reason for consult"
    "|reason for consultation|reason for encounter|presenting problem|presenting complaint",
    "subjective": "s|subjective|subj",
    "hpi": "hpi|history of present illness|history of the present illness|history of presenting illness"
    "|history present illness|present illness|interval history|interim history|history",
    "ros": "ros|review of systems|systems review|review of symptoms",
    "pmh": "pmh|pmhx|past medical history|medical history|past history|past medical hx|medical hx",
    "psh": "psh|pshx|surgical history|past surgical|past surgical history|surgical hx",
    "medications": "meds|medications|current medications|current meds|home medications|home meds|medication list"
    "|outpatient medications|active medications",
    "allergies": "allergies|allergy|adrs|nkda|adverse reactions|drug allergies|allergies and intolerances",
    "family_history": "fh|fhx|family history|family hx|family medical history",
    "social_history": "sh|shx|social history|social hx|tobacco/alcohol|tobacco and alcohol|substance use",
    "objective": "o|objective|obj",
    "vitals": "vitals|vital signs|vs|vitals reviewed|vitals signs|vital signs reviewed",
    "physical_exam": "pe|exam|physical exam|physical examination|exam findings|examination|mse|mental status exam"
    "|mental status examination|physical",
    "results": "results|labs|imaging|data|diagnostics|laboratory|lab results|laboratory results|diagnostic results"
    "|labs and imaging|imaging results|test results|studies|data reviewed|results reviewed|diagnostic studies",
    "assessment": "a|assessment|assessments|impression|impressions|diagnosis|diagnoses|dx|clinical impression",
    "assessment_plan": "a/p|ap|a and p|assessment and plan|assessment/plan|assessment plan|impression and plan"
    "|assessment and recommendations|impression/plan|plan and assessment",
    "problem_list": "problem list|active problems|problems|active problem list",
    "plan": "p|plan|treatment plan|recommendations|plan of care|care plan|treatment|plan and recommendations",
    "orders": "orders|labs ordered|orders placed|tests ordered|imaging ordered",
    "prescriptions": "rx|prescriptions|medications prescribed|prescribed medications|new prescriptions",
    "follow_up": "follow-up|follow up|followup|f/u|rtc|return|return to clinic|disposition|return visit"
    "|follow-up instructions|follow-up plan",
    "instructions": "patient instructions|instructions|education|patient education|discharge instructions|avs",
}
SECTIONS = tuple(_SYNONYMS)
_EVERY = (*SPECIALTY_HEADINGS.items(), *_SYNONYMS.items())
CANONICAL_OF = {word: name for name, words in _EVERY for word in words.split("|")}
LETTERS = frozenset({"s", "o", "a", "p"})

LOINC = {
    "10154-3": "chief_complaint",
    "46239-0": "chief_complaint",
    "29299-5": "chief_complaint",
    "61150-9": "subjective",
    "10164-2": "hpi",
    "10187-3": "ros",
    "11348-0": "pmh",
    "47519-4": "psh",
    "10160-0": "medications",
    "48765-2": "allergies",
    "10157-6": "family_history",
    "29762-2": "social_history",
    "61149-1": "objective",
    "8716-3": "vitals",
    "29545-1": "physical_exam",
    "10210-3": "physical_exam",
    "10190-7": "physical_exam",
    "30954-2": "results",
    "51848-0": "assessment",
    "51847-2": "assessment_plan",
    "11450-4": "problem_list",
    "18776-5": "plan",
    "69730-0": "instructions",
}

SUBJECTIVE = ("chief_complaint", "hpi", "ros", "pmh", "psh", "medications", "allergies", "family_history",
              "social_history")  # fmt: skip
# Where a section may go when the mapping has no rule of its own for it: the nearest wider section first.
WIDER: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(SUBJECTIVE, ("subjective",)),
    "subjective": ("hpi",),
    "vitals": ("objective",),
    "physical_exam": ("objective",),
    "results": ("objective",),
    "objective": ("physical_exam",),
    "assessment": ("assessment_plan",),
    "plan": ("assessment_plan",),
    "assessment_plan": ("assessment", "plan"),
    "problem_list": ("assessment", "assessment_plan"),
    "orders": ("plan", "assessment_plan"),
    "prescriptions": ("plan", "assessment_plan"),
    "follow_up": ("plan", "assessment_plan"),
    "instructions": ("plan", "assessment_plan"),
    **SPECIALTY_WIDER,
}

_EDGES = re.compile(r"^[\s#*_:\-\u2013\u2014.]+|[\s#*_:\-\u2013\u2014.]+$")


def canonical(heading: str) -> str | None:
    """Return the canonical section that a heading or a field's label names, or None where it names none."""
    plain = unicodedata.normalize("NFKC", heading[:120]).casefold()
    plain = _EDGES.sub("", plain.split("(")[0])
    plain = " ".join(plain.replace("&", " and ").split()).replace(" / ", "/")
    return CANONICAL_OF.get(plain)


def section_of_field(label: str, id: str) -> str | None:
    """Return the section a template's field is meant for: by its label, else by the words of its id."""
    by_label = canonical(label) if label else None
    if by_label is not None or label:
        return by_label
    words = [word for word in re.split(r"[_\-.\s]+", id.casefold()) if word not in ("txt", "text", "field", "fld")]
    return canonical(" ".join(words)) if words and not (len(words) == 1 and words[0] in LETTERS) else None


def related(one: str, other: str) -> bool:
    """Tell whether text of one section may properly stand in a field meant for the other."""
    return one == other or other in WIDER.get(one, ()) or one in WIDER.get(other, ())


_TITLES = {
    "hpi": "history of present illness",
    "ros": "review of systems",
    "pmh": "past medical history",
    "psh": "surgical history",
    "assessment_plan": "assessment and plan",
}


def title(section: str) -> str:
    """Return a section's name as people say it, in lower case."""
    return _TITLES.get(section, section.replace("_", " "))
