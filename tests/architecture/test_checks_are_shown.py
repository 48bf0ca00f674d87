"""Every check is shown and refuted: by the outside judge's cases, by the practice faults played live, or by a table."""

from pathlib import Path

import pytest

from diagnostics import catalog
from diagnostics.practice import FAULTS, VARIATIONS
from diagnostics.vocabulary import Outcome
from tests.architecture.conftest import Played

TABLES = Path(__file__).resolve().parents[1] / "diagnostics"


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


def test_every_check_passes_somewhere_and_fails_somewhere_or_has_a_table(played: Played) -> None:
    tables = "".join(path.read_text(encoding="utf-8") for path in TABLES.rglob("test_*.py"))
    unshown = []
    for id in catalog.checks():
        statuses = played.reached[id]
        both = Outcome.PASSED in statuses and statuses & {Outcome.FAILED, Outcome.WARNING}
        named = f'"{id}"' in tables or (id.endswith(".log") and f'"{id[:-4]}"' in tables)
        if not both and not named:
            unshown.append(id)
    assert unshown == []
