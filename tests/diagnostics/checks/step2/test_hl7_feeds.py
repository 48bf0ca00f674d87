"""Document messages where coded data are expected with the note."""

from typing import Any

import pytest

from diagnostics.vocabulary import Outcome, Strength
from tests.diagnostics.checks.charts import judged, mapping, template
from tests.diagnostics.checks.step2.payloads import MSH, hl7_case, message, nack, sent_and

PASSED, FAILED, WARNING, NA, UNKNOWN = (
    Outcome.PASSED, Outcome.FAILED, Outcome.WARNING, Outcome.NOT_APPLICABLE, Outcome.UNKNOWN,
)  # fmt: skip
DX = {"id": "DX", "label": "Diagnoses", "kind": "discrete"}
BOTH = {
    "mapping": mapping(output=["narrative", "discrete"], more=({"section": "assessment", "field": "DX"},)),
    "template": template(more=(DX,)),
}
TEXT = {"mapping": mapping(), "template": template(more=(DX,))}
TAKEN = sent_and(ack="AA", ack_id="tx-1")
CHART = {"found": True, "patient_id": "P-1", "encounter_id": "E-1", "fields": {}}
CODED = CHART | {"discrete": [{"kind": "condition", "code": "M17.12"}]}
ORU = message(MSH=MSH.replace("MDM^T02^MDM_T02", "ORU^R01^ORU_R01"))
TABLE: list[tuple[str, dict[str, Any], Outcome]] = [
    ("documents only, codes expected", {"rows": TAKEN, **BOTH}, FAILED),
    ("no log at all", BOTH, FAILED),
    ("the type is only in the message", {"rows": TAKEN, "hl7": {"message": None}, **BOTH}, FAILED),
    ("text by design", {"rows": TAKEN, **TEXT}, PASSED),
    ("a results feed", {"rows": TAKEN, "hl7": {"message": "ORU^R01"}, "payload": ORU, **BOTH}, PASSED),
    ("both feeds", {"rows": TAKEN, "hl7": {"message": "MDM^T02, PPR^PC1"}, **BOTH}, PASSED),
    ("codes arrived another way", {"rows": TAKEN, "filed": CODED, **BOTH}, PASSED),
    ("an empty problem list", {"rows": TAKEN, "filed": CHART | {"discrete": []}, **BOTH}, FAILED),
    ("refused before that", {"rows": nack("AE", "101"), **BOTH}, WARNING),
    ("no mapping, filed", {"rows": TAKEN, "filed": CHART}, UNKNOWN),
    ("no mapping, refused", {"rows": nack("AE", "101")}, NA),
    ("nothing known", {"hl7": {"message": None}, "payload": None, **BOTH}, NA),
]  # fmt: skip


@pytest.mark.parametrize(("what", "parts", "status"), TABLE, ids=[row[0] for row in TABLE])
def test_document_messages_are_held_against_what_is_expected(what: str, parts: dict[str, Any], status: Outcome) -> None:
    more = dict(parts)
    found = judged(
        "hl7.mdm.discrete_expected", hl7_case(more.pop("payload", message()), more.pop("rows", None), **more)
    )
    assert found.status is status, found.says
    if status is FAILED:
        assert found.strength is Strength.STRONG and found.cause is not None
