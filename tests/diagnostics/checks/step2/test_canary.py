"""What became of the test document is told in every case, the interrupted ones too."""

import pytest

from diagnostics.evidence.fhir import CanaryWrite
from diagnostics.evidence.network import HttpAnswer
from diagnostics.vocabulary import Outcome
from tests.diagnostics.checks.seen import judged

PASSED, FAILED, WARNING, NA = Outcome.PASSED, Outcome.FAILED, Outcome.WARNING, Outcome.NOT_APPLICABLE

ROWS: list[tuple[str, bool | None, bool | None, Outcome, str]] = [
    ("written", True, True, PASSED, "read back"),
    ("written", True, False, WARNING, "could not be withdrawn"),
    ("written", False, None, FAILED, "does not show it"),
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


OUTCOME = '{"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "%s", "diagnostics": "%s"}]}'
ANSWERS: list[tuple[int, str, dict[str, str], str | None]] = [
    (429, "", {}, "net.rate.limited"),
    (415, "", {}, "fhir.request.content_type"),
    (405, "", {}, "fhir.request.method_path"),
    (403, "", {"www-authenticate": 'Bearer error="insufficient_scope"'}, "perm.scope.write_missing"),
    (504, "<html><title>504 Gateway Time-out</title></html>", {}, "net.timeout.gateway"),
    (500, OUTCOME % ("exception", "x"), {}, "ehr.server.error"),
    (422, OUTCOME % ("business-rule", "The encounter is signed and closed"), {}, "perm.encounter.closed"),
    (422, OUTCOME % ("required", "type"), {}, None),
    (400, "", {}, None),
]


@pytest.mark.parametrize(("status", "body", "headers", "cause"), ANSWERS)
def test_what_refuses_the_test_document_is_read_from_the_answer(
    status: int, body: str, headers: dict[str, str], cause: str | None
) -> None:
    answer = HttpAnswer(method="POST", url="https://ehr.example.test/r4", status=status, body=body, headers=headers)
    finding = judged(
        "fhir.canary.answer", CanaryWrite(state="refused", resource_type="DocumentReference", answer=answer)
    )
    assert (finding.cause.id if finding.cause else None) == cause
    assert finding.status is (FAILED if cause else Outcome.UNKNOWN)


def test_a_test_document_that_was_taken_passes() -> None:
    taken = CanaryWrite(state="written", resource_type="DocumentReference", found=True, withdrawn=True)
    assert judged("fhir.canary.answer", taken).status is PASSED
