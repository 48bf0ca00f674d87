"""Checks that no practice fault and no outside case brings to both of their answers."""

import json
from typing import Any

import pytest

from diagnostics.vocabulary import Outcome
from tests.diagnostics.checks.charts import judged
from tests.diagnostics.checks.step2.payloads import document, fhir_case, hl7_case, message
from tests.diagnostics.stories import Row, made, scribe

ODD = message().replace(b"^~\\&", b"#~\\&", 1)
SENT = [*made(), scribe(2, "sent")]
REMARK = json.dumps(
    {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "warning", "code": "informational", "expression": ["x"]}],
    }
)
HEAD = "MSH|^~\\&|EHR|N|SCRIBE|N|20260302165803||ACK|9|P|2.5.1"
KEY = f"{HEAD}\rMSA|AR|tx-1\rERR|||205^Duplicate key identifier^HL70357|E\r"
REFUSED = [*SENT, scribe(3, "acked", ack="AR", error=KEY)]
EARLIER = [scribe(-60, "sent", note_id="N-0"), scribe(-59, "acked", note_id="N-0", ack="AA")]
TWO = document(content=document()["content"] * 2)


def fhir(payload: dict[str, Any] | None, rows: list[Row], vendor: str = "generic") -> Any:
    return fhir_case(payload, rows, vendor=vendor)


TABLE = [
    ("hl7.msh.delims", hl7_case(message()), Outcome.PASSED),
    ("hl7.msh.delims", hl7_case(ODD), Outcome.WARNING),
    ("fhir.outcome.warning_in_2xx", fhir_case(document(), [*SENT, scribe(3, "acked", status=201)]), Outcome.PASSED),
    (
        "fhir.outcome.warning_in_2xx",
        fhir_case(document(), [*SENT, scribe(3, "acked", status=201, error=REMARK)]),
        Outcome.WARNING,
    ),
    ("fhir.payload.structure.single", fhir(document(), SENT, "oracle-health"), Outcome.PASSED),
    ("fhir.payload.structure.single", fhir(TWO, SENT, "oracle-health"), Outcome.FAILED),
    ("fhir.payload.structure.single", fhir(TWO, SENT), Outcome.NOT_APPLICABLE),
    ("hl7.msh.control_id.log", hl7_case(None, REFUSED), Outcome.PASSED),
    ("hl7.msh.control_id.log", hl7_case(None, [*EARLIER, *REFUSED]), Outcome.FAILED),
]


@pytest.mark.parametrize(("check", "case", "status"), TABLE)
def test_the_table(check: str, case: Any, status: Outcome) -> None:
    assert judged(check, case).status is status
