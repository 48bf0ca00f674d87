"""What became of the test document is told in every case, the interrupted ones too."""

import pytest

from diagnostics.evidence.fhir import CanaryWrite
from diagnostics.vocabulary import Outcome
from tests.diagnostics.checks.seen import judged

PASSED, WARNING, NA = Outcome.PASSED, Outcome.WARNING, Outcome.NOT_APPLICABLE

ROWS: list[tuple[str, bool | None, bool | None, Outcome, str]] = [
    ("written", True, True, PASSED, "read back"),
    ("written", True, False, WARNING, "could not be withdrawn"),
    ("written", False, None, WARNING, "does not show it"),
    ("refused", None, None, NA, "refused"),
    ("refused", True, True, PASSED, "read back"),
    ("unknown", None, None, NA, "never reached"),
    ("unknown", False, None, WARNING, "unknown"),
    ("earlier", True, True, PASSED, "interrupted"),
    ("earlier", True, None, WARNING, "could not be withdrawn"),
    ("earlier", False, None, WARNING, "not written again"),
]


@pytest.mark.parametrize(("state", "found", "withdrawn", "status", "says"), ROWS)
def test_the_test_document_is_accounted_for(
    state: str, found: bool | None, withdrawn: bool | None, status: Outcome, says: str
) -> None:
    write = CanaryWrite(state=state, resource_type="DocumentReference", found=found, withdrawn=withdrawn)
    finding = judged("fhir.canary", write)
    assert finding.status is status
    assert says in finding.says
