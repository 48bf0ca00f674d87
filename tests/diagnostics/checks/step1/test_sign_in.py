"""Every check of the sign-in reaches passed and failed, and the false positives of the catalogue stay quiet."""

import json
from typing import Any

import pytest

from diagnostics.case import Auth, Case
from diagnostics.evidence.auth import DiscoveryDocument, PublishedKey
from diagnostics.evidence.base import Evidence
from diagnostics.vocabulary import Instant, Outcome, Strength
from tests.diagnostics.checks.seen import (
    answer,
    assertion,
    canary,
    capability,
    discovery,
    dns,
    fault,
    judged,
    keys,
    oauth,
    reads,
    signing,
    tcp,
    tls,
    token,
)
from tests.diagnostics.stories import BASE, START, TOKEN_URL, Row, case, ehr, integration, made, scribe

PASSED, FAILED, WARNING = Outcome.PASSED, Outcome.FAILED, Outcome.WARNING
UNKNOWN, NA, BLOCKED = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE, Outcome.BLOCKED
D, S, M = Strength.DECISIVE, Strength.STRONG, Strength.MODERATE
MOVED, NEW_URL = "auth.discovery.token_endpoint_changed", "https://new.example.test/t"
IDP = {"location": "https://idp.example.test/a"}
LOGIN = '<html><title>Sign in</title><form><input type="password" name="p"></form></html>'
INVALID = {"www-authenticate": 'Bearer error="invalid_token"'}
SILENT = {"www-authenticate": 'Bearer realm="x"'}
PERSON = Auth(flow="provider-context", token_url=TOKEN_URL, client_id="c", refresh_token="r")
SECRET = Auth(flow="client-secret", token_url=TOKEN_URL, client_id="c", client_secret="s")


def refused(error: str, status: int = 400, **more: Any) -> list[Row]:
    """Return a note whose token request was refused."""
    body = json.dumps({"error": error})
    return [*made(), scribe(2, "token", **more), scribe(3, "failed", url=TOKEN_URL, status=status, error=body)]


def written(status: int, *, sent_at: float = 10, expires_in: float | None = 300, **more: Any) -> list[Row]:
    """Return a note that got a token and was refused."""
    issued = scribe(2, "token", status=200, expires_in=expires_in)
    return [*made(), issued, scribe(sent_at, "sent"), scribe(sent_at + 1, "failed", status=status, **more)]


def on(auth: Auth, rows: list[Row] | None = None, trail: list[Row] | None = None, **more: Any) -> Case:
    """Return a case with this sign-in."""
    return case(rows, trail, integration=integration(auth=auth, **more))


def rotated(what: str = "client secret", kind: str = "credential", **more: Any) -> dict[str, Any]:
    """Return a change row before the failure."""
    return {"at": START.isoformat(), "event": "change", "change": {"kind": kind, "what": what} | more}


SIGNING = case(integration=signing())
LIVE: list[tuple[str, Case, list[Evidence], Outcome, Strength | None]] = [
    ("auth.discovery.unreachable", SIGNING, [discovery()], PASSED, None),
    ("auth.discovery.unreachable", SIGNING, [discovery(None)], FAILED, M),
    ("auth.discovery.unreachable", case(integration=signing(token_url=None)), [discovery(None)], FAILED, S),
    ("auth.discovery.unreachable", SIGNING, [discovery(None), token()], WARNING, None),
    ("auth.discovery.unreachable", SIGNING, [discovery(None), capability(token_endpoint=TOKEN_URL)], WARNING, None),
    (MOVED, SIGNING, [discovery(TOKEN_URL + "/")], PASSED, None),
    (MOVED, SIGNING, [discovery("HTTPS://AUTH.example.test:443/token")], PASSED, None),
    (MOVED, SIGNING, [discovery(NEW_URL), token(404, "nothing here")], FAILED, D),
    (MOVED, SIGNING, [discovery(NEW_URL), dns("nxdomain", "auth.example.test")], FAILED, D),
    (MOVED, SIGNING, [discovery(NEW_URL)], FAILED, S),  # nothing was posted there
    (MOVED, case([*made(), scribe(2, "token", status=200)], integration=signing()), [discovery(NEW_URL)], WARNING,
     None),
    (MOVED, SIGNING, [discovery(NEW_URL), token()], WARNING, None),
    (MOVED, SIGNING, [discovery(NEW_URL), oauth("invalid_client")],
     FAILED, M),
    ("auth.discovery.capability_missing", SIGNING, [discovery(capabilities=("client-confidential-asymmetric",))],
     PASSED, None),
    ("auth.discovery.capability_missing", SIGNING,
     [discovery(capabilities=("client-confidential-symmetric",)), oauth("invalid_client")], FAILED, S),
    ("auth.discovery.capability_missing", case(integration=signing(scopes=("system/DocumentReference.c",))),
     [discovery(capabilities=("client-confidential-asymmetric", "permission-v1")), oauth("invalid_scope")], FAILED, S),
    ("auth.discovery.capability_missing", case(integration=signing(scopes=("system/DocumentReference.write",))),
     [discovery(capabilities=("client-confidential-asymmetric", "permission-v1")), oauth("invalid_scope")], PASSED,
     None),
    ("auth.discovery.capability_missing", SIGNING, [discovery(), oauth("invalid_client")], UNKNOWN, None),
    ("auth.discovery.capability_missing", SIGNING, [discovery(auth_methods=("private_key_jwt",))], PASSED, None),
    ("auth.discovery.capability_missing", SIGNING, [discovery(auth_methods=("client_secret_basic",)), token()],
     WARNING, None),
    ("auth.discovery.capability_missing", SIGNING,
     [discovery(auth_methods=("client_secret_basic",)), oauth("invalid_client")], FAILED, S),
    ("auth.discovery.capability_missing", SIGNING, [discovery()], UNKNOWN, None),
    ("auth.refresh.invalid", on(PERSON), [oauth("invalid_grant", flow="provider-context", grant="refresh_token")],
     FAILED, D),
    ("auth.refresh.invalid", on(PERSON), [token(flow="provider-context", grant="refresh_token")], PASSED, None),
    ("auth.refresh.invalid", SIGNING, [oauth("invalid_grant")], NA, None),
    ("auth.client.invalid", SIGNING, [oauth("invalid_client", 401)], FAILED, S),
    ("auth.client.invalid", SIGNING, [token()], PASSED, None),
    ("auth.client.invalid", SIGNING, [oauth("unauthorized_client")], PASSED, None),
    ("auth.scope.invalid", SIGNING, [oauth("invalid_scope")], FAILED, S),
    ("auth.scope.invalid", SIGNING, [token()], PASSED, None),
    ("auth.request.malformed", SIGNING, [oauth("unsupported_grant_type")], FAILED, S),
    ("auth.request.malformed", SIGNING, [token()], PASSED, None),
    ("auth.grant.not_entitled", SIGNING, [oauth("unauthorized_client")], FAILED, S),
    ("auth.grant.not_entitled", SIGNING, [oauth("invalid_client", 401)], PASSED, None),
    ("auth.assertion.exp", SIGNING, [assertion()], PASSED, None),
    ("auth.assertion.exp", SIGNING, [assertion(exp=START.timestamp() + 3600)], FAILED, D),
    ("auth.assertion.exp", SIGNING, [assertion(exp=START.timestamp() - 30)], FAILED, D),
    ("auth.assertion.exp", SIGNING, [assertion(exp=START.timestamp() - 1)], FAILED, S),
    ("auth.assertion.exp", SIGNING, [assertion(exp=None)], FAILED, D),
    ("auth.assertion.exp", SIGNING, [assertion(exp="soon")], FAILED, D),
    ("auth.assertion.exp", SIGNING, [assertion(iat=None)], UNKNOWN, None),
    ("auth.assertion.clock_skew", SIGNING, [oauth("invalid_client", clock_offset_s=420.0)], FAILED, D),
    ("auth.assertion.clock_skew", SIGNING, [token(clock_offset_s=420.0)], WARNING, None),
    ("auth.assertion.clock_skew", SIGNING, [oauth("invalid_client", clock_offset_s=-45.0)], PASSED, None),
    ("auth.assertion.clock_skew", SIGNING, [token()], UNKNOWN, None),
    ("auth.assertion.aud", SIGNING, [assertion()], PASSED, None),
    ("auth.assertion.aud", SIGNING, [assertion(aud=TOKEN_URL + "/")], FAILED, D),
    ("auth.assertion.aud", SIGNING, [assertion(aud=[TOKEN_URL])], FAILED, S),
    ("auth.assertion.aud", SIGNING, [assertion(aud=BASE), discovery(issuer=BASE)], FAILED, M),
    ("auth.assertion.aud.settings", case(integration=signing(audience=BASE)), [oauth("invalid_client")], FAILED, S),
    ("auth.assertion.aud.settings", case(integration=signing(audience=BASE)), [token()], PASSED, None),
    ("auth.assertion.aud.settings", case(integration=signing(audience=BASE)), [oauth("invalid_client"), keys()],
     FAILED, D),
    ("auth.assertion.aud.settings", case(integration=signing(audience=BASE)),
     [oauth("invalid_client"), keys(PublishedKey("k2", "RSA", thumbprint="t1"))], FAILED, S),
    ("auth.assertion.iss_sub", SIGNING, [assertion()], PASSED, None),
    ("auth.assertion.iss_sub", SIGNING, [assertion(sub="other")], FAILED, D),
    ("auth.assertion.iss_sub", SIGNING, [assertion(iss="other", sub="other")], FAILED, D),
    ("auth.assertion.alg_typ", SIGNING, [assertion()], PASSED, None),
    ("auth.assertion.alg_typ", SIGNING, [assertion(alg="RS256"), discovery(signing_algorithms=("RS384",))], FAILED, S),
    ("auth.assertion.alg_typ", SIGNING, [assertion(alg="RS256"), discovery(signing_algorithms=("RS384",)),
                                         oauth("invalid_client")], FAILED, D),
    ("auth.assertion.alg_typ", SIGNING, [assertion(alg="RS256"), discovery(signing_algorithms=("RS384",)),
                                         oauth("invalid_scope")], PASSED, None),
    ("auth.assertion.alg_typ", SIGNING, [assertion(alg="RS256")], FAILED, S),
    ("auth.assertion.alg_typ", SIGNING, [assertion(alg="RS256"), token()], PASSED, None),
    ("auth.assertion.alg_typ", SIGNING, [assertion(typ="at+jwt")], FAILED, S),
    ("auth.assertion.kid.header", SIGNING, [assertion(), oauth("invalid_client")], PASSED, None),
    ("auth.assertion.kid.header", SIGNING, [assertion(kid=None), oauth("invalid_client")], FAILED, D),
    ("auth.assertion.kid.header", SIGNING, [assertion(kid=None), token()], WARNING, None),
    ("auth.assertion.kid.header", SIGNING, [assertion(kid=None), oauth("invalid_scope")], WARNING, None),
    ("auth.assertion.kid.header", SIGNING, [], UNKNOWN, None),
    ("auth.assertion.kid", SIGNING, [keys()], PASSED, None),
    ("auth.assertion.kid", SIGNING, [keys(PublishedKey("k1", "RSA"), PublishedKey("k2", "EC"))], PASSED, None),
    ("auth.assertion.kid", SIGNING, [keys(PublishedKey("k2", "RSA"))], FAILED, D),
    ("auth.assertion.kid", SIGNING, [keys(PublishedKey("k1", "EC"))], FAILED, D),
    ("auth.assertion.kid", SIGNING, [keys(PublishedKey("k1", "RSA"), PublishedKey("k1", "RSA"))], FAILED, D),
    ("auth.assertion.kid", SIGNING, [keys(), assertion(kid=None)], FAILED, D),
    ("auth.assertion.kid", SIGNING, [keys(PublishedKey("k2", "RSA")), token()], WARNING, None),
    ("auth.assertion.signature", SIGNING, [keys()], PASSED, None),
    ("auth.assertion.signature", SIGNING, [keys(PublishedKey("k1", "RSA", thumbprint="t2"))], FAILED, D),
    ("auth.assertion.signature", SIGNING, [keys(assertion_verifies=False)], FAILED, D),
    ("auth.assertion.signature", SIGNING, [keys(assertion_verifies=True, own_key="t9")], PASSED, None),
    ("auth.assertion.signature", SIGNING, [keys(own_key="")], UNKNOWN, None),
    ("auth.jwks.unreachable", SIGNING, [keys()], PASSED, None),
    ("auth.jwks.unreachable", SIGNING, [keys(answer=answer(404))], FAILED, D),
    ("auth.jwks.unreachable", SIGNING, [keys(answer=answer(302, headers=IDP))], FAILED, D),
    ("auth.jwks.unreachable", SIGNING, [keys(problem="the answer is not JSON")], FAILED, D),
    ("auth.jwks.unreachable", SIGNING, [keys(answer=answer(404)), token()], WARNING, None),
    ("auth.jwks.unreachable", SIGNING, [dns("nxdomain", "keys.example.test")], FAILED, D),
    ("auth.jwks.unreachable", SIGNING, [tcp("refused", "keys.example.test")], FAILED, D),
    ("auth.jwks.unreachable", SIGNING, [tls(fault("tls", verify_code=10), "keys.example.test")], FAILED, D),
    ("auth.jwks.unreachable", SIGNING, [tls(fault("tls", verify_code=10)), keys()], PASSED, None),
    ("auth.jwks.unreachable", SIGNING, [tls(fault("proxy", "proxy", proxy_status=407), "keys.example.test")], BLOCKED,
     None),
    ("auth.jwks.unreachable", SIGNING, [tcp("refused", "keys.example.test", hop="proxy.example.test:3128")], BLOCKED,
     None),
    ("auth.mfa.challenge", on(PERSON), [oauth("interaction_required")], FAILED, D),
    ("auth.mfa.challenge", SIGNING, [oauth("login_required")], FAILED, S),
    ("auth.mfa.challenge", on(PERSON), [token(200, LOGIN, granted=False)], FAILED, D),
    ("auth.mfa.challenge", on(PERSON), [token(302, granted=False, headers=IDP)], FAILED, D),
    ("auth.mfa.challenge", on(PERSON), [token(), reads(401, headers={
        "www-authenticate": 'Bearer error="insufficient_user_authentication"'})], FAILED, D),
    ("auth.mfa.challenge", on(PERSON), [token(), reads(), canary()], PASSED, None),
    ("auth.mfa.challenge", on(PERSON), [oauth("invalid_client")], PASSED, None),
    ("auth.assertion.jti_reuse", SIGNING,
     [token(400, '{"error": "invalid_client", "error_description": "jti has already been used"}')], FAILED, S),
    ("auth.assertion.jti_reuse", SIGNING, [oauth("invalid_client")], PASSED, None),
]  # fmt: skip


@pytest.mark.parametrize(("check", "of", "evidence", "status", "strength"), LIVE)
def test_a_check_of_the_sign_in_judges_what_is_seen_now(
    check: str, of: Case, evidence: list[Evidence], status: Outcome, strength: Strength | None
) -> None:
    finding = judged(check, *evidence, of=of)
    assert (finding.status, finding.strength if status is FAILED else None) == (status, strength), finding.says


LATER = ehr(99, "change", change={"kind": "credential"})
GONE = rotated("client deactivated", to="inactive")
V1 = "https://ehr.example.test/v1"
PRACTICE = Auth(flow="client-secret", token_url=TOKEN_URL, client_id="c", client_secret="s", practice_id="100")
RECORDED: list[tuple[str, Case, Outcome, Strength | None]] = [
    ("auth.refresh.invalid.log", on(PERSON, refused("invalid_grant")), FAILED, D),
    ("auth.refresh.invalid.log", on(PERSON, written(422)), PASSED, None),
    ("auth.client.invalid", on(SECRET, refused("invalid_client", 401)), FAILED, S),
    ("auth.client.invalid", on(SECRET, written(422)), PASSED, None),
    ("auth.client.deactivated", on(SECRET, refused("unauthorized_client"), [rotated("x")]), FAILED, S),
    ("auth.client.deactivated", on(SECRET, refused("access_denied", 500), [GONE]), FAILED, S),
    ("auth.client.deactivated", on(SECRET, refused("invalid_client"), [GONE]), FAILED, S),
    ("auth.client.deactivated", on(SECRET, refused("invalid_client"), [rotated()]), PASSED, None),
    ("auth.client.deactivated", on(SECRET, refused("unauthorized_client"), []), PASSED, None),
    ("auth.credential.rotated", on(SECRET, refused("invalid_client"), [rotated()]), FAILED, S),
    ("auth.credential.rotated", on(SECRET, refused("invalid_client"), [GONE]), PASSED, None),
    ("auth.credential.rotated", on(SECRET, refused("invalid_client"), [rotated(kind="template")]), PASSED, None),
    ("auth.credential.rotated", on(SECRET, written(422), [rotated()]), PASSED, None),
    ("auth.credential.rotated", on(SECRET, refused("invalid_client"), [LATER]),
     PASSED, None),
    ("auth.client.wrong_environment",
     on(SECRET, refused("invalid_client"), vendor="epic", environment="production",
        fhir_base_url="https://fhir.epic.com/interconnect-fhir-oauth/api/FHIR/R4"), FAILED, S),
    ("auth.client.wrong_environment", on(SECRET, refused("invalid_client"), vendor="epic", environment="production"),
     PASSED, None),
    ("auth.request.malformed", on(SECRET, refused("invalid_request", content_type="application/json")), FAILED, S),
    ("auth.request.malformed", on(SECRET, refused("invalid_client", 401)), PASSED, None),
    ("auth.token.expired", case(written(401, sent_at=900)), FAILED, D),
    ("auth.token.expired", case(written(401, sent_at=330)), FAILED, S),
    ("auth.token.expired", case(written(401, sent_at=330, response_headers=INVALID)), FAILED, D),
    ("auth.token.expired", case(written(401, sent_at=100)), PASSED, None),
    ("auth.token.expired", case(written(422, sent_at=900)), NA, None),
    ("auth.token.expired", case(written(401, expires_in=None, response_headers=INVALID)), FAILED, M),
    ("auth.token.expired", case(written(401, expires_in=None)), UNKNOWN, None),
    ("auth.http401.classify", case(written(401, expires_in=None, response_headers=INVALID)), FAILED, M),
    ("auth.http401.classify", case(written(401, response_headers=INVALID)), UNKNOWN, None),
    ("auth.http401.classify", case(written(401, response_headers=SILENT)), FAILED, M),
    ("auth.http401.classify", case(written(401)), UNKNOWN, None),
    ("auth.http401.classify", case(written(422)), PASSED, None),
    ("auth.mfa.challenge.log", on(PERSON, refused("interaction_required")), FAILED, D),
    ("auth.mfa.challenge.log", on(PERSON, written(200, error=LOGIN)), FAILED, D),
    ("auth.mfa.challenge.log", on(PERSON, written(422)), PASSED, None),
    ("auth.apikey.missing", on(Auth(flow="api-key"), written(401)), FAILED, D),
    ("auth.apikey.missing", on(SECRET, written(401), vendor="eclinicalworks"), FAILED, S),
    ("auth.apikey.missing", on(SECRET, written(401, response_headers=INVALID), vendor="eclinicalworks"), PASSED, None),
    ("auth.apikey.missing", on(SECRET, written(401)), NA, None),
    ("auth.practice.scope",
     on(PRACTICE, written(403), [rotated("practice", "endpoint", **{"from": "100", "to": "200"})]), FAILED, S),
    ("auth.practice.scope", on(PRACTICE, written(404), fhir_base_url=f"{V1}/200/fhir"), FAILED, S),
    ("auth.practice.scope", on(PRACTICE, written(404), fhir_base_url=f"{V1}/100/fhir"),
     PASSED, None),
    ("auth.practice.scope", case(written(403)), NA, None),
]  # fmt: skip


@pytest.mark.parametrize(("check", "of", "status", "strength"), RECORDED)
def test_a_check_of_the_sign_in_judges_what_was_recorded(
    check: str, of: Case, status: Outcome, strength: Strength | None
) -> None:
    finding = judged(check, of=of)
    assert (finding.status, finding.strength if status is FAILED else None) == (status, strength), finding.says


def test_a_token_that_came_excuses_whatever_the_assertion_says() -> None:
    rows = [*made(), scribe(2, "token", status=200, expires_in=300), scribe(3, "sent"), scribe(4, "failed", status=422)]
    for check in ("auth.assertion.exp", "auth.assertion.aud", "auth.assertion.iss_sub"):
        bad = assertion(exp=None, aud="x", iss="y")
        assert judged(check, bad, of=case(rows, integration=signing())).status is PASSED


def test_the_date_header_of_the_recorded_refusal_shows_the_clock() -> None:
    def story(date: str) -> Case:
        rows = refused("invalid_client")
        rows[-1]["response_headers"] = {"date": date}
        return case(rows, [], integration=signing())

    finding = judged("auth.assertion.clock_skew.log", of=story("Mon, 02 Mar 2026 17:08:00 GMT"))
    assert (finding.status, finding.strength, finding.instant) == (FAILED, D, Instant.THEN)
    assert judged("auth.assertion.clock_skew.log", of=story("Mon, 02 Mar 2026 16:58:40 GMT")).status is PASSED
    assert judged("auth.assertion.clock_skew.log", of=story("")).status is UNKNOWN


def test_a_lifetime_that_shrank_matters_only_where_tokens_ended() -> None:
    def story(now: float, status: int, before: int | None = 3600) -> Case:
        facts = {"token": {"lifetime_s": before}} if before else {}
        return case(written(status, expires_in=now), baseline=facts)

    assert judged("auth.token.ttl_changed", of=story(300, 401)).status is FAILED
    assert judged("auth.token.ttl_changed", of=story(300, 422)).status is WARNING
    assert judged("auth.token.ttl_changed", of=story(3590, 401)).status is PASSED
    assert judged("auth.token.ttl_changed", of=story(3590, 401, None)).status is UNKNOWN


def test_a_token_used_after_its_end_again_and_again_is_a_cache_s_fault() -> None:
    def story(times: list[float]) -> Case:
        return case(
            [scribe(0, "token", token_id="t", expires_in=60), *[scribe(t, "sent", token_id="t") for t in times]]
        )

    assert judged("auth.token.cached_past_expiry", of=story([100, 200])).status is FAILED
    assert judged("auth.token.cached_past_expiry", of=story([10, 20])).status is PASSED
    assert judged("auth.token.cached_past_expiry", of=case([scribe(0, "sent")])).status is UNKNOWN


def test_one_assertion_id_twice_is_a_replay() -> None:
    def story(second: str, status: int = 400) -> Case:
        rows = [*made(), scribe(2, "token", jti="a"), scribe(5, "token", jti=second)]
        rows += [scribe(6, "failed", url=TOKEN_URL, status=400)] if status == 400 else []
        return case(rows, integration=signing())

    assert judged("auth.assertion.jti_reuse.log", of=story("a")).status is FAILED
    assert judged("auth.assertion.jti_reuse.log", of=story("b")).status is PASSED
    assert judged("auth.assertion.jti_reuse.log", of=story("a", 200)).status is WARNING
    assert judged("auth.assertion.jti_reuse.log", of=case(made(), integration=signing())).status is UNKNOWN


@pytest.mark.parametrize(
    ("check", "words"),
    [
        ("auth.assertion.exp.said", "assertion expired"),
        ("auth.assertion.aud.said", "audience is wrong"),
        ("auth.assertion.iss_sub.said", "issuer does not match subject"),
        ("auth.assertion.alg_typ.said", "algorithm not supported"),
        ("auth.assertion.kid.said", "no matching key for kid"),
        ("auth.assertion.signature.said", "signature verification failed"),
        ("auth.jwks.unreachable.said", "could not fetch the JWKS url: unable to retrieve jwks"),
    ],
)
def test_the_words_of_a_token_server_are_a_hint(check: str, words: str) -> None:
    said = token(401, json.dumps({"error": "invalid_client", "error_description": words}))
    finding = judged(check, said, of=SIGNING)
    assert (finding.status, finding.strength) in ((FAILED, S), (FAILED, M)), finding.says
    assert judged(check, token(), of=SIGNING).status is PASSED
    assert judged(check, oauth("invalid_client"), of=SIGNING).status is PASSED


def test_several_documents_are_read_together() -> None:
    two = discovery()
    moved = DiscoveryDocument(url=BASE, token_endpoint="https://other.example.test/t")
    both = type(two)(answers=two.answers, documents=(moved, *two.documents))
    assert judged("auth.discovery.token_endpoint_changed", both, of=SIGNING).status is PASSED
