"""FHIR AuditEvents as FHIR servers write them: a Bundle of any size, an array, NDJSON, or all of it in one log."""

import base64
import json
from typing import Any

import pytest

from tests.diagnostics.log_formats.samples import EVENT, NDJSON, lines, problem, row, rows

REST = {"system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest"}


def coded(code: str, display: str = "") -> dict[str, Any]:
    return {"coding": [{"code": code, **({"display": display} if display else {})}]}


def bundle(*events: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "searchset", "total": len(events), "link": [{"relation": "self"}],
            "entry": [{"fullUrl": "urn:x", "resource": event, "search": {}} for event in events]}  # fmt: skip


def one(**changes: Any) -> dict[str, Any]:
    return row(json.dumps({**EVENT, **changes}).encode(), "ehr", "audit_events")


@pytest.mark.parametrize("indent", [None, 1, 4])
def test_a_bundle_an_array_and_one_event_are_read_however_they_are_set(indent: int | None) -> None:
    for document, count in ((bundle(EVENT, EVENT, EVENT), 3), ([EVENT, EVENT], 2), (EVENT, 1), (bundle(), 0)):
        raw = json.dumps(document, indent=indent).encode()
        assert len(rows(raw, "ehr", "audit_events")) == count
        assert len(rows(b"\xef\xbb\xbf" + raw + b"\n", "ehr", "audit_events")) == count


def test_what_is_said_about_a_write() -> None:
    assert one() == {
        "at": "2026-11-22T17:12:00.250Z", "event": "filed", "resource": "DocumentReference/D-7",
        "encounter_id": "Encounter/E-1",
    }  # fmt: skip


def test_a_log_of_both_keeps_the_rows_of_the_contract() -> None:
    raw = b'{"at": "2026-11-22T17:12:00Z", "event": "received"}\n' + json.dumps(EVENT).encode() + b"\n"
    assert [each["event"] for each in rows(raw, "ehr", "audit_events")] == ["received", "filed"]


def test_a_broken_line_costs_only_itself() -> None:
    event = json.dumps(EVENT).encode()
    raw = b"\n".join([event, event[:60], b'{"resourceType": "AuditEvent}', b"noise", b"", event, b'"x" ]', event])
    found = lines(raw, "ehr", "audit_events")
    assert [(line.number, line.problem is None) for line in found] == [
        (1, True), (2, False), (3, False), (4, False), (6, True), (7, False), (8, True),
    ]  # fmt: skip
    assert found[1].raw == event[:60]


def test_bundles_may_stand_one_a_line() -> None:
    line = json.dumps(bundle(EVENT, {"resourceType": "Patient"}, EVENT)).encode() + b"\n"
    found = lines(line * 2, "ehr", "audit_events")
    assert [(each.number, each.problem) for each in found] == [
        (1, None), (1, "is no AuditEvent"), (1, None), (2, None), (2, "is no AuditEvent"), (2, None),
    ]  # fmt: skip


def test_a_bundle_that_breaks_off_gives_what_came_whole() -> None:
    raw = json.dumps(bundle(EVENT, EVENT, EVENT), indent=1).encode()
    found = lines(raw[: raw.rindex(b'"recorded"')], "ehr", "audit_events")
    assert [each.problem for each in found] == [None, None, "breaks off: a bracket or a quote is not closed"]


def test_brackets_and_the_word_entry_inside_texts_mean_nothing() -> None:
    odd = {**EVENT, "outcome": "8", "outcomeDesc": 'a ] } "entry": [ { \\ \u2028 text', "extension": [{"entry": [{}]}]}
    for document in (bundle(odd, odd), [odd, odd]):
        found = rows(json.dumps(document, indent=2, ensure_ascii=False).encode(), "ehr", "audit_events")
        assert [each["error"] for each in found] == [odd["outcomeDesc"]] * 2


@pytest.mark.parametrize(
    ("event", "says"),
    [
        ({"resourceType": "Patient"}, "is no AuditEvent"),
        ({"resourceType": "AuditEvent"}, "recorded (the time of the AuditEvent) is missing"),
        ({"x": float("nan")}, "is not JSON"),
        ({**EVENT, "outcome": "8", "outcomeDesc": "\ud800"}, "holds half a character (a lone surrogate)"),
        ({**EVENT, "outcome": "8", "outcomeDesc": "a\x00b"}, "holds a NUL character"),
    ],
)
def test_an_element_that_is_no_row_says_why(event: Any, says: str) -> None:
    assert problem(json.dumps(event).encode(), "ehr", "audit_events") == says


def test_nesting_without_end_is_a_problem_and_not_a_crash() -> None:
    assert problem(b'{"a": ' + b"[" * 60_000 + b"]" * 60_000 + b"}", "ehr", "audit_events") == "is not JSON"


def test_the_request_id_and_the_ids_of_ihe_and_of_servers() -> None:
    found = one(
        type=REST,
        subtype=[{"code": "create"}],
        entity=[
            {"what": {"reference": "https://e.example/fhir/R4/DocumentReference/7/_history/1"}, "role": {"code": "4"}},
            {"what": {"reference": "Patient/P-1/_history/2"}, "role": {"code": "1"}},
            {"what": {"identifier": {"value": "r-1"}}, "type": {"code": "XrequestId"}},
            {"what": {"identifier": {"value": "E-9"}, "type": "Encounter"}},
            {"detail": [{"type": "Transaction_Id", "valueBase64Binary": base64.b64encode(b"TX-1").decode()},
                        {"type": "http-status", "valueString": "201"}]},
        ],
    )  # fmt: skip
    assert {key: found[key] for key in ("resource", "patient_id", "request_id", "encounter_id", "transaction_id")} == {
        "resource": "DocumentReference/7", "patient_id": "Patient/P-1", "request_id": "r-1", "encounter_id": "E-9",
        "transaction_id": "TX-1",
    }  # fmt: skip
    assert found["status"] == 201


def test_a_patients_identifier_is_no_transaction() -> None:
    found = one(
        entity=[
            {"what": {"identifier": {"value": "MRN-1^^^&1.2.3&ISO"}}, "role": {"code": "1"}},
            {"what": {"identifier": {"value": "set-1"}}, "role": {"code": "20"}},
        ]
    )
    assert (found["patient_id"], "transaction_id" in found) == ("MRN-1", False)


def test_a_read_names_what_was_read_and_no_encounter() -> None:
    entity = [{"what": {"reference": "Encounter/E-1"}}, {"what": {"reference": "Patient/P-1"}}]
    for changes in ({"action": "R"}, {"action": "E", "subtype": [{"code": "search-type"}]}):
        found = one(entity=entity, **changes)
        assert (found["event"], found["resource"], "encounter_id" in found) == ("received", "Encounter/E-1", False)


def test_signing_in_and_out_is_no_arrival() -> None:
    assert one(action="E", subtype=[{"code": "110122", "display": "Login"}], entity=[])["event"] == "token"
    failed = one(type={"code": "110114"}, action="E", outcome="8", outcomeDesc="locked", entity=[])
    assert (failed["event"], failed["error"]) == ("token", "locked")


@pytest.mark.parametrize(
    ("outcome", "event"), [("0", "filed"), ("4", "rejected"), ("8", "rejected"), ("12", "rejected")]
)
def test_outcomes(outcome: str, event: str) -> None:
    assert one(outcome=outcome)["event"] == event


def test_an_r5_event_is_understood_as_far_as_it_goes() -> None:
    bad = one(
        outcome={"code": {"code": "error"}, "detail": [{"text": "no such visit"}]}, code=coded("create", "create")
    )
    assert (bad["event"], bad["error"], bad["subtype"]) == ("rejected", "no such visit", "create create")
    assert one(outcome={"code": {"code": "success"}})["event"] == "filed"


@pytest.mark.parametrize(
    ("agents", "client", "author"),
    [
        ([{"who": {"reference": "Practitioner/prov-7"}}], None, "Practitioner/prov-7"),
        ([{"who": {"reference": "Device/scribe"}, "requestor": True}], "Device/scribe", None),
        ([{"who": {"identifier": {"value": "scribe-writer"}}, "requestor": True}], "scribe-writer", None),
        ([{"type": coded("110152"), "who": {"reference": "Device/ehr"}},
          {"type": coded("110153"), "who": {"identifier": {"value": "scribe"}}, "requestor": False},
          {"type": coded("humanuser"), "who": {"identifier": {"value": "95"}}, "requestor": True}], "scribe", "95"),
        ([{"type": coded("110153"), "who": {"display": "scribe.app"}},
          {"type": coded("humanuser"), "who": {"identifier": {"value": "95"}}, "altId": "601"}], "scribe.app", "95"),
        ([{"altId": "app-1", "requestor": True}], "app-1", None),
        ([{"who": {"reference": "https://e.example/fhir/PractitionerRole/r-1"}, "altId": "app-2"}], "app-2",
         "PractitionerRole/r-1"),
        (["odd", {"who": "odd", "type": "odd", "network": "odd"}], None, None),
    ],
)  # fmt: skip
def test_who_did_it_and_for_whom(agents: Any, client: str | None, author: str | None) -> None:
    found = one(agent=agents)
    assert (found.get("client_id"), found.get("author_id")) == (client, author)


def test_the_clients_address_is_kept() -> None:
    assert one(agent=[{"requestor": True, "network": {"address": "192.0.2.7"}}])["client_address"] == "192.0.2.7"


def test_a_plain_array_of_rows_is_a_log_as_well() -> None:
    raw = b"[" + NDJSON.strip() + b",\n 5, [1],\n" + NDJSON.strip() + b"]"
    found = lines(raw, "scribe", "json")
    assert [line.problem for line in found] == [None, "holds text outside any element", "is not a JSON object", None]
