"""HL7 acknowledgements: loose, framed, batched; an answer to the scribe, a decision of the EHR."""

import pytest

from tests.diagnostics.log_formats.samples import ACK, ACKS, NACK, lines, problem, row, rows


@pytest.mark.parametrize(
    "raw",
    [
        ACKS,
        ACK + NACK,
        ACK + b"\r\n\r\n" + NACK,
        (ACK + b"\n" + NACK).replace(b"\r", b"\n"),
        (ACK + NACK).replace(b"\r", b"\r\n"),
        b"FHS|^~\\&|EHR\rBHS|^~\\&|EHR\r" + ACK + NACK + b"BTS|2\rFTS|1\r",
        b"\xef\xbb\xbf\x0b" + ACK + b"\x1c\x0b" + NACK + b"\x1c",
    ],
)
def test_acknowledgements_however_they_are_parted(raw: bytes) -> None:
    good, bad = rows(raw, "scribe", "hl7_acks")
    assert good == {
        "at": "2026-11-22T17:12:03.123000-05:00", "event": "acked", "ack": "AA", "transaction_id": "TX-1",
        "ack_id": "TX-1",
    }  # fmt: skip
    assert (bad["at"], bad["event"], bad["ack"], bad["ack_id"]) == ("2026-11-22T17:12:04", "acked", "AE", "TX-2")
    assert bad["error"] == NACK.decode().strip()


def test_in_the_ehrs_log_they_are_what_the_ehr_decided() -> None:
    good, bad = rows(ACKS, "ehr", "hl7_acks")
    assert (good["event"], good["client_id"], "error" in good) == ("accepted", "SCRIBE", False)
    assert (bad["event"], bad["ack"], bad["transaction_id"]) == ("rejected", "AE", "TX-2")


def test_delimiters_and_character_sets_of_their_own() -> None:
    raw = "MSH#*~\\&#EHR#H#SCRIBE#S#202611221712##ACK#1#P#2.5.1#########8859/1\rMSA#AR#TX-1#Größe\r".encode("latin-1")
    assert "Größe" in row(raw, "scribe", "hl7_acks")["error"]
    assert "Größe" in row(raw, "scribe", "hl7_acks")["error"]


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"MSH|^~\\&|EHR||||20261122171204||MDM^T02|1|P|2.5.1\rTXA|1\r", "holds no MSA segment"),
        (b"MSH|^~\\&|EHR||||||ACK|1|P|2.5.1\rMSA|AA|1\r", "MSH-7 (the time of the message) is missing"),
        (b"MSH|^~\\&|EHR||||20261122||ACK|1|P|2.5.1\rMSA|AA|1\r", "MSH-7 (the time of the message) is no time"),
        (b"an error page\r", "begins with no MSH segment"),
    ],
)
def test_what_is_no_acknowledgement_says_why(raw: bytes, says: str) -> None:
    assert problem(raw, "scribe", "hl7_acks").startswith(says)


def test_noise_between_frames_costs_only_itself() -> None:
    found = lines(b"noise\r\x0b" + ACK + b"\x1c\rmore noise\r\x0b" + NACK + b"\x1c\r", "scribe", "hl7_acks")
    assert [line.problem is None for line in found] == [False, True, False, True]
    assert [line.number for line in found] == [1, 2, 3, 4]
