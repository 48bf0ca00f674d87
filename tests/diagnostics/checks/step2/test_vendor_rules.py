"""Rules of one vendor's own, asked by trait."""

from typing import Any

import pytest

from diagnostics.vocabulary import Outcome, Strength
from tests.diagnostics import stories
from tests.diagnostics.checks.charts import judged
from tests.diagnostics.checks.step2.payloads import document, fhir_case, issue, sent_and

BOTH = {"coding": [{"system": "http://loinc.org", "code": "11506-3"}, {"system": "urn:codeset:72", "code": "1"}]}
MODIFIED = document(modifierExtension=[{"url": "urn:example:x", "valueString": "y"}])
TWO = document(author=[{"reference": "Practitioner/1"}, {"reference": "Practitioner/2"}])
STRICT, PLAIN = {"vendor": "oracle-health"}, {"vendor": "generic"}
TABLE: list[tuple[str, str, Any, dict[str, str], Outcome]] = [
    ("both systems", "type_code", document(type=BOTH), STRICT, Outcome.FAILED),
    ("both systems, elsewhere", "type_code", document(type=BOTH), PLAIN, Outcome.PASSED),
    ("one system", "type_code", document(), STRICT, Outcome.PASSED),
    ("words only", "type_code", document(type={"text": "Progress note"}), PLAIN, Outcome.FAILED),
    ("no type", "type_code", document(type=None), PLAIN, Outcome.NOT_APPLICABLE),
    ("modifier", "extension", MODIFIED, STRICT, Outcome.FAILED),
    ("modifier, elsewhere", "extension", MODIFIED, PLAIN, Outcome.NOT_APPLICABLE),
    ("none", "extension", document(), STRICT, Outcome.PASSED),
    ("two authors", "structure.single", TWO, STRICT, Outcome.FAILED),
    ("two authors, elsewhere", "structure.single", TWO, PLAIN, Outcome.NOT_APPLICABLE),
    ("one author", "structure.single", document(), STRICT, Outcome.PASSED),
]


@pytest.mark.parametrize(("what", "check", "payload", "who", "status"), TABLE, ids=[f"{r[1]}-{r[0]}" for r in TABLE])
def test_a_trait_decides_whether_a_rule_holds(what: str, check: str, payload: Any, who: Any, status: Outcome) -> None:
    found = judged(f"fhir.payload.{check}", fhir_case(payload, sent_and(422, issue("business-rule")), **who))
    assert found.status is status, found.says


def test_a_server_that_knows_no_conditional_create_did_not_ignore_the_note() -> None:
    gone = {"found": False, "at": stories.at(7000)}
    assert judged("fhir.outcome.duplicate", fhir_case(None, sent_and(200), filed=gone)).strength is Strength.STRONG
    epic = fhir_case(None, sent_and(200), filed=gone, vendor="epic")
    assert judged("fhir.outcome.duplicate", epic).strength is Strength.MODERATE


def test_an_ehr_that_files_unsigned_notes_says_where_to_look() -> None:
    gone = {"found": False, "at": stories.at(7000)}
    found = judged("fhir.readback.absent.filed", fhir_case(None, sent_and(201), filed=gone, vendor="athenapractice"))
    assert "unsigned" in found.says
