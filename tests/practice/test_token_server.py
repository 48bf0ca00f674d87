import json
import time

import pytest

from diagnostics.practice import PracticeEhr
from tests.practice.visitor import ASSERTION_TYPE, Visitor


def error_of(reply):
    return reply.status, json.loads(reply.body)["error"]


def test_a_good_assertion_yields_a_token_with_lifetime_and_scope(visitor: Visitor):
    reply = visitor.token_reply()
    answer = json.loads(reply.body)
    assert reply.status == 200
    assert answer["token_type"] == "Bearer"
    assert answer["expires_in"] == 300
    assert "system/DocumentReference.write" in answer["scope"]
    assert reply.headers["cache-control"] == "no-store"


def test_es384_is_accepted_as_well(visitor: Visitor):
    header = {"alg": "ES384", "kid": f"{visitor.tenant.key_id}-ec"}
    assert visitor.token_reply(visitor.assertion(key=visitor.tenant.keys.ec, header=header)).status == 200


@pytest.mark.parametrize(
    ("header", "claims"),
    [
        ({"kid": "nobody"}, {}),
        ({"typ": "at+jwt"}, {}),
        ({"alg": "RS256"}, {}),
        ({}, {"iss": "someone-else"}),
        ({}, {"iss": "stranger", "sub": "stranger"}),
        ({}, {"aud": "https://elsewhere.test/token"}),
        ({}, {"exp": 1}),
        ({}, {"exp": None}),
        ({}, {"exp": lambda: int(time.time()) + 4000}),
        ({}, {"iat": lambda: int(time.time()) + 1000}),
        ({}, {"jti": None}),
    ],
)
def test_a_bad_assertion_is_an_invalid_client(visitor: Visitor, header, claims):
    # Times are told when the test runs: a long suite would turn the future into the past.
    told = {name: value() if callable(value) else value for name, value in claims.items()}
    assert error_of(visitor.token_reply(visitor.assertion(header=header, **told))) == (401, "invalid_client")


def test_a_signature_by_another_key_is_refused(visitor: Visitor):
    forged = visitor.assertion(key=visitor.tenant.keys.rsa_other)
    assert error_of(visitor.token_reply(forged)) == (401, "invalid_client")


@pytest.mark.parametrize("assertion", ["nonsense", "a.b.c", "e30.e30.e30", "WzFd.WzFd.x"])
def test_what_is_no_jwt_is_refused(visitor: Visitor, assertion: str):
    assert error_of(visitor.token_reply(assertion)) == (401, "invalid_client")


def test_an_assertion_may_be_used_once(visitor: Visitor):
    assertion = visitor.assertion()
    assert visitor.token_reply(assertion).status == 200
    assert error_of(visitor.token_reply(assertion)) == (401, "invalid_client")


def test_the_key_set_is_really_fetched(ehr: PracticeEhr, visitor: Visitor):
    visitor.token()
    assert [e.target for e in ehr.ledger.entries("north", "keys")] == [visitor.tenant.jwks_path]


@pytest.mark.parametrize(
    "fault",
    [
        "auth-key-not-published",
        "auth-key-replaced",
        "auth-key-set-missing",
        "auth-key-set-is-a-page",
        "auth-key-set-certificate",
    ],
)
def test_an_ill_key_set_makes_the_client_invalid(ehr: PracticeEhr, visitor: Visitor, fault: str):
    ehr.set_faults("north", {fault})
    assert error_of(visitor.token_reply()) == (401, "invalid_client")
    ehr.set_faults("north", ())
    assert visitor.token_reply().status == 200


def test_requests_that_break_the_rules_get_their_own_errors(visitor: Visitor):
    good = {"client_assertion_type": ASSERTION_TYPE}
    assert error_of(visitor.ask_token({"scope": "x"})) == (400, "invalid_request")
    assert error_of(visitor.ask_token({"grant_type": "password"})) == (400, "unsupported_grant_type")
    assert error_of(visitor.ask_token({"grant_type": "client_credentials"})) == (401, "invalid_client")
    wrong_type = {"grant_type": "client_credentials", "client_assertion": "x", "client_assertion_type": "urn:x"}
    assert error_of(visitor.ask_token(wrong_type)) == (400, "invalid_request")
    as_json = visitor.ask_token(good, {"Content-Type": "application/json"})
    assert error_of(as_json) == (400, "invalid_request")
    assert error_of(visitor.token_reply(scope="system/Binary.write")) == (400, "invalid_scope")
    assert error_of(visitor.token_reply(scope="")) == (400, "invalid_scope")


def test_a_client_secret_works_both_ways_and_a_wrong_one_names_its_scheme(visitor: Visitor):
    form = {"grant_type": "client_credentials", "scope": "system/Patient.read"}
    assert visitor.ask_token(form, visitor.basic()).status == 200
    posted = form | {"client_id": visitor.tenant.client_id, "client_secret": visitor.tenant.client_secret}
    assert visitor.ask_token(posted).status == 200
    refused = visitor.ask_token(form, visitor.basic("wrong"))
    assert error_of(refused) == (401, "invalid_client")
    assert refused.headers["www-authenticate"].startswith("Basic ")


def test_a_refresh_token_can_be_used_once_and_is_replaced(visitor: Visitor):
    def refresh(value: str):
        return visitor.ask_token({"grant_type": "refresh_token", "refresh_token": value}, visitor.basic())

    first = refresh(visitor.tenant.first_refresh_token)
    assert first.status == 200
    assert error_of(refresh(visitor.tenant.first_refresh_token)) == (400, "invalid_grant")
    assert refresh(json.loads(first.body)["refresh_token"]).status == 200


def test_discovery_tells_the_same_at_both_hosts(visitor: Visitor):
    at_server = visitor.get(f"{visitor.tenant.url('auth')}/.well-known/smart-configuration")
    at_base = visitor.get(f"{visitor.tenant.fhir_base}/.well-known/smart-configuration")
    assert json.loads(at_server.body) == json.loads(at_base.body)
    assert json.loads(at_base.body)["token_endpoint"] == visitor.tenant.token_url


def test_mfa_leads_to_the_login_host(ehr: PracticeEhr, visitor: Visitor):
    ehr.set_faults("north", {"auth-mfa-redirect"})
    reply = visitor.token_reply()
    assert reply.status == 302
    page = visitor.get(reply.headers["location"])
    assert page.headers["content-type"].startswith("text/html")
    assert b'type="password"' in page.body


def test_each_token_answer_is_in_the_audit_trail(visitor: Visitor):
    visitor.token()
    visitor.token_reply("nonsense")
    assert [(r["event"], r["status"]) for r in visitor.tenant.audit.rows()] == [("token", 200), ("token", 401)]
