"""Vendor profiles are data that hang together: slugs, causes, sources, codes by surface, samples of their own."""

import dataclasses
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from diagnostics import catalog, vendors
from diagnostics.case import Auth
from diagnostics.case_folder import load
from diagnostics.errors import CaseError, DeclarationError
from diagnostics.vendors.facts import BY_NAME, FACTS, Kind, ProfileError, merged, read_overrides, source_of, words_of
from diagnostics.vendors.model import RateRule, Surface, VendorProfile
from diagnostics.vendors.rules import KeyRule, VersionFloor, release_of
from diagnostics.vocabulary import Outcome
from tests.diagnostics import stories
from tests.diagnostics.checks.charts import judged
from tests.diagnostics.checks.step2.payloads import fhir_case, sent_and

SLUGS = (
    "athenahealth", "athenapractice", "eclinicalworks", "epic", "generic", "meditech", "nextgen", "oracle-health",
    "veradigm",
)  # fmt: skip
SAMPLES = Path(__file__).resolve().parents[1] / "samples" / "vendors"
NOTHING_KNOWN = VendorProfile("none", "None")


def sample(slug: str) -> dict[str, Any]:
    return json.loads((SAMPLES / f"{slug}.json").read_text(encoding="utf-8"))


def all_of(part: str) -> list[Any]:
    found = [(slug, each) for slug in SLUGS for each in sample(slug).get(part, ())]
    return [pytest.param(slug, each, id=f"{slug}-{each.get('what') or each['cause']}") for slug, each in found]


def test_the_slugs_are_those_of_the_case_format() -> None:
    assert vendors.slugs() == SLUGS
    with pytest.raises(DeclarationError, match="nobody"):
        vendors.profile("nobody")


@pytest.mark.parametrize("slug", SLUGS)
def test_a_profile_says_where_each_of_its_facts_comes_from(slug: str) -> None:
    profile = vendors.profile(slug)
    assert profile.sources
    for source in profile.sources:
        assert re.fullmatch(r"20\d\d-\d\d", source.as_of)
        assert source.covers and set(source.covers) <= {fact.field for fact in FACTS}
    told = [f.name for f in FACTS if f.of(profile) != f.of(NOTHING_KNOWN)]
    assert [name for name in told if source_of(profile, BY_NAME[name]) is None] == []
    for meaning in [*profile.codes.values(), *profile.answers]:
        assert meaning.says
        assert meaning.cause is None or catalog.cause(meaning.cause)
    assert all(known.cause or not known.decisive for known in profile.codes.values())


@pytest.mark.parametrize("slug", SLUGS)
def test_every_fact_of_a_profile_has_a_name_and_a_form(slug: str) -> None:
    profile = vendors.profile(slug)
    held = {f.name for f in dataclasses.fields(VendorProfile)} - {"slug", "name", "sources"}
    assert held == {fact.field for fact in FACTS}
    for fact in FACTS:
        value = fact.of(profile)
        assert isinstance(words_of(fact, value), str)
        if fact.editable:
            again = fact.read(json.loads(json.dumps(fact.plain(value)[:100] if fact.kind is Kind.CODES
                                                    else fact.plain(value))))  # fmt: skip
            assert set(again) <= set(value) if fact.kind is Kind.CODES else again == value


# what no check can use, and the page of a profile shows to people all the same
SHOWN_TO_PEOPLE = {"grants", "restricted_grants", "auth_methods", "refresh_within_hours", "write_routes"}


def test_every_fact_is_asked_by_a_check_or_named_as_one_for_people() -> None:
    root = Path(vendors.__file__).parents[1]
    rules = (root / "vendors" / "model.py").read_text(encoding="utf-8").partition("def environment_of")[2]
    code = [*root.rglob("*.py"), *(root.parent / "console").rglob("*.py")]
    asked = rules + "".join(p.read_text(encoding="utf-8") for p in code if p.parent != root / "vendors")
    fields = {fact.field for fact in FACTS}
    unasked = {name for name in fields if not re.search(rf"\.{name}\b|\"{name}\"", asked)}
    assert unasked <= SHOWN_TO_PEOPLE
    traits = [f.name for f in dataclasses.fields(VendorProfile) if f.type in ("bool", bool)]
    assert len(traits) >= 14 and not SHOWN_TO_PEOPLE & set(traits)


@pytest.mark.parametrize(
    ("slug", "url", "environment"),
    [
        ("epic", "https://fhir.epic.com/interconnect-fhir-oauth/api/FHIR/R4", "sandbox"),
        ("epic", "https://ehr.hospital.example/FHIRProxy/api/FHIR/R4", None),
        ("meditech", "https://greenfield-prod-apis.meditech.com/v2/uscore/STU6", "sandbox"),
        ("oracle-health", "https://fhir-ehr.cerner.com/r4/0000", "production"),
        ("oracle-health", "https://fhir-ehr-code.cerner.com/r4/0000", "sandbox"),
        ("athenahealth", "https://api.preview.platform.athenahealth.com/fhir/r4", "sandbox"),
        ("athenahealth", "https://api.platform.athenahealth.com/fhir/r4", "production"),
        ("generic", "https://127.0.0.1:9443/fhir/R4", None),
    ],
)
def test_published_addresses_tell_their_environment(slug: str, url: str, environment: str | None) -> None:
    assert vendors.profile(slug).environment_of(url) == environment


def test_the_same_number_means_different_things_on_different_surfaces() -> None:
    ecw = vendors.profile("eclinicalworks")
    for number in ("301", "303", "304", "306", "307", "308"):
        writeback, hl7 = ecw.code(Surface.WRITEBACK, number), ecw.code(Surface.HL7, number)
        assert writeback is not None and hl7 is not None and writeback.says != hl7.says
        found = ecw.code_of_answer("hl7v2", number)
        assert found is not None and found[1] is hl7
    assert ecw.code_of_answer("fhir", "999") is None
    assert ecw.code_of_answer("hl7v2", "139") is None


def test_a_route_of_its_own_answers_for_itself() -> None:
    athena = vendors.profile("athenahealth")
    route = "https://api.platform.athenahealth.com/v1/195900/patients/4/documents/clinicaldocument"
    assert athena.surfaces("fhir", route) == (Surface.V1,)
    assert athena.surfaces("fhir", "https://api.platform.athenahealth.com/fhir/r4/DocumentReference")[0] is Surface.FHIR
    assert athena.tenant is not None and athena.tenant.of(route) == "195900"


@pytest.mark.parametrize(("slug", "fault"), all_of("faults"))
def test_a_vendor_s_rule_pack_finds_each_fault(slug: str, fault: dict[str, Any]) -> None:
    found = judged(fault["check"], _sent(slug, fault))
    assert found.status is Outcome.FAILED, found.says


@pytest.mark.parametrize(("slug", "fine"), all_of("fine"))
def test_a_rule_for_persons_does_not_hold_for_services(slug: str, fine: dict[str, Any]) -> None:
    assert judged(fine["check"], _sent(slug, fine)).status is Outcome.PASSED


@pytest.mark.parametrize("slug", SLUGS)
def test_a_sound_document_breaks_no_rule_of_its_vendor(slug: str) -> None:
    for check in ("required", "attachment", "type_code", "extension", "structure.single", "structure.values",
                  "structure.times"):  # fmt: skip
        found = judged(f"fhir.payload.{check}", _sent(slug, {}))
        assert found.status in (Outcome.PASSED, Outcome.NOT_APPLICABLE), (check, found.says)


@pytest.mark.parametrize(("slug", "answer"), all_of("answers"))
def test_a_vendor_s_answer_names_its_cause(slug: str, answer: dict[str, Any]) -> None:
    found = judged(answer["check"], _answered(slug, answer))
    assert found.status is Outcome.FAILED, found.says
    assert found.cause is not None and found.cause.id == answer["cause"]


@pytest.mark.parametrize(("slug", "answer"), all_of("answers"))
def test_another_vendor_s_answer_says_nothing_here(slug: str, answer: dict[str, Any]) -> None:
    if answer["check"] in ("fhir.outcome.issue.vendor", "auth.client.invalid.vendor"):
        assert judged(answer["check"], _answered("generic", answer)).status is Outcome.NOT_APPLICABLE


def _sent(slug: str, change: dict[str, Any]) -> Any:
    document = sample(slug)["sound"] | change.get("set", {})
    document = {name: value for name, value in document.items() if name not in change.get("remove", ())}
    flow = change.get("flow", "backend-services")
    return fhir_case(document, vendor=slug, setting={"auth": Auth(flow=flow, client_id="scribe-writer")})


def _answered(slug: str, answer: dict[str, Any]) -> Any:
    if answer.get("token"):
        refused = stories.scribe(3, "failed", url=stories.TOKEN_URL, status=answer["status"], error=answer["body"])
        rows = [*stories.made(), stories.scribe(2, "token"), refused]
        return stories.case(rows, integration=stories.integration(vendor=slug))
    rows = sent_and(answer["status"], answer["body"])
    if "url" in answer:
        rows = [row | ({"url": answer["url"]} if row["event"] in ("sent", "failed") else {}) for row in rows]
    return fhir_case(None, rows, vendor=slug)


NOON = datetime(2026, 3, 2, 12, 0, 41, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rule", "asked", "says"),
    [
        (vendors.profile("eclinicalworks").rate, {}, "next calendar minute (12:01:00 UTC)"),
        (vendors.profile("eclinicalworks").rate, {"retry_after": "17"}, "Retry-After: 17"),
        (vendors.profile("epic").rate, {"daily": True}, "until tomorrow"),
        (vendors.profile("athenahealth").rate, {"daily": True}, "at 00:00 UTC"),
        (RateRule(), {}, "growing pauses"),
        (RateRule(calendar=True), {"at": None}, "next calendar minute: "),
    ],
)
def test_the_right_wait_is_said_by_vendor(rule: RateRule, asked: dict[str, Any], says: str) -> None:
    assert says in rule.wait(asked.pop("at", NOON), **asked)


def test_releases_and_builds_are_compared_as_numbers() -> None:
    rule = KeyRule(key_set_from=(2026, 2), uploaded_keys_end=(2026, 5))
    assert release_of("Epic February 2026 to May 2026") == (2026, 5)
    assert release_of("11.3.1") is None and release_of(None) is None
    assert [rule.ended(r) for r in ((2026, 2), (2026, 5), (2027, 2))] == [False, True, True]
    floor = VersionFloor("notes", "12.0.3.04009405")
    assert [floor.reached(b) for b in ("12.0.3.04009404", "12.0.3.04009405", "12.1.0.1", "9.9", "next")] == [
        False, True, True, False, None,
    ]  # fmt: skip


def test_an_integration_s_own_facts_take_the_place_of_the_vendor_s() -> None:
    epic = vendors.profile("epic")
    mine = merged(epic, {
        "rate_per_minute": 40, "usual_filing_minutes": 45, "note_types": ["urn:site|17"], "token_ttl_s": None,
        "required": {"context.encounter": "the encounter"}, "conditional_create": True,
        "codes": [{"surface": "fhir", "code": "77001", "says": "the desk is closed", "cause": "ops.vendor.maintenance"},
                  {"surface": "fhir", "code": "4135", "says": "of our own meaning"}],
    })  # fmt: skip
    assert (mine.rate.per_minute, mine.rate.calendar, mine.usual_filing_minutes) == (40, False, 45)
    assert (
        mine.token_ttl_s is None
        and mine.conditional_create
        and [e.path for e in mine.required] == ["context.encounter"]
    )
    own, taken = mine.code(Surface.FHIR, "77001"), mine.code(Surface.FHIR, "4135")
    assert own is not None and own.cause == "ops.vendor.maintenance"
    assert taken is not None and taken.cause is None
    assert mine.code(Surface.FHIR, "59141") == epic.code(Surface.FHIR, "59141")
    assert mine.verified("note_types") and mine.verified("required") and not epic.verified("required")
    assert merged(epic, {}) is epic and epic.rate.per_minute is None


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({"colour": 1}, "no fact"),
        ({"rate_per_minute": 0}, "from 1 to"),
        ({"rate_per_minute": True}, "from 1 to"),
        ({"usual_filing_minutes": None}, "from 1 to"),
        ({"has_api_key_layer": "yes"}, "true or false"),
        ({"content_types": "text/plain"}, "list"),
        ({"content_types": [""]}, "list"),
        ({"required": {"context[0]": "x"}}, "plain steps"),
        ({"required": ["status"]}, "elements"),
        ({"codes": [{"surface": "fax", "code": "1", "says": "x"}]}, "a surface is one of"),
        ({"codes": [{"surface": "fhir", "code": "1", "says": "x", "cause": "no.such"}]}, "no cause"),
        ({"codes": [{"surface": "fhir", "code": "1"}]}, "say in a few words"),
        ({"key_rule": {}}, "cannot be changed"),
    ],
)
def test_what_is_no_fact_is_refused_by_name(overrides: dict[str, Any], expected: str) -> None:
    with pytest.raises(ProfileError, match=expected) as refusal:
        read_overrides(overrides)
    assert refusal.value.fact == next(iter(overrides))


def test_a_limit_says_the_wait_of_its_vendor() -> None:
    for slug, body, says in (
        ("eclinicalworks", "", "next calendar minute (16:59:00 UTC)"),
        ("epic", sample("epic")["answers"][0]["body"], "until tomorrow"),
        ("generic", "", "growing pauses"),
    ):
        found = judged("net.rate.limited.log", fhir_case(None, sent_and(429, body), vendor=slug))
        assert says in found.says
    obeyed = sent_and(429, "", response_headers={"retry-after": "12"})
    assert "Retry-After: 12" in judged("net.rate.limited.log", fhir_case(None, obeyed, vendor="eclinicalworks")).says


def test_the_documented_names_of_facts_are_those_that_are_read() -> None:
    text = (Path(vendors.__file__).parents[2] / "docs" / "case-additions.md").read_text(encoding="utf-8")
    section = text.partition("## Facts of")[2].partition("\n## ")[0]
    told = set(re.findall(r"`([a-z_]+)`", section)) - {"cause", "surface", "code"}
    assert told - {"vendor_profile"} == {fact.name for fact in FACTS if fact.editable}


def test_a_stored_fact_of_another_release_stops_no_diagnosis() -> None:
    odd = merged(vendors.profile("epic"), {"gone": 1, "codes": "odd", "rate_per_minute": 0, "usual_filing_minutes": 30})
    assert (odd.usual_filing_minutes, odd.rate.per_minute) == (30, None)
    assert odd.codes == vendors.profile("epic").codes
    assert odd.sources[0].covers == ("usual_filing_minutes",)


@pytest.mark.parametrize(
    ("held", "key"),
    [
        ({"colour": 1}, "integration.vendor_profile.colour"),
        ({"rate_per_minute": "many"}, "integration.vendor_profile.rate_per_minute"),
    ],
)
def test_a_case_with_a_fact_that_is_none_is_refused_by_name(tmp_path: Path, held: dict[str, Any], key: str) -> None:
    form = {"schema": 1, "integration": {"name": "North", "protocol": "fhir", "vendor_profile": held}}
    (tmp_path / "case.json").write_text(json.dumps(form), encoding="utf-8")
    with pytest.raises(CaseError) as refusal:
        load(tmp_path)
    assert refusal.value.key == key


def test_a_case_brings_its_own_facts(tmp_path: Path) -> None:
    held = {"usual_filing_minutes": 90, "content_types": []}
    form = {"schema": 1, "integration": {"name": "N", "protocol": "fhir", "vendor": "epic", "vendor_profile": held}}
    (tmp_path / "case.json").write_text(json.dumps(form), encoding="utf-8")
    case = load(tmp_path)
    assert (case.vendor.usual_filing_minutes, case.vendor.content_types, case.vendor.name) == (90, (), "Epic")
