"""A plan is pure: what is shown in the dry run is what an approval binds, and nothing of a credential is in it."""

import json
from dataclasses import fields, replace
from datetime import timedelta

import pytest

from diagnostics.case import Hl7Interface
from diagnostics.evidence.chart_seen import ChartSeen, DocumentSeen
from diagnostics.resend import ResendPlan, Way
from tests.diagnostics.resend.cases import SECRETS, case_of, document, message, offered, plan_of


def test_the_original_bytes_go_out_under_a_condition_where_the_server_heeds_one() -> None:
    payload = json.dumps(document(), indent=3).encode()
    how = plan_of(case_of(payload), offered())
    assert (how.way, how.method, how.url) == (
        Way.CONDITIONAL_CREATE, "POST", "https://ehr.example/fhir/DocumentReference",
    )  # fmt: skip
    assert how.body == payload and how.content_type == "application/fhir+json"
    assert ("If-None-Exist", "identifier=urn:scribe|TX-1") in how.headers
    assert [each.where for each in how.differences] == ["If-None-Exist header"]


@pytest.mark.parametrize("said", [{"conditional_create": False}, {"conditional_create": None}])
def test_without_an_advertised_condition_none_is_sent_and_the_plan_warns(said: dict[str, object]) -> None:
    how = plan_of(case_of(document()), offered(**said))
    assert how.way is Way.CREATE and not [h for h in how.headers if h[0] == "If-None-Exist"]
    assert "no conditional create" in how.warning


def test_a_statement_that_is_not_at_hand_promises_nothing() -> None:
    assert plan_of(case_of(document())).way is Way.CREATE


def test_a_route_of_its_own_gets_no_condition() -> None:
    how = plan_of(case_of(document(), write_url="https://write.example/notes?code=abc#x"), offered())
    assert how.way is Way.CREATE and how.url == "https://write.example/notes"
    assert ("Address", "https://ehr.example/fhir/DocumentReference") in [(d.where, d.before) for d in how.differences]


def test_the_masters_identifier_comes_first_and_foreign_ones_are_no_condition() -> None:
    held = document(
        masterIdentifier={"system": "urn:ietf:rfc:3986", "value": "urn:oid:1.2.3"},
        identifier=[{"system": "urn:visit", "value": "E-1"}, {"system": "urn:scribe", "value": "TX-1"}],
    )
    how = plan_of(case_of(held), offered())
    assert how.lookup.identifiers == (("urn:ietf:rfc:3986", "urn:oid:1.2.3"), ("urn:scribe", "TX-1"))
    assert ("If-None-Exist", "identifier=urn:ietf:rfc:3986|urn:oid:1.2.3") in how.headers


def test_signs_with_a_meaning_in_searches_are_escaped() -> None:
    held = document(identifier=[{"system": "urn:a", "value": "TX|1,2$3&4 5\\6"}])
    how = plan_of(case_of(held, note_transaction_id=None), offered())
    (condition,) = [value for name, value in how.headers if name == "If-None-Exist"]
    assert condition == "identifier=urn:a|TX%5C|1%5C%2C2%5C%243%264%205%5C%5C6"


@pytest.mark.parametrize(
    ("transaction", "value"), [("TX-1", "TX-1"), (None, None)], ids=["the transaction's", "one of the content"]
)
def test_a_payload_without_identifier_gets_one(transaction: str | None, value: str | None) -> None:
    case = case_of(document(identifier=None), note_transaction_id=transaction)
    how = plan_of(case, offered())
    held = json.loads(how.body)
    (given,) = held["identifier"]
    assert given["system"] == "urn:notetrace:resend" and (value is None or given["value"] == value)
    assert how.differences[0].where == "DocumentReference.identifier"
    assert case.note is not None and case.note.payload is not None and how.body.endswith(case.note.payload[1:])
    assert plan_of(case, offered()).digest == how.digest
    assert how.lookup.identifiers == ((given["system"], given["value"]),)


def test_the_content_type_follows_the_settings_and_is_told() -> None:
    case = case_of(document(), fhir_format="application/json")
    rows = tuple({**row, "content_type": "text/plain"} for row in case.logs.scribe or ())
    how = plan_of(replace(case, logs=replace(case.logs, scribe=rows)), offered())
    assert how.content_type == "application/json" and ("Accept", "application/json") in how.headers
    assert ("Content-Type header", "text/plain", "application/json") in [
        (d.where, d.before, d.after) for d in how.differences
    ]


SIGNED = ({"id": "E-1", "status": "finished", "signed": True, "patient_id": "P-1"},)
XML = (
    b'<DocumentReference xmlns="http://hl7.org/fhir">%s<status value="current"/>'
    b'<subject><reference value="Patient/P-1"/></subject></DocumentReference>'
)


def test_xml_goes_as_it_is_and_is_not_changed() -> None:
    whole = XML % b'<identifier><value value="TX-1"/></identifier>'
    how = plan_of(case_of(whole), offered())
    assert (how.body, how.content_type, how.way) == (whole, "application/fhir+xml", Way.CONDITIONAL_CREATE)
    assert "would have to be changed" in plan_of(case_of(XML % b""), offered()).refused


def test_a_report_and_a_composition_go_the_same_way() -> None:
    report = {
        "resourceType": "DiagnosticReport",
        "identifier": [{"value": "TX-1"}],
        "subject": {"reference": "Patient/P-1"},
    }
    how = plan_of(case_of(report), offered(type="DiagnosticReport"))
    assert how.url.endswith("/DiagnosticReport") and how.way is Way.CONDITIONAL_CREATE
    bare = {"resourceType": "Composition", "subject": {"reference": "Patient/P-1"}}
    body = json.loads(plan_of(case_of(bare), offered(type="Composition")).body)
    assert isinstance(body["identifier"], dict)


def test_a_message_keeps_its_ids() -> None:
    how = plan_of(case_of(message(), hl7=True))
    assert (how.way, how.method, how.url, how.control_id) == (Way.MESSAGE, "MLLP", "mllp://ehr.example:2575", "TX-1")
    assert how.body == message() and how.lookup.identifiers == (("", "DTX-1"), ("", "TX-1"))


def test_lines_that_belong_to_no_segment_are_not_lost() -> None:
    torn = message().replace(b"fluids,", b"fluids,\rand more lines,")
    assert plan_of(case_of(torn, hl7=True)).body == torn


def test_a_message_with_marks_of_its_own_is_changed_in_them() -> None:
    odd = message(MSH="MSH#*~\\&#SCRIBE#S#EHR#H#20260302090000##MDM*T02*MDM_T02#TX-1#P#2.3")
    odd = odd.replace(b"|", b"#").replace(b"^~\\&", b"*~\\&").replace(b"^", b"*")
    hl7 = Hl7Interface(host="ehr.example", port=2575, version="2.5.1", receiving_application="A*B")
    case = case_of(odd, hl7=True)
    how = plan_of(replace(case, integration=replace(case.integration, hl7=hl7)))
    head = how.body.split(b"\r")[0].split(b"#")
    assert (head[4], head[11]) == (b"A\\S\\B", b"2.5.1")


def test_the_digest_binds_all_that_is_sent_and_nothing_else() -> None:
    how = plan_of(case_of(document()), offered())
    assert len(how.digest) == 64 and plan_of(case_of(document()), offered()).digest == how.digest
    for change in (
        {"way": Way.CREATE},
        {"method": "PUT"},
        {"url": how.url + "/"},
        {"headers": how.headers[:-1]},
        {"body": how.body + b"\n"},
        {"content_type": "application/json"},
    ):
        assert replace(how, **change).digest != how.digest, change
    for silent in ({"warning": "x"}, {"looks_for": "x"}, {"differences": ()}, {"refused": "x"}):
        assert replace(how, **silent).digest == how.digest
    moved = replace(how, url=how.url + "P", method=how.method[:-1])
    assert moved.digest != how.digest


def test_the_digest_is_the_same_on_another_day() -> None:
    case = case_of(document(), encounters=SIGNED)
    parent = ChartSeen(found=0, others=(DocumentSeen("77", "current", "final", ("11506-3",)),))
    later = replace(case, now=case.now + timedelta(days=40))
    assert plan_of(case, offered(), parent).digest == plan_of(later, offered(), parent).digest != ""


def test_evidence_in_another_order_gives_the_same_plan() -> None:
    case = case_of(document())
    extra = (offered(), ChartSeen(found=0, others=()))
    assert plan_of(case, *extra) == plan_of(case, *reversed(extra))


def test_no_part_of_a_plan_holds_a_credential() -> None:
    keyed = "https://someone:pass-word-77@write.example/notes?api_key=key-in-the-address"
    for case in (
        case_of(document()),
        case_of(document(), write_url=keyed),
        case_of(message(), hl7=True),
    ):
        told = told_by(plan_of(case, offered()))
        for secret in (*SECRETS.values(), "pass-word-77", "key-in-the-address", "Bearer"):
            assert secret not in told


def told_by(how: ResendPlan) -> str:
    return " ".join(str(getattr(how, each.name)) for each in fields(how))


def test_half_a_surrogate_pair_in_an_identifier_breaks_nothing() -> None:
    held = document(identifier=[{"value": "TX-\ud800"}])
    how = plan_of(case_of(held, note_transaction_id=None), offered())
    assert ("If-None-Exist", "identifier=TX-?") not in how.headers and how.way is Way.CONDITIONAL_CREATE
    assert all(value.isascii() for _name, value in how.headers) and len(how.digest) == 64
