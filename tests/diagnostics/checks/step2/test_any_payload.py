"""Whatever the bytes are: every check of step 2 answers, none breaks, none takes long."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from diagnostics import catalog
from diagnostics.gather import read_parts
from diagnostics.judge import judge
from diagnostics.vocabulary import Outcome, Step
from tests.diagnostics.checks.step2.payloads import document, fhir_case, hl7_case, message, nack, sent_and

_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_names = st.sampled_from(["status", "content", "subject", "context", "category", "type", "meta", "contained", "entry"])


def broken(case: Any) -> list[str]:
    checks = [c for c in catalog.checks().values() if c.step is Step.WRITE_BACK]
    return [f.check for f in judge(case, read_parts(case), checks) if f.status is Outcome.ERROR]


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(_names, _values, max_size=3))
def test_a_resource_with_anything_in_its_elements(changed: dict[str, Any]) -> None:
    assert broken(fhir_case(json.dumps(document() | changed).encode(), sent_and(422, json.dumps(changed)))) == []


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60), st.integers(0, 200))
def test_a_message_with_any_bytes_in_it(noise: bytes, at: int) -> None:
    raw = message()
    assert broken(hl7_case(raw[:at] + noise + raw[at:], nack("AE", "101", "PID-3"))) == []
    assert broken(hl7_case(noise)) == []
    assert broken(fhir_case(noise)) == []


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=80), st.sampled_from([None, 200, 202, 400, 404, 413, 415, 422, 500]))
def test_an_answer_of_any_words(text: str, status: int | None) -> None:
    assert broken(fhir_case(document(), sent_and(status, text))) == []
    assert broken(hl7_case(message(), sent_and(None, f"MSA|AE|{text}", ack="AE"))) == []
