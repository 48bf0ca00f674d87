"""Every line of every rule, as tables."""

from datetime import UTC, datetime, timedelta

import pytest

from console.monitoring.rules import State, Window, certificate, server_errors, success_rate, token_requests

FIRING, CLEAR, HOLD = State.FIRING, State.CLEAR, State.HOLD
NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
SOON = timedelta(minutes=3)
GOOD, BAD = (True,) * 3, (False,) * 3


@pytest.mark.parametrize(
    ("older", "newer", "latest", "newest", "wanted"),
    [
        # Enough notes in both windows: the rates decide, whatever the last three were.
        ((100, 94), (100, 94), GOOD, SOON, FIRING),
        ((100, 95), (100, 94), BAD, SOON, HOLD),
        ((100, 94), (100, 95), BAD, SOON, HOLD),
        ((20, 0), (20, 18), GOOD, SOON, FIRING),
        ((100, 97), (100, 97), BAD, SOON, CLEAR),
        ((100, 96), (100, 100), GOOD, SOON, HOLD),
        ((100, 100), (100, 96), GOOD, SOON, HOLD),
        # Too few for a rate in either window: three failures in a row decide.
        ((19, 0), (20, 18), GOOD, SOON, HOLD),
        ((100, 90), (19, 19), GOOD, SOON, HOLD),
        ((0, 0), (3, 0), BAD, SOON, FIRING),
        ((0, 0), (2, 0), (False, False), SOON, HOLD),
        ((2, 0), (0, 0), BAD, timedelta(minutes=30), FIRING),
        ((0, 0), (0, 0), BAD, timedelta(minutes=31), HOLD),
        ((1, 1), (3, 0), (False, False, True), SOON, HOLD),
        ((2, 2), (1, 1), GOOD, SOON, CLEAR),
        ((4, 3), (3, 3), GOOD, SOON, HOLD),
        ((0, 0), (0, 0), GOOD, timedelta(hours=3), CLEAR),
        ((0, 0), (0, 0), (), None, HOLD),
    ],
)
def test_success_rate(older, newer, latest, newest, wanted) -> None:
    verdict = success_rate(Window(*older), Window(*newer), latest, newest, threshold=95, min_sample=20)
    assert verdict.state == wanted
    assert bool(verdict.says) == (wanted != HOLD)


def test_the_line_to_clear_never_lies_above_all_notes() -> None:
    whole = Window(50, 50)
    assert success_rate(whole, whole, GOOD, SOON, threshold=99.5, min_sample=20).state == CLEAR


@pytest.mark.parametrize(
    ("count", "threshold", "wanted"), [(0, 1, CLEAR), (1, 1, FIRING), (2, 3, HOLD), (3, 3, FIRING)]
)
def test_server_errors(count, threshold, wanted) -> None:
    assert server_errors(count, threshold=threshold).state == wanted


@pytest.mark.parametrize(
    ("failed", "granted", "threshold", "wanted"),
    [(0, False, 1, HOLD), (0, True, 1, CLEAR), (1, True, 1, FIRING), (1, False, 2, HOLD), (2, False, 2, FIRING)],
)
def test_token_requests(failed, granted, threshold, wanted) -> None:
    assert token_requests(failed, granted, threshold=threshold).state == wanted


@pytest.mark.parametrize(
    ("life_days", "left", "wanted", "grave"),
    [
        (365, timedelta(days=31), CLEAR, False),
        (365, timedelta(days=30), FIRING, False),
        (365, timedelta(hours=5), FIRING, False),
        (365, timedelta(0), FIRING, True),
        (365, timedelta(days=-9), FIRING, True),
        (45, timedelta(days=16), CLEAR, False),
        (45, timedelta(days=15), FIRING, False),
        (6, timedelta(days=3), CLEAR, False),
        (6, timedelta(days=2), FIRING, False),
        (None, timedelta(days=29), FIRING, False),
    ],
)
def test_certificates_warn_by_days_or_by_a_third_of_their_life(life_days, left, wanted, grave) -> None:
    ends = NOW + left
    begins = None if life_days is None else ends - timedelta(days=life_days)
    verdict = certificate("fhir.ehr.example:443", begins, ends, NOW, threshold=30)
    assert (verdict.state, verdict.grave) == (wanted, grave)


def test_sentences_are_in_the_singular_where_there_is_one() -> None:
    says = certificate("h:1", None, NOW + timedelta(days=1, hours=2), NOW, threshold=30).says
    assert says == "The certificate of h:1 ends in 1 day, on 21 Nov 2026."
    assert server_errors(1, threshold=1).says.startswith("1 answer of")
    assert token_requests(1, False, threshold=1).says == "The last token request failed."
