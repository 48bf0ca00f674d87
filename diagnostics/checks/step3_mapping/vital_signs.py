"""Judge whether vital signs in the note's text are in the flowsheet as well, and whether both say the same."""

import re
from collections.abc import Iterable, Mapping

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, unknown, warned
from diagnostics.checks.step3_mapping.expecting import cannot_say, expected, narrative_by_design, observations
from diagnostics.evidence.case_parts import Filed, SectionMapping, Settings
from diagnostics.evidence.logs import NoteTrace
from diagnostics.evidence.note_text import NoteSections, SentDiscrete
from diagnostics.findings import Result
from diagnostics.parsing.note_vitals import KINDS, Vital, readings
from diagnostics.vocabulary import Step, Strength

_NAMES = {
    "bp": "blood pressure",
    "hr": "pulse",
    "rr": "respiratory rate",
    "temp": "temperature",
    "spo2": "oxygen saturation",
    "weight": "weight",
    "height": "height",
    "bmi": "BMI",
    "head": "head circumference",
}
# what rounding and units explain, in the kind's own unit (domain.md 2.4)
_TOLERANCE = {"bp": 2.0, "hr": 2.0, "temp": 0.2, "weight": 0.5}
_SYSTOLIC, _DIASTOLIC = "8480-6", "8462-4"
_LOINC = re.compile(r"\d{1,6}-\d")


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
    filed: Filed | None,
    sent: SentDiscrete | None,
    settings: Settings,
    trace: NoteTrace | None,
) -> Result:
    """A blood pressure that is only a phrase in a note triggers no alert and appears in no trend."""
    vitals = {vital.kind: vital for vital in reversed(note.present_vitals)}
    if not vitals:
        return not_applicable("The note states no vital signs of this visit.")
    early = cannot_say(mapping, filed, sent, trace)
    if early is not None:
        return early
    there = observations(filed, sent)
    lacking = [v for v in vitals.values() if not _has(v, there)]
    if not lacking:
        return passed("Each vital sign of the note is there as data.", kinds=sorted(vitals))
    names = ", ".join(_NAMES[v.kind] for v in lacking)
    if len(lacking) < len(vitals):
        return warned(f"Some vital signs are in the text only: {names}.", kinds=[v.kind for v in lacking])
    weight = Strength.STRONG if expected(mapping, settings, "Observation") else Strength.MODERATE
    return failed(f"In the text only: {names}.", strength=weight, kinds=[v.kind for v in lacking])


def _code(item: Mapping[str, str]) -> str:
    return item.get("code", "").rsplit("|", 1)[-1].strip()


def _has(vital: Vital, there: Iterable[Mapping[str, str]]) -> bool:
    """Tell whether an observation carries this vital sign: by its LOINC code, else by its very value."""
    for item in there:
        if _code(item) in vital.codes:
            return True
        if not _LOINC.fullmatch(_code(item)) and vital.value in item.get("value", "").split(" "):
            return True
    return False


@check(
    id="map.discrete.vitals_disagree",
    step=Step.MAPPING,
    title="Vital signs in the note's text and in the flowsheet say the same",
    proves=causes.DISCRETE_VITALS_DISAGREE,
    strength=Strength.MODERATE,
    checklist=("MAP.4",),
)
def vitals_agree(
    note: NoteSections, mapping: SectionMapping | None, filed: Filed | None, sent: SentDiscrete | None
) -> Result:
    """Two values for one thing: whoever acts on one of them may act on the wrong one."""
    stated: dict[str, list[tuple[float, ...]]] = {}
    for vital in note.present_vitals:
        if vital.kind in _TOLERANCE:
            stated.setdefault(vital.kind, []).append(vital.amounts)
    if not stated:
        return not_applicable("The note states no vital sign of this visit that could be compared.")
    if filed is not None and not filed.found:
        return not_applicable("The note did not come as far as the chart.")
    if not (filed is not None and filed.has_discrete) and not (sent is not None and sent.readings):
        if narrative_by_design(mapping):
            return not_applicable("The integration sends text only; see its output mode.")
        return unknown("Which values the flowsheet holds is not known.", get=Filed.how_to_get)
    there = observations(filed, sent)
    compared = {kind: held for kind in stated if (held := _held(kind, there))}
    if not compared:
        return not_applicable("No vital sign of the note is in the flowsheet; see the check for that.")
    # one agreeing pair is enough: what was measured twice is stated, or filed, twice
    apart = [k for k, held in compared.items() if not any(_near(k, one, two) for one in stated[k] for two in held)]
    if not apart:
        return passed("The flowsheet says what the note says.", kinds=sorted(compared))
    names = " and ".join(_NAMES[kind] for kind in apart)
    return failed(f"The flowsheet and the note differ in {names}, by more than rounding explains.", kinds=apart)


def _held(kind: str, there: Iterable[Mapping[str, str]]) -> list[tuple[float, ...]]:
    """Return every reading of a kind in the flowsheet, in the kind's own unit."""
    codes = KINDS[kind][1]
    items = [(code, item.get("value", "")) for item in there if (code := _code(item)) in codes]
    if kind != "bp":
        return [reading for _code_, value in items for reading in readings(kind, value)]
    pairs: list[tuple[float, ...]] = [
        reading for _code_, value in items for reading in readings(kind, value) if len(reading) == 2
    ]
    high = [r[0] for code, value in items if code == _SYSTOLIC for r in readings(kind, value)]
    low = [r[0] for code, value in items if code == _DIASTOLIC for r in readings(kind, value)]
    pairs.extend((one, two) for one in high for two in low)
    return pairs


def _near(kind: str, one: tuple[float, ...], two: tuple[float, ...]) -> bool:
    # half a step of the last written digit on either side is no difference
    return all(abs(a - b) <= _TOLERANCE[kind] + 0.06 for a, b in zip(one, two, strict=False))
