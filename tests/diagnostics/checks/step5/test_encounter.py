"""Test the encounter's state, owner and department, and the author in the chart."""

from typing import Any

import pytest

from diagnostics.vocabulary import Outcome, Strength
from tests.diagnostics import stories
from tests.diagnostics.checks.charts import a_case, chart, judged, outcome, refused, weight

BEFORE, LATER = stories.at(-600), stories.at(600)


def visit(**facts: Any) -> tuple[dict[str, Any], ...]:
    return ({"id": "E-1", "status": "in-progress", "owner": "prov-7", "department": "internal-medicine"} | facts,)


SIGNED = visit(status="finished", signed=True, period={"end": BEFORE})
D, S, M = Strength.DECISIVE, Strength.STRONG, Strength.MODERATE
RULE = outcome("business-rule")
ERR_206 = "MSH|^~\\&|EHR|N|SCRIBE|N|20260302||ACK^T02|1|P|2.5.1\rMSA|AE|tx-1\rERR|||206^locked^HL70357|E"

CLOSED: list[tuple[dict[str, Any], Outcome, Strength | None]] = [
    ({"rows": refused(403), "encounters": SIGNED}, Outcome.FAILED, D),
    ({"rows": refused(422, RULE), "encounters": SIGNED}, Outcome.FAILED, D),
    ({"rows": refused(409), "encounters": SIGNED}, Outcome.FAILED, S),
    ({"rows": refused(422, outcome("business-rule", "Visit 12 is locked")), }, Outcome.FAILED, S),
    ({"rows": refused(422, outcome("required")), "encounters": SIGNED}, Outcome.WARNING, None),
    ({"rows": refused(401), "encounters": SIGNED}, Outcome.WARNING, None),
    ({"rows": refused(403), "encounters": visit()}, Outcome.PASSED, None),
    ({"rows": refused(403), "encounters": visit(status="finished", period={"end": LATER})}, Outcome.PASSED, None),
    ({"rows": refused(403)}, Outcome.UNKNOWN, None),
    ({"filed": chart(), "encounters": SIGNED}, Outcome.PASSED, None),
    ({"rows": [stories.scribe(0, "generated"), stories.scribe(2, "sent"),
               stories.scribe(3, "failed", ack="AE", error=ERR_206)], "encounters": SIGNED}, Outcome.FAILED, D),
]  # fmt: skip


@pytest.mark.parametrize(("parts", "status", "strength"), CLOSED)
def test_a_closed_encounter(parts: dict[str, Any], status: Outcome, strength: Strength | None) -> None:
    finding = judged("perm.encounter.closed", a_case(**parts))
    assert (finding.status, weight(finding)) == (status, strength)


def test_a_documented_vendor_code_proves_a_locked_encounter() -> None:
    ours = stories.integration(vendor="eclinicalworks")
    case = a_case(rows=refused(400, '{"status": 139, "message": "x"}'), integration=ours)
    assert judged("perm.encounter.closed", case).strength is D


OWNER: list[tuple[dict[str, Any], Outcome]] = [
    ({"rows": refused(403, RULE), "encounters": visit(owner="prov-9")}, Outcome.FAILED),
    ({"rows": refused(403, RULE), "encounters": visit(owner="Practitioner/prov-7")}, Outcome.PASSED),
    ({"rows": refused(401), "encounters": visit(owner="prov-9")}, Outcome.PASSED),
    ({"filed": chart(), "encounters": visit(owner="prov-9")}, Outcome.PASSED),
    ({"rows": refused(403), "encounters": visit(owner=None)}, Outcome.UNKNOWN),
]


@pytest.mark.parametrize(("parts", "status"), OWNER)
def test_the_encounters_owner(parts: dict[str, Any], status: Outcome) -> None:
    finding = judged("perm.encounter.owner", a_case(**parts))
    assert finding.status is status
    assert finding.strength is (S if status is Outcome.FAILED else None)


SOME = {"departments": ["internal-medicine"], "grants": ["document:write"]}
AWAY = visit(department="behavioral-health", confidentiality="R")
DEPARTMENT: list[tuple[dict[str, Any], Outcome, Strength | None]] = [
    ({"rows": refused(403), "roles": SOME, "encounters": AWAY}, Outcome.FAILED, D),
    ({"rows": refused(403, outcome("suppressed")), "encounters": AWAY}, Outcome.FAILED, D),
    ({"rows": refused(403, outcome("suppressed"))}, Outcome.FAILED, S),
    ({"rows": refused(403), "roles": SOME, "encounters": visit()}, Outcome.PASSED, None),
    ({"rows": refused(401), "roles": SOME, "encounters": AWAY}, Outcome.PASSED, None),
    ({"filed": chart(), "roles": SOME, "encounters": AWAY}, Outcome.WARNING, None),
    ({"filed": chart()}, Outcome.UNKNOWN, None),
]


@pytest.mark.parametrize(("parts", "status", "strength"), DEPARTMENT)
def test_a_restricted_department(parts: dict[str, Any], status: Outcome, strength: Strength | None) -> None:
    finding = judged("perm.department.restricted", a_case(**parts))
    assert (finding.status, weight(finding)) == (status, strength)


AUTHOR: list[tuple[str | None, Outcome]] = [
    ("svc-scribe", Outcome.FAILED),
    ("Practitioner/prov-7", Outcome.PASSED),
    (None, Outcome.UNKNOWN),
]


@pytest.mark.parametrize(("author", "status"), AUTHOR)
def test_the_author_in_the_chart(author: str | None, status: Outcome) -> None:
    case = a_case(filed=chart(author_id=author), roles={"account": "svc-scribe"})
    finding = judged("perm.attribution.wrong", case)
    assert (finding.status, finding.strength) == (status, M if status is Outcome.FAILED else None)
