"""Run one practice EHR for all probe tests, and gather the evidence of a case played on it."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from diagnostics.case import Case
from diagnostics.case_folder import load
from diagnostics.evidence.bag import Bag
from diagnostics.gather import gather
from diagnostics.practice.case_builder import build_case
from diagnostics.practice.server import PracticeEhr, running_practice
from diagnostics.probes.vantage import door_for

Played = Callable[..., Case]


@pytest.fixture(scope="session")
def ehr() -> Iterator[PracticeEhr]:
    """Run the practice EHR."""
    with running_practice(("north",)) as running:
        yield running


@pytest.fixture
def played(ehr: PracticeEhr, tmp_path: Path) -> Played:
    """Play a story with a fault (or none) and return its case; words change the integration."""

    def play(fault: str | None = None, **changes: Any) -> Case:
        build_case(ehr, "north", fault, tmp_path / "case")
        case = load(tmp_path / "case")
        return replace(case, integration=replace(case.integration, **changes)) if changes else case

    return play


def seen(case: Case, **more: Any) -> Bag:
    """Gather the evidence of a case through a door of its own."""
    return asyncio.run(gather(case, door=more.pop("door", None) or door_for(case), **more))
