"""Play every case and every practice fault once for all tests of the architecture.

The practice EHR is randomised here (every free text, path, host and port), so that no check can know its words.
"""

import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from diagnostics import engine
from diagnostics.case_folder import load
from diagnostics.findings import Diagnosis
from diagnostics.practice import FAULTS, VARIATIONS, build_case, running_practice
from diagnostics.probes.vantage import door_for
from diagnostics.vocabulary import Outcome
from tests.cases.expected import cases

SEED = 20260302


@dataclass(repr=False)
class Played:
    """Hold every diagnosis made, and which statuses each check reached."""

    diagnoses: dict[str, Diagnosis] = field(default_factory=dict)
    reached: dict[str, set[Outcome]] = field(default_factory=lambda: defaultdict(set))

    def keep(self, name: str, diagnosis: Diagnosis) -> None:
        self.diagnoses[name] = diagnosis
        for finding in diagnosis.findings:
            self.reached[finding.check].add(finding.status)


@pytest.fixture(scope="session")
def played() -> Iterator[Played]:
    """Diagnose every case offline and every practice fault live, once."""
    seen = Played()
    with tempfile.TemporaryDirectory() as made, running_practice(randomize=SEED) as ehr:
        for told in cases():
            seen.keep(f"case {told.name}", engine.run(load(told.folder, offline=True)))
        tenant = next(iter(ehr.tenants))
        for name in (*FAULTS, *VARIATIONS):
            folder = Path(made) / name
            build_case(ehr, tenant, name, folder)
            case = load(folder)
            seen.keep(name, engine.run(case, door=door_for(case)))
        yield seen
