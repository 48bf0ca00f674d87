"""Notes and charts, generated: nothing raises or takes long, a planted fault is found, a faithful filing raises none.

Sentences are made of invented words and sections stand under any of their headings, in any order and form, so that
no rule can know the text. 1,250 examples in all.
"""

import time
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diagnostics import catalog
from diagnostics.check import Check
from diagnostics.evidence.side_by_side import State, compare
from diagnostics.findings import Finding
from diagnostics.gather import read_parts
from diagnostics.judge import judge
from diagnostics.parsing import similarity
from diagnostics.parsing.code_words import contradiction
from diagnostics.parsing.note_codes import find_codes
from diagnostics.parsing.note_headings import CANONICAL_OF, LETTERS, canonical
from diagnostics.parsing.note_loss import kept
from diagnostics.parsing.note_plans import find_follow_ups, find_medications
from diagnostics.parsing.note_sections import merged, split
from diagnostics.parsing.note_unknown import unknown_headings
from diagnostics.parsing.note_vitals import find_measures, find_vitals, readings
from diagnostics.remembering import forget
from diagnostics.vocabulary import Outcome, Strength
from tests.diagnostics.checks.charts import a_case
from tests.properties.ending import ending

FIELD = {
    "chief_complaint": "F_CC",
    "hpi": "F_HPI",
    "ros": "F_ROS",
    "physical_exam": "F_EXAM",
    "assessment": "F_ASMT",
    "plan": "F_PLAN",
}
LABEL = {"chief_complaint": "Chief Complaint", "hpi": "HPI", "ros": "ROS", "physical_exam": "Physical Exam",
         "assessment": "Assessment", "plan": "Plan"}  # fmt: skip
CAUSES = ("map.section.", "map.content.lost", "map.discrete.", "tmpl.")
found_by = settings(derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))

# syllables of no language, so that no word is a heading, a drug or a cue
syllable = st.sampled_from(["bra", "sko", "lun", "mip", "tor", "vel", "qua", "zin", "pod", "gre", "fax", "hul"])
word = st.lists(syllable, min_size=2, max_size=4).map("".join)
sentence = st.lists(word, min_size=6, max_size=14).map(lambda words: " ".join(words).capitalize() + ".")
body = st.lists(sentence, min_size=3, max_size=6, unique=True)
HEADINGS = {
    name: sorted(w for w, of in CANONICAL_OF.items() if of == name and w not in LETTERS and canonical(w) == name)
    for name in FIELD
}


def checks() -> list[Check]:
    """Return the checks of step 3."""
    return [c for c in catalog.checks().values() if c.function.__module__.startswith("diagnostics.checks.step3")]


def judged(text: str, filed: dict[str, Any] | None, **parts: Any) -> dict[str, Finding]:
    """Return the findings of step 3 and fail where a check broke or did not end."""
    case = a_case(text, filed=filed, **parts)
    with ending():
        bag = read_parts(case)
        found = {one.check: one for one in judge(case, bag, checks())}
        compare(bag)
    forget()
    assert not [one.check for one in found.values() if one.status is Outcome.ERROR]
    return found


def template() -> dict[str, Any]:
    fields = [{"id": id, "label": LABEL[name], "kind": "text"} for name, id in FIELD.items()]
    return {"template_id": "T-1", "version": 3, "catch_all": "MISC", "fields": [*fields, {"id": "MISC", "label": ""}]}


def mapping() -> dict[str, Any]:
    rules = [{"section": name, "field": id} for name, id in FIELD.items()]
    return {"template_id": "T-1", "template_version": 3, "output": ["narrative"], "rules": rules}


@st.composite
def notes(draw: st.DrawFn) -> tuple[str, dict[str, str]]:
    """Draw a note under any headings and in any order, and the text of each of its sections."""
    names = draw(st.permutations(list(FIELD)))
    sentences = draw(st.lists(sentence, min_size=4 * len(names), max_size=6 * len(names), unique=True))
    form = draw(st.sampled_from(["{}:\n{}", "{}: {}", "## {}\n{}", "**{}:**\n{}", "CAPS\n{}", "1. {}:\n{}"]))
    between = draw(st.sampled_from(["\n", "\n\n"]))
    texts, parts = {}, []
    for number, name in enumerate(names):
        texts[name] = " ".join(sentences[number :: len(names)])
        heading = draw(st.sampled_from(HEADINGS[name]))
        if form == "CAPS\n{}":
            parts.append(f"{heading.upper()}\n{texts[name]}")
        else:
            parts.append(form.replace("1.", f"{number + 1}.").format(heading.title(), texts[name]))
    return between.join(parts), texts


def stored(texts: dict[str, str], **changed: str) -> dict[str, Any]:
    fields = {FIELD[name]: text for name, text in texts.items()} | changed
    return {"found": True, "patient_id": "P-1", "encounter_id": "E-1", "fields": fields}


def accused(found: dict[str, Finding]) -> set[str]:
    """Return the ids of the causes that failed findings speak for, weak ones left out."""
    return {one.cause.id for one in found.values() if one.status is Outcome.FAILED and one.cause is not None}


@settings(found_by, max_examples=175)
@given(notes(), st.sampled_from([str.strip, str.upper, lambda t: t.replace(". ", ".\n"), lambda t: f"  {t}\n\n"]))
def test_a_faithful_filing_raises_nothing(note: tuple[str, dict[str, str]], layout: Any) -> None:
    text, texts = note
    assert merged(split(text)) == texts
    filed = stored({name: layout(value) for name, value in texts.items()})
    found = judged(text, filed, template=template(), mapping=mapping())
    assert accused(found) == set()
    assert {one.check for one in found.values() if one.status is Outcome.WARNING and one.check.startswith(CAUSES)} == (
        set()
    )
    rows = compare(read_parts(a_case(text, filed=filed, template=template(), mapping=mapping()))).rows
    assert {row.state for row in rows} == {State.SAME}


@settings(found_by, max_examples=125)
@given(notes(), st.data())
def test_text_in_a_wrong_field_is_found(note: tuple[str, dict[str, str]], data: st.DataObject) -> None:
    text, texts = note
    one, other = data.draw(st.lists(st.sampled_from(["ros", "physical_exam", "assessment", "plan"]), min_size=2,
                                    max_size=2, unique=True))  # fmt: skip
    filed = stored(texts, **{FIELD[one]: texts[other], FIELD[other]: texts[one]})
    found = judged(text, filed, template=template(), mapping=mapping())
    assert found["map.section.misrouted"].status is Outcome.FAILED
    assert found["map.section.misrouted"].strength is Strength.DECISIVE
    assert set(found["map.section.misrouted"].facts["sections"]) == {one, other}


@settings(found_by, max_examples=125)
@given(notes())
def test_a_history_that_swallowed_its_neighbours_is_found(note: tuple[str, dict[str, str]]) -> None:
    text, texts = note
    lump = "\n".join((texts["chief_complaint"], texts["hpi"], texts["ros"]))
    found = judged(text, stored(texts, F_HPI=lump, F_CC="", F_ROS=""), template=template(), mapping=mapping())
    assert found["map.section.collapsed"].status is Outcome.FAILED
    assert "map.content.lost" not in accused(found)
    assert "tmpl.silent_drop" not in accused(found)


@settings(found_by, max_examples=125)
@given(notes(), st.sampled_from(sorted(FIELD)))
def test_a_section_that_is_nowhere_is_found(note: tuple[str, dict[str, str]], name: str) -> None:
    text, texts = note
    found = judged(text, stored(texts, **{FIELD[name]: ""}), template=template(), mapping=mapping())
    assert found["tmpl.silent_drop"].status is Outcome.FAILED
    assert found["tmpl.silent_drop"].facts["sections"] == [name]
    assert "map.content.lost" not in accused(found)


@settings(found_by, max_examples=125)
@given(notes(), st.sampled_from(sorted(FIELD)))
def test_text_in_the_catch_all_is_found(note: tuple[str, dict[str, str]], name: str) -> None:
    text, texts = note
    filed = stored(texts, **{FIELD[name]: "", "MISC": texts[name]})
    found = judged(text, filed, template=template(), mapping=mapping())
    assert found["tmpl.catchall"].status is Outcome.FAILED
    assert accused(found) == {"tmpl.catchall"}


@settings(found_by, max_examples=125)
@given(notes(), st.sampled_from(sorted(FIELD)), st.data())
def test_a_sentence_lost_from_the_middle_is_found(note: tuple[str, Any], name: str, data: st.DataObject) -> None:
    text, texts = note
    parts = texts[name].split(". ")
    gone = data.draw(st.integers(1, len(parts) - 2))
    filed = stored(texts, **{FIELD[name]: ". ".join(parts[:gone] + parts[gone + 1 :])})
    found = judged(text, filed, template=template(), mapping=mapping())
    assert found["map.content.lost"].status is Outcome.FAILED
    assert found["map.content.lost"].facts["sections"] == [name]
    assert accused(found) == {"map.content.lost"}


@settings(found_by, max_examples=125)
@given(notes(), st.sampled_from(sorted(FIELD)), st.floats(0.4, 0.9))
def test_text_that_breaks_off_is_neither_lost_nor_dropped(note: tuple[str, Any], name: str, share: float) -> None:
    text, texts = note
    cut = texts[name][: max(35, int(len(texts[name]) * share))]
    filed = stored(texts, **{FIELD[name]: cut})
    assert accused(judged(text, filed, template=template(), mapping=mapping())) == set()
    rows = compare(read_parts(a_case(text, filed=filed, template=template(), mapping=mapping()))).rows
    assert {row.section: row.state for row in rows}[name] is State.CUT


# -- anything at all ----------------------------------------------------------------------------------------------

shards = st.sampled_from(
    [*sorted(CANONICAL_OF), "BP 142/88", "T 98.6", "pulse", "E11.9", "(I10)", "ICD-10: J00", "B12", "start",
     "metoprolol 50 mg BID", "amoxicillin 45 mg/kg/day", "follow-up in 2 weeks", "RTC", "PRN", "rule out",
     "EF 55-60%", "HC 42 cm", "5' 9\"", "\n", "\n\n", ":", "# ", "**", "- ", "1. ", "@LAST@", "***", "\u2014",
     "\u2028", "caf\u00e9", "\x00", "\u00e2\u20ac\u201c", "   ", "<b>", "sha256:" + "0" * 64]
)  # fmt: skip
mess = st.lists(st.one_of(shards, word, st.text(max_size=12)), max_size=60).map(" ".join)
charts = st.dictionaries(st.sampled_from([*FIELD.values(), "MISC", "OTHER"]), mess, max_size=6)


@settings(found_by, max_examples=175)
@given(mess, charts, st.sampled_from(["none", "chart", "log", "hash"]))
def test_any_note_and_any_chart_are_judged(text: str, fields: dict[str, str], known: str) -> None:
    parts: dict[str, Any] = {"template": template(), "mapping": mapping()}
    filed = {"found": True, "fields": fields, "discrete": [{"kind": "observation", "code": "8867-4", "value": text}]}
    if known in ("log", "hash"):
        short = {id: value[:64] if known == "log" else "sha256:" + "a" * 64 for id, value in fields.items()}
        row = {"at": "2026-03-02T16:59:00+00:00", "event": "filed", "transaction_id": "tx-1", "fields": short}
        parts["audit"] = [row]
    found = judged(text or "x", filed if known == "chart" else None, **parts)
    assert all(isinstance(one.status, Outcome) for one in found.values())


@settings(found_by, max_examples=150)
@given(mess, mess)
def test_every_reader_gives_offsets_within_the_text(text: str, other: str) -> None:
    for find in (find_vitals, find_measures, find_codes, find_medications, find_follow_ups, unknown_headings):
        with ending():
            found = list(find(text))
        assert all(0 <= one.offset < len(text) for one in found)
    for code in find_codes(text):
        assert text[code.offset : code.offset + len(code.code)] == code.code
        contradiction(code.code, code.context)
    for kind in ("bp", "temp", "weight", "bmi"):
        readings(kind, other)
    measured = kept(text, other)
    assert measured is None or 0 <= measured.share <= 1
    assert kept(text, text) in (None, kept("a", "a"))
    assert "".join(piece for piece, _common in similarity.marked(text, other)) == text
    forget()


def test_long_texts_take_time_in_proportion() -> None:
    """Double a long hostile text and expect about double the time; a pattern that backtracks takes four times."""
    for shard in ("BP ", "a-", "start aaa ", "E11.9 (", "follow-up ", "1" * 30, "weight is of ", " # ", "mg ", ": "):
        taken = []
        for times in (1, 4):
            text = (shard * (20_000 // len(shard))) * times
            began = time.perf_counter()
            for find in (find_vitals, find_measures, find_codes, find_medications, find_follow_ups, unknown_headings):
                find(text)
            taken.append(time.perf_counter() - began)
        assert taken[1] < 12 * taken[0] + 0.3, shard
