"""What the practice EHR does when a note comes a second time, when an answer is lost, and when a visit is closed."""

import datetime
import json
import random
from urllib.parse import urlsplit

import pytest

from diagnostics.practice import PracticeEhr
from diagnostics.practice.client import NetworkFailure
from diagnostics.practice.fault import Habits
from diagnostics.practice.notes import write_note
from diagnostics.practice.packaging import mdm_message
from diagnostics.practice.tenant import add_encounter, add_patient
from tests.practice.visitor import Visitor, issue


def value_of(resource) -> str:
    return resource["identifier"][0]["value"]


def condition(resource) -> dict[str, str]:
    return {"If_None_Exist": f"identifier={value_of(resource)}"}


def framed(body: bytes) -> bytes:
    return b"\x0b" + body + b"\x1c\x0d"


def parts(ack: bytes) -> dict[str, list[str]]:
    return {line.split("|")[0]: line.split("|") for line in ack.decode().split("\r") if line}


@pytest.fixture
def closed(visitor: Visitor) -> str:
    add_patient(visitor.tenant, "P-1")
    add_encounter(visitor.tenant, "E-1", "P-1", owner="prov-7", status="finished", signed=True)
    return "E-1"


@pytest.fixture
def message(visitor: Visitor) -> bytes:
    add_patient(visitor.tenant, "P-1")
    add_encounter(visitor.tenant, "E-1", "P-1", owner="prov-7")
    note = write_note(
        visitor.tenant.texts,
        random.Random(3),
        patient_id="P-1",
        encounter_id="E-1",
        provider_id="prov-7",
        department="internal-medicine",
        discrete=False,
    )
    return mdm_message(note, datetime.datetime.now(datetime.UTC), Habits(), "SCRIBE", "EHR")


def test_the_ledger_counts_documents_under_each_identifier(ehr: PracticeEhr, visitor: Visitor):
    once, twice = visitor.document(), visitor.document()
    for resource in (once, twice, twice):
        assert visitor.write(resource).status == 201
    counted = ehr.ledger.documents("north")
    assert (counted[value_of(once)], counted[value_of(twice)], counted["other"]) == (1, 2, 0)


def test_a_condition_is_heeded_only_where_the_statement_says_so(ehr: PracticeEhr, visitor: Visitor):
    resource = visitor.document()
    assert [visitor.write(resource, **condition(resource)).status for _ in range(2)] == [201, 200]
    ehr.set_faults("north", {"resend-no-conditional-create"})
    assert visitor.write(resource, **condition(resource)).status == 201
    statement = json.loads(visitor.get(f"{visitor.tenant.fhir_base}/metadata").body)
    offered = {each["type"]: each["conditionalCreate"] for each in statement["rest"][0]["resource"]}
    assert not any(offered.values()) and ehr.ledger.documents("north")[value_of(resource)] == 2


def test_a_lost_answer_leaves_the_document_and_a_lost_request_does_not(ehr: PracticeEhr, visitor: Visitor):
    for trouble, stored in (("resend-request-cut", 0), ("resend-answer-cut", 1)):
        ehr.set_faults("north", {trouble})
        resource = visitor.document()
        with pytest.raises(NetworkFailure) as caught:
            visitor.write(resource)
        assert caught.value.sent
        assert visitor.read("Encounter/canary-enc-1").status == 200, "only documents and messages are cut"
        assert ehr.ledger.documents("north")[value_of(resource)] == stored
        assert ehr.ledger.entries("north", "fhir")[-2].status is None


def test_a_parameter_that_is_not_heeded_finds_anything(ehr: PracticeEhr, visitor: Visitor):
    visitor.write(visitor.document())
    ehr.set_faults("north", {"resend-no-identifier-search"})
    found = json.loads(visitor.read("DocumentReference?identifier=nobody").body)
    assert found["total"] == 1
    statement = json.loads(visitor.get(f"{visitor.tenant.fhir_base}/metadata").body)
    assert "identifier" not in {p["name"] for r in statement["rest"][0]["resource"] for p in r["searchParam"]}


def test_a_server_without_search_refuses_it_and_says_so(ehr: PracticeEhr, visitor: Visitor):
    ehr.set_faults("north", {"resend-no-search"})
    assert visitor.read("DocumentReference?patient=canary-1").status == 405
    statement = json.loads(visitor.get(f"{visitor.tenant.fhir_base}/metadata").body)
    (offered,) = [r for r in statement["rest"][0]["resource"] if r["type"] == "DocumentReference"]
    assert {each["code"] for each in offered["interaction"]} == {"create", "read", "update"}


def test_a_server_that_drops_identifiers_shows_none(ehr: PracticeEhr, visitor: Visitor):
    ehr.set_faults("north", {"resend-identifiers-dropped"})
    resource = visitor.document(masterIdentifier={"value": "M-1"})
    made = json.loads(visitor.write(resource).body)
    assert not {"identifier", "masterIdentifier"} & made.keys()
    assert ehr.ledger.documents("north")[value_of(resource)] == 1


def test_a_search_comes_page_by_page(visitor: Visitor):
    token = visitor.token()
    sent = [visitor.document() for _ in range(5)]
    for resource in sent:
        visitor.write(resource, token=token)
    path, seen = "DocumentReference?patient=canary-1&_count=2", []
    while path:
        bundle = json.loads(visitor.read(path, token).body)
        assert bundle["total"] == 5
        seen += [each["resource"] for each in bundle["entry"]]
        following = [each["url"] for each in bundle["link"] if each["relation"] == "next"]
        path = f"DocumentReference?{urlsplit(following[0]).query}" if following else ""
    assert [value_of(each) for each in seen] == [value_of(each) for each in sent]


def test_a_closed_visit_takes_an_addendum_to_what_is_filed_in_it_only(visitor: Visitor, closed: str):
    note = {"subject": {"reference": "Patient/P-1"}, "context": {"encounter": [{"reference": f"Encounter/{closed}"}]}}
    plain = visitor.write(visitor.document(**note))
    assert (plain.status, issue(plain)["code"]) == (422, "business-rule")
    tenant = visitor.tenant
    filed = tenant.store.create("DocumentReference", visitor.document(**note), "2026-03-02T09:00:00+00:00")
    other = tenant.store.create("DocumentReference", visitor.document(), "2026-03-02T09:00:00+00:00")

    def appended(target: str):
        relation = [{"code": "appends", "target": {"reference": f"DocumentReference/{target}"}}]
        return visitor.write(visitor.document(**note, relatesTo=relation))

    assert appended(filed["id"]).status == 201
    assert issue(appended(other["id"]))["code"] == "not-found"
    assert appended("none").status == 422
    replaced = [{"code": "replaces", "target": {"reference": f"DocumentReference/{filed['id']}"}}]
    assert visitor.write(visitor.document(**note, relatesTo=replaced)).status == 422


def test_a_message_is_a_document_on_the_fhir_side(visitor: Visitor, message: bytes):
    visitor.send_hl7(framed(message))
    (number,) = [line.split("|")[12] for line in message.decode().split("\r") if line.startswith("TXA")]
    control = message.decode().split("|")[9]
    for token in (number, control):
        found = json.loads(visitor.read(f"DocumentReference?identifier={token}").body)
        assert found["total"] == 1 and found["entry"][0]["resource"]["subject"] == {"reference": "Patient/P-1"}
    assert json.loads(visitor.read("DocumentReference?encounter=E-1").body)["total"] == 1


def test_a_repeated_message_gets_the_answer_it_got_before(ehr: PracticeEhr, visitor: Visitor, message: bytes):
    first = visitor.send_hl7(framed(message))
    ehr.set_faults("north", {"hl7-internal-error"})
    assert visitor.send_hl7(framed(message)) == first
    assert len(ehr.ledger.creates("north")) == 1


def test_a_lost_acknowledgement_leaves_the_document_and_a_lost_message_does_not(
    ehr: PracticeEhr, visitor: Visitor, message: bytes
):
    for trouble, stored in (("resend-request-cut", 0), ("resend-answer-cut", 1)):
        ehr.set_faults("north", {trouble})
        with pytest.raises(NetworkFailure):
            visitor.send_hl7(framed(message))
        assert len(ehr.ledger.creates("north")) == stored
    ehr.set_faults("north", ())
    assert parts(visitor.send_hl7(framed(message)))["MSA"][1] == "AA"
    assert len(ehr.ledger.creates("north")) == 1


def test_a_message_to_a_closed_visit_must_be_an_addendum(visitor: Visitor, message: bytes):
    visitor.send_hl7(framed(message))
    add_encounter(visitor.tenant, "E-1", "P-1", owner="prov-7", status="finished", signed=True)
    control, number = message.decode().split("|")[9], message.split(b"TXA|")[1].split(b"|")[11]
    later = message.replace(control.encode(), b"TX-LATER")
    refused = parts(visitor.send_hl7(framed(later)))
    assert (refused["MSA"][1], refused["ERR"][3].split("^")[0]) == ("AE", "206")
    t06 = later.replace(b"MDM^T02^MDM_T02", b"MDM^T06^MDM_T02").replace(b"EVN|T02", b"EVN|T06")
    nothing = parts(visitor.send_hl7(framed(t06.replace(b"TX-LATER", b"TX-NONE"))))
    assert (nothing["MSA"][1], nothing["ERR"][2]) == ("AE", "TXA^1^13")
    named = t06.replace(b"||||||DTX-LATER|", b"||||||DTX-LATER|" + number)
    assert parts(visitor.send_hl7(framed(named)))["MSA"][1] == "AA", named
