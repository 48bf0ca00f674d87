"""What the server's statement offers against what the scribe relies on, and the addresses a server names itself."""

from typing import Any

import pytest

from diagnostics.case import Case
from diagnostics.evidence.base import Evidence
from diagnostics.evidence.fhir import CanaryWrite, Capability, ResourceCapability
from diagnostics.vocabulary import Outcome, Strength
from tests.diagnostics.checks.seen import answer, capability, judged, metadata, read_back
from tests.diagnostics.checks.step2.payloads import US_CORE, document, fhir_case, issue, sent_and
from tests.diagnostics.stories import BASE, case, ehr, integration

PASSED, FAILED, WARNING = Outcome.PASSED, Outcome.FAILED, Outcome.WARNING
UNKNOWN, NA = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE
S, M, W = Strength.STRONG, Strength.MODERATE, Strength.WEAK
ALL = ("patient", "encounter", "type", "date", "identifier")
D900 = "DocumentReference/D-900"


def offers(*interactions: str, **more: Any) -> Capability:
    """Return a statement that lists DocumentReference so."""
    return capability(resources=(ResourceCapability("DocumentReference", interactions or ("create", "read"), **more),))


def by(method: str, *after: Any, url: str = f"{BASE}/{D900}", **setting: Any) -> Case:
    """Return a case whose note was written by this method."""
    rows = sent_and(*after)
    rows[2] |= {"method": method, "url": url}
    return fhir_case(document(), rows, **setting)


def entry(**request: str) -> Case:
    """Return a case with a transaction of one entry, taken."""
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [
        {"resource": document(), "request": {"method": "POST", "url": "DocumentReference"} | request}]}  # fmt: skip
    return fhir_case(bundle)


def conditional() -> Case:
    """Return a case whose create was sent with If-None-Exist."""
    rows = sent_and(201)
    rows[2] |= {"request_headers": {"if-none-exist": "identifier=x"}}
    return fhir_case(document(), rows)


def profiled(profile: str | None = US_CORE, rows: Any = None) -> Case:
    """Return a case whose note is written by a profile."""
    return fhir_case(document(), rows, profile=profile)


def located(location: str, status: int = 201, **setting: Any) -> Case:
    """Return a case whose create was answered with this Location."""
    return fhir_case(document(), sent_and(status, response_headers={"location": location}), **setting)


def wrote(location: str = f"{BASE}/{D900}", status: int = 201) -> CanaryWrite:
    """Return a canary write answered with this Location."""
    said = answer(status, method="POST", url=f"{BASE}/DocumentReference", headers={"location": location})
    return CanaryWrite(state="written" if status == 201 else "refused", resource_type="DocumentReference", answer=said)


PLAIN = fhir_case(document())
OWN_ROUTE = {"setting": {"write_url": "https://write.example.test/notes"}}
INNER = "http://fhir01.lan:8080/baseR4"
REFUSED = sent_and(422, issue("processing"))

ROWS: list[tuple[str, str, Case, list[Evidence], Outcome, Strength | None]] = [
    ("fhir.capability.update_missing", "PUT", by("PUT", 405, ""), [offers()], FAILED, S),
    ("fhir.capability.update_missing", "PATCH", by("PATCH", 405, ""), [offers("create", "update")], FAILED, S),
    ("fhir.capability.update_missing", "PUT, refused for the token", by("PUT", 401, ""), [offers()], FAILED, M),
    ("fhir.capability.update_missing", "PUT in a transaction", entry(method="PUT", url=D900), [offers()], FAILED, S),
    ("fhir.capability.update_missing", "PUT, offered", by("PUT", 405, ""), [offers("update")], PASSED, None),
    ("fhir.capability.update_missing", "PUT, taken", by("PUT", 200), [offers()], WARNING, W),
    ("fhir.capability.update_missing", "only creates", fhir_case(document(), REFUSED), [offers()], NA, None),
    ("fhir.capability.update_missing", "own route", by("PUT", 405, "", **OWN_ROUTE), [offers()], NA, None),
    ("fhir.capability.update_missing", "no statement", by("PUT", 405, ""), [], UNKNOWN, None),
    ("fhir.capability.readback", "none", PLAIN, [offers()], WARNING, W),
    ("fhir.capability.readback", "by patient only", PLAIN, [offers(search_params=("patient",))], WARNING, W),
    ("fhir.capability.readback", "all", PLAIN, [offers(search_params=ALL)], PASSED, None),
    ("fhir.capability.readback", "US Core's", PLAIN, [offers(search_params=("patient", "date", "type"))], PASSED, None),
    ("fhir.capability.readback", "not listed at all", PLAIN, [capability(resources=())], NA, None),
    ("fhir.capability.readback", "no statement", PLAIN, [], UNKNOWN, None),
    ("fhir.capability.cond_create", "not promised", entry(ifNoneExist="identifier=x"), [offers()], WARNING, W),
    ("fhir.capability.cond_create", "denied", entry(ifNoneExist="identifier=x"), [offers(conditional_create=False)],
     WARNING, W),
    ("fhir.capability.cond_create", "by a header", conditional(), [offers()], WARNING, W),
    ("fhir.capability.cond_create", "promised", entry(ifNoneExist="identifier=x"), [offers(conditional_create=True)],
     PASSED, None),
    ("fhir.capability.cond_create", "not relied on", entry(), [offers()], NA, None),
    ("fhir.capability.cond_create", "no statement", entry(ifNoneExist="identifier=x"), [], UNKNOWN, None),
    ("fhir.capability.profile", "another, refused", profiled(rows=REFUSED),
     [offers(supported_profiles=("https://ehr.example.test/clinic-note",))], FAILED, M),
    ("fhir.capability.profile", "another, taken", profiled(rows=sent_and(201)),
     [offers(supported_profiles=("https://ehr.example.test/clinic-note",))], WARNING, W),
    ("fhir.capability.profile", "another, fate open", profiled(),
     [offers(supported_profiles=("https://ehr.example.test/clinic-note",))], WARNING, W),
    ("fhir.capability.profile", "listed", profiled(rows=REFUSED), [offers(supported_profiles=(US_CORE,))],
     PASSED, None),
    ("fhir.capability.profile", "listed with a version", profiled(rows=REFUSED),
     [offers(supported_profiles=(f"{US_CORE}|6.1.0",))], PASSED, None),
    ("fhir.capability.profile", "another version", profiled(f"{US_CORE}|3.1.1", REFUSED),
     [offers(supported_profiles=(f"{US_CORE}|6.1.0",))], WARNING, W),
    ("fhir.capability.profile", "no profiles told", profiled(rows=REFUSED), [offers()], NA, None),
    ("fhir.capability.profile", "no profile claimed", profiled(None, REFUSED),
     [offers(supported_profiles=(US_CORE,))], NA, None),
    ("fhir.capability.profile", "no statement", profiled(rows=REFUSED), [], UNKNOWN, None),
    ("fhir.base.path_rewritten", "itself", PLAIN, [capability(implementation_url=BASE)], PASSED, None),
    ("fhir.base.path_rewritten", "capitals, port, slash", PLAIN,
     [capability(implementation_url=BASE.replace("ehr.example.test", "EHR.example.test:443") + "/")], PASSED, None),
    ("fhir.base.path_rewritten", "silent", PLAIN, [capability()], PASSED, None),
    ("fhir.base.path_rewritten", "another path", PLAIN, [capability(implementation_url=BASE + "/inner")], WARNING, W),
    ("fhir.base.path_rewritten", "another path, and 404", fhir_case(document(), sent_and(404, "")),
     [capability(implementation_url=BASE + "/inner")], FAILED, M),
    ("fhir.base.path_rewritten", "Location elsewhere", PLAIN, [capability(), wrote(f"{INNER}/{D900}")], FAILED, M),
    ("fhir.base.path_rewritten", "no statement", PLAIN, [], UNKNOWN, None),
    ("fhir.base.path_rewritten.log", "below the base", located(f"{BASE}/{D900}/_history/1"), [], PASSED, None),
    ("fhir.base.path_rewritten.log", "relative", located(f"{D900}/_history/1"), [], PASSED, None),
    ("fhir.base.path_rewritten.log", "another host", located(f"{INNER}/{D900}"), [], FAILED, M),
    ("fhir.base.path_rewritten.log", "another path", located(f"/inner/{D900}"), [], FAILED, M),
    ("fhir.base.path_rewritten.log", "another scheme", located(f"{BASE.replace('https', 'http')}/{D900}"), [],
     WARNING, W),
    ("fhir.base.path_rewritten.log", "own route", located(f"{INNER}/{D900}", **OWN_ROUTE), [], NA, None),
    ("fhir.base.path_rewritten.log", "no Location", fhir_case(document(), sent_and(201)), [], NA, None),
    ("fhir.base.path_rewritten.log", "no log", PLAIN, [], UNKNOWN, None),
    ("net.revproxy.rewrite", "nothing odd", PLAIN, [capability(implementation_url=BASE), wrote()], PASSED, None),
    ("net.revproxy.rewrite", "inner Location", PLAIN, [wrote(f"{INNER}/{D900}")], FAILED, S),
    ("net.revproxy.rewrite", "inner name in the statement", PLAIN, [capability(implementation_url=INNER)], WARNING, W),
    ("net.revproxy.rewrite", "inner name, and 404", fhir_case(document(), sent_and(404, "")),
     [capability(implementation_url=INNER)], FAILED, M),
    ("net.revproxy.rewrite", "another name, outside", PLAIN,
     [capability(implementation_url="https://alias.example.test/fhir/R4")], PASSED, None),
    ("net.revproxy.rewrite", "canary redirected", PLAIN, [wrote(f"{BASE}/x/DocumentReference", 302)], FAILED, S),
    ("net.revproxy.rewrite", "nothing to look at", PLAIN, [], NA, None),
    ("net.revproxy.rewrite.log", "301 on the same host", located("/gateway/DocumentReference", 301), [], FAILED, S),
    ("net.revproxy.rewrite.log", "307", located(f"{BASE}/x/DocumentReference", 307), [], FAILED, S),
    ("net.revproxy.rewrite.log", "to a home page elsewhere", located("https://www.example.test/", 301), [], FAILED, M),
    ("net.revproxy.rewrite.log", "to a place to sign in", located("https://idp.example.test/login", 302), [], NA, None),
    ("net.revproxy.rewrite.log", "inner Location", located(f"{INNER}/{D900}"), [], FAILED, S),
    ("net.revproxy.rewrite.log", "alias outside", located(f"https://alias.example.test/r4/{D900}"), [], PASSED, None),
    ("net.revproxy.rewrite.log", "refused", fhir_case(document(), REFUSED), [], PASSED, None),
    ("net.revproxy.rewrite.log", "no log", PLAIN, [], UNKNOWN, None),
    ("net.gateway.unrouted", "kong", PLAIN, [metadata(404, '{"message": "no Route matched with those values"}',
     content_type="application/json", headers={"server": "kong/3.4.0"})], FAILED, S),
    ("net.gateway.unrouted", "the server's own 404", PLAIN, [metadata(404, issue("not-found"))], PASSED, None),
    ("net.gateway.unrouted", "a statement", PLAIN, [metadata()], PASSED, None),
    ("net.gateway.unrouted", "nothing to look at", PLAIN, [], NA, None),
    ("net.gateway.unrouted.log", "kong", fhir_case(document(), sent_and(
        404, '{"message": "no Route matched with those values"}', response_headers={"server": "kong/3.4.0"})),
     [], FAILED, S),
    ("net.gateway.unrouted.log", "the server's own 404", fhir_case(document(), sent_and(404, issue("not-found"))), [],
     PASSED, None),
    ("net.gateway.unrouted.log", "taken", fhir_case(document(), sent_and(201)), [], PASSED, None),
    ("net.gateway.unrouted.log", "no log", PLAIN, [], UNKNOWN, None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("check", "what", "of", "evidence", "status", "strength"), ROWS, ids=[f"{row[0]}-{row[1]}" for row in ROWS]
)
def test_a_servers_word_is_judged(
    check: str, what: str, of: Case, evidence: list[Evidence], status: Outcome, strength: Strength | None
) -> None:
    found = judged(check, *evidence, of=of)
    assert (found.status, found.strength) == (status, strength), found.says


def test_a_gateway_that_knew_the_address_before_may_be_deploying() -> None:
    kong = {"error": '{"message": "no Route matched with those values"}', "response_headers": {"server": "kong/3.4.0"}}
    other = {"note_id": "N-0", "transaction_id": "tx-0", "encounter_id": "E-0"}
    url = {"method": "POST", "url": f"{BASE}/DocumentReference"}
    earlier = [row | other | (url if row["event"] in ("sent", "acked") else {}) for row in sent_and(201)]
    rows = [*earlier, *sent_and(404, **kong)]
    assert judged("net.gateway.unrouted.log", of=fhir_case(document(), rows)).strength is M


CHANGED: list[tuple[str, dict[str, Any], list[Any], Outcome]] = [
    ("the same", {"software_version": "1", "search": {"DocumentReference": ["patient"]}}, [], PASSED),
    ("a search gone", {"search": {"DocumentReference": ["patient", "identifier"]}}, [], FAILED),
    ("a profile gone", {"profiles": {"DocumentReference": ["https://p.example.test", US_CORE]}}, [], FAILED),
    ("conditional create gone", {"conditional_create": ["DocumentReference", "Patient"]}, [], FAILED),
    ("what a note does not use is gone", {"conditional_create": ["Patient"], "interactions": {"Claim": ["create"]}}, [],
     PASSED),
    ("another version, undated", {"software_version": "0"}, [], WARNING),
    ("another version, upgraded before", {"software_version": "0"},
     [ehr(-3600, "change", change={"kind": "upgrade", "what": "EHR", "from": "0", "to": "1"})], FAILED),
    ("another version, upgraded since", {"software_version": "0"},
     [ehr(3600, "change", change={"kind": "upgrade", "what": "EHR", "from": "0", "to": "1"})], WARNING),
]  # fmt: skip


@pytest.mark.parametrize(("what", "before", "trail", "status"), CHANGED, ids=[row[0] for row in CHANGED])
def test_a_statement_is_compared_with_the_last_good_one(
    what: str, before: dict[str, Any], trail: list[Any], status: Outcome
) -> None:
    of = case(sent_and(422, issue("processing")), trail, baseline={"capability": before}, integration=integration())
    now = offers(search_params=("patient",), supported_profiles=("https://p.example.test",))
    found = judged("fhir.capability.changed", now, of=of)
    assert found.status is status, found.says


def test_a_server_of_several_versions_is_not_blamed_for_the_one_it_tells() -> None:
    r5 = capability(fhir_version="5.0.0")
    assert judged("fhir.version.mismatch", r5, of=fhir_case(document(), sent_and(201))).status is WARNING
    chosen = fhir_case(document(), setting={"fhir_format": "application/fhir+json; fhirVersion=4.0"})
    assert judged("fhir.version.mismatch", r5, of=chosen).status is WARNING
    assert judged("fhir.version.mismatch", r5, of=fhir_case(document())).status is FAILED


def test_a_note_taken_a_moment_ago_need_not_be_found_yet() -> None:
    fresh = fhir_case(document(), sent_and(201), after=60)
    assert judged("fhir.readback.absent", read_back(0), of=fresh).status is UNKNOWN
    assert judged("fhir.readback.absent", read_back(0), of=fhir_case(document(), sent_and(201))).status is FAILED
