"""A title of our own making follows the diagnosis; one that a person wrote stays."""

import pytest

from console.tickets.conclusions import _title

TITLES = [
    ("Note missing from chart", "rejected", "Note rejected by the EHR"),
    ("Note rejected by the EHR", "duplicate", "Note filed twice"),
    ("9 notes missing", "never_sent", "9 notes never left the scribe"),
    ("9 notes never left the scribe", "delivered", "9 notes are in the chart"),
    ("9 notes missing", "unknown", "9 notes missing"),
    ("9 notes from Dr. Roe", "rejected", "9 notes from Dr. Roe"),
    ("H&P filed under the wrong visit", "misplaced", "H&P filed under the wrong visit"),
]


@pytest.mark.parametrize(("before", "mode", "after"), TITLES)
def test_the_title_after_a_diagnosis(before: str, mode: str, after: str) -> None:
    assert _title(before, mode) == after
