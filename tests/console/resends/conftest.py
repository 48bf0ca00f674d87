"""One practice EHR for a module's tests; each test gets a stage of its own there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from diagnostics.practice import PracticeEhr, running_practice
from tests.console.resends.stage import TENANT, Stage, a_stage


@pytest.fixture(scope="module")
def ehr() -> Iterator[PracticeEhr]:
    with running_practice((TENANT,)) as running:
        yield running


@pytest.fixture
def stage(ehr: PracticeEhr, tmp_path: Path) -> Stage:
    return a_stage(ehr, tmp_path, notes=2)
