"""Test what specialties add, series and units of vital signs, look-alikes of codes, cues, and the code set."""

import pytest

from diagnostics.parsing import icd10cm
from diagnostics.parsing.note_codes import find_codes
from diagnostics.parsing.note_cues import cue_before
from diagnostics.parsing.note_headings import canonical
from diagnostics.parsing.note_loss import ALIGNED_WORDS, kept
from diagnostics.parsing.note_plans import find_follow_ups, find_medications
from diagnostics.parsing.note_sections import merged, split
from diagnostics.parsing.note_vitals import find_measures, find_vitals, readings
from diagnostics.parsing.similarity import marked


@pytest.mark.parametrize(
    ("heading", "name"),
    [
        ("MSE", "physical_exam"),
        ("Risk Assessment", "risk_assessment"),
        ("Past Psychiatric History", "psychiatric_history"),
        ("EKG", "results"),
        ("BP Series", "vitals"),
        ("Birth Hx", "birth_history"),
        ("Developmental Milestones", "development"),
        ("Historian", "historian"),
        ("Impression/Plan", "assessment_plan"),
        ("Assessment & Plan", "assessment_plan"),
        ("Navigator Notes", None),
    ],
)
def test_headings_of_specialties(heading: str, name: str | None) -> None:
    assert canonical(heading) == name


def test_apso_order_numbers_and_markdown_keep_every_section() -> None:
    apso = "A:\ncold\nP:\nrest\nS:\ncough\nO:\nclear"
    assert list(merged(split(apso))) == ["assessment", "plan", "subjective", "objective"]
    assert list(merged(split("1. HPI: cough\n2. Plan: rest"))) == ["hpi", "plan"]
    assert list(merged(split("### **HPI**\ncough\n### **Plan**\nrest"))) == ["hpi", "plan"]
    assert list(merged(split("HPI\ncough\n\nPLAN\nrest"))) == ["hpi", "plan"]


def test_a_series_of_blood_pressures_is_read_one_by_one() -> None:
    found = find_vitals("BP 142/88, repeat 128/80; then 126/78 after rest")
    assert [vital.value for vital in found] == ["142/88", "128/80", "126/78"]
    assert [vital.offset for vital in found] == [0, 18, 31]


@pytest.mark.parametrize(
    ("text", "kind", "amounts"),
    [
        ("Temp 98.6 F", "temp", 37.0),
        ("T 37.2", "temp", 37.2),
        ("weight 180 lbs", "weight", 81.65),
        ("height 5' 9\"", "height", 175.26),
        ("ht 1.75 m", "height", 175.0),
        ("head circumference 42.5 cm", "head", 42.5),
        ("pulse 72", "hr", 72.0),
    ],
)
def test_vital_signs_have_an_amount_in_one_unit(text: str, kind: str, amounts: float) -> None:
    (vital,) = find_vitals(text)
    assert vital.kind == kind
    assert vital.amounts == pytest.approx((amounts,), abs=0.01)


@pytest.mark.parametrize("text", ["pulse 98%", "T 12", "T4 37", "temp 60 F", "head circumference 420 cm", "BMI 3"])
def test_what_is_no_vital_sign(text: str) -> None:
    assert find_vitals(text) == ()


@pytest.mark.parametrize(
    ("kind", "value", "amounts"),
    [
        ("bp", "142/88", ((142.0, 88.0),)),
        ("temp", "98.6 [degF]", ((37.0,),)),
        ("temp", "37.0 Cel", ((37.0,),)),
        ("weight", "180 [lb_av]", ((81.65,),)),
        ("weight", "82", ((82.0,), (37.19,))),
        ("hr", "78 /min", ((78.0,),)),
        ("hr", "not taken", ()),
    ],
)
def test_values_of_a_flowsheet(kind: str, value: str, amounts: tuple[tuple[float, ...], ...]) -> None:
    found = readings(kind, value)
    assert len(found) == len(amounts)
    for one, other in zip(found, amounts, strict=True):
        assert one == pytest.approx(other, abs=0.01)


def test_measures_of_cardiology_and_pediatrics() -> None:
    text = "LVEF 55-60%. ECG shows normal sinus rhythm. Weight-for-age is at the 85th percentile. Prior EF 40%."
    found = find_measures(text)
    assert [(one.kind, one.value, bool(one.cue)) for one in found] == [
        ("ef", "55-60", False),
        ("rhythm", "normal sinus rhythm", False),
        ("weight_for_age", "85", False),
        ("ef", "40", True),
    ]
    assert all(text[one.offset :].lower().startswith(("lvef", "ef", "normal", "weight")) for one in found)


LOOK_ALIKES = [
    "vitamin B12 low",
    "vit. B12.0 level",
    "T4 and free T4",
    "L4-L5 disc",
    "C5/C6 level",
    "T12-L1 fracture",
    "A1c 7.2",
    "room B12",
    "complement C34",
    "H1N1 in A42",
]


@pytest.mark.parametrize("text", LOOK_ALIKES)
def test_look_alikes_are_no_codes(text: str) -> None:
    assert find_codes(text) == ()


@pytest.mark.parametrize("cue", ["rule out", "family history of", "history of", "denies", "r/o", "mother has"])
def test_cues_within_five_words_count(cue: str) -> None:
    (code,) = find_codes(f"{cue} diabetes E11.9 today")
    assert code.cue
    (code,) = find_codes(f"{cue} one two three four five six seven E11.9")
    assert not code.cue
    (code,) = find_codes(f"{cue} something else. Diabetes E11.9")
    assert not code.cue


def test_a_cue_behind_a_value_counts_in_its_own_clause() -> None:
    assert cue_before("BP 142/88, at home", 0) == "at home"
    assert cue_before("BP 142/88 today, 150/90 at last visit", 0) == ""


def test_a_code_has_its_own_words() -> None:
    first, second = find_codes("Pain in the right knee (M25.561) and the left knee (M25.562).")
    assert "left" not in first.context
    assert "right" not in second.context
    first, second = find_codes("M25.561 right knee, M25.562 left knee")
    assert ("right" in first.context, "left" in second.context) == (True, True)


@pytest.mark.parametrize(
    ("text", "drug", "dose", "verb", "by_weight"),
    [
        ("Start metformin 500 mg twice daily.", "metformin", "500 mg", "start", False),
        ("Increase lisinopril to lisinopril 20 mg daily.", "lisinopril", "20 mg", "increase", False),
        ("Discontinue atenolol 25 mg.", "atenolol", "25 mg", "stop", False),
        ("amoxicillin 45 mg/kg/day BID", "amoxicillin", "45 mg/kg/day", "", True),
        ("Taper prednisone 10 mg every other day", "prednisone", "10 mg", "decrease", False),
    ],
)
def test_medications(text: str, drug: str, dose: str, verb: str, by_weight: bool) -> None:
    (found,) = find_medications(text)
    assert (found.drug, found.dose, found.verb, found.by_weight) == (drug, dose, verb, by_weight)


@pytest.mark.parametrize("text", ["glucose 110 mg daily", "takes 10 mg daily", "sat 98 % daily", "metformin 500 mg"])
def test_what_is_no_medication(text: str) -> None:
    assert find_medications(text) == ()


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("Follow-up in 2 weeks.", [14]),
        ("RTC six months.", [180]),
        ("Return in 3-4 days.", [3]),
        ("See her back in a year.", [365]),
        ("F/U in 2 weeks or sooner if worse.", [14]),
        ("Follow up PRN.", [None]),
        ("Return in 2 weeks if not better.", [None]),
        ("Return to work in 2 days.", []),
        ("Follow-up visit 2 weeks ago.", []),
        ("Return in 5 years.", []),
    ],
)
def test_follow_up(text: str, days: list[int | None]) -> None:
    assert [one.days for one in find_follow_ups(text)] == days


def test_the_code_set_is_the_whole_release() -> None:
    assert icd10cm.counts() == (98186, 74719)
    assert icd10cm.release() == "April 2026"
    held = icd10cm.look_up("e11.65")
    assert held is not None
    assert (held.billable, held.traits) == (True, {"type 2 diabetes", "with hyperglycemia"})
    header = icd10cm.look_up("E11")
    assert header is not None
    assert not header.billable
    for absent in ("", "E", "E11.99X", "ZZZ", "E11.65.1", "\u0415119", "J02.7"):
        assert icd10cm.look_up(absent) is None


@pytest.mark.parametrize("code", ["A00", "A00.0", "I10", "S72.001A", "Z99.89", "U07.1", "QA0.0101", "Z66"])
def test_the_first_the_last_and_odd_codes_are_found(code: str) -> None:
    assert icd10cm.look_up(code) is not None


def test_long_texts_are_counted_instead_of_aligned() -> None:
    text = " ".join(f"w{n}" for n in range(ALIGNED_WORDS + 50))
    found = kept(text, text.replace("w7 w8 w9 ", ""))
    assert found is not None
    assert (found.lost, found.new) == (3, 0)


def test_marked_pieces_join_to_the_text() -> None:
    text = "The chest is clear on both sides. Nothing else was found today.\nDose 2.5 mg was given at noon."
    pieces = marked(text, "The chest is clear on both sides. Dose 2.5 mg was given at noon.")
    assert "".join(piece for piece, _ in pieces) == text
    assert [common for _, common in pieces] == [True, False, True]
