"""ATNA audit messages and exports of integration engines."""

from typing import Any

import pytest

from tests.diagnostics.log_formats.samples import (
    ATNA,
    MDM,
    MIRTH,
    RAW,
    SENT,
    TIMES,
    connector,
    export,
    lines,
    problem,
    response,
    row,
    rows,
)

BODY = ATNA[ATNA.index(b"<AuditMessage>") :].strip()
SOURCE = "2026-05-17T06:40:00+00:00"


def test_an_audit_message_in_a_syslog_frame() -> None:
    assert row(ATNA, "ehr", "atna") == {
        "at": "2026-11-22T17:12:00.123Z", "event": "filed", "subtype": "110107 Import", "client_id": "scribe-app",
        "client_address": "192.0.2.7", "author_id": "prov-7", "patient_id": "P-1", "transaction_id": "1.2.3.4.5",
        "encounter_id": "E-1",
    }  # fmt: skip


@pytest.mark.parametrize(
    "raw",
    [
        BODY + BODY,
        BODY + b"\n" + BODY,
        b"<?xml version='1.0'?>\n<log>\n" + BODY + b"\n" + BODY + b"\n</log>",
        b"%d <85>1 2026-11-22T17:12:00Z h a - - - %b" % (len(BODY) + 40, BODY) * 2,
        b"<85>Nov 22 17:12:00 h app: " + BODY + b"\n<85>Nov 22 17:12:00 h app: " + BODY,
        BODY.replace(b"><", b">\n <") * 2,
        BODY.replace(b"<", b"<a:").replace(b"<a:/", b"</a:") * 2,
        b"<w xmlns:a='urn:a'>" + BODY.replace(b"<AuditMessage>", b"<AuditMessage a:v='1'>") * 2 + b"</w>",
    ],
)
def test_audit_messages_however_they_are_parted(raw: bytes) -> None:
    first, second = rows(raw, "ehr", "atna")
    assert first == second
    assert (first["event"], first["patient_id"]) == ("filed", "P-1")


@pytest.mark.parametrize(
    ("old", "new", "key", "value"),
    [
        (b'EventOutcomeIndicator="0"', b'EventOutcomeIndicator="8"', "event", "rejected"),
        (b'EventActionCode="C"', b'EventActionCode="R"', "event", "received"),
        (b"110107", b"110114", "event", "token"),
        (b'csd-code="110107"', b'code="110107"', "subtype", "110107 Import"),
        (b"2026-11-22T17:12:00.123Z", b"2026-11-22T17:12:00", "at", "2026-11-22T17:12:00"),
        (b"1.2.3.4.5", b"DocumentReference/7", "transaction_id", "DocumentReference/7"),
    ],
)
def test_what_an_audit_message_says(old: bytes, new: bytes, key: str, value: str) -> None:
    assert row(ATNA.replace(old, new), "ehr", "atna")[key] == value


def test_a_read_of_an_encounter_is_no_arrival_in_it() -> None:
    found = row(ATNA.replace(b'EventActionCode="C"', b'EventActionCode="R"'), "ehr", "atna")
    assert "encounter_id" not in found


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (BODY.replace(b"</EventIdentification>", b""), "is not well-formed XML"),
        (BODY.replace(b"2026-11-22T17:12:00.123Z", b""), "EventDateTime is missing"),
        (BODY.replace(b"2026-11-22T17:12:00.123Z", b"soon"), "EventDateTime is no time"),
        (b"<AuditMessage></AuditMessage>", "EventIdentification is missing"),
        (BODY[:-5], "<AuditMessage> is not closed before the file ends"),
        (b"<85>1 2026-11-22T17:12:00Z h sshd - - - hello", "holds no <AuditMessage>"),
        (BODY.replace(b"scribe-app", b"\xff"), "is not UTF-8 text"),
        (b"<!DOCTYPE x [<!ENTITY a 'b'>]>" + BODY.replace(b"scribe-app", b"&a;"), "is not well-formed XML"),
    ],
)
def test_what_is_no_audit_message_says_why(raw: bytes, says: str) -> None:
    assert problem(raw, "ehr", "atna") == says


def test_an_open_message_does_not_swallow_the_next_one() -> None:
    found = lines(BODY[:-20] + b"\n" + BODY, "ehr", "atna")
    assert [line.problem for line in found] == ["<AuditMessage> is not closed before the next one begins", None]


def test_an_engine_beside_the_scribe_shows_its_attempts_and_answers() -> None:
    packaged, sent, acked = rows(MIRTH, "scribe", "mirth")
    ids = {"transaction_id": "TX-1", "encounter_id": "E-1", "patient_id": "P-1"}
    assert packaged == {"at": SOURCE, "event": "packaged", **ids, "connector": "Notes / Source"}
    assert sent == {
        "at": "2026-05-17T06:40:00.200000+00:00", "event": "sent", **ids, "url": "mllp://ehr.example:2575",
        "method": "MLLP", "connector": "Notes / EHR", "attempt": 2,
    }  # fmt: skip
    assert acked == {
        "at": "2026-05-17T06:40:00.900000+00:00", "event": "acked", **ids, "ack": "AA", "ack_id": "TX-1",
        "connector": "Notes / EHR",
    }  # fmt: skip


ERROR = (
    "<processingErrorContent><content>ERROR-408: TCP Sender error\njava.net.ConnectException: Connection refused\n"
    "\tat java.base/java.net.Socket.connect</content></processingErrorContent>"
)


@pytest.mark.parametrize(
    ("log", "connectors", "events"),
    [
        ("scribe", (connector(1, "ERROR", RAW, ERROR, TIMES),), ["sent", "failed"]),
        ("scribe", (connector(1, "ERROR", RAW, response("AE", "no visit"), TIMES),), ["sent", "acked"]),
        ("scribe", (connector(1, "QUEUED", RAW, ERROR),), ["queued"]),
        ("scribe", (connector(1, "FILTERED", RAW),), []),
        ("scribe", (connector(1, "SENT", RAW, TIMES),), ["sent"]),
        ("scribe", (connector(0, "ERROR", RAW, ERROR),), ["failed"]),
        ("ehr", (connector(0, "TRANSFORMED", RAW),), ["received"]),
        ("ehr", (connector(0, "FILTERED", RAW),), ["rejected"]),
        ("ehr", (connector(1, "SENT", RAW, response("AA"), TIMES),), ["accepted"]),
        ("ehr", (connector(1, "SENT", RAW, response("AR"), TIMES),), ["rejected"]),
        ("ehr", (connector(1, "ERROR", RAW, ERROR),), ["rejected"]),
        ("ehr", (connector(1, "QUEUED", RAW),), []),
    ],
)
def test_what_the_steps_of_an_engine_mean(log: str, connectors: Any, events: list[str]) -> None:
    assert [each["event"] for each in rows(export(*connectors), log, "mirth")] == events


def test_an_error_is_told_without_its_stack_and_a_refusal_whole() -> None:
    _, failed = rows(export(connector(1, "ERROR", RAW, SENT, ERROR, TIMES)), "scribe", "mirth")
    assert failed["error"] == "ERROR-408: TCP Sender error\njava.net.ConnectException: Connection refused"
    _, refused = rows(export(connector(1, "ERROR", RAW, response("AE", "no visit"), TIMES)), "scribe", "mirth")
    assert refused["error"].endswith("MSA|AE|TX-1|no visit")


def test_a_fhir_destination_is_read_by_its_references_and_its_status_line() -> None:
    body = (
        '{"resourceType":"DocumentReference","masterIdentifier":{"system":"urn:x","value":"TX-9"},"subject":'
        '{"reference":"Patient/P-1"},"context":{"encounter":[{"reference":"https://e.example/fhir/Encounter/E-1"}]}}'
    )
    sent = (
        "<sent><content>&lt;com.mirth.connect.connectors.http.HttpDispatcherProperties&gt;&lt;host&gt;"
        "https://ehr.example/fhir/DocumentReference&lt;/host&gt;&lt;method&gt;post&lt;/method&gt;</content></sent>"
    )
    answer = (
        "<response><content>&lt;response&gt;&lt;status&gt;ERROR&lt;/status&gt;&lt;message&gt;{\"issue\": []}"
        "&lt;/message&gt;&lt;statusMessage&gt;HTTP/1.1 422 Unprocessable&lt;/statusMessage&gt;&lt;/response&gt;"
        "</content></response>"
    )  # fmt: skip
    tried, failed = rows(
        export(connector(1, "ERROR", f"<encoded><content>{body}</content></encoded>", sent, answer, TIMES)),
        "scribe", "mirth",
    )  # fmt: skip
    assert (tried["url"], tried["method"]) == ("https://ehr.example/fhir/DocumentReference", "POST")
    assert (tried["transaction_id"], tried["patient_id"], tried["encounter_id"]) == (
        "TX-9",
        "Patient/P-1",
        "Encounter/E-1",
    )
    assert (failed["status"], "422" in failed["error"]) == (422, True)


def test_a_document_inside_a_message_is_cut_and_its_ids_are_read() -> None:
    large = connector(
        1, "SENT", f"<raw><content>{MDM}OBX|1|ED|||{'QUJD' * 500_000}</content></raw>", response("AA"), TIMES
    )
    found = lines(export(large, connector(0, "TRANSFORMED", RAW)), "scribe", "mirth")
    assert [line.row and line.row["event"] for line in found] == ["sent", "acked", "packaged"]
    assert all((line.row or {})["transaction_id"] == "TX-1" for line in found)
    assert max(len(line.raw) for line in found) < 100_000


@pytest.mark.parametrize(
    ("inside", "says"),
    [
        ("<status>SENT</status>", "receivedDate (time in milliseconds) is missing"),
        (
            "<status>SENT</status><receivedDate><time>soon</time></receivedDate>",
            "receivedDate is no time in milliseconds",
        ),
        ("<x/>", "status is missing"),
    ],
)
def test_a_step_that_cannot_be_placed_says_why(inside: str, says: str) -> None:
    assert problem(f"<connectorMessage>{inside}</connectorMessage>".encode(), "scribe", "mirth") == says
