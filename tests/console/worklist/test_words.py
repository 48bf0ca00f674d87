"""What a trace is said to mean, in few words and without anything masked away coming back."""

import pytest

from console.notes.log_rows import mask
from console.worklist.failures_page import _trend
from console.worklist.words import MODES, cause, journey, pill, said, sentence, sureness
from diagnostics.vocabulary import FailureMode

REFUSED = '{"error": "invalid_client", "error_description": "The client secret is wrong."}'
OUTCOME = '{"resourceType": "OperationOutcome", "issue": [{"diagnostics": "The token does not cover this."}]}'
PAGE = "<!doctype html><html><head><title>Gateway</title></head><body><h1>Gateway</h1><p>Too many requests.</p></body>"


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (REFUSED, "The client secret is wrong."),
        (OUTCOME, "The token does not cover this."),
        (PAGE, "Gateway Too many requests."),
        ("[Errno 111] Connection refused", "[Errno <n>] Connection refused"),
        ("", ""),
    ],
)
def test_of_an_answer_the_part_for_people_is_shown(answer, says) -> None:
    assert said(mask(answer)) == says


def test_a_page_that_holds_tags_only_is_shown_as_it_is() -> None:
    assert said("<!doctype html><html></html>") == "<!doctype html><html></html>"


def test_every_mode_has_a_sentence_a_pill_and_a_headline() -> None:
    assert set(MODES) == {mode.value for mode in FailureMode}
    for mode in MODES:
        assert sentence(mode, 1.0).endswith(".")
        assert pill(mode, 1.0)
        assert cause(mode, None, "", "", "").headline


def test_a_known_answer_names_its_cause_and_an_unknown_one_its_status() -> None:
    known = cause("rejected", 401, "", '{"error": "invalid_client", "error_description": "No key fits."}', "accepted")
    assert "key" in known.headline.lower() or "credential" in known.headline.lower() or "401" in known.headline
    assert cause("rejected", 418, "", "<w> <w>", "accepted").headline == "The EHR answered 418"
    assert cause("rejected", None, "AE", "", "accepted").headline == "The EHR answered AE"


@pytest.mark.parametrize(
    ("confidence", "word"), [(1.0, "sure"), (0.9, "sure"), (0.7, "fairly sure"), (0.5, "weak"), (0.3, "a guess")]
)
def test_confidence_is_a_word(confidence, word) -> None:
    assert sureness(confidence) == word


def test_what_lies_before_a_break_was_passed_and_what_lies_behind_was_not_reached() -> None:
    def states(mode: str, broke: str, **reached: bool) -> str:
        return " ".join(stage["state"] for stage in journey(mode, broke, reached))

    assert states("rejected", "accepted", generated=True) == "ok ok ok broken not_reached"
    assert states("never_sent", "sent") == "ok ok broken not_reached not_reached"
    assert states("delivered", "") == "ok ok ok ok ok"
    assert states("unknown", "", sent=True) == "ok ok ok unknown unknown"


@pytest.mark.parametrize(
    ("columns", "word"),
    [
        ([1] * 24, "steady"),
        ([0] * 18 + [3] * 6, "growing"),
        ([9] * 18 + [1] * 6, "fading"),
        ([9] * 18 + [0] * 6, "none lately"),
        ([0, 0, 0, 1], "growing"),
    ],
)
def test_the_trend_compares_the_last_quarter_with_what_was_before(columns, word) -> None:
    assert _trend(columns) == word
