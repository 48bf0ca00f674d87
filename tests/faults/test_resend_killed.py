"""Resend while the answer is cut, the worker is killed with -9 or the button is pressed twice: one document a note.

The full size is `python -m tests.benchmarks.resend_faults 500`; here are as many of each kind as a build can wait for.
"""

import pytest

from diagnostics.practice import running_practice
from tests.benchmarks.resend_faults import TENANTS, run
from tests.faults.stack import sweeper

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]


def test_no_note_is_ever_written_twice_and_every_lost_answer_is_told(tmp_path, capsys) -> None:
    with running_practice(TENANTS) as ehr, sweeper(tmp_path):
        told = list(run(ehr, tmp_path, cut=8, killed=8, pressed=8))
    with capsys.disabled():
        print("\n" + "\n".join(one.line() for one in told))
    for one in told:
        assert (one.twice, one.untold, one.wrong) == (0, 0, []), one.line()
        assert one.runs >= 8
        assert one.most_documents == 1
    assert sum(one.uncertain for one in told) >= 8
