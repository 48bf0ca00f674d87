"""Every case of this folder, concluded offline, must come out as its judge demands."""

import pytest

from tests.cases import AREAS
from tests.cases.building import Trial
from tests.cases.judging import verdict

TRIALS = [
    pytest.param(trial, id=f"{area.__name__.rpartition('.')[2]}-{trial.name}")
    for area in AREAS
    for trial in area.trials()
]


@pytest.mark.parametrize("trial", TRIALS)
def test_the_case_is_concluded_as_the_documents_say(trial: Trial) -> None:
    wrong, _ = verdict(trial)
    assert not wrong, f"{trial.why}: {'; '.join(wrong)}"


def test_no_two_cases_share_a_name() -> None:
    names = [trial.name for area in AREAS for trial in area.trials()]
    assert len(names) == len(set(names))
