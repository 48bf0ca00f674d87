"""Rows of domain.md that only a meeting on the wire can show: what the server says of itself, names, keys, tokens."""

import base64
import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from tests.cases.bench import ROOT, Bench
from tests.cases.building import Story, document
from tests.cases.certificates import Signed, sign
from tests.cases.pieces import rules, template
from tests.cases.servers import FHIR, JSON, Answer, Ehr, answer, closed_port, nameserver

HOST = "ehr.northcampus.example"
US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-documentreference"


def resource(kind: str, *codes: str, **more: Any) -> dict[str, Any]:
    """One resource of a capability statement."""
    search = [{"name": name, "type": "token"} for name in ("patient", "encounter", "type", "date", "identifier")]
    known = {"type": kind, "interaction": [{"code": code} for code in codes], "searchParam": search}
    return {key: value for key, value in (known | more).items() if value is not None}


def saying(*resources: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Routes of a server whose capability statement lists these resources."""

    def tell(ehr: Ehr, *_: Any) -> Answer:
        statement = ehr.capability() | changes
        if resources:
            statement["rest"] = [{"mode": "server", "resource": list(resources)}]
        return answer(200, statement)

    return {"routes": {("GET", "/r4/metadata"): tell}}


TAKES = ("read", "search-type", "create")
DOCUMENTS = resource("DocumentReference", *TAKES, conditionalCreate=True)
ENCOUNTERS = resource("Encounter", "read", "search-type")


# --- tokens and keys


def introspecting(said: Answer) -> dict[tuple[str, str], Callable[..., Answer]]:
    """Routes of a server that offers introspection (RFC 7662) and answers it so."""

    def discovery(ehr: Ehr, *_: Any) -> Answer:
        return answer(200, ehr.smart() | {"introspection_endpoint": f"{ehr.url}/introspect"}, JSON)

    return {
        ("GET", "/.well-known"): discovery,
        ("GET", "/r4/.well-known"): discovery,
        ("POST", "/introspect"): lambda *_: said,
    }


def test_a_token_the_server_calls_inactive(bench: Bench) -> None:
    def refused(*_: Any) -> Answer:
        return answer(401, b"", {"www-authenticate": 'Bearer error="invalid_token"'})

    routes = introspecting(answer(200, {"active": False}, JSON))
    routes |= {("*", f"/r4/{kind}"): refused for kind in ("DocumentReference", "Encounter", "Patient")}
    story = bench.story(bench.ehr(routes=routes), write=True)
    bench.check(story, "auth.token.inactive", "2.1 auth.token.inactive: RFC 7662", never=("auth.token.expired",))


@pytest.mark.parametrize(
    "said",
    [
        answer(200, {"active": True, "scope": "system/DocumentReference.crus", "exp": 4102444800}, JSON),
        answer(401, {"error": "invalid_client"}, JSON),
        answer(404, b""),
    ],
    ids=["active", "not_allowed_to_ask", "absent"],
)
def test_an_introspection_that_finds_no_fault(said: Answer, bench: Bench) -> None:
    ehr = bench.ehr(routes=introspecting(said))
    why = "2.1 auth.token.inactive: introspection needs its own authorization and may be absent"
    bench.check(bench.story(ehr, write=True), None, why, quiet=("auth.token.inactive",))


@pytest.mark.parametrize(
    ("version", "cause"),
    [
        ("May 2026", "auth.jwks.static_key_retired"),
        ("August 2026", "auth.jwks.static_key_retired"),
        ("February 2026", "auth.client.invalid"),
    ],
)
def test_a_key_uploaded_by_hand_at_an_epic_site(version: str, cause: str, bench: Bench) -> None:
    ehr = bench.ehr(kids=(), **saying(software={"name": "Epic", "version": version}))
    story = bench.story(ehr, vendor="epic")
    del story.integration["auth"]["jwks_url"]
    bench.check(story, cause, "2.1 auth.jwks.static_key_retired; trap 10")


DISCOVERY = ("/.well-known", "/r4/.well-known")


def hiding(said: Answer, **more: Any) -> dict[str, Any]:
    """Changes of a server whose discovery documents are this answer."""
    return {"routes": {("GET", path): lambda *_: said for path in DISCOVERY}} | more


@pytest.mark.parametrize("said", [answer(404, b""), answer(200, "<html><h1>Welcome</h1></html>")], ids=["404", "html"])
def test_discovery_that_tells_nothing(said: Answer, bench: Bench) -> None:
    row = ("auth.discovery.unreachable",)
    story = bench.story(bench.ehr(**hiding(said)))
    bench.check(story, (None, *row), "2.1 auth.discovery.unreachable: M", exit=(0, 1), shows=row)


def test_discovery_in_good_order(bench: Bench) -> None:
    quiet = ("auth.discovery.unreachable", "auth.discovery.capability_missing", "auth.discovery.token_endpoint_changed")
    bench.check(bench.story(bench.ehr()), None, "2.1 auth.discovery rows", quiet=quiet)


@pytest.mark.parametrize("methods", [["client_secret_basic"], None, ["client_secret_basic", "private_key_jwt"]])
def test_the_ways_a_client_may_prove_itself(methods: list[str] | None, bench: Bench) -> None:
    def discovery(ehr: Ehr, *_: Any) -> Answer:
        told = ehr.smart() | {"token_endpoint_auth_methods_supported": methods}
        if methods != ["client_secret_basic", "private_key_jwt"]:
            told["capabilities"] = ["permission-v2"] if methods else []
        return answer(200, {key: value for key, value in told.items() if value}, JSON)

    refused = methods == ["client_secret_basic"]
    ehr = bench.ehr(kids=() if refused else ("2026-05",), routes={("GET", path): discovery for path in DISCOVERY})
    row = ("auth.discovery.capability_missing",)
    why = "2.1 auth.discovery.capability_missing: S; the list is optional"
    if refused:
        bench.check(bench.story(ehr), ("auth.client.invalid", *row), why, shows=row)
    else:
        bench.check(bench.story(ehr), None, why, never=row)


# --- what the server says it can do


def test_an_update_where_the_server_lists_none(bench: Bench) -> None:
    ehr = bench.ehr(**saying(DOCUMENTS, ENCOUNTERS))
    story = bench.story(ehr).made().token()
    url = f"{story.base}/DocumentReference/D-77"
    story.sent(method="PUT", url=url).refused(405, "", method="PUT", url=url, response_headers={"allow": "GET"})
    cause = ("fhir.capability.update_missing", "fhir.request.method_path")
    why = "2.2 fhir.capability.update_missing: the workflow uses PUT"
    bench.check(story, cause, why, mode="rejected", shows=("fhir.capability.update_missing",))


def test_no_update_is_needed_where_notes_are_created(bench: Bench) -> None:
    ehr = bench.ehr(**saying(DOCUMENTS, ENCOUNTERS))
    story = bench.story(ehr).delivered()
    story.chart()
    why = "2.2 fhir.capability.update_missing: only where PUT or PATCH is used"
    bench.check(story, None, why, mode="delivered", exit=0, quiet=("fhir.capability.update_missing",))


def test_a_statement_without_the_searches_to_read_back_by(bench: Bench) -> None:
    ehr = bench.ehr(**saying(resource("DocumentReference", *TAKES, searchParam=None), ENCOUNTERS))
    story = bench.story(ehr, resources_needed=["DocumentReference"])
    bench.check(story, None, "2.2 fhir.capability.readback: info", shows=("fhir.capability.readback",))


def test_a_statement_with_the_searches_to_read_back_by(bench: Bench) -> None:
    story = bench.story(bench.ehr(**saying(DOCUMENTS, ENCOUNTERS)), resources_needed=["DocumentReference"])
    bench.check(story, None, "2.2 fhir.capability.readback", quiet=("fhir.capability.readback",))


@pytest.mark.parametrize("supported", [False, True])
def test_a_conditional_create(supported: bool, bench: Bench) -> None:
    ehr = bench.ehr(**saying(resource("DocumentReference", *TAKES, conditionalCreate=supported), ENCOUNTERS))
    condition = "identifier=urn:ietf:rfc:3986|T-100"
    request = {"method": "POST", "url": "DocumentReference", "ifNoneExist": condition}
    story = bench.story(ehr).delivered()
    story.chart().payload(
        {"resourceType": "Bundle", "type": "transaction", "entry": [{"resource": document(), "request": request}]}
    )
    told: dict[str, Any] = {"quiet" if supported else "shows": ("fhir.capability.cond_create",)}
    bench.check(story, None, "2.2 fhir.capability.cond_create: W, never alone", mode="delivered", exit=0, **told)


PROFILES: dict[str, tuple[list[str] | None, bool]] = {
    "another": (["https://ehr.example/StructureDefinition/clinic-note"], True),
    "this": ([US_CORE], False),
    "this_with_its_version": ([f"{US_CORE}|6.1.0"], False),
    "none_told": (None, False),
}


@pytest.mark.parametrize("name", PROFILES)
def test_the_profiles_the_server_supports(name: str, bench: Bench) -> None:
    listed, wrong = PROFILES[name]
    ehr = bench.ehr(**saying(resource("DocumentReference", *TAKES, supportedProfile=listed), ENCOUNTERS))
    story = bench.story(ehr, profile=US_CORE, resources_needed=["DocumentReference"])
    row = ("fhir.capability.profile",)
    why = "2.2 fhir.capability.profile: M; supportedProfile is optional"
    if wrong:
        bench.check(story, (None, *row), why, exit=(0, 1), shows=row)
    else:
        bench.check(story, None, why, quiet=row)


def with_codes(story: Story, output: list[str]) -> Story:
    """The story of a site that maps the assessment to coded diagnoses."""
    mapping = rules(output=output)
    if "discrete" in output:
        mapping["rules"].append({"section": "assessment", "field": "DX"})
    return story.file("template", template()).file("mapping", mapping)


def test_a_server_that_takes_notes_but_no_codes(bench: Bench) -> None:
    ehr = bench.ehr(**saying(DOCUMENTS, ENCOUNTERS, resource("Condition", "read", "search-type")))
    story = with_codes(bench.story(ehr), ["narrative", "discrete"])
    why = "2.4 map.interface.no_discrete: no create of Condition, Observation, ServiceRequest"
    bench.check(story, "map.interface.no_discrete", why, certainty=("likely", "possible"))


@pytest.mark.parametrize("output", [["narrative"], ["narrative", "discrete"]])
def test_a_server_that_takes_what_is_put_out(output: list[str], bench: Bench) -> None:
    kinds = ("Condition", "Observation", "ServiceRequest", "MedicationRequest") if "discrete" in output else ()
    ehr = bench.ehr(**saying(DOCUMENTS, ENCOUNTERS, *(resource(kind, *TAKES) for kind in kinds)))
    story = with_codes(bench.story(ehr), output)
    bench.check(story, None, "2.4 map.interface.no_discrete", quiet=("map.interface.no_discrete",))


def test_a_server_that_calls_itself_otherwise(bench: Bench) -> None:
    inner = {"description": "Production", "url": "http://fhir-internal-01.lan:8080/baseR4"}
    story = bench.story(bench.ehr(**saying(implementation=inner)))
    rows = ("fhir.base.path_rewritten", "net.revproxy.rewrite")
    bench.check(story, (None, *rows), "2.2 fhir.base.path_rewritten", exit=(0, 1), shows=rows[:1])


def test_a_server_that_calls_itself_by_its_name(bench: Bench) -> None:
    quiet = ("fhir.base.path_rewritten", "net.revproxy.rewrite")
    bench.check(bench.story(bench.ehr()), None, "2.2 fhir.base.path_rewritten", quiet=quiet)


def test_a_gateway_without_a_route(bench: Bench) -> None:
    said = answer(404, {"message": "no Route matched with those values"}, JSON | {"server": "kong/3.4.0"})
    ehr = bench.ehr(routes={("POST", "/r4/DocumentReference"): lambda *_: said})
    bench.check(bench.story(ehr, write=True), "net.gateway.unrouted", "2.5 net.gateway.unrouted: a non-FHIR 404")


def test_a_type_the_server_itself_does_not_know(bench: Bench) -> None:
    unknown = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "not-supported"}]}
    ehr = bench.ehr(routes={("POST", "/r4/DocumentReference"): lambda *_: answer(404, unknown, FHIR)})
    cause = ("fhir.request.method_path", "fhir.capability.create_missing")
    bench.check(bench.story(ehr, write=True), cause, "2.2 fhir.request.method_path", quiet=("net.gateway.unrouted",))


# --- names


def named(bench: Bench) -> Ehr:
    """An EHR that is known by a name."""
    ehr = bench.ehr(bench.tls(sign("ehr", ROOT, hosts=(HOST, "127.0.0.1"))))
    ehr.url = ehr.url.replace("127.0.0.1", HOST)
    return ehr


@pytest.mark.parametrize("other", ["127.0.0.2", "127.0.0.1"])
def test_a_name_with_two_faces(other: str, bench: Bench) -> None:
    ehr = named(bench)
    port = int(ehr.url.rpartition(":")[2])
    bench.loop.http(ehr, bench.tls(sign("ehr", ROOT, hosts=(HOST,))), host="127.0.0.2", port=port)
    row = ("net.dns.split_horizon",)
    with nameserver(0, "127.0.0.1") as here, nameserver(0, other) as there:
        places = [{"name": "satellite", "resolver": f"127.0.0.1:{there}"}]
        story = bench.story(ehr, resolver=f"127.0.0.1:{here}", segments=places)
        if other == "127.0.0.1":
            bench.check(story, None, "2.5 net.dns.split_horizon: one answer everywhere", quiet=row)
        else:
            bench.check(story, (None, *row), "2.5 net.dns.split_horizon: M", exit=(0, 1), shows=row)


@pytest.mark.parametrize(
    ("before", "changed"), [(["127.0.0.9"], True), (["127.0.0.1"], False), (["127.0.0.2", "127.0.0.1"], False)]
)
def test_a_name_that_moved(before: list[str], changed: bool, bench: Bench) -> None:
    ehr = named(bench)
    row = ("net.dns.changed",)
    now = ["127.0.0.1"] if len(before) == 1 else ["127.0.0.1", "127.0.0.2"]
    if len(now) > 1:
        bench.loop.http(ehr, bench.tls(sign("ehr", ROOT, hosts=(HOST,))), "127.0.0.2", int(ehr.url.rpartition(":")[2]))
    with nameserver(0, *now) as port:
        story = bench.story(ehr, resolver=f"127.0.0.1:{port}").file("baseline", {"dns": {HOST: before}})
        if changed:
            bench.check(story, (None, *row), "2.5 net.dns.changed: M", exit=(0, 1), shows=row)
        else:
            bench.check(story, None, "2.5 net.dns.changed: the same set, in any order", quiet=row)


@pytest.mark.parametrize("rcode", [3, 0])
def test_a_place_that_does_not_find_the_server(rcode: int, bench: Bench) -> None:
    ehr = named(bench)
    with nameserver(0, "127.0.0.1") as here, nameserver(rcode, *([] if rcode else ["127.0.0.1"])) as there:
        places = [{"name": "satellite", "resolver": f"127.0.0.1:{there}"}]
        story = bench.story(ehr, resolver=f"127.0.0.1:{here}", segments=places)
        if rcode:
            bench.check(story, "net.segment.divergence", "2.5 net.segment.divergence: NET D")
        else:
            bench.check(story, None, "2.5 net.segment.divergence", quiet=("net.segment.divergence",))


def test_a_place_whose_proxy_is_shut(bench: Bench) -> None:
    places = [{"name": "satellite", "proxy": f"http://127.0.0.1:{closed_port()}"}]
    story = bench.story(bench.ehr(), segments=places)
    bench.check(story, "net.segment.divergence", "2.5 net.segment.divergence: hospital works and satellite fails")


@pytest.mark.parametrize("before", ["7.3", "7.4"])
def test_software_against_the_baseline(before: str, bench: Bench) -> None:
    ehr = bench.ehr()
    facts = {"capability": {"software": "Tiny EHR", "software_version": before, "fhir_version": "4.0.1"}}
    story = bench.story(ehr).file("baseline", facts)
    row = ("fhir.capability.changed",)
    if before == "7.3":
        bench.check(story, (None, *row), "2.2 fhir.capability.changed: M", exit=(0, 1), shows=row)
    else:
        bench.check(story, None, "2.2 fhir.capability.changed: the date of the statement does not count", quiet=row)


# --- certificates


def spki(signed: Signed) -> str:
    """The pin of a certificate's key, as RFC 7469 writes it."""
    encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    key = signed.certificate.public_key().public_bytes(encoding, form)
    return "sha256/" + base64.b64encode(hashlib.sha256(key).digest()).decode()


@pytest.mark.parametrize("name", ["leaf", "authority", "another"])
def test_the_pins(name: str, bench: Bench) -> None:
    leaf = sign("127.0.0.1", ROOT, hosts=("127.0.0.1",))
    pins = {"leaf": [spki(leaf)], "authority": [spki(ROOT)], "another": [spki(sign("Else", ca=True))]}[name]
    ehr = bench.ehr(bench.tls(leaf, ROOT))
    why = "2.5 net.tls.pin_mismatch: the presented key or CA is not in the pin set while the chain verifies"
    if name == "another":
        bench.check(bench.story(ehr, tls_pins=pins), "net.tls.pin_mismatch", why)
    else:
        bench.check(bench.story(ehr, tls_pins=pins), None, why, quiet=("net.tls.pin_mismatch",))


def test_an_inspection_product_issued_the_certificate(bench: Bench) -> None:
    middle = sign("Zscaler Intermediate Root CA (zscalertwo.net)", ROOT, ca=True)
    story = bench.story(bench.ehr(bench.tls(sign("127.0.0.1", middle, hosts=("127.0.0.1",)), middle)))
    row = ("net.proxy.tls_inspection",)
    why = "2.5 net.proxy.tls_inspection: warn while trusted"
    bench.check(story, (None, *row), why, exit=(0, 1), shows=row)


def test_an_inspection_product_nobody_here_trusts(bench: Bench) -> None:
    root = sign("FortiGate CA", ca=True)
    story = bench.story(bench.ehr(bench.tls(sign("127.0.0.1", root, hosts=("127.0.0.1",)), root)))
    causes = ("net.proxy.tls_inspection", "net.tls.untrusted_root")
    why = "2.5 net.proxy.tls_inspection: blocks where trust fails"
    bench.check(story, causes, why, shows=("net.proxy.tls_inspection",))


def test_a_hospital_with_an_authority_of_its_own(bench: Bench) -> None:
    middle = sign("North Campus Internal CA 2", ROOT, ca=True)
    story = bench.story(bench.ehr(bench.tls(sign("127.0.0.1", middle, hosts=("127.0.0.1",)), middle)))
    bench.check(story, None, "2.5 net.proxy.tls_inspection: private PKI", quiet=("net.proxy.tls_inspection",))
