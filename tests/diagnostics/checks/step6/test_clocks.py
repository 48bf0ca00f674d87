"""The clocks of both logs, by the writes that are in both."""

import pytest

from diagnostics.vocabulary import Outcome
from tests.diagnostics import stories
from tests.diagnostics.checks.charts import judged

SENT = [*stories.made(), stories.scribe(2, "sent"), stories.scribe(3, "acked", status=201)]


def audit(ahead: float) -> list[stories.Row]:
    return [stories.ehr(2.4 + ahead, "received"), stories.ehr(2.6 + ahead, "accepted", status=201)]


@pytest.mark.parametrize(
    ("ahead", "status", "words"),
    [
        (0.0, Outcome.PASSED, "0.0 s"),
        (-29.0, Outcome.PASSED, "29.0 s behind"),
        (45.0, Outcome.WARNING, "45.0 s ahead of"),
        (-400.0, Outcome.WARNING, "Signed token requests fail"),
    ],
)
def test_an_offset_is_told_and_above_thirty_seconds_warned_of(ahead: float, status: Outcome, words: str) -> None:
    found = judged("ops.audit.clocks", stories.case(SENT, audit(ahead)))
    assert (found.status, words in found.says) == (status, True), found.says


@pytest.mark.parametrize(
    ("rows", "ehr", "status"),
    [(SENT, None, Outcome.NOT_APPLICABLE), (SENT, [], Outcome.UNKNOWN), (stories.made(), audit(0), Outcome.UNKNOWN)],
    ids=["one log", "the EHR saw nothing", "nothing was sent"],
)
def test_without_a_write_in_both_logs_nothing_is_said(rows, ehr, status: Outcome) -> None:
    assert judged("ops.audit.clocks", stories.case(rows, ehr)).status is status
