"""Every practice fault is found and no health is blamed, although every word of the practice EHR is random."""

import pytest

from diagnostics.practice import FAULTS, VARIATIONS
from diagnostics.vocabulary import Outcome
from tests.architecture.conftest import Played


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_although_every_word_of_the_ehr_is_random(played: Played, name: str) -> None:
    fault, diagnosis = FAULTS[name], played.diagnoses[name]
    assert diagnosis.root_cause is not None
    assert diagnosis.root_cause.cause.id == fault.cause
    assert diagnosis.root_cause.category.value == fault.category
    assert diagnosis.failure_mode.value == fault.failure_mode


@pytest.mark.parametrize("name", VARIATIONS)
def test_health_has_no_cause_however_it_looks(played: Played, name: str) -> None:
    assert played.diagnoses[name].root_cause is None
    assert played.diagnoses[name].failure_mode.value == "delivered"


def test_no_check_breaks(played: Played) -> None:
    assert sorted(id for id, statuses in played.reached.items() if Outcome.ERROR in statuses) == []
