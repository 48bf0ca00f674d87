"""AuditEvents of the practice EHR: searched by date, sorted, paged, and read back as the rows that they were."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from diagnostics.parsing.audit_event import audit_event_rows
from diagnostics.practice import PracticeEhr
from diagnostics.practice.audit_feed import AUDIT_TROUBLES
from tests.practice.visitor import Visitor, issue


def search(visitor: Visitor, query: str = "") -> dict[str, Any]:
    reply = visitor.read(f"AuditEvent?{query}", visitor.tenant.issue("system/AuditEvent.read")[0].value)
    assert reply.status == 200, reply.text
    return dict(json.loads(reply.body))


def rows_of(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    return [dict(row) for row in audit_event_rows(bundle)]


def followed(visitor: Visitor, query: str) -> list[dict[str, Any]]:
    token = visitor.tenant.issue("system/AuditEvent.rs")[0].value
    url: str | None = f"{visitor.tenant.fhir_base}/AuditEvent?{query}"
    found: list[dict[str, Any]] = []
    while url:
        bundle = json.loads(visitor.get(url, {"Authorization": f"Bearer {token}"}).body)
        found += [entry["resource"] for entry in bundle["entry"]]
        url = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), None)
    return found


def fill(visitor: Visitor, count: int) -> None:
    for number in range(count):
        visitor.tenant.audit.write(
            "filed", after_s=-60.0 * number, transaction_id=f"TX-{number}", request_id=f"req-{number}",
            client_id="scribe-writer", resource=f"DocumentReference/{number}", patient_id="P-1", encounter_id="E-1",
            author_id="prov-1",
        )  # fmt: skip


def test_a_filed_note_is_one_event_and_reads_back_as_its_row(visitor: Visitor):
    resource = visitor.document()
    visitor.write(resource, X_Request_Id="req-1")
    (row,) = rows_of(search(visitor))
    trail = next(row for row in visitor.tenant.audit.rows() if row["event"] == "filed")
    wanted = ("at", "event", "transaction_id", "request_id", "client_id", "resource")
    assert {key: row[key] for key in wanted} == {key: trail[key] for key in wanted}
    assert (row["patient_id"], row["encounter_id"]) == ("Patient/canary-1", "Encounter/canary-enc-1")


def test_a_refused_note_reads_back_as_rejected(visitor: Visitor):
    visitor.write(visitor.document(type=None), X_Request_Id="req-2")
    (row,) = rows_of(search(visitor))
    assert (row["event"], row["request_id"]) == ("rejected", "req-2")
    assert "OperationOutcome" in row["error"]


def test_events_are_found_by_date_and_sorted(visitor: Visitor):
    fill(visitor, 5)
    since = (datetime.now(UTC) - timedelta(seconds=150)).isoformat().replace("+00:00", "Z")
    found = [row["transaction_id"] for row in rows_of(search(visitor, f"date=ge{since}&_sort=date"))]
    assert found == ["TX-2", "TX-1", "TX-0"]
    assert [row["transaction_id"] for row in rows_of(search(visitor, f"date=lt{since}&_sort=-date"))] == [
        "TX-3",
        "TX-4",
    ]
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date()
    assert rows_of(search(visitor, f"date=ge{tomorrow}")) == []


def test_pages_hold_every_event_once_also_while_new_ones_come(visitor: Visitor):
    fill(visitor, 23)
    first = search(visitor, "_sort=date&_count=5")
    fill(visitor, 4)
    found = followed(visitor, "_sort=date&_count=5")
    assert len(found) == 27 and len({event["id"] for event in found}) == 27
    onward = next(link["url"] for link in first["link"] if link["relation"] == "next")
    token = visitor.tenant.issue("system/AuditEvent.rs")[0].value
    second = json.loads(visitor.get(onward, {"Authorization": f"Bearer {token}"}).body)
    assert first["total"] == second["total"] == 23


def test_what_cannot_be_read_is_refused(visitor: Visitor):
    token = visitor.tenant.issue("system/AuditEvent.read")[0].value
    for query in ("date=yesterday", "_count=many"):
        reply = visitor.read(f"AuditEvent?{query}", token)
        assert (reply.status, issue(reply)["code"]) == (400, "invalid")
    without = visitor.read("AuditEvent", visitor.tenant.issue("system/DocumentReference.read")[0].value)
    assert without.status == 403


@pytest.mark.parametrize(
    ("name", "status"), [("audit-none", 404), ("audit-forbidden", 403), ("audit-busy", 429)], ids=lambda value: value
)
def test_a_trouble_answers_as_named(ehr: PracticeEhr, visitor: Visitor, name: str, status: int):
    ehr.set_faults("north", {name})
    reply = visitor.read("AuditEvent", visitor.tenant.issue("system/AuditEvent.read")[0].value)
    assert reply.status == status
    assert ("retry-after" in reply.headers) is (status == 429)
    statement = json.loads(visitor.get(f"{visitor.tenant.fhir_base}/metadata").body)
    offered = {resource["type"] for resource in statement["rest"][0]["resource"]}
    assert ("AuditEvent" in offered) is (name != "audit-none")


def test_pages_break_and_lead_astray(ehr: PracticeEhr, visitor: Visitor):
    fill(visitor, 4)
    token = visitor.tenant.issue("system/AuditEvent.read")[0].value
    onward = {}
    for name in ("audit-breaks", "audit-elsewhere", "audit-circle"):
        ehr.set_faults("north", {name})
        bundle = json.loads(visitor.read("AuditEvent?_count=2&_sort=date", token).body)
        onward[name] = next(link["url"] for link in bundle["link"] if link["relation"] == "next")
    ehr.set_faults("north", {"audit-breaks"})
    assert visitor.get(onward["audit-breaks"], {"Authorization": f"Bearer {token}"}).status == 500
    assert onward["audit-elsewhere"].startswith("https://mirror.")
    assert onward["audit-circle"] == f"{visitor.tenant.fhir_base}/AuditEvent?_count=2&_sort=date"
    ehr.set_faults("north", {"audit-unsorted"})
    assert [row["transaction_id"] for row in rows_of(search(visitor, "_sort=date"))] == [f"TX-{n}" for n in range(4)]


def test_every_trouble_has_words():
    assert all(trouble.says.endswith(".") and trouble.ehr.keys() == {"audit"} for trouble in AUDIT_TROUBLES.values())
