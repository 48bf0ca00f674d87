"""The document type in the chart against the one that was sent."""

import pytest

from diagnostics.vocabulary import Outcome
from tests.diagnostics.checks.charts import judged
from tests.diagnostics.checks.step2.payloads import document, fhir_case

TABLE = [
    ("same", "11506-3", True, Outcome.PASSED),
    ("another", "57133-1", True, Outcome.FAILED),
    ("a local code", "PROG-NOTE", True, Outcome.UNKNOWN),
    ("not told", None, True, Outcome.UNKNOWN),
    ("not in the chart", "57133-1", False, Outcome.NOT_APPLICABLE),
]


@pytest.mark.parametrize(("what", "filed", "found", "status"), TABLE, ids=[row[0] for row in TABLE])
def test_the_filed_type_is_compared(what: str, filed: str | None, found: bool, status: Outcome) -> None:
    chart = {"found": found} | ({"document_type": filed} if filed else {})
    assert judged("map.notetype.wrong", fhir_case(document(), filed=chart)).status is status
