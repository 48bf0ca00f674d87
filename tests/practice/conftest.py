"""One running practice EHR for a module's tests, and a client that trusts it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from diagnostics.practice import PracticeEhr, running_practice
from tests.practice.visitor import Visitor


@pytest.fixture(scope="module")
def ehr() -> Iterator[PracticeEhr]:
    with running_practice() as practice:
        yield practice


@pytest.fixture
def visitor(ehr: PracticeEhr) -> Visitor:
    ehr.reset("north")
    return Visitor(ehr, "north")
