import base64
import json
from email.utils import parsedate_to_datetime

import pytest

from diagnostics.practice import PracticeEhr
from tests.practice.visitor import Visitor, issue


def test_the_capability_statement_is_open_and_offers_create(visitor: Visitor):
    reply = visitor.get(f"{visitor.tenant.fhir_base}/metadata")
    statement = json.loads(reply.body)
    assert reply.headers["content-type"] == "application/fhir+json"
    assert statement["resourceType"] == "CapabilityStatement"
    assert statement["fhirVersion"] == "4.0.1"
    documents = next(r for r in statement["rest"][0]["resource"] if r["type"] == "DocumentReference")
    assert {"code": "create"} in documents["interaction"]


def test_a_note_is_created_read_updated_and_found(visitor: Visitor):
    token = visitor.token()
    resource = visitor.document()
    made = visitor.write(resource, token=token, X_Request_Id="req-1")
    assert made.status == 201
    assert made.headers["x-request-id"] == "req-1"
    assert made.headers["etag"] == 'W/"1"'
    assert "/_history/1" in made.headers["location"]
    parsedate_to_datetime(made.headers["date"])
    stored = json.loads(made.body)
    assert visitor.read(f"DocumentReference/{stored['id']}", token).status == 200
    for query in (
        f"identifier=urn:test|{resource['identifier'][0]['value']}",
        "patient=Patient/canary-1",
        "encounter=canary-enc-1",
    ):
        bundle = json.loads(visitor.read(f"DocumentReference?{query}", token).body)
        assert [e["resource"]["id"] for e in bundle["entry"]] == [stored["id"]], query
    stored["status"] = "entered-in-error"
    url = f"{visitor.tenant.fhir_base}/DocumentReference/{stored['id']}"
    assert visitor.write(stored, token=token, url=url, method="PUT", If_Match='W/"7"').status == 412
    changed = visitor.write(stored, token=token, url=url, method="PUT", If_Match='W/"1"')
    assert changed.status == 200
    assert changed.headers["etag"] == 'W/"2"'


def test_without_a_token_the_challenge_has_no_error_code_and_with_a_bad_one_it_has(visitor: Visitor):
    bare = visitor.write(visitor.document(), token="")
    assert bare.status == 401
    assert "error" not in bare.headers["www-authenticate"]
    bad = visitor.write(visitor.document(), token="made-up")
    assert bad.status == 401
    assert 'error="invalid_token"' in bad.headers["www-authenticate"]


@pytest.mark.parametrize(
    ("granted", "status"),
    [
        ("system/DocumentReference.write", 201),
        ("system/DocumentReference.c", 201),
        ("system/DocumentReference.cud", 201),
        ("system/DocumentReference.cruds", 201),
        ("system/*.*", 201),
        ("system/DocumentReference.read", 403),
        ("system/DocumentReference.rs", 403),
        ("system/Observation.cruds", 403),
        ("system/DocumentReference.sc", 403),
    ],
)
def test_both_scope_grammars_decide_over_create(visitor: Visitor, granted: str, status: int):
    token, _ttl = visitor.tenant.issue(granted)
    reply = visitor.write(visitor.document(), token=token.value)
    assert reply.status == status
    if status == 403:
        assert 'error="insufficient_scope"' in reply.headers["www-authenticate"]


def attachment(**more):
    base = {"contentType": "text/plain", "data": base64.b64encode(b"text").decode()}
    return [{"attachment": {k: v for k, v in (base | more).items() if v is not None}}]


@pytest.mark.parametrize(
    ("change", "status", "code", "place"),
    [
        ({"status": None}, 422, "required", "DocumentReference.status"),
        ({"type": None}, 422, "required", "DocumentReference.type"),
        ({"category": None}, 422, "required", "DocumentReference.category"),
        ({"subject": None}, 422, "required", "DocumentReference.subject"),
        ({"content": None}, 422, "required", "DocumentReference.content"),
        ({"status": "currentt"}, 422, "code-invalid", "DocumentReference.status"),
        ({"category": {}}, 400, "structure", "DocumentReference.category"),
        ({"colour": "red"}, 400, "structure", "DocumentReference.colour"),
        ({"content": attachment(contentType=None)}, 422, "required", "content[0].attachment.contentType"),
        ({"content": attachment(data=None)}, 422, "required", "content[0].attachment"),
        ({"content": attachment(data="***")}, 422, "value", "content[0].attachment.data"),
        ({"content": attachment(size=999)}, 422, "value", "content[0].attachment.size"),
        ({"content": attachment(hash="AAAA")}, 422, "value", "content[0].attachment.hash"),
        ({"subject": {"reference": "Patient/nobody"}}, 422, "not-found", "DocumentReference.subject"),
        (
            {"context": {"encounter": [{"reference": "Encounter/none"}]}},
            422,
            "not-found",
            "DocumentReference.context.encounter",
        ),
        ({"author": [{"reference": "Practitioner/none"}]}, 422, "not-found", "DocumentReference.author"),
    ],
)
def test_a_payload_is_refused_at_the_right_place(visitor: Visitor, change, status, code, place):
    reply = visitor.write(visitor.document(**change))
    assert reply.status == status
    assert issue(reply)["code"] == code
    assert issue(reply)["expression"][0].endswith(place)


def test_form_errors_have_their_own_answers(ehr: PracticeEhr, visitor: Visitor):
    token = visitor.token()
    base = visitor.tenant.fhir_base
    assert visitor.write(visitor.document(), token=token, Content_Type="application/json").status == 415
    assert visitor.write(b"{not json", token=token).status == 400
    assert visitor.write({"resourceType": "Patient"}, token=token).status == 400
    assert visitor.write(visitor.document(), token=token, url=f"{base}/Documents").status == 404
    refused = visitor.write(visitor.document(), token=token, url=f"{base}/Patient")
    assert refused.status == 405
    assert "allow" in refused.headers
    assert visitor.write(visitor.document(description="x" * 2_100_000), token=token).status == 413


def test_a_conditional_create_stores_once(ehr: PracticeEhr, visitor: Visitor):
    token = visitor.token()
    resource = visitor.document()
    condition = f"identifier=urn:test|{resource['identifier'][0]['value']}"
    assert visitor.write(resource, token=token, If_None_Exist=condition).status == 201
    assert visitor.write(resource, token=token, If_None_Exist=condition).status == 200
    assert len(ehr.ledger.creates("north")) == 1
    assert visitor.write(resource, token=token).status == 201
    assert visitor.write(resource, token=token, If_None_Exist=condition).status == 412


def test_a_closed_encounter_refuses_notes(visitor: Visitor):
    from diagnostics.practice.tenant import add_encounter

    add_encounter(visitor.tenant, "E-9", "canary-1", owner="prov-1", status="finished", signed=True)
    reply = visitor.write(visitor.document(context={"encounter": [{"reference": "Encounter/E-9"}]}))
    assert reply.status == 422
    assert issue(reply)["code"] == "business-rule"


def test_every_error_is_an_operation_outcome_even_for_reading(visitor: Visitor):
    assert issue(visitor.read("DocumentReference/404"))["code"] == "not-found"
    assert issue(visitor.read("Medication/1"))["code"] == "not-supported"


def test_the_ledger_keeps_hashes_and_no_secret(ehr: PracticeEhr, visitor: Visitor):
    token = visitor.token()
    resource = visitor.document()
    visitor.write(resource, token=token)
    entry = ehr.ledger.creates("north")[0]
    assert entry.ids == [resource["identifier"][0]["value"]]
    assert entry.status == 201
    assert entry.body_sha256 and entry.token
    assert token not in repr(ehr.ledger.entries())


def test_the_audit_trail_tells_received_accepted_filed(visitor: Visitor):
    resource = visitor.document()
    visitor.write(resource)
    rows = [r for r in visitor.tenant.audit.rows() if r["event"] != "token"]
    assert [r["event"] for r in rows] == ["received", "accepted", "filed"]
    assert {r["transaction_id"] for r in rows} == {resource["identifier"][0]["value"]}
    assert rows[2]["fields"] == {"PLAN_TXT": "Rest."}
    events = json.loads(visitor.read("AuditEvent", visitor.tenant.issue("system/AuditEvent.read")[0].value).body)
    assert {e["resource"]["resourceType"] for e in events["entry"]} == {"AuditEvent"}


@pytest.mark.parametrize(
    ("fault", "status"),
    [("net-gateway-502", 502), ("net-gateway-503", 503), ("net-rate-limited", 429), ("net-gateway-timeout-filed", 504)],
)
def test_the_gateway_signs_its_own_answers(ehr: PracticeEhr, visitor: Visitor, fault: str, status: int):
    ehr.set_faults("north", {fault})
    reply = visitor.write(visitor.document())
    assert reply.status == status
    assert "via" in reply.headers
    assert reply.headers["content-type"].startswith("text/html")
    assert len(ehr.ledger.creates("north")) == (1 if status == 504 else 0)
