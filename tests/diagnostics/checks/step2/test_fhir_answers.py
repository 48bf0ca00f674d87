"""What the EHR answered to a FHIR create, and how the request went out."""

from typing import Any

import pytest

from diagnostics.vocabulary import Category, Outcome, Strength, WhoActs
from tests.diagnostics import stories
from tests.diagnostics.checks.charts import judged, outcome, refused
from tests.diagnostics.checks.step2.payloads import document, fhir_case, issue, sent_and
from tests.diagnostics.stories import BASE

D, S, M = Strength.DECISIVE, Strength.STRONG, Strength.MODERATE
ISSUES: list[tuple[str, list[stories.Row], dict[str, Any], str, Strength]] = [
    ("structure", sent_and(400, issue("structure")), {}, "fhir.payload.structure", D),
    ("required", sent_and(422, issue("required", "DocumentReference.type")), {}, "fhir.payload.required", D),
    ("value with a place", sent_and(400, issue("value", "DocumentReference.date")), {}, "fhir.payload.structure", D),
    ("invalid without a place", sent_and(400, issue("invalid")), {}, "fhir.payload.structure", S),
    ("attachment", sent_and(422, issue("value", "DocumentReference.content[0].attachment.data")), {},
     "fhir.payload.attachment", D),
    ("unknown encounter", sent_and(422, issue("not-found", "DocumentReference.context.encounter")), {},
     "fhir.payload.references", S),
    ("unknown patient by text", sent_and(400, issue("processing", text="Resource Patient/9 not found")), {},
     "fhir.payload.references", S),
    ("closed encounter", sent_and(422, issue("business-rule", text="The encounter is closed.")), {},
     "perm.encounter.closed", S),
    ("type code", sent_and(422, issue("code-invalid", "DocumentReference.type")), {}, "fhir.payload.type_code", S),
    ("extension", sent_and(422, issue("extension")), {}, "fhir.payload.extension", S),
    ("too long", sent_and(422, issue("too-long")), {}, "fhir.request.size", M),
    ("throttled", sent_and(429, issue("throttled")), {}, "net.rate.limited", S),
    ("not supported at 405", sent_and(405, issue("not-supported")), {}, "fhir.request.method_path", S),
    ("Epic 59141", sent_and(400, issue("business-rule", vendor_code="59141")), {"vendor": "epic"},
     "fhir.outcome.duplicate", D),
    ("Epic 40000", sent_and(400, issue("business-rule", vendor_code="40000")), {"vendor": "epic"},
     "map.code.local_missing", D),
    ("eCW 139", sent_and(400, '{"status": 139, "message": "locked"}'), {"vendor": "eclinicalworks"},
     "perm.encounter.closed", D),
]  # fmt: skip


@pytest.mark.parametrize(("what", "rows", "setting", "cause", "strength"), ISSUES, ids=[row[0] for row in ISSUES])
def test_the_answers_codes_lead_to_a_cause(what: str, rows: Any, setting: Any, cause: str, strength: Strength) -> None:
    found = judged("fhir.outcome.issue", fhir_case(None, rows, **setting))
    assert found.status is Outcome.FAILED
    assert found.cause is not None
    assert (found.cause.id, found.strength) == (cause, strength)


def test_an_issue_of_another_step_claims_no_cause_here() -> None:
    found = judged("fhir.outcome.issue", fhir_case(None, sent_and(403, issue("forbidden"))))
    assert found.cause is not None
    assert found.cause.id == "fhir.outcome.issue"


def test_the_payload_at_hand_contradicts_an_answer() -> None:
    sound = judged("fhir.outcome.issue", fhir_case(document(), sent_and(400, issue("structure"))))
    assert sound.strength is Strength.MODERATE
    there = judged(
        "fhir.outcome.issue", fhir_case(document(), sent_and(422, issue("required", "DocumentReference.type")))
    )
    assert there.strength is Strength.MODERATE
    gone = fhir_case(document(type=None), sent_and(422, issue("required", "DocumentReference.type")))
    assert judged("fhir.outcome.issue", gone).strength is Strength.DECISIVE


def test_a_good_answer_names_no_fault() -> None:
    assert judged("fhir.outcome.issue", fhir_case(document(), sent_and(201))).status is Outcome.PASSED


TEXT_PLAIN, FHIR_JSON = {"content_type": "text/plain"}, {"content_type": "application/fhir+json"}
TABLE: list[tuple[str, str, Any, Outcome]] = [
    ("415", "content_type", fhir_case(document(), sent_and(415, "")), Outcome.FAILED),
    ("text/plain refused", "content_type", fhir_case(document(), sent_and(400, "", **TEXT_PLAIN)), Outcome.FAILED),
    ("xml for a JSON body", "content_type",
     fhir_case(document(), sent_and(400, "", content_type="application/fhir+xml")), Outcome.FAILED),
    ("text/plain, taken", "content_type", fhir_case(document(), sent_and(201, **TEXT_PLAIN)), Outcome.WARNING),
    ("fhir+json", "content_type", fhir_case(document(), sent_and(201, **FHIR_JSON)), Outcome.PASSED),
    ("application/json", "content_type",
     fhir_case(document(), sent_and(201, content_type="application/json")), Outcome.WARNING),
    ("application/json refused without a word", "content_type",
     fhir_case(document(), sent_and(400, "", content_type="application/json")), Outcome.FAILED),
    ("application/json, refused for something else", "content_type",
     fhir_case(document(), sent_and(422, issue("required"), content_type="application/json")), Outcome.WARNING),
    ("415 once, then taken", "content_type",
     fhir_case(document(), [*sent_and(415, ""), stories.scribe(10, "sent"),
                            stories.scribe(11, "acked", status=201)]), Outcome.NOT_APPLICABLE),
    ("form on a route of its own", "content_type",
     fhir_case(None, sent_and(400, "", content_type="application/x-www-form-urlencoded"), vendor="athenahealth"),
     Outcome.NOT_APPLICABLE),
    ("413", "size", fhir_case(document(), sent_and(413, "")), Outcome.FAILED),
    ("422", "size", fhir_case(document(), sent_and(422, issue("required"))), Outcome.PASSED),
    ("406", "accept", fhir_case(document(), sent_and(406, "")), Outcome.FAILED),
    ("201", "accept", fhir_case(document(), sent_and(201)), Outcome.PASSED),
    ("405", "method_path", fhir_case(document(), sent_and(405, "")), Outcome.FAILED),
    ("404", "method_path", fhir_case(document(), sent_and(404, issue("not-found"))), Outcome.FAILED),
    ("404 about a patient", "method_path",
     fhir_case(document(), sent_and(404, issue("not-found", text="Patient/P-1 is not known"))), Outcome.NOT_APPLICABLE),
    ("422", "method_path", fhir_case(document(), sent_and(422, "")), Outcome.PASSED),
]  # fmt: skip


@pytest.mark.parametrize(("what", "check", "case", "status"), TABLE, ids=[f"{row[1]}-{row[0]}" for row in TABLE])
def test_the_request_is_judged_by_its_answer(what: str, check: str, case: Any, status: Outcome) -> None:
    found = judged(f"fhir.request.{check}", case)
    assert found.status is status, found.says


def test_a_wrong_resource_type_in_the_address_proves_it() -> None:
    rows = sent_and(404, issue("not-found"))
    rows[2]["url"] = f"{stories.BASE}/DocumentReferences"
    assert judged("fhir.request.method_path", fhir_case(document(), rows)).strength is Strength.DECISIVE


def test_who_set_the_limit_is_who_acts() -> None:
    nginx = {"response_headers": {"server": "nginx"}, "error": "<html><head><title>413 Request Entity Too Large</title>"
             "</head><body><center><h1>413</h1></center><hr><center>nginx</center></body></html>"}  # fmt: skip
    gateway = judged("fhir.request.size", fhir_case(document(), sent_and(413, **nginx)))
    assert gateway.who_acts is WhoActs.NETWORK_TEAM
    squid = {"response_headers": {"server": "squid/5.7", "x-squid-error": "ERR_TOO_BIG 0"}}
    proxy = judged("fhir.request.size", fhir_case(document(), sent_and(413, "", **squid)))
    assert proxy.category is Category.NETWORK


GONE = {"found": False, "at": stories.at(7000)}
HERE = {"found": True, "patient_id": "P-1", "encounter_id": "E-1"}
AFTER: list[tuple[str, str, Any, Outcome]] = [
    ("202, not filed", "outcome.accepted_202", fhir_case(None, sent_and(202), filed=GONE), Outcome.FAILED),
    ("202, filed", "outcome.accepted_202", fhir_case(None, sent_and(202), filed=HERE), Outcome.PASSED),
    ("202, a minute ago", "outcome.accepted_202", fhir_case(None, sent_and(202), after=60), Outcome.UNKNOWN),
    ("201", "outcome.accepted_202", fhir_case(None, sent_and(201)), Outcome.NOT_APPLICABLE),
    ("412", "outcome.duplicate", fhir_case(None, sent_and(412, issue("multiple-matches"))), Outcome.FAILED),
    ("409 duplicate", "outcome.duplicate", fhir_case(None, sent_and(409, issue("duplicate"))), Outcome.FAILED),
    ("409 of another kind", "outcome.duplicate", fhir_case(None, sent_and(409, issue("conflict"))), Outcome.PASSED),
    ("200, not filed", "outcome.duplicate", fhir_case(None, sent_and(200), filed=GONE), Outcome.FAILED),
    ("200, filed", "outcome.duplicate", fhir_case(None, sent_and(200), filed=HERE), Outcome.WARNING),
    ("200 by v1", "outcome.duplicate",
     fhir_case(None, sent_and(200), filed=GONE, vendor="athenahealth"), Outcome.PASSED),
    ("201", "outcome.duplicate", fhir_case(None, sent_and(201)), Outcome.PASSED),
    ("201, gone", "readback.absent.filed", fhir_case(None, sent_and(201), filed=GONE), Outcome.FAILED),
    ("201, there", "readback.absent.filed", fhir_case(None, sent_and(201), filed=HERE), Outcome.PASSED),
    ("201, looked too early", "readback.absent.filed",
     fhir_case(None, sent_and(201), filed={"found": False, "at": stories.at(30)}), Outcome.UNKNOWN),
    ("warning", "outcome.warning_in_2xx",
     fhir_case(None, sent_and(201, issue("informational").replace('"error"', '"warning"'))), Outcome.WARNING),
    ("no body", "outcome.warning_in_2xx", fhir_case(None, sent_and(201)), Outcome.PASSED),
]  # fmt: skip


@pytest.mark.parametrize(("what", "check", "case", "status"), AFTER, ids=[f"{row[1]}-{row[0]}" for row in AFTER])
def test_a_good_answer_is_checked_against_the_chart(what: str, check: str, case: Any, status: Outcome) -> None:
    found = judged(f"fhir.{check}", case)
    assert found.status is status, found.says


@pytest.mark.parametrize(
    ("text", "strength"),
    [("Token has expired", Strength.MODERATE), ("rate limit exceeded", Strength.MODERATE), ("Bad", Strength.STRONG)],
)
def test_a_standard_code_weighs_less_beside_words_about_the_token_or_the_way(text: str, strength: Strength) -> None:
    found = judged("fhir.outcome.issue", fhir_case(None, refused(422, outcome("invalid", text))))
    assert found.cause is not None and found.cause.id == "fhir.payload.structure"
    assert found.strength is strength


@pytest.mark.parametrize(
    ("other", "strength"), [(BASE, Strength.MODERATE), ("https://other.example.test", Strength.STRONG)]
)
def test_an_address_that_took_other_notes_is_less_surely_wrong(other: str, strength: Strength) -> None:
    url = f"{other}/DocumentReference"
    taken = [stories.scribe(90, event, note_id="N-2", transaction_id="tx-2", encounter_id="E-2", url=url, **more)
             for event, more in (("sent", {}), ("acked", {"status": 201}))]  # fmt: skip
    rows = [*sent_and(404, issue("not-found")), *taken]
    assert judged("fhir.request.method_path", fhir_case(None, rows)).strength is strength
