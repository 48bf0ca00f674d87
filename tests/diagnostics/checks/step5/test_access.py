"""Test what a 403 is made of: scope, grants, drift; and what it must not be read as."""

from typing import Any

import pytest

from diagnostics.vocabulary import Outcome, Strength
from tests.diagnostics import stories
from tests.diagnostics.checks.charts import (
    CHART,
    a_case,
    chart,
    judged,
    mapping,
    narrative,
    outcome,
    refused,
    weight,
)

READ_ONLY_V1 = "system/DocumentReference.read system/Encounter.read"
WRITES_V1 = "system/DocumentReference.write system/Encounter.read"
READ_ONLY_V2 = "system/DocumentReference.rs"
WRITES_V2 = "system/DocumentReference.crus"
WRONG_ORDER = "system/DocumentReference.src"
ALL = ["document:read", "document:write", "encounter:read", "encounter:write", "problem:write", "order:write"]
NO_WRITE = [grant for grant in ALL if grant != "document:write"]
CHALLENGE = {"www-authenticate": 'Bearer realm="ehr", error="insufficient_scope"'}
FINISHED = ({"id": "E-1", "status": "finished", "signed": True, "period": {"end": stories.at(-600)}},)


def with_token(scope: str | None, rows: list[stories.Row]) -> list[stories.Row]:
    return [*stories.made(), stories.scribe(1.5, "token", status=200, scope=scope, expires_in=300), *rows[2:]]


SCOPES = [
    (READ_ONLY_V1, refused(403), Outcome.FAILED),
    (READ_ONLY_V2, refused(403), Outcome.FAILED),
    (WRONG_ORDER, refused(403), Outcome.FAILED),
    (WRITES_V1, refused(403), Outcome.PASSED),
    (WRITES_V2, refused(403), Outcome.PASSED),
    ("system/*.*", refused(403), Outcome.PASSED),
    (READ_ONLY_V1, refused(422), Outcome.WARNING),
    (READ_ONLY_V1, [*refused(403)[:3], stories.scribe(3, "acked", status=201)], Outcome.WARNING),
    ("athena.write offline", refused(403), Outcome.UNKNOWN),
    (None, refused(403), Outcome.UNKNOWN),
    (None, refused(403, headers=CHALLENGE), Outcome.FAILED),
]


@pytest.mark.parametrize(("scope", "rows", "status"), SCOPES)
def test_the_granted_scope(scope: str | None, rows: list[stories.Row], status: Outcome) -> None:
    filed = chart() if rows[-1]["event"] == "acked" else None
    case = a_case(rows=with_token(scope, rows), filed=filed)
    assert judged("perm.scope.write_missing.log", case).status is status


def test_a_scope_left_out_of_the_answer_means_as_asked() -> None:
    from diagnostics.case import Auth

    for asked, status in (((READ_ONLY_V1,), Outcome.FAILED), ((WRITES_V1,), Outcome.PASSED)):
        case = a_case(rows=with_token(None, refused(403)), integration=stories.integration(auth=Auth(scopes=asked)))
        assert judged("perm.scope.write_missing.log", case).status is status


GATEWAY = "<html><head><title>403 Forbidden</title></head><body><h1>403 Forbidden</h1><hr>nginx</body></html>"
KINDS = [
    (refused(403, outcome("forbidden")), "perm.http403.classify"),
    (refused(403, headers=CHALLENGE), "perm.scope.write_missing"),
    (refused(403, outcome("forbidden", "Missing scope system/DocumentReference.write")), "perm.scope.write_missing"),
    (refused(403, '{"error": "insufficient_scope"}'), "perm.scope.write_missing"),
    (refused(403, outcome("suppressed")), "perm.department.restricted"),
    (refused(403, outcome("business-rule", "The encounter has been signed")), "perm.encounter.closed"),
    (
        refused(403, GATEWAY, {"content-type": "text/html", "via": "1.1 squid", "server": "squid"}),
        "net.proxy.block_page",
    ),
    (refused(422), None),
]


@pytest.mark.parametrize(("rows", "cause"), KINDS)
def test_the_kind_of_a_403_comes_from_its_codes(rows: list[stories.Row], cause: str | None) -> None:
    finding = judged("perm.http403.classify", a_case(rows=rows))
    assert (finding.cause.id if finding.cause else None) == cause
    assert finding.strength is not Strength.DECISIVE


@pytest.mark.parametrize(("code", "cause"), [("4130", "perm.department.restricted"), ("4118", "perm.rbac.matrix")])
def test_a_documented_vendor_code_names_its_cause(code: str, cause: str) -> None:
    body = (
        '{"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "forbidden", "details": '
        f'{{"coding": [{{"system": "urn:oid:1.2.840.114350", "code": "{code}"}}]}}}}]}}'
    )
    case = a_case(rows=refused(403, body), integration=stories.integration(vendor="epic"))
    finding = judged("perm.http403.classify", case)
    assert finding.cause is not None
    assert finding.cause.id == cause


def reading(status: int = 403, error: str | None = None, after: float = 2) -> list[stories.Row]:
    read = stories.scribe(2, "acked", method="GET", url=f"{stories.BASE}/Patient/P-1", status=200)
    tail = [stories.scribe(2 + after, "sent"), stories.scribe(3 + after, "failed", status=status, error=error)]
    return [*stories.made(), read, *tail]


READS: list[tuple[dict[str, Any], Outcome, int | None]] = [
    ({"rows": reading()}, Outcome.FAILED, 10),
    ({"rows": reading(), "encounters": FINISHED}, Outcome.FAILED, 3),
    ({"rows": reading(), "roles": {"grants": NO_WRITE}}, Outcome.FAILED, 3),
    ({"rows": reading(error=outcome("suppressed"))}, Outcome.FAILED, 3),
    ({"rows": reading(after=900)}, Outcome.UNKNOWN, None),
    ({"rows": refused(403)}, Outcome.UNKNOWN, None),
    ({"rows": reading(status=422)}, Outcome.PASSED, None),
]


@pytest.mark.parametrize(("parts", "status", "strength"), READS)
def test_reading_without_writing(parts: dict[str, Any], status: Outcome, strength: int | None) -> None:
    finding = judged("perm.read_ok_write_denied.log", a_case(**parts))
    assert (finding.status, weight(finding)) == (status, strength)


CODED = narrative(Assessment="Type 2 diabetes (E11.9), stable.")
MATRIX: list[tuple[dict[str, Any], Outcome, int | None]] = [
    ({"rows": refused(403), "roles": {"grants": NO_WRITE}}, Outcome.FAILED, 6),
    ({"rows": refused(403), "roles": {"grants": ALL}}, Outcome.PASSED, None),
    ({"rows": refused(403), "roles": {"grants": ["documents.create"]}}, Outcome.FAILED, 6),
    ({"rows": refused(403), "roles": {"grants": []}}, Outcome.FAILED, 6),
    ({"rows": refused(403), "roles": {"grants": ["SEC_CLASS_7"]}}, Outcome.UNKNOWN, None),
    ({"rows": refused(401), "roles": {"grants": NO_WRITE}}, Outcome.WARNING, None),
    ({"filed": chart(), "roles": {"grants": NO_WRITE}}, Outcome.WARNING, None),
    (
        {
            "text": CODED,
            "mapping": mapping(output=["narrative", "discrete"]),
            "filed": chart(dict(CHART), discrete=[]),
            "roles": {"grants": [grant for grant in ALL if grant != "problem:write"]},
        },
        Outcome.FAILED,
        6,
    ),
]


@pytest.mark.parametrize(("parts", "status", "strength"), MATRIX)
def test_the_matrix_of_grants(parts: dict[str, Any], status: Outcome, strength: int | None) -> None:
    finding = judged("perm.rbac.matrix", a_case(**parts))
    assert (finding.status, weight(finding)) == (status, strength)


def lost(seconds: float, **change: str) -> list[stories.Row]:
    return [stories.ehr(seconds, "change", change={"kind": "role", "what": "svc-scribe"} | change)]


DRIFT: list[tuple[dict[str, Any], Outcome, int | None]] = [
    (
        {"rows": refused(403), "audit": lost(-60, **{"from": " ".join(ALL), "to": " ".join(NO_WRITE)})},
        Outcome.FAILED,
        10,
    ),
    ({"rows": refused(403), "audit": lost(-60, what="document:write", to="revoked")}, Outcome.FAILED, 10),
    ({"rows": refused(403), "audit": lost(60, **{"from": " ".join(ALL), "to": "document:read"})}, Outcome.PASSED, None),
    ({"rows": refused(403), "audit": lost(-60, **{"from": " ".join(ALL), "to": " ".join(ALL[:5])})}, Outcome.FAILED, 3),
    ({"rows": refused(403), "roles": {"grants": NO_WRITE}, "baseline": {"grants": ALL}}, Outcome.FAILED, 10),
    ({"rows": refused(403), "roles": {"grants": ALL}, "baseline": {"grants": ALL}}, Outcome.PASSED, None),
    ({"rows": refused(422), "roles": {"grants": NO_WRITE}, "baseline": {"grants": ALL}}, Outcome.WARNING, None),
    ({"rows": refused(403)}, Outcome.UNKNOWN, None),
]


@pytest.mark.parametrize(("parts", "status", "strength"), DRIFT)
def test_grants_lost_before_the_failure(parts: dict[str, Any], status: Outcome, strength: int | None) -> None:
    finding = judged("perm.drift", a_case(**parts))
    assert (finding.status, weight(finding)) == (status, strength)


ACTIVE: list[tuple[dict[str, Any], Outcome, int | None]] = [
    ({"rows": refused(403), "roles": {"active": False}}, Outcome.FAILED, 10),
    ({"rows": refused(422), "roles": {"active": False}}, Outcome.FAILED, 6),
    ({"rows": refused(403), "roles": {"active": True}}, Outcome.PASSED, None),
    ({"rows": refused(403), "roles": {"grants": ALL}}, Outcome.UNKNOWN, None),
]


@pytest.mark.parametrize(("parts", "status", "strength"), ACTIVE)
def test_an_account_that_is_switched_off(parts: dict[str, Any], status: Outcome, strength: int | None) -> None:
    finding = judged("perm.account.inactive", a_case(**parts))
    assert (finding.status, weight(finding)) == (status, strength)
