"""A write route of the vendor's own: its form fields, its words, and no FHIR rules for what is no resource."""

import json
from typing import Any

import pytest

from diagnostics.case import Case
from diagnostics.vocabulary import Outcome, Strength
from tests.diagnostics.checks.charts import judged
from tests.diagnostics.checks.step2.payloads import document, fhir_case, sent_and

CHECK = "fhir.payload.required.form"
ROUTE = "https://api.platform.athenahealth.com/v1/195900/patients/4/documents/clinicaldocument"
WHOLE = "departmentid=21&documentsubclass=CLINICALDOCUMENT&attachmentcontents=SFBJ"
SHORT = "departmentid=&documentsubclass=CLINICALDOCUMENT&attachmentcontents=SFBJ"

AS_JSON = '{"DepartmentId": 21, "documentSubclass": "X", "attachmentContents": "Y"}'


def posted(body: str | None, *answer: Any, url: str = ROUTE, vendor: str = "athenahealth") -> Case:
    rows = [row | ({"url": url} if row["event"] in ("sent", "acked", "failed") else {}) for row in sent_and(*answer)]
    return fhir_case(body.encode() if body is not None else None, rows, vendor=vendor)


@pytest.mark.parametrize(
    ("what", "case", "status"),
    [
        ("a field is empty", posted(SHORT, 400, "bad request"), Outcome.FAILED),
        ("a field lacks, as JSON", posted(json.dumps({"departmentid": "21"}), 400, ""), Outcome.FAILED),
        ("whole", posted(WHOLE, 400, "bad request"), Outcome.PASSED),
        ("whole, as JSON in other case", posted(AS_JSON, 500, ""), Outcome.PASSED),
        ("taken all the same", posted(SHORT, 201), Outcome.WARNING),
        ("no payload at hand", posted(None, 400, "bad request"), Outcome.NOT_APPLICABLE),
        ("no form", posted("just words", 400, ""), Outcome.NOT_APPLICABLE),
        ("broken JSON", posted('{"departmentid": ', 400, ""), Outcome.NOT_APPLICABLE),
        ("a FHIR resource", posted(json.dumps(document()), 400, ""), Outcome.NOT_APPLICABLE),
        ("another route", posted(SHORT, 400, "", url=ROUTE.replace("documents/clinicaldocument", "allergies")),
         Outcome.NOT_APPLICABLE),
        ("another vendor", posted(SHORT, 400, "", vendor="epic"), Outcome.NOT_APPLICABLE),
    ],
)  # fmt: skip
def test_the_route_s_own_fields_are_looked_for(what: str, case: Case, status: Outcome) -> None:
    found = judged(CHECK, case)
    assert found.status is status, (what, found.says)
    if status is Outcome.FAILED:
        assert found.strength is Strength.STRONG


def test_the_answer_s_own_words_name_the_field() -> None:
    told = judged(CHECK, posted(None, 400, '{"error": "departmentid is a required field."}'))
    assert (told.status, told.strength) == (Outcome.FAILED, Strength.STRONG)
    other = judged(CHECK, posted(WHOLE, 400, '{"error": "The departmentid is not one of this practice."}'))
    assert other.status is Outcome.PASSED


def test_what_goes_by_a_route_of_its_own_is_no_broken_resource() -> None:
    assert judged("fhir.payload.structure", posted(SHORT, 400, "")).status is Outcome.NOT_APPLICABLE
    at_base = posted(SHORT, 400, "", url="https://api.platform.athenahealth.com/fhir/r4/DocumentReference")
    assert judged("fhir.payload.structure", at_base).status is Outcome.FAILED
