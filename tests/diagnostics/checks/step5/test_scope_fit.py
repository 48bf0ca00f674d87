"""Scopes of the wrong kind, narrowed by a query, or wider than needed; and whose token's scope counts."""

import json
from typing import Any

import pytest

from diagnostics.case import Auth, Case
from diagnostics.parsing.scopes import constraints, parse_scope
from diagnostics.vocabulary import Outcome, Strength
from tests.diagnostics import stories
from tests.diagnostics.checks import seen
from tests.diagnostics.checks.charts import outcome

PASSED, FAILED, WARNING = Outcome.PASSED, Outcome.FAILED, Outcome.WARNING
UNKNOWN, NA = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE
S = Strength.STRONG
FORBIDDEN = outcome("forbidden")
CATEGORY = "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category"
BOUND = f"system/DocumentReference.cu?category={CATEGORY}|clinical-note"
PAGE = "<html><title>Access denied</title><body>Your request was blocked by the web application firewall</body></html>"


def auth(flow: str = "backend-services", *scopes: str) -> Auth:
    return Auth(flow=flow, token_url=stories.TOKEN_URL, client_id="c", scopes=scopes)


def document(code: str | None) -> bytes:
    coding = {"coding": [{"system": CATEGORY, "code": code}]}
    return json.dumps({"resourceType": "DocumentReference", "category": [coding] if code else []}).encode()


def told(
    scope: str | None,
    status: int | None = 403,
    error: str | None = FORBIDDEN,
    *,
    flow: str = "backend-services",
    payload: bytes | None = None,
    **more: Any,
) -> Case:
    """Return a note that was sent with a token of this scope, and its answer."""
    rows = [*stories.made(), stories.scribe(2, "token", status=200, expires_in=300, scope=scope, **more)]
    if status is not None:
        event = "acked" if status < 300 else "failed"
        rows += [stories.scribe(3, "sent"), stories.scribe(4, event, status=status, error=error)]
    kept = stories.note(payload=payload, payload_name="note.json" if payload else None)
    return stories.case(rows, [], the_note=kept, integration=stories.integration(auth=auth(flow)))


USER = "user/DocumentReference.write"
CONTEXT: list[tuple[Case, Outcome]] = [
    (told(USER), FAILED),
    (told("patient/DocumentReference.c patient/Patient.r"), FAILED),
    (told(f"{USER} system/DocumentReference.write"), PASSED),
    (told("system/DocumentReference.write"), PASSED),
    (told(USER, 201, None), WARNING),  # arranged outside the token
    (told(USER, 422, outcome("required")), WARNING),
    (told(USER, 403, PAGE), WARNING),  # not the EHR's own answer
    (told("openid launch"), UNKNOWN),
    (told(None), UNKNOWN),
    (told(USER, flow="provider-context"), PASSED),
    (told("patient/DocumentReference.c", flow="provider-context", patient_id="P-9"), FAILED),
    (told("patient/DocumentReference.c", flow="provider-context", patient_id="Patient/P-1"), PASSED),
    (told("patient/DocumentReference.c", flow="provider-context"), PASSED),
    (told(USER, flow="api-key"), NA),
]


@pytest.mark.parametrize(("of", "status"), CONTEXT)
def test_scopes_are_of_the_account_s_kind(of: Case, status: Outcome) -> None:
    finding = seen.judged("perm.scope.context", of=of)
    assert (finding.status, finding.strength if status is FAILED else None) == (status, S if status is FAILED else None)


def test_without_a_log_only_a_refused_canary_speaks_against_the_scopes() -> None:
    alone = stories.case(None, None, integration=stories.integration(auth=auth("client-secret", USER)))
    assert seen.judged("perm.scope.context", of=alone).status is WARNING
    assert seen.judged("perm.scope.context", seen.canary("refused", 403), of=alone).status is FAILED
    assert seen.judged("perm.scope.context", seen.canary(), of=alone).status is WARNING


QUERY: list[tuple[Case, Outcome]] = [
    (told(BOUND, payload=document("imaging")), FAILED),
    (told(BOUND, payload=document(None)), FAILED),
    (told(BOUND, payload=document("clinical-note")), PASSED),
    (told("system/DocumentReference.c?category=imaging,clinical-note", payload=document("clinical-note")), PASSED),
    (told(f"system/DocumentReference.c?category={CATEGORY}|", payload=document("imaging")), PASSED),
    (told(f"{BOUND} system/DocumentReference.c", payload=document("imaging")), PASSED),
    (told("system/DocumentReference.cu", payload=document("imaging")), PASSED),
    (told("system/DocumentReference.c?facility=12", payload=document("imaging")), UNKNOWN),
    (told("system/DocumentReference.c?facility=12&category=lab", payload=document("imaging")), FAILED),
    (told(BOUND), UNKNOWN),
    (told(BOUND, 201, None, payload=document("imaging")), WARNING),
    (told(BOUND, 422, outcome("required"), payload=document("imaging")), WARNING),
]


@pytest.mark.parametrize(("of", "status"), QUERY)
def test_a_query_in_a_scope_narrows_what_may_be_written(of: Case, status: Outcome) -> None:
    finding = seen.judged("perm.scope.query_constraint", of=of)
    assert (finding.status, finding.strength if status is FAILED else None) == (status, S if status is FAILED else None)


EXCESS: list[tuple[str | None, Outcome]] = [
    ("system/DocumentReference.cruds", WARNING),
    ("system/*.cu", WARNING),
    ("system/*.write", WARNING),
    ("system/DocumentReference.*", WARNING),
    ("system/DocumentReference.cru system/Encounter.rs", PASSED),
    ("system/DocumentReference.write", PASSED),
    (None, UNKNOWN),
]


@pytest.mark.parametrize(("scope", "status"), EXCESS)
def test_what_is_granted_beyond_need_is_told_as_a_warning(scope: str | None, status: Outcome) -> None:
    finding = seen.judged("perm.scope.excess", of=told(scope))
    assert finding.status is status
    assert finding.cause is None or finding.cause.id == "perm.scope.excess"


def test_the_scope_of_the_token_that_was_used_counts() -> None:
    def story(used: str) -> Case:
        tokens = [
            stories.scribe(2, "token", status=200, scope="system/DocumentReference.write", token_id="a"),
            stories.scribe(3, "token", status=200, scope="system/DocumentReference.read", token_id="b"),
        ]
        sent = [stories.scribe(4, "sent", token_id=used), stories.scribe(5, "failed", status=403, error=FORBIDDEN)]
        return stories.case([*stories.made(), *tokens, *sent], [])

    assert seen.judged("perm.scope.write_missing.log", of=story("a")).status is PASSED
    assert seen.judged("perm.scope.write_missing.log", of=story("b")).status is FAILED
    assert seen.judged("perm.scope.write_missing.log", of=story("c")).status is UNKNOWN


@pytest.mark.parametrize(
    ("text", "granted"),
    [
        ("system/DocumentReference.c?category=x", "c"),
        ("patient/*.rs", "rs"),
        ("user/Observation.cruds", "cruds"),
        ("system/DocumentReference.write", "cud"),
        ("system/DocumentReference.write?category=x", None),  # the older grammar knows no query
        ("system/DocumentReference.dus", None),  # out of order is undefined
        ("system/DocumentReference.", None),
        ("system/documentReference.c", None),
        ("practitioner/DocumentReference.c", None),
        ("system/DocumentReference.c\n", None),
        ("system/" + "A" * 5000 + ".c", None),
    ],
)
def test_the_grammar_of_scopes(text: str, granted: str | None) -> None:
    scope = parse_scope(text)
    assert (None if scope is None else scope.letters) == (None if granted is None else frozenset(granted))


def test_a_query_with_too_many_parameters_allows_nobody_knows_what() -> None:
    scope = parse_scope("system/DocumentReference.c?" + "&".join(f"p{n}={n}" for n in range(40)))
    assert scope is not None
    assert constraints(scope) == (("", ()),)
