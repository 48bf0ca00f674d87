"""Rules of one vendor's own, asked by trait."""

from typing import Any

import pytest

from diagnostics.vocabulary import Outcome, Strength
from tests.diagnostics import stories
from tests.diagnostics.checks import seen
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


EXTENDED = document(extension=[{"url": "urn:example:x", "valueString": "y"}])
AN_HOUR = {"date": "2026-03-02"}
OWN_TYPE = {"coding": [{"system": "https://scribe.example/types", "code": "visit"}]}
MAPPED = {"setting": {"vendor_profile": {"note_types": ["http://loinc.org|11488-4"]}}}
MAPPED_TOO = {"setting": {"vendor_profile": {"note_types": ["11506-3"]}}}
RULES: list[tuple[str, str, Any, dict[str, Any], Outcome]] = [
    ("an extension", "extension.ignored", EXTENDED, STRICT, Outcome.WARNING),
    ("an extension, elsewhere", "extension.ignored", EXTENDED, PLAIN, Outcome.NOT_APPLICABLE),
    ("no extension", "extension.ignored", document(), STRICT, Outcome.PASSED),
    ("a date alone", "structure.times", document(**AN_HOUR), STRICT, Outcome.FAILED),
    ("a date alone, elsewhere", "structure.times", document(**AN_HOUR), PLAIN, Outcome.NOT_APPLICABLE),
    ("times", "structure.times", document(), STRICT, Outcome.PASSED),
    ("superseded", "structure.values", document(status="superseded"), STRICT, Outcome.FAILED),
    ("superseded, elsewhere", "structure.values", document(status="superseded"), PLAIN, Outcome.NOT_APPLICABLE),
    ("current", "structure.values", document(), STRICT, Outcome.PASSED),
    ("a type of one's own", "type_code", document(type=OWN_TYPE), {"vendor": "athenapractice"}, Outcome.FAILED),
    ("a type of one's own, elsewhere", "type_code", document(type=OWN_TYPE), PLAIN, Outcome.PASSED),
    ("a type not mapped here", "type_code", document(), MAPPED, Outcome.FAILED),
    ("a type mapped here", "type_code", document(), MAPPED_TOO, Outcome.PASSED),
]


@pytest.mark.parametrize(("what", "check", "payload", "who", "status"), RULES, ids=[f"{r[1]}-{r[0]}" for r in RULES])
def test_a_rule_pack_decides_what_is_taken(what: str, check: str, payload: Any, who: Any, status: Outcome) -> None:
    found = judged(f"fhir.payload.{check}", fhir_case(payload, sent_and(422, issue("business-rule")), **who))
    assert found.status is status, found.says


@pytest.mark.parametrize("check", ["structure.values", "structure.times", "structure.single", "extension"])
def test_what_the_ehr_took_all_the_same_is_only_a_warning(check: str) -> None:
    broken = document(status="superseded", date="2026-03-02", author=TWO["author"], implicitRules="urn:example:r")
    assert judged(f"fhir.payload.{check}", fhir_case(broken, sent_and(201), **STRICT)).status is Outcome.WARNING


COMPOSED = {"resourceType": "Composition", "status": "final"}


@pytest.mark.parametrize(
    ("payload", "rows", "setting", "evidence", "status"),
    [
        (COMPOSED, sent_and(404), {"vendor": "epic"}, (), Outcome.FAILED),
        (COMPOSED, sent_and(401), {"vendor": "epic"}, (), Outcome.FAILED),
        (COMPOSED, None, {"vendor": "epic"}, (), Outcome.FAILED),
        (COMPOSED, sent_and(201), {"vendor": "epic"}, (), Outcome.WARNING),
        (COMPOSED, sent_and(404), {"vendor": "epic"}, (seen.capability(),), Outcome.NOT_APPLICABLE),
        (COMPOSED, sent_and(404), {"vendor": "generic"}, (), Outcome.PASSED),
        (COMPOSED, sent_and(404), {"vendor": "meditech"}, (), Outcome.NOT_APPLICABLE),
        (
            COMPOSED,
            sent_and(404),
            {"vendor": "epic", "setting": {"write_url": stories.BASE}},
            (),
            Outcome.NOT_APPLICABLE,
        ),
        (document(), sent_and(404), {"vendor": "epic"}, (), Outcome.PASSED),
    ],
)
def test_what_a_vendor_is_known_not_to_create(
    payload: Any, rows: Any, setting: dict[str, Any], evidence: Any, status: Outcome
) -> None:
    found = seen.judged("fhir.capability.create_missing.known", *evidence, of=fhir_case(payload, rows, **setting))
    assert found.status is status, found.says
    if status is Outcome.FAILED:
        stopped_before = bool(rows) and rows[-1]["status"] == 401
        assert found.strength is (Strength.MODERATE if stopped_before else Strength.STRONG)


def upgrade(to: str, at: float = -86_400) -> list[stories.Row]:
    row = {"at": stories.at(at), "event": "change"}
    return [row | {"change": {"kind": "upgrade", "what": "the EHR", "from": "", "to": to}}]


@pytest.mark.parametrize(
    ("rows", "ehr_rows", "evidence", "status"),
    [
        (sent_and(404), upgrade("12.0.2.99999999"), (), Outcome.FAILED),
        (sent_and(404), upgrade("12.0.3.04009405"), (), Outcome.PASSED),
        (sent_and(404), [], (seen.capability(software_version="11.52"),), Outcome.FAILED),
        (sent_and(201), upgrade("12.0.2"), (), Outcome.WARNING),
        (sent_and(404), [], (), Outcome.UNKNOWN),
        (sent_and(404), [*upgrade("12.0.2.1"), *upgrade("12.0.3.04009405", 600)], (), Outcome.FAILED),
        (sent_and(201), [], (), Outcome.NOT_APPLICABLE),
    ],
)
def test_a_build_below_the_floor_takes_no_notes(rows: Any, ehr_rows: Any, evidence: Any, status: Outcome) -> None:
    of = fhir_case(None, rows, ehr_rows=ehr_rows, vendor="eclinicalworks")
    found = seen.judged("fhir.capability.create_missing.build", *evidence, of=of)
    assert found.status is status, found.says


def test_a_vendor_s_answer_counts_only_where_the_note_was_refused_with_it() -> None:
    check, who = "fhir.outcome.issue.vendor", {"vendor": "oracle-health"}
    assert judged(check, fhir_case(None, sent_and(201), **who)).status is Outcome.PASSED
    assert judged(check, fhir_case(None, sent_and(422, issue("value")), **who)).status is Outcome.PASSED
    assert judged(check, fhir_case(None, stories.made(), **who)).status is Outcome.NOT_APPLICABLE
    stale = judged(check, fhir_case(None, sent_and(409, issue("conflict", text="If-Match is stale")), **who))
    assert stale.status is Outcome.UNKNOWN and "If-Match" in stale.says
    then_taken = [*sent_and(422, issue("extension")), stories.scribe(5, "sent"), stories.scribe(6, "acked", status=201)]
    assert judged(check, fhir_case(None, then_taken, **who)).status is Outcome.PASSED
