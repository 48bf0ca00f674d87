"""Every issue code of FHIR R4 and every HTTP status of domain.md 2.2.1 speaks for what the table says, and no more."""

import json
from typing import Any

import pytest

from diagnostics.checks.step2_write_back.issue_codes import ISSUE_VOTES, STATUS_VOTES, votes_of
from diagnostics.parsing.fhir_definitions import definition
from diagnostics.vocabulary import Outcome, Strength
from tests.diagnostics.checks.charts import judged
from tests.diagnostics.checks.step2.payloads import document, fhir_case, issue, sent_and

D, S, M = Strength.DECISIVE, Strength.STRONG, Strength.MODERATE
PROTO, AUTH, PERM, MAP = "endpoint_configuration", "authentication", "permissions", "field_mapping"
NET, EHR, TMPL = "network", "ehr_defect", "template_conflict"

# code → votes, and what it leads to at 400 without a word: a cause of this step, or none
CODES: list[tuple[str, dict[str, str], str | None]] = [
    ("invalid", {PROTO: "strong"}, "fhir.payload.structure"),
    ("structure", {PROTO: "strong"}, "fhir.payload.structure"),
    ("required", {PROTO: "strong"}, "fhir.payload.required"),
    ("value", {PROTO: "strong"}, "fhir.payload.structure"),
    ("invariant", {PROTO: "strong"}, "fhir.payload.structure"),
    ("security", {AUTH: "strong"}, None),
    ("login", {AUTH: "strong"}, None),
    ("unknown", {AUTH: "strong"}, None),
    ("expired", {AUTH: "strong"}, None),
    ("forbidden", {PERM: "strong"}, None),
    ("suppressed", {PERM: "strong"}, None),
    ("not-supported", {PROTO: "strong"}, "fhir.payload.extension"),
    ("code-invalid", {PROTO: "strong"}, "fhir.payload.type_code"),
    ("extension", {PROTO: "strong"}, "fhir.payload.extension"),
    ("business-rule", {PERM: "moderate", MAP: "moderate"}, None),
    ("too-long", {PROTO: "moderate"}, "fhir.request.size"),
    ("too-costly", {PROTO: "moderate"}, "fhir.request.size"),
    ("not-found", {MAP: "moderate", PROTO: "weak"}, "fhir.payload.references"),
    ("deleted", {MAP: "moderate", PROTO: "weak"}, "fhir.payload.references"),
    ("multiple-matches", {MAP: "moderate", PROTO: "weak"}, "fhir.outcome.duplicate"),
    ("conflict", {PROTO: "moderate"}, None),
    ("duplicate", {PROTO: "moderate"}, "fhir.outcome.duplicate"),
    ("lock-error", {EHR: "moderate"}, "ehr.server.error"),
    ("no-store", {EHR: "moderate"}, "ehr.server.error"),
    ("incomplete", {EHR: "moderate"}, "ehr.server.error"),
    ("transient", {EHR: "moderate"}, "ehr.server.error"),
    ("timeout", {EHR: "moderate"}, "ehr.server.error"),
    ("exception", {EHR: "moderate"}, "ehr.server.error"),
    ("throttled", {NET: "strong"}, "net.rate.limited"),
    ("processing", {PROTO: "moderate"}, None),  # nothing of its own: the status speaks
    ("informational", {PROTO: "moderate"}, None),
]


@pytest.mark.parametrize(("code", "votes", "cause"), CODES, ids=[row[0] for row in CODES])
def test_a_code_speaks_for_what_the_table_says(code: str, votes: dict[str, str], cause: str | None) -> None:
    found = judged("fhir.outcome.issue", fhir_case(None, sent_and(400, issue(code))))
    assert found.facts["speaks_for"] == votes
    assert found.status is Outcome.FAILED
    assert found.cause is not None
    assert found.cause.id == (cause or "fhir.outcome.issue")


def test_no_code_of_the_standard_is_left_out() -> None:
    issues = definition("OperationOutcomeIssue")
    assert issues is not None
    assert set(ISSUE_VOTES) == set(issues.elements["code"].codes or ()) == {code for code, _, _ in CODES}


STATUSES: list[tuple[int, dict[str, str]]] = [
    (400, {PROTO: "moderate"}),
    (401, {AUTH: "strong"}),
    (403, {PERM: "strong", AUTH: "weak"}),
    (404, {PROTO: "moderate", MAP: "moderate"}),
    (405, {PROTO: "strong"}),
    (406, {PROTO: "strong"}),
    (407, {NET: "decisive"}),
    (408, {NET: "moderate"}),
    (409, {PROTO: "moderate"}),
    (410, {MAP: "moderate"}),
    (412, {PROTO: "moderate"}),
    (413, {PROTO: "moderate", NET: "weak"}),
    (415, {PROTO: "strong"}),
    (422, {PROTO: "strong", TMPL: "moderate"}),
    (425, {NET: "strong"}),
    (429, {NET: "strong"}),
    (500, {EHR: "strong"}),
    (502, {NET: "moderate", EHR: "moderate"}),
    (503, {NET: "moderate", EHR: "moderate"}),
    (504, {NET: "moderate", EHR: "moderate"}),
    (511, {NET: "decisive"}),
    *((status, {AUTH: "moderate", NET: "moderate"}) for status in (301, 302, 303, 307, 308)),
    (418, {}),
]


@pytest.mark.parametrize(("status", "votes"), STATUSES, ids=[str(row[0]) for row in STATUSES])
def test_a_status_without_a_body_speaks_for_what_the_table_says(status: int, votes: dict[str, str]) -> None:
    assert votes_of((), status) == votes
    if status >= 400:
        found = judged("fhir.outcome.issue", fhir_case(None, sent_and(status, "")))
        assert (found.status, found.facts["speaks_for"]) == (Outcome.NOT_APPLICABLE, votes)


def test_no_status_of_the_table_is_left_out() -> None:
    assert set(STATUS_VOTES) == {status for status, _ in STATUSES} - {418}


def several(*issues: dict[str, Any]) -> str:
    """Return an OperationOutcome with these issues, errors unless they say otherwise."""
    return json.dumps({"resourceType": "OperationOutcome", "issue": [{"severity": "error"} | each for each in issues]})


def coded(number: str) -> dict[str, Any]:
    """Return the details of an issue that carries a vendor's number."""
    return {"details": {"coding": [{"system": "urn:vendor", "code": number}]}}


MANY: list[tuple[str, str, dict[str, Any], str, Strength]] = [
    ("the worst severity counts", several({"code": "required"}, {"severity": "fatal", "code": "structure"}), {},
     "fhir.payload.structure", D),
    ("warnings do not count", several({"severity": "warning", "code": "structure"}, {"code": "extension"}), {},
     "fhir.payload.extension", S),
    ("the vendor's number goes before the code", several({"code": "required"} | coded("59141")), {"vendor": "epic"},
     "fhir.outcome.duplicate", D),
    ("a warning's number does not", several({"severity": "warning", "code": "processing"} | coded("59141"),
                                            {"code": "required"}), {"vendor": "epic"}, "fhir.payload.required", D),
    ("a number nobody knows says nothing", several({"code": "required"} | coded("1")), {"vendor": "epic"},
     "fhir.payload.required", D),
    ("of equals, the heavier", several({"code": "too-long"}, {"code": "extension"}), {}, "fhir.payload.extension", S),
    ("a code outside the type", several({"code": "code-invalid", "expression": ["Condition.code"]}), {},
     "fhir.payload.structure", S),
    ("several matches of the patient", several({"code": "multiple-matches",
                                                "expression": ["DocumentReference.subject"]}), {},
     "fhir.payload.references", M),
    ("a lock in words", several({"code": "lock-error", "diagnostics": "The encounter is locked"}), {},
     "perm.encounter.closed", S),
]  # fmt: skip


@pytest.mark.parametrize(("what", "body", "setting", "cause", "strength"), MANY, ids=[row[0] for row in MANY])
def test_of_several_issues_the_telling_one_counts(
    what: str, body: str, setting: dict[str, Any], cause: str, strength: Strength
) -> None:
    found = judged("fhir.outcome.issue", fhir_case(None, sent_and(400, body), **setting))
    assert found.cause is not None
    assert (found.cause.id, found.strength) == (cause, strength)


def test_places_and_codes_of_every_issue_are_kept() -> None:
    body = several(
        {"code": "required", "expression": ["DocumentReference.type"]},
        {"code": "value", "location": ["/f:DocumentReference/f:date"]},
    )
    facts = judged("fhir.outcome.issue", fhir_case(None, sent_and(422, body))).facts
    assert facts["expressions"] == ["DocumentReference.type", "/f:DocumentReference/f:date"]
    assert (facts["codes"], facts["issues"]) == (["required", "value"], 2)


@pytest.mark.parametrize(
    "words", ["Access token expired", "required element missing", "permission denied", "duplicate"]
)
def test_words_alone_decide_nothing(words: str) -> None:
    found = judged("fhir.outcome.issue", fhir_case(None, sent_and(400, issue("processing", text=words))))
    assert found.cause is not None
    assert found.cause.id == "fhir.outcome.issue"
    note = fhir_case(document(), sent_and(400, issue("processing", text=words)))
    assert judged("fhir.payload.structure", note).status is Outcome.PASSED


def test_a_warning_in_a_good_answer_counts_only_where_a_part_is_missing() -> None:
    told = several({"severity": "warning", "code": "not-supported", "expression": ["DocumentReference.description"]})
    taken = judged("fhir.outcome.warning_in_2xx", fhir_case(document(), sent_and(201, told)))
    assert taken.status is Outcome.WARNING
    noise = several({"severity": "information", "code": "informational", "diagnostics": "All OK"})
    quiet = judged("fhir.outcome.warning_in_2xx", fhir_case(document(), sent_and(201, noise)))
    assert quiet.status is Outcome.PASSED
    half = fhir_case(document(), sent_and(201, told), filed={"found": True, "patient_id": "P-OTHER"})
    found = judged("fhir.outcome.warning_in_2xx", half)
    assert (found.status, found.strength) == (Outcome.FAILED, M), found.says
