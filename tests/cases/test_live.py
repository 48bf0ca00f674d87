"""The same judge on the wire: servers of our own from the standards, and what must be concluded from meeting them."""

import ssl
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from tests.cases.bench import OTHER, ROOT, Bench, jwk
from tests.cases.certificates import Signed, sign
from tests.cases.servers import FHIR, HTML, JSON, Answer, answer, closed_port, deaf_port, nameserver


def test_a_server_in_good_order_has_no_cause(bench: Bench) -> None:
    ehr = bench.ehr()
    bench.check(bench.story(ehr, write=True), None, "0 causes")
    created = [path for method, path in ehr.asked if method == "POST" and path.startswith("/r4/")]
    assert len(created) == 1, "at most one resource is created per run"


def test_without_a_canary_nothing_is_written(bench: Bench) -> None:
    ehr = bench.ehr()
    bench.check(bench.story(ehr), None, "cases.md rules of conduct")
    assert not [path for method, path in ehr.asked if method != "GET" and path != "/token"]


CERTIFICATES: dict[str, tuple[Callable[[], Signed], str | None]] = {
    "expired": (lambda: sign("127.0.0.1", ROOT, hosts=("127.0.0.1",), days=(-60, -1)), "net.tls.expired"),
    "not_yet_valid": (lambda: sign("127.0.0.1", ROOT, hosts=("127.0.0.1",), days=(2, 60)), "net.tls.not_yet_valid"),
    "other_host": (lambda: sign("ehr", ROOT, hosts=("ehr.other.example",)), "net.tls.hostname"),
    "other_address": (lambda: sign("ehr", ROOT, hosts=("127.0.0.9",)), "net.tls.hostname"),
    "self_signed": (lambda: sign("127.0.0.1", hosts=("127.0.0.1",)), "net.tls.untrusted_root"),
    "other_root": (lambda: sign("127.0.0.1", sign("Else", ca=True), hosts=("127.0.0.1",)), "net.tls.untrusted_root"),
    "ten_days_left": (lambda: sign("127.0.0.1", ROOT, hosts=("127.0.0.1",), days=(-300, 10)), None),
    "forty_days_left": (lambda: sign("127.0.0.1", ROOT, hosts=("127.0.0.1",), days=(-300, 40)), None),
}


@pytest.mark.parametrize("name", CERTIFICATES)
def test_the_certificate_is_judged(name: str, bench: Bench) -> None:
    make, cause = CERTIFICATES[name]
    ehr = bench.ehr(bench.tls(make()))
    document = bench.check(bench.story(ehr), cause, "2.5 net.tls rows")
    statuses = {c["id"]: c["status"] for step in document["steps"] for c in step["checks"]}
    assert (statuses["net.tls.expiring"] == "warning") == (name == "ten_days_left")


def test_a_missing_intermediate_is_told_from_an_unknown_root(bench: Bench) -> None:
    middle = sign("Tiny Intermediate", ROOT, ca=True)
    der = middle.certificate.public_bytes(serialization.Encoding.DER)
    port = bench.loop.http(lambda *_: answer(200, der, {"content-type": "application/pkix-cert"}))
    leaf = sign("127.0.0.1", middle, hosts=("127.0.0.1",), issuer_url=f"http://127.0.0.1:{port}/i.cer")
    ehr = bench.ehr(bench.tls(leaf))
    bench.check(bench.story(ehr), "net.tls.chain_incomplete", "2.5 chain_incomplete: AIA makes it verify")


def test_a_sent_intermediate_is_fine(bench: Bench) -> None:
    middle = sign("Tiny Intermediate", ROOT, ca=True)
    leaf = sign("127.0.0.1", middle, hosts=("127.0.0.1",))
    bench.check(bench.story(bench.ehr(bench.tls(leaf, middle))), None, "a whole chain")


def test_a_server_that_wants_our_certificate(bench: Bench) -> None:
    tls = bench.tls()
    tls.verify_mode = ssl.CERT_REQUIRED
    tls.load_verify_locations(cadata=ROOT.pem.decode())
    bench.check(bench.story(bench.ehr(tls)), "net.tls.client_cert", "2.5 net.tls.client_cert")


def test_a_closed_port(bench: Bench) -> None:
    story = bench.story(base=f"https://127.0.0.1:{closed_port()}")
    bench.check(story, "net.tcp.refused", "2.5 net.tcp.refused")


def test_a_silent_port(bench: Bench) -> None:
    with deaf_port() as port:
        story = bench.story(base=f"https://127.0.0.1:{port}", timeout_s=2)
        bench.check(story, "net.tcp.timeout", "2.5 net.tcp.timeout")


@pytest.mark.parametrize(("rcode", "cause"), [(3, "net.dns.nxdomain"), (2, "net.dns.servfail_timeout")])
def test_a_name_that_does_not_resolve(rcode: int, cause: str, bench: Bench) -> None:
    ehr = bench.ehr()
    with nameserver(rcode) as port:
        story = bench.story(ehr, resolver=f"127.0.0.1:{port}")
        story.integration["fhir_base_url"] = "https://fhir.northcampus.example/r4"
        document = bench.check(story, cause, "2.8 cascade 1: the token host works and its checks pass")
    auth = [c["status"] for c in document["steps"][0]["checks"]]
    assert "failed" not in auth and "passed" in auth


def test_a_key_set_without_the_key(bench: Bench) -> None:
    ehr = bench.ehr(keys=[jwk("2025-11", OTHER)], kids=("2025-11",))
    bench.check(
        bench.story(ehr), "auth.assertion.kid", "2.8 cascade 3", certainty=("proven",), never=("auth.client.invalid",)
    )


def test_a_key_set_with_another_key_of_that_name(bench: Bench) -> None:
    ehr = bench.ehr(keys=[jwk("2026-05", OTHER)], kids=())
    bench.check(bench.story(ehr), "auth.assertion.signature", "2.1: a new key was never published")


@pytest.mark.parametrize(
    "said",
    [
        answer(404, "<html>Not found</html>"),
        answer(401, b""),
        answer(302, b"", {"location": "https://x.example/login"}),
        answer(200, "<html>"),
    ],
    ids=["404", "401", "302", "html"],
)
def test_a_key_set_that_cannot_be_read(said: Answer, bench: Bench) -> None:
    ehr = bench.ehr(kids=(), routes={("GET", "/jwks"): lambda *_: said})
    bench.check(bench.story(ehr), "auth.jwks.unreachable", "2.1 auth.jwks.unreachable", never=("auth.assertion.kid",))


def test_two_keys_in_the_key_set_are_no_fault(bench: Bench) -> None:
    bench.check(bench.story(bench.ehr(keys=[jwk("2026-05"), jwk("2025-11", OTHER)])), None, "healthy: rotation")


@pytest.mark.parametrize(
    ("status", "error", "cause"),
    [
        (401, {"error": "invalid_client"}, "auth.client.invalid"),
        (400, {"error": "invalid_scope"}, "auth.scope.invalid"),
        (400, {"error": "unsupported_grant_type"}, "auth.request.malformed"),
        (503, "<html>503 Service Unavailable</html>", ("net.timeout.gateway", "ehr.server.error")),
        (429, {"error": "slow_down"}, "net.rate.limited"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_the_token_endpoint_says(status: int, error: Any, cause: Any, bench: Bench) -> None:
    headers = JSON if isinstance(error, dict) else HTML
    ehr = bench.ehr(routes={("POST", "/token"): lambda *_: answer(status, error, headers)})
    bench.check(bench.story(ehr), cause, "2.1 token rows")


def test_a_token_endpoint_that_moved(bench: Bench) -> None:
    ehr = bench.ehr(routes={("POST", "/old"): lambda *_: answer(404, "<html>gone</html>")})
    story = bench.story(ehr, auth={"token_url": f"{ehr.url}/old/token"})
    bench.check(story, "auth.discovery.token_endpoint_changed", "2.1 token_endpoint_changed")


def test_two_names_for_one_token_endpoint_are_no_fault(bench: Bench) -> None:
    ehr = bench.ehr()
    story = bench.story(ehr, auth={"token_url": f"{ehr.url}/token/", "audience": f"{ehr.url}/token"})
    ehr.routes[("POST", "/token/")] = lambda e, h, b: e.token(b)
    bench.check(story, None, "2.1: compare by a successful token request")


def test_a_clock_ten_minutes_off(bench: Bench) -> None:
    ehr = bench.ehr(date_shift_s=-600, kids=())
    bench.check(bench.story(ehr), "auth.assertion.clock_skew", "2.1 clock_skew > 300 s", sure=False)


def capability(**changes: Any) -> Callable[..., Answer]:
    return lambda ehr, *_: answer(200, ehr.capability() | changes)


SERVERS: dict[str, tuple[dict[str, Any], str | None]] = {
    "no_create": ({"create": False}, "fhir.capability.create_missing"),
    "dstu2": ({"version": "1.0.2"}, "fhir.version.mismatch"),
    "stu3": ({"version": "3.0.2"}, "fhir.version.mismatch"),
    "r4b_is_not_r4": ({"version": "5.0.0"}, "fhir.version.mismatch"),
    "says_sandbox": ({"description": "Vendor sandbox, synthetic patients only"}, "fhir.base.environment"),
    "base_is_html": (
        {"routes": {("*", "/r4"): lambda *_: answer(200, "<html><title>North Campus</title><h1>Services</h1>")}},
        "fhir.base.not_fhir",
    ),
    "metadata_404": (
        {"routes": {("*", "/r4"): lambda *_: answer(404, {"status": 404, "message": "no such path"}, JSON)}},
        "fhir.base.not_fhir",
    ),
    "metadata_other_json": (
        {"routes": {("GET", "/r4/metadata"): lambda *_: answer(200, {"ok": True}, JSON)}},
        "fhir.base.not_fhir",
    ),
    "metadata_protected": ({"routes": {("GET", "/r4/metadata"): lambda *_: answer(403, b"", FHIR)}}, None),
    "metadata_401": (
        {"routes": {("GET", "/r4/metadata"): lambda *_: answer(401, b"", {"www-authenticate": "Bearer"})}},
        None,
    ),
    "block_page": (
        {
            "routes": {
                ("*", "/"): lambda *_: answer(
                    403, "<html><title>Web Page Blocked</title>FortiGuard</html>", HTML | {"server": "FortiProxy"}
                )
            }
        },
        "net.proxy.block_page",
    ),
    "no_search_parameters": ({"routes": {("GET", "/r4/metadata"): capability(date="2020")}}, None),
}  # fmt: skip


@pytest.mark.parametrize("name", SERVERS)
def test_what_the_server_says_of_itself(name: str, bench: Bench) -> None:
    changes, cause = SERVERS[name]
    bench.check(bench.story(bench.ehr(**changes)).payload(), cause, "2.2 base, version, capability")


def refusing(status: int, body: Any = b"", headers: dict[str, str] | None = None) -> dict[str, Any]:
    return {"routes": {("POST", "/r4/DocumentReference"): lambda *_: answer(status, body, headers)}}


def issue(code: str, text: str = "") -> dict[str, Any]:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": code, "diagnostics": text}]}


SCOPE = {"www-authenticate": 'Bearer error="insufficient_scope", scope="system/DocumentReference.c"'}
WRITES: dict[str, tuple[dict[str, Any], Any]] = {
    "insufficient_scope": (refusing(403, b"", SCOPE), "perm.scope.write_missing"),
    "read_only_token": (
        refusing(403, issue("forbidden")) | {"scope": "system/DocumentReference.rs"},
        "perm.scope.write_missing",
    ),
    "read_only_v1": (refusing(403, issue("forbidden")) | {"scope": "system/*.read"}, "perm.scope.write_missing"),
    "reads_but_denies": (refusing(403, issue("forbidden")), "perm.read_ok_write_denied"),
    "closed": (refusing(422, issue("business-rule", "Encounter is signed and closed")), "perm.encounter.closed"),
    "rate": (refusing(429, b"", {"retry-after": "20"}), "net.rate.limited"),
    "gateway": (
        refusing(504, "<html><h1>504 Gateway Time-out</h1></html>", HTML | {"server": "nginx"}),
        "net.timeout.gateway",
    ),
    "crash": (refusing(500, issue("exception", "NullPointerException")), "ehr.server.error"),
    "unsupported_type": (refusing(415, issue("not-supported")), "fhir.request.content_type"),
    "method": (refusing(405, b"", {"allow": "GET"}), ("fhir.request.method_path", "fhir.capability.create_missing")),
    "proxy_lost_token": (
        refusing(401, b"", {"www-authenticate": 'Bearer realm="fhir"', "via": "1.1 proxy1"}),
        "net.proxy.auth_stripped",
    ),
    "login_wanted": (
        refusing(401, b"", {"www-authenticate": 'Bearer error="insufficient_user_authentication"'}),
        "auth.mfa.challenge",
    ),
}


@pytest.mark.parametrize("name", WRITES)
def test_what_the_canary_meets(name: str, bench: Bench) -> None:
    changes, cause = WRITES[name]
    bench.check(bench.story(bench.ehr(**changes), write=True), cause, "2.2, 2.5, 2.6, found by the canary")


def test_a_canary_that_cannot_be_read_back(bench: Bench) -> None:
    gone = {("GET", "/r4/DocumentReference"): lambda *_: answer(404, issue("not-found"))}
    bench.check(bench.story(bench.ehr(routes=gone), write=True), "fhir.readback.absent", "2.2 fhir.readback.absent")


def test_a_probe_that_fails_now_does_not_explain_a_note_that_arrived(bench: Bench) -> None:
    story = bench.story(bench.ehr(bench.tls(sign("127.0.0.1", ROOT, hosts=("127.0.0.1",), days=(-60, -0.01)))))
    story.delivered().chart()
    bench.check(
        story, (None, "net.tls.expired"), "section 0: history outranks a probe made now", mode="delivered", exit=(0, 1)
    )


def test_a_recorded_refusal_outranks_a_server_that_is_well_now(bench: Bench) -> None:
    story = bench.story(bench.ehr()).made().token("16:30:00").sent()
    story.refused(401, "", response_headers={"www-authenticate": 'Bearer error="invalid_token"'})
    bench.check(story, "auth.token.expired", "section 0: evidence of the instant outranks", mode="rejected")


def test_a_proxy_that_wants_a_login(bench: Bench) -> None:
    port = bench.loop.http(lambda *_: answer(407, b"", {"proxy-authenticate": 'Basic realm="p"'}))
    bench.check(bench.story(bench.ehr(), proxy=f"http://127.0.0.1:{port}"), "net.proxy.407", "2.5 net.proxy.407")
