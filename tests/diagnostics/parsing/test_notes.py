"""Test the reading of notes: headings, discrete items in the text, and the comparison with what was stored."""

import base64
import hashlib
import json

import pytest

from diagnostics.parsing import note_payload, similarity
from diagnostics.parsing.note_codes import find_codes
from diagnostics.parsing.note_plans import find_follow_ups, find_medications
from diagnostics.parsing.note_sections import merged, split
from diagnostics.parsing.note_vitals import find_vitals

HEADINGS = [
    ("CC: cough", "chief_complaint"),
    ("HISTORY OF PRESENT ILLNESS\ncough", "hpi"),
    ("## Review of Systems\ncough", "ros"),
    ("**Assessment & Plan:** cough", "assessment_plan"),
    ("A/P:\ncough", "assessment_plan"),
    ("1. Physical Examination:\ncough", "physical_exam"),
    ("IMPRESSION\ncough", "assessment"),
    ("PAST HISTORY\ncough", "pmh"),
    ("Patient Instructions:\ncough", "instructions"),
    ("VITALS REVIEWED\ncough", "vitals"),
    ("F/U: cough", "follow_up"),
    ("Mental Status Exam (brief):\ncough", "physical_exam"),
]


@pytest.mark.parametrize(("text", "name"), HEADINGS)
def test_headings_of_every_form_are_known(text: str, name: str) -> None:
    assert merged(split(text)) == {name: "cough"}


def test_text_before_the_first_heading_is_the_preamble() -> None:
    first, second = split("Seen with her mother.\nHPI: cough")
    assert (first.name, first.text, second.name) == (None, "Seen with her mother.", "hpi")


def test_single_letters_are_headings_only_together() -> None:
    assert list(merged(split("S: cough\nO: chest clear\nA: cold\nP: rest"))) == [
        "subjective",
        "objective",
        "assessment",
        "plan",
    ]
    assert merged(split("Vitals: seen\nP: 72")) == {"vitals": "seen\nP: 72"}


def test_a_listed_line_within_a_section_stays_in_it() -> None:
    sections = split("PLAN\nRest.\n- Labs: none today\n- Follow-up: two weeks")
    assert merged(sections) == {"plan": "Rest.\n- Labs: none today\n- Follow-up: two weeks"}
    assert [s.name for s in sections if s.nested] == ["results", "follow_up"]


def test_words_in_a_sentence_are_no_heading() -> None:
    assert merged(split("HPI: cough\nThe plan was changed.\nHistory repeats itself here.")) == {
        "hpi": "cough\nThe plan was changed.\nHistory repeats itself here."
    }


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("BP 142/88", "bp", "142/88"),
        ("Blood pressure: 120 / 70 mmHg", "bp", "120/70"),
        ("heart rate is 72", "hr", "72"),
        ("RR 16", "rr", "16"),
        ("Temp 38.2 C", "temp", "38.2"),
        ("SpO2: 98%", "spo2", "98"),
        ("weight 81.5 kg", "weight", "81.5"),
        ("height 5' 9", "height", "5"),
        ("BMI 31.2", "bmi", "31.2"),
    ],
)
def test_vital_signs(text: str, kind: str, value: str) -> None:
    found = find_vitals(f"Today {text}, noted.")
    assert [(v.kind, v.value) for v in found] == [(kind, value)]


@pytest.mark.parametrize("text", ["BP 400/20", "HR 900", "T4 12", "weight 999 kg", "BP 88/142", "sat down at 9%"])
def test_implausible_vital_signs_are_none(text: str) -> None:
    assert find_vitals(text) == ()


@pytest.mark.parametrize("cue", ["last visit", "home BP log, ", "goal", "at home"])
def test_cues_mark_what_is_no_present_value(cue: str) -> None:
    assert all(v.cue for v in find_vitals(f"{cue} BP 142/88"))


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Diabetes E11.9.", ["E11.9"]),
        ("Hypertension (I10).", ["I10"]),
        ("Stable (E11.65, I10).", ["E11.65", "I10"]),
        ("ICD-10-CM: J00, I10", ["J00", "I10"]),
        ("Fracture S72.001A", ["S72.001A"]),
        ("COVID-19 U07.1", ["U07.1"]),
        ("vitamin B12, T4, L4-L5, C5, A1c 7.2, room B12", []),
        ("grade C34.1", []),
    ],
)
def test_diagnosis_codes(text: str, codes: list[str]) -> None:
    assert [code.code for code in find_codes(text)] == codes


def test_medications_and_follow_up() -> None:
    text = "Start lisinopril 10 mg daily. Increase from 20 mg. Follow up in two weeks. RTC PRN."
    (drug,) = find_medications(text)
    assert (drug.drug, drug.dose, drug.sig, drug.verb) == ("lisinopril", "10 mg", "daily", "start")
    assert [one.days for one in find_follow_ups(text)] == [14, None]


def test_coverage_counts_sentences_and_ignores_layout() -> None:
    text = "The chest is clear on both sides. No murmur was heard today."
    assert similarity.coverage(text, f"EXAM\n{text.upper()}  ") == 1.0
    assert similarity.coverage(text, "The chest is clear on both sides.") == pytest.approx(7 / 12)
    assert similarity.coverage(text, "Nothing of it.") == 0.0
    assert similarity.coverage("Cough.", "A cough was heard.") == 0.0
    assert similarity.coverage("Cough.", "Cough.", without="Cough.") is None


def test_truncation_hashes_and_prefixes() -> None:
    sent = "Ice after activity and a sheet of exercises were handed over to the patient today."
    assert similarity.is_truncated(sent[:40], sent)
    assert not similarity.is_truncated(sent, sent)
    assert similarity.same_hash("sha256:" + hashlib.sha256(sent.encode()).hexdigest(), f" {sent}\n")
    assert not similarity.same_hash("sha256:" + "0" * 64, sent)
    texts = {"cc": "Knee pain.", "plan": sent}
    assert similarity.seen_in_prefix(f"Knee pain. {sent}"[:64], texts) == (("cc", "plan"), True)
    assert similarity.seen_in_prefix("Something else", texts) == ((), False)


def test_payloads_yield_their_text() -> None:
    data = base64.b64encode(b"<p>HPI: <b>cough</b></p><p>Plan: rest</p>").decode()
    document = {
        "resourceType": "DocumentReference",
        "subject": {"reference": "Patient/P-1"},
        "context": {"encounter": [{"reference": "Encounter/E-1"}]},
        "content": [{"attachment": {"contentType": "text/html; charset=utf-8", "data": data}}],
    }
    sent = note_payload.read(json.dumps(document).encode())
    assert sent is not None
    assert (merged(sent.sections), sent.patient_ids, sent.encounter_id) == (
        {"hpi": "cough", "plan": "rest"}, ("Patient/P-1",), "Encounter/E-1",
    )  # fmt: skip
    composition = {
        "resourceType": "Composition",
        "section": [
            {"title": "Verlauf", "code": {"coding": [{"code": "10164-2"}]}, "text": {"div": "<div>cough</div>"}},
            {"title": "Plan", "text": {"div": "<div>rest</div>"}},
        ],
    }
    sent = note_payload.read(json.dumps(composition).encode())
    assert sent is not None
    assert merged(sent.sections) == {"hpi": "cough", "plan": "rest"}
    message = "MSH|^~\\&|S|N|E|N|20260302||MDM^T02|1|P|2.5.1\rPID|1||P-1^^^N\rPV1|1|O|||||||||||||||||E-1\rDG1|1||I10\r"
    message += "OBX|1|TX|11506-3||HPI: cough~Plan: rest \\T\\ tea\r"
    sent = note_payload.read(message.encode())
    assert sent is not None
    assert merged(sent.sections) == {"hpi": "cough", "plan": "rest & tea"}
    assert (sent.patient_ids, sent.encounter_id, sent.codes) == (("P-1",), "E-1", frozenset({"I10"}))


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b"<x/>", b"\x00\xff", b'{"content": 3, "section": "x"}', b"MSH"])
def test_broken_payloads_yield_nothing_and_raise_nothing(payload: bytes) -> None:
    sent = note_payload.read(payload)
    assert sent is None or sent.text == ""
