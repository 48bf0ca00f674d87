"""Token servers' answers, challenges, assertions, key sets and scopes, generated: nothing raises, nothing is slow.

Beside noise each property plants one fault in something sound and asks that exactly its cause is told.
"""

import base64
import json
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diagnostics import catalog
from diagnostics.case import Auth, Case
from diagnostics.check import Check
from diagnostics.checks.logged_words import words_of
from diagnostics.evidence.auth import ClientAssertion, PublishedKey, client_assertion
from diagnostics.evidence.base import Evidence
from diagnostics.findings import Finding
from diagnostics.gather import read_parts
from diagnostics.judge import judge
from diagnostics.parsing.answers import read_answer
from diagnostics.parsing.jwks import read_jwks
from diagnostics.parsing.jwt import read_jwt, verifies
from diagnostics.parsing.scopes import constraints, granting, parse_scope, parse_scopes
from diagnostics.parsing.www_authenticate import parse_challenges
from diagnostics.vocabulary import Outcome
from tests.diagnostics.checks.seen import assertion, keys, oauth, signing
from tests.diagnostics.stories import START, TOKEN_URL, Row, case, ehr, integration, made, scribe
from tests.properties.ending import ending

FLOWS = ("backend-services", "client-secret", "provider-context", "api-key")
CODES = ("invalid_client", "invalid_grant", "invalid_scope", "invalid_request", "unauthorized_client", "access_denied",
         "unsupported_grant_type", "interaction_required", "server_error", "invalid_token")  # fmt: skip
thorough = settings(derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))


@cache
def area() -> tuple[Check, ...]:
    """Return the checks of sign-in, permissions and operations."""
    steps = ("step1_authentication", "step5_permissions", "step6_monitoring")
    return tuple(c for c in catalog.checks().values() if any(s in c.function.__module__ for s in steps))


def in_time(act: Callable[[], Any]) -> Any:
    """Return what an act returns; fail where it does not come to an end."""
    with ending():
        return act()


def findings(of: Case, *evidence: Evidence) -> dict[str, Finding]:
    """Return the finding of every check of the area; none may have broken."""
    bag = read_parts(of)
    for item in evidence:
        bag.put(item)
    found = {one.check: one for one in in_time(lambda: judge(of, bag, area()))}
    assert [one.says for one in found.values() if one.status is Outcome.ERROR] == []
    return found


def told(rows: list[Row], trail: list[Row] | None, flow: str) -> Case:
    auth = Auth(flow=flow, token_url=TOKEN_URL, client_id="c", client_secret="s", refresh_token="r", practice_id="7",
                scopes=("user/DocumentReference.c?category=x",), audience=f"{TOKEN_URL}/")  # fmt: skip
    return case([*made(), *rows], trail, integration=integration(auth=auth))


leaf = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=40), st.sampled_from(CODES))
anything = st.recursive(
    leaf, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
)
oauth_keys = ("error", "error_description", "error_uri", "error_codes", "state", "resourceType", "issue", "scope")
bodies = st.one_of(
    st.text(max_size=300),
    anything.map(json.dumps),
    st.dictionaries(st.sampled_from(oauth_keys), anything, max_size=5).map(json.dumps),
    st.builds(
        lambda code, words: f"error={code}&error_description={words}", st.sampled_from(CODES), st.text(max_size=60)
    ),
    st.builds(lambda words: f"<html><title>{words}</title><form><input type=password></form>", st.text(max_size=60)),
)
texts = st.text(st.characters(codec="utf-8"), max_size=60)
numbers = st.one_of(st.none(), st.integers(-(10**20), 10**20), st.floats(), st.text(max_size=5), st.booleans())


@settings(thorough, max_examples=350)
@given(
    bodies,
    st.sampled_from((None, 200, 302, 400, 401, 403, 422, 429, 500, 503)),
    st.dictionaries(
        st.sampled_from(("www-authenticate", "date", "age", "content-type", "location", "server", "via", "x-cache")),
        texts,
        max_size=4,
    ),
    st.sampled_from(FLOWS),
    numbers,
)
def test_any_answer_to_a_token_request_or_a_write_is_judged(
    body: str, status: int | None, headers: dict[str, str], flow: str, lifetime: Any
) -> None:
    answer = in_time(lambda: read_answer(body, status, headers))
    in_time(lambda: words_of(answer, status, protocol="oauth", context=flow))
    token = scribe(2, "token", url=TOKEN_URL, expires_in=lifetime, token_id="t", jti=body[:30], scope=body[:200])
    no = {"status": status, "error": body, "response_headers": headers}
    refused = {k: v for k, v in scribe(3, "failed", url=TOKEN_URL, **no).items() if k != "transaction_id"}
    wrote = [scribe(9, "sent", token_id="t", site="a"), scribe(10, "failed", **no)]
    trail = [
        ehr(1, "change", change={"kind": "credential", "what": body, "from": body, "to": status}),
        ehr(4, "change", change={"kind": body, "what": body, "to": "document:write"}),
        ehr(9, "rejected", status=status, error=body),
    ]
    findings(told([token, refused], trail, flow))
    findings(told([token, *wrote], trail, flow))
    findings(told([token, *wrote, *wrote, scribe(20, "token"), refused], None, flow))


@settings(thorough, max_examples=300)
@given(
    st.lists(st.one_of(texts, st.sampled_from(('Negotiate YII=', 'Basic realm="a, b"', 'Digest qop="auth", nonce=x'))),
             max_size=4),
    st.sampled_from(("insufficient_scope", "invalid_token", "insufficient_user_authentication")),
    st.booleans(),
)  # fmt: skip
def test_a_challenge_is_read_whatever_stands_around_it(noise: list[str], error: str, quoted: bool) -> None:
    in_time(lambda: parse_challenges(", ".join(noise)))
    planted = f'Bearer realm="ehr", error="{error}"' if quoted else f"bearer realm=ehr, error={error}"
    before = [each for each in noise if each.startswith(("Negotiate", "Basic", "Digest"))]
    challenges = parse_challenges(", ".join([*before, planted]))
    assert challenges[-1].scheme == "bearer"
    assert challenges[-1].params["error"] == error
    assert read_answer("", 401, {"www-authenticate": ", ".join([*before, planted])}).bearer_error == error


def compact(header: dict[str, Any] | None = None, **claims: Any) -> str:
    """Return a token as it is sent, with an empty signature."""
    parts = ({"alg": "RS384", "typ": "JWT", "kid": "k1"} | (header or {}), claims)
    return ".".join(base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in parts) + "."


FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "it never ends": ("auth.assertion.exp", {"exp": None}),
    "it had ended": ("auth.assertion.exp", {"exp": START.timestamp() - 3600}),
    "its end is a word": ("auth.assertion.exp", {"exp": "soon"}),
    "another subject": ("auth.assertion.iss_sub", {"sub": "somebody-else"}),
    "another client": ("auth.assertion.iss_sub", {"iss": "other", "sub": "other"}),
    "a list of audiences": ("auth.assertion.aud", {"aud": [TOKEN_URL]}),
    "a slash too many": ("auth.assertion.aud", {"aud": TOKEN_URL + "/"}),
    "no key id": ("auth.assertion.kid.header", {"kid": None}),
    "another type": ("auth.assertion.alg_typ", {"typ": "at+jwt"}),
    "a shared secret": ("auth.assertion.alg_typ", {"alg": "HS256"}),
}
RULES = {check for check, _ in FAULTS.values()}


@settings(thorough, max_examples=250)
@given(
    st.one_of(texts, st.binary(max_size=200).map(lambda raw: raw.decode("latin-1"))),
    st.dictionaries(st.sampled_from(("iss", "sub", "aud", "exp", "iat", "nbf", "jti")), anything, max_size=7),
    st.sampled_from((None, *FAULTS)),
    st.integers(30, 290),
)
def test_an_assertion_is_judged_by_the_rule_it_breaks(
    text: str, claims: dict[str, Any], fault: str | None, life: int
) -> None:
    in_time(lambda: read_jwt(text))
    in_time(lambda: read_jwt(f"{text}.{text}.{text}"))
    strange = compact(**claims)
    noisy = case(made(), integration=signing(assertion=strange))
    read = client_assertion(noisy)
    assert isinstance(read, ClientAssertion)
    findings(noisy, oauth("invalid_client"))
    check, broken = FAULTS[fault] if fault else ("", {})
    sound = assertion(**({"exp": START.timestamp() + life} | broken))
    found = findings(case(integration=signing()), sound, oauth("invalid_client"))
    assert {id for id in RULES if found[id].status is Outcome.FAILED} == ({check} if check else set())


names = st.sampled_from(("k1", "k2", "K1", "k1 ", "", None))
published = st.builds(lambda kid, kty, use: PublishedKey(kid, kty, use=use, thumbprint="t1"), names,
                      st.sampled_from(("RSA", "EC", "oct")), st.sampled_from((None, "sig", "enc")))  # fmt: skip


@settings(thorough, max_examples=300)
@given(
    st.one_of(st.binary(max_size=300), anything.map(lambda data: json.dumps({"keys": data}).encode()),
              st.lists(st.dictionaries(st.sampled_from(("kid", "kty", "alg", "use", "n", "e", "d", "x", "y", "crv")),
                                       leaf, max_size=6), max_size=4)
              .map(lambda data: json.dumps({"keys": data}).encode())),
    st.lists(published, min_size=1, max_size=5),
)  # fmt: skip
def test_a_key_set_holds_the_signing_key_once_or_that_is_told(body: bytes, held: list[PublishedKey]) -> None:
    read = in_time(lambda: read_jwks(body))
    for key in read.keys:
        token = read_jwt(compact(header={"kid": key.kid}) + "c2ln")
        assert token is not None
        assert in_time(lambda token=token, key=key: verifies(token, key)) is not True
    fitting = [key for key in held if key.kid == "k1" and key.kty == "RSA" and key.use in (None, "sig")]
    found = findings(case(integration=signing()), keys(*held), oauth("invalid_client"))
    expected = Outcome.PASSED if len(fitting) == 1 else Outcome.FAILED
    assert found["auth.assertion.kid"].status is expected


contexts = st.sampled_from(("patient", "user", "system", "launch", "SYSTEM", ""))
types = st.sampled_from(("DocumentReference", "Encounter", "*", "documentReference", ""))
rights = st.one_of(st.sampled_from(("read", "write", "*", "c", "cruds", "cu", "rs", "dus", "uc", "", "C")),
                   st.text("cruds", max_size=6))  # fmt: skip
queries = st.sampled_from(("", "?category=a|b", "?"))


@settings(thorough, max_examples=300)
@given(texts, contexts, types, rights, queries)
def test_a_scope_grants_what_the_grammar_says_and_nothing_else(
    noise: str, context: str, type: str, right: str, query: str
) -> None:
    in_time(lambda: [constraints(scope) for scope in parse_scopes(noise)])
    text = f"{context}/{type}.{right}{query}"
    letters = {"read": "rs", "write": "cud", "*": "cruds"}.get(right, right)
    in_order = bool(right) and "".join(letter for letter in "cruds" if letter in letters) == letters
    older = right in ("read", "write", "*")
    formed = context in ("patient", "user", "system") and type in ("DocumentReference", "Encounter", "*")
    good = formed and in_order and query != "?" and not (older and query)
    scope = parse_scope(text)
    assert (scope is not None) == good
    writes = good and "c" in letters and type in ("DocumentReference", "*")
    assert bool(granting(parse_scopes(text), "DocumentReference", "c")) == writes


HOSTILE = [
    'Bearer error="' + "\\" * 60_000,
    'a="' * 30_000,
    "Bearer " + "a" * 90_000 + " =",
    "error=" * 20_000,
    '{"error": "' + "invalid_" * 12_000,
    "[" * 90_000,
    "session " * 12_000,
    "no relationship" + " " * 90_000 + "x",
    "system/" + "A" * 90_000 + ".c?",
    "token " * 8_000 + "revoked",
    "log " * 20_000 + "out",
    "<" * 90_000,
    "eyJ." * 20_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_long_and_spiteful_text_takes_no_long_time(text: str) -> None:
    headers = {"www-authenticate": text, "location": text, "date": text}
    in_time(lambda: read_answer(text, 401, headers))
    in_time(lambda: parse_challenges(text))
    in_time(lambda: parse_scopes(text))
    in_time(lambda: read_jwt(text))
    in_time(lambda: read_jwks(text.encode()))
    no = {"status": 401, "error": text, "response_headers": headers}
    rows = [scribe(2, "token", status=200, scope=text), scribe(3, "sent"), scribe(4, "failed", **no)]
    change = {"kind": "upgrade", "what": text, "from": text, "to": text}
    findings(told(rows, [ehr(1, "change", change=change), ehr(3, "rejected", error=text)], "provider-context"))
