"""Judge diagnosis codes in the note: are they coded data, do they exist, do they fit the words beside them."""

import re

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, warned
from diagnostics.checks.step3_mapping.expecting import cannot_say, expected
from diagnostics.evidence.case_parts import Filed, SectionMapping, Settings
from diagnostics.evidence.logs import NoteTrace
from diagnostics.evidence.note_text import NoteSections, SentDiscrete
from diagnostics.findings import Result
from diagnostics.parsing import icd10cm
from diagnostics.parsing.code_words import contradiction
from diagnostics.vocabulary import Step, Strength


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
    filed: Filed | None,
    sent: SentDiscrete | None,
    settings: Settings,
    trace: NoteTrace | None,
) -> Result:
    """A code in a sentence reaches neither the problem list nor the claim."""
    written = list(dict.fromkeys(code.code for code in note.present_codes))
    if not written:
        return not_applicable("The note states no diagnosis code as present.")
    early = cannot_say(mapping, filed, sent, trace)
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
    weight = Strength.STRONG if expected(mapping, settings, "Condition") else Strength.MODERATE
    says = (
        "The note's only diagnosis code is in its text only."
        if len(lacking) == 1
        else (f"All {len(lacking)} diagnosis codes of the note are in its text only.")
    )
    return failed(says, strength=weight, count=len(lacking))


def _plain(code: str) -> str:
    return code.rsplit("|", 1)[-1].replace(".", "").strip().upper()


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
    odd = {code.code: says for code in note.codes if (says := contradiction(code.code, code.context))}
    if not odd:
        return passed("No code contradicts its sentence.", count=len(note.codes))
    says = "; ".join(f"{code} {why}" for code, why in odd.items())
    return warned(f"A coder should look: {says}.", codes=sorted(odd))


@check(
    id="map.discrete.icd_invalid",
    step=Step.MAPPING,
    title="Every diagnosis code of the note exists and may be billed",
    hints=causes.DISCRETE_ICD_INVALID,
    strength=Strength.WEAK,
    checklist=("MAP.4",),
)
def codes_are_valid(note: NoteSections | None, sent: SentDiscrete | None, filed: Filed | None) -> Result:
    """A code that does not exist, or only heads a group, is refused by the problem list or by the claim."""
    written = {code.code.upper() for code in note.codes} if note is not None else set()
    written |= {code.strip().upper() for code in sent.codes} if sent is not None else set()
    if filed is not None:
        written |= {_bare(item.get("code", "")) for item in filed.discrete if item.get("kind") == "condition"}
    codes = sorted(code for code in written if _SHAPE.fullmatch(code))
    if not codes:
        return not_applicable("The note holds no diagnosis code.")
    found = {code: icd10cm.look_up(code) for code in codes}
    absent = [code for code, held in found.items() if held is None]
    headers = [code for code, held in found.items() if held is not None and not held.billable]
    release = icd10cm.release()
    if not absent and not headers:
        return passed("Every diagnosis code exists and may be billed.", count=len(codes), release=release)
    told = []
    if absent:
        told.append(f"ICD-10-CM of {release} has no code {', '.join(absent)}; a later release may")
    if headers:
        told.append(f"{', '.join(headers)} heads a group and needs more characters to be billed")
    return warned(f"{'. '.join(told)}.", absent=absent, not_billable=headers, release=release)


_SHAPE = re.compile(r"[A-Z][0-9A-Z]{2}\.?[0-9A-Z]{0,4}")


def _bare(code: str) -> str:
    return code.rsplit("|", 1)[-1].strip().upper()
