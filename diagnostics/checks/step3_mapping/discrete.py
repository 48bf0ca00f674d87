"""Judge whether what should be discrete data became discrete data, or stayed in the note's words."""

import re
from collections.abc import Mapping

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, unknown, warned
from diagnostics.checks.step3_mapping.looking import stopped_before_content
from diagnostics.evidence.case_parts import Filed, SectionMapping, Settings, Template
from diagnostics.evidence.logs import NoteTrace
from diagnostics.evidence.note_text import NoteSections, SentDiscrete
from diagnostics.findings import Result
from diagnostics.parsing.note_items import Vital
from diagnostics.vocabulary import FailureMode, Step, Strength

_NAMES = {"bp": "blood pressure", "hr": "pulse", "rr": "respiratory rate", "temp": "temperature", "spo2": "oxygen "
          "saturation", "weight": "weight", "height": "height", "bmi": "BMI"}  # fmt: skip


def _discrete_fields(mapping: SectionMapping, template: Template | None) -> list[str]:
    """Return the discrete fields of the template that mapping rules write to."""
    kinds = {f.id: f.kind for f in template.fields} if template else {}
    return sorted({rule.field for rule in mapping.rules if kinds.get(rule.field) == "discrete"})


def _narrative_by_design(mapping: SectionMapping | None, template: Template | None) -> bool:
    """Tell whether the integration is set to send text only, and no rule expects more."""
    return mapping is not None and "narrative" in mapping.output and "discrete" not in mapping.output


@check(
    id="map.output.narrative_only",
    step=Step.MAPPING,
    title="The scribe sends structured data where the mapping or the template expects them",
    proves=causes.OUTPUT_NARRATIVE_ONLY,
    checklist=("MAP.4",),
)
def output_fits_mapping(
    mapping: SectionMapping,
    template: Template | None,
    settings: Settings,
    note: NoteSections | None,
    filed: Filed | None,
    trace: NoteTrace | None,
) -> Result:
    """With text output alone, problem list and flowsheet stay empty however good the note is."""
    if not mapping.output:
        return unknown("The scribe's output mode is not known.", get=SectionMapping.how_to_get)
    if "discrete" in mapping.output:
        return passed("The scribe sends structured data.", output=list(mapping.output))
    ruled = _discrete_fields(mapping, template)
    of_template = sorted(f.id for f in template.fields if f.kind == "discrete") if template else []
    needed = sorted({"Condition", "Observation", "MedicationRequest", "ServiceRequest"}
                    & set(settings.integration.resources_needed))  # fmt: skip
    if not ruled and not of_template and not needed:
        return passed("Text output is all that is expected.", output=list(mapping.output))
    says = "The scribe is set to text output only, but structured data are expected"
    names = ruled or needed or of_template
    if _never_reached(trace):
        return warned(f"{says} ({', '.join(names)}).", fields=names)
    if ruled or needed:
        return failed(f"{says}: {', '.join(names)}.", fields=names, output=list(mapping.output))
    # the template merely offers discrete fields: that only matters where this note left them empty
    left = note is not None and bool(note.present_vitals or note.present_codes)
    if left and filed is not None and filed.found and filed.has_discrete and not filed.discrete:
        return failed(f"{says}: the template's {', '.join(names)} stayed empty.", fields=names)
    return passed("Text output is all that the mapping expects.", output=list(mapping.output), offered=names)


def _never_reached(trace: NoteTrace | None) -> bool:
    return stopped_before_content(trace) or (trace is not None and trace.failure_mode is FailureMode.REJECTED)


@check(
    id="map.discrete.vitals_narrative",
    step=Step.MAPPING,
    title="Vital signs in the note's text are in the flowsheet as well",
    proves=causes.DISCRETE_VITALS_NARRATIVE,
    strength=Strength.STRONG,
    checklist=("MAP.4",),
)
def vitals_are_discrete(
    note: NoteSections,
    mapping: SectionMapping | None,
    template: Template | None,
    filed: Filed | None,
    sent: SentDiscrete | None,
    settings: Settings,
    trace: NoteTrace | None,
) -> Result:
    """A blood pressure that is only a phrase in a note triggers no alert and appears in no trend."""
    vitals = _one_of_each(note.present_vitals)
    if not vitals:
        return not_applicable("The note states no vital signs of this visit.")
    early = _cannot_say(mapping, template, filed, sent, trace)
    if early is not None:
        return early
    there = _observed(filed, sent)
    lacking = [v for v in vitals.values() if not _has(v, there)]
    if not lacking:
        return passed("Each vital sign of the note is there as data.", kinds=sorted(vitals))
    names = ", ".join(_NAMES[v.kind] for v in lacking)
    if len(lacking) < len(vitals):
        return warned(f"Some vital signs are in the text only: {names}.", kinds=[v.kind for v in lacking])
    weight = Strength.STRONG if _expected(mapping, settings, "Observation") else Strength.MODERATE
    return failed(f"In the text only: {names}.", strength=weight, kinds=[v.kind for v in lacking])


def _one_of_each(vitals: tuple[Vital, ...]) -> dict[str, Vital]:
    return {vital.kind: vital for vital in reversed(vitals)}


def _cannot_say(
    mapping: SectionMapping | None,
    template: Template | None,
    filed: Filed | None,
    sent: SentDiscrete | None,
    trace: NoteTrace | None,
) -> Result | None:
    """Say why the question of discrete data does not arise, or cannot be answered; None where it can."""
    if _narrative_by_design(mapping, template):
        return not_applicable("The integration sends text only; see its output mode.")
    if _never_reached(trace) or (filed is not None and not filed.found):
        return not_applicable("The note did not come as far as the chart.")
    if trace is not None and trace.attempts and all(attempt.outcome != "accepted" for attempt in trace.attempts):
        return not_applicable("The scribe got no good answer for the note, so it need not have sent data after it.")
    if filed is not None and filed.has_discrete:
        return None
    if sent is not None and sent.bundle:
        return None
    return unknown("Which discrete data the chart holds is not known.", get=Filed.how_to_get)


def _expected(mapping: SectionMapping | None, settings: Settings, resource: str) -> bool:
    """Tell whether somebody wrote down that structured data are to come with the note."""
    if mapping is not None and "discrete" in mapping.output:
        return True
    return resource in settings.integration.resources_needed


def _observed(filed: Filed | None, sent: SentDiscrete | None) -> tuple[Mapping[str, str], ...]:
    if filed is not None and filed.has_discrete:
        return tuple(item for item in filed.discrete if item.get("kind") == "observation")
    return tuple({"code": code} for code in sent.observations) if sent is not None else ()


def _has(vital: Vital, there: tuple[Mapping[str, str], ...]) -> bool:
    """Tell whether an observation carries this vital sign: by its LOINC code, else by its very value."""
    for item in there:
        code = item.get("code", "").rsplit("|", 1)[-1]
        if code in vital.codes:
            return True
        if not re.fullmatch(r"\d{1,5}-\d", code) and vital.value in item.get("value", "").split(" "):
            return True
    return False


@check(
    id="map.discrete.icd_in_text",
    step=Step.MAPPING,
    title="Diagnosis codes in the note's text are coded diagnoses as well",
    proves=causes.DISCRETE_ICD_IN_TEXT,
    strength=Strength.STRONG,
    checklist=("MAP.4",),
)
def diagnoses_are_discrete(
    note: NoteSections,
    mapping: SectionMapping | None,
    template: Template | None,
    filed: Filed | None,
    sent: SentDiscrete | None,
    settings: Settings,
    trace: NoteTrace | None,
) -> Result:
    """A code in a sentence reaches neither the problem list nor the claim."""
    written = list(dict.fromkeys(code.code for code in note.present_codes))
    if not written:
        return not_applicable("The note states no diagnosis code as present.")
    early = _cannot_say(mapping, template, filed, sent, trace)
    if early is not None:
        return early
    there = (
        {_plain(item.get("code", "")) for item in filed.discrete if item.get("kind") == "condition"} if filed else set()
    )
    there |= {_plain(code) for code in sent.codes} if sent is not None and not (filed and filed.has_discrete) else set()
    lacking = [code for code in written if _plain(code) not in there]
    if not lacking:
        return passed("Each diagnosis code of the note is there as data.", count=len(written))
    if len(lacking) < len(written):
        return warned(f"{len(lacking)} of {len(written)} diagnosis codes are in the text only.", count=len(lacking))
    weight = Strength.STRONG if _expected(mapping, settings, "Condition") else Strength.MODERATE
    says = (
        "The note's only diagnosis code is in its text only."
        if len(lacking) == 1
        else (f"All {len(lacking)} diagnosis codes of the note are in its text only.")
    )
    return failed(says, strength=weight, count=len(lacking))


def _plain(code: str) -> str:
    return code.rsplit("|", 1)[-1].replace(".", "").strip().upper()


# Words that contradict a code; a short list, because this only asks a coder to look (domain.md trap 7).
_CONTRADICTIONS = (
    (re.compile(r"E1[013]\.65"), re.compile(r"\bwell[- ]controlled\b|\bwithout (?:complication|hyperglyc\w{2,6})"),
     "says with hyperglycemia, the text says well controlled"),
    (re.compile(r"E1[013]\.9"), re.compile(r"\bwith (?:hyperglyc\w{2,6}|neuropathy|nephropathy|retinopathy)"),
     "says without complications, the text names one"),
    (re.compile(r"[MS]\d\d\.\d\d1[A-Z]?"), re.compile(r"(?<!right and )\bleft\b(?!.{0,40}\bright\b)"),
     "is commonly the right side, the text says left"),
    (re.compile(r"[MS]\d\d\.\d\d2[A-Z]?"), re.compile(r"(?<!left and )\bright\b(?!.{0,40}\bleft\b)"),
     "is commonly the left side, the text says right"),
    (re.compile(r"J45\.\d0"), re.compile(r"\bwith (?:acute )?exacerbation|\bstatus asthmaticus"),
     "says uncomplicated, the text names an exacerbation"),
)  # fmt: skip


@check(
    id="map.discrete.icd_incongruent",
    step=Step.MAPPING,
    title="No diagnosis code contradicts the words beside it",
    hints=causes.DISCRETE_ICD_INCONGRUENT,
    strength=Strength.MODERATE,
    checklist=("MAP.4",),
)
def codes_fit_words(note: NoteSections) -> Result:
    """A code that contradicts its sentence is billed and carried on; only a person may decide which is right."""
    if not note.codes:
        return not_applicable("The note's text holds no diagnosis code.")
    odd = {
        code.code: says
        for code in note.codes
        for shape, words, says in _CONTRADICTIONS
        if shape.fullmatch(code.code) and words.search(code.context)
    }
    if not odd:
        return passed("No code contradicts its sentence.", count=len(note.codes))
    says = "; ".join(f"{code} {why}" for code, why in odd.items())
    return warned(f"A coder should look: {says}.", codes=sorted(odd))
