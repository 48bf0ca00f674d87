import datetime

import pytest

from diagnostics.practice import PracticeEhr
from diagnostics.practice.client import NetworkFailure
from diagnostics.practice.fault import Habits
from diagnostics.practice.notes import write_note
from diagnostics.practice.packaging import mdm_message
from diagnostics.practice.tenant import add_encounter, add_patient
from tests.practice.visitor import Visitor


@pytest.fixture
def note(visitor: Visitor):
    import random

    add_patient(visitor.tenant, "P-1")
    add_encounter(visitor.tenant, "E-1", "P-1", owner="prov-7")
    return write_note(
        visitor.tenant.texts,
        random.Random(3),
        patient_id="P-1",
        encounter_id="E-1",
        provider_id="prov-7",
        department="internal-medicine",
        discrete=False,
    )


def message(note, wrong: str = "ok") -> bytes:
    return mdm_message(note, datetime.datetime.now(datetime.UTC), Habits(message=wrong), "SCRIBE", "EHR")


def framed(body: bytes) -> bytes:
    return b"\x0b" + body + b"\x1c\x0d"


def parts(ack: bytes) -> dict[str, list[str]]:
    return {line.split("|")[0]: line.split("|") for line in ack.decode().split("\r") if line}


def test_a_good_message_is_acknowledged_and_filed(ehr: PracticeEhr, visitor: Visitor, note):
    ack = parts(visitor.send_hl7(framed(message(note))))
    assert ack["MSA"][1:] == ["AA", note.transaction_id]
    assert ack["MSH"][8].startswith("ACK^T02")
    assert [r["event"] for r in visitor.tenant.audit.rows()] == ["received", "accepted", "filed"]
    assert visitor.tenant.store.filings[0].fields["PLAN_TXT"] == dict(note.sections)["plan"]
    assert len(ehr.ledger.creates("north")) == 1


def test_the_same_message_again_is_not_stored_twice_but_another_with_its_id_is_refused(ehr: PracticeEhr, visitor, note):
    body = message(note)
    assert parts(visitor.send_hl7(framed(body)))["MSA"][1] == "AA"
    assert parts(visitor.send_hl7(framed(body)))["MSA"][1] == "AA"
    assert len(ehr.ledger.creates("north")) == 1
    other = parts(visitor.send_hl7(framed(body.replace(b"OBX|1|", b"OBX|9|"))))
    assert (other["MSA"][1], other["ERR"][3].split("^")[0]) == ("AE", "205")


@pytest.mark.parametrize(
    ("wrong", "ack", "code", "place"),
    [
        ("bom", "AR", "100", "MSH"),
        ("event", "AR", "201", "MSH^1^9"),
        ("version", "AR", "203", "MSH^1^12"),
        ("training", "AR", "202", "MSH^1^11"),
        ("order", "AE", "100", "TXA"),
        ("missing", "AE", "100", "TXA"),
        ("empty_field", "AE", "101", "TXA^1^2"),
        ("unicode", "AE", "102", "MSH^1^18"),
        ("raw_delimiter", "AE", "102", "OBX"),
        ("raw_linebreak", "AE", "100", "Sec"),
    ],
)
def test_a_bad_message_is_refused_with_code_and_place(visitor: Visitor, note, wrong, ack, code, place):
    answer = parts(visitor.send_hl7(framed(message(note, wrong))))
    assert answer["MSA"][1] == ack
    assert answer["ERR"][3].split("^")[0] == code
    assert answer["ERR"][2].startswith(place)
    assert visitor.tenant.audit.rows()[-1]["event"] == "rejected"


@pytest.mark.parametrize("good", ["ok", "unicode_declared", "z_segment", "one_line"])
def test_odd_but_right_messages_are_taken(visitor: Visitor, note, good: str):
    assert parts(visitor.send_hl7(framed(message(note, good))))["MSA"][1] == "AA"


def test_enhanced_mode_is_answered_with_commit_codes(visitor: Visitor, note):
    def enhanced(body: bytes) -> bytes:
        header, _, rest = body.partition(b"\r")
        return header + b"|||AL|NE\r" + rest

    assert parts(visitor.send_hl7(framed(enhanced(message(note, "order")))))["MSA"][1] == "CE"
    assert parts(visitor.send_hl7(framed(enhanced(message(note, "training")))))["MSA"][1] == "CR"
    assert parts(visitor.send_hl7(framed(enhanced(message(note)))))["MSA"][1] == "CA"
    assert visitor.tenant.store.filings


def test_an_oru_message_is_taken(visitor: Visitor, note):
    oru = (
        b"MSH|^~\\&|SCRIBE|S|EHR|H|20260302||ORU^R01^ORU_R01|ORU-1|P|2.5.1\r"
        b"PID|1||P-1^^^PRACTICE^MR||SAMPLE^PATIENT\rPV1|1|O|||||prov-7||||||||||||E-1\r"
        b"OBR|1|||11506-3^Progress note^LN\rOBX|1|TX|11506-3^Progress note^LN||Plan:||||||F\r"
    )
    assert parts(visitor.send_hl7(framed(oru)))["MSA"][1] == "AA"


def test_two_glued_messages_get_two_answers(visitor: Visitor, note):
    import socket

    first, second = message(note), message(note).replace(note.transaction_id.encode(), b"TX-SECOND")
    with socket.create_connection(("127.0.0.1", visitor.tenant.ports["mllp"]), 3) as sock:
        sock.sendall(framed(first) + framed(second))
        received = b""
        while received.count(b"\x1c\x0d") < 2:
            received += sock.recv(4096)
    assert b"TX-SECOND" in received and note.transaction_id.encode() in received


def test_a_message_split_into_single_bytes_is_put_together(visitor: Visitor, note):
    import socket

    with socket.create_connection(("127.0.0.1", visitor.tenant.ports["mllp"]), 3) as sock:
        for byte in framed(message(note)):
            sock.sendall(bytes([byte]))
        assert b"MSA|AA" in sock.recv(4096)


def test_mllp_over_tls_answers(visitor: Visitor, note):
    assert b"MSA|AA" in visitor.send_hl7(framed(message(note)), role="mllps")


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("hl7-internal-error", ("AE", "207")),
        ("hl7-patient-unknown", ("AE", "204")),
        ("hl7-record-locked", ("AE", "206")),
    ],
)
def test_acknowledgement_faults(ehr: PracticeEhr, visitor: Visitor, note, fault, expected):
    ehr.set_faults("north", {fault})
    answer = parts(visitor.send_hl7(framed(message(note))))
    assert (answer["MSA"][1], answer["ERR"][3].split("^")[0]) == expected


def test_no_answer_is_silence(ehr: PracticeEhr, visitor: Visitor, note):
    ehr.set_faults("north", {"hl7-no-answer"})
    with pytest.raises(NetworkFailure) as caught:
        visitor.send_hl7(framed(message(note)), timeout_s=0.2)
    assert caught.value.sent and caught.value.timed_out


def test_an_answer_for_another_carries_another_id(ehr: PracticeEhr, visitor: Visitor, note):
    ehr.set_faults("north", {"hl7-answer-for-another"})
    answer = parts(visitor.send_hl7(framed(message(note))))
    assert answer["MSA"][1] == "AA" and answer["MSA"][2] != note.transaction_id
