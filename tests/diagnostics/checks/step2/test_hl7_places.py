"""Where an offence stands: segment, occurrence, field, repetition, component and byte, whatever the bytes are."""

from typing import Any

import pytest

from diagnostics.vocabulary import Outcome, Strength
from tests.diagnostics.checks.charts import judged
from tests.diagnostics.checks.step2.payloads import (
    EVN,
    MSH,
    OBX,
    OBX2,
    PID,
    PV1,
    TXA,
    hl7_case,
    message,
    nack,
    sent_and,
)  # fmt: skip

PASSED, FAILED, WARNING, NA = Outcome.PASSED, Outcome.FAILED, Outcome.WARNING, Outcome.NOT_APPLICABLE
UTF8 = f"{MSH}||||||UNICODE UTF-8"
ACCENTED = OBX.replace("ache", "caf\u00e9 \u2014 ache")
FRAMED, CRLF = "framed", "\r\n"
PLACES: list[tuple[str, str, dict[str, Any], dict[str, Any], bytes]] = [
    # check, the message, what the first place must say, the bytes that stand there
    ("plain", "field.required", {"TXA": TXA.replace("|PN|", "||")}, {"path": "TXA-2", "occurrence": 1}, b"|TX|"),
    ("after accents", "field.table", {"MSH": UTF8, "OBX": ACCENTED, "OBX2": OBX2.replace("||||||F", "||||||Q")},
     {"path": "OBX-11", "occurrence": 2}, b"Q"),
    ("in CRLF", "field.table", {"end": CRLF, "OBX2": OBX2.replace("||||||F", "||||||Q")},
     {"path": "OBX-11", "occurrence": 2}, b"Q\r\n"),
    ("second repetition", "escape.repetition", {"TXA": TXA.replace("DOC-1", "DOC-1~DOC-2")},
     {"path": "TXA-12", "repetition": 2}, b"DOC-2"),
    ("bare caret after accents", "escape", {"MSH": UTF8, "OBX": ACCENTED.replace("ache", "10^3")},
     {"path": "OBX-5", "occurrence": 1}, b"^3"),
    ("bare pipe", "escape", {"OBX2": OBX2.replace("Return", "BP 120|80 today")}, {"path": "OBX-5", "occurrence": 2},
     b"|80"),
    ("line break", "linebreak", {"OBX": OBX.replace("for two", "for\rtwo")}, {"path": "OBX-5", "occurrence": 1},
     b"two weeks"),
    ("component of a name", "encoding.undeclared", {"PID": PID.replace("ROE^SAM", "ROE^S\u00c1M")},
     {"path": "PID-5.2", "component": 2, "code_point": "U+00C1", "replacement": "A"}, "\u00c1".encode()),
    ("in the second repetition", "encoding.undeclared", {"OBX": OBX.replace("ache", "one~t\u00b5o")},
     {"path": "OBX-5.1", "repetition": 2, "replacement": None}, "\u00b5".encode()),
    ("control id", "msh.control_id", {"MSH": MSH.replace("MSG-1", "M" * 21)}, {"path": "MSH-10"}, b"MMM"),
    ("event", "msh.type", {"MSH": MSH.replace("MDM^T02", "MDM^T08")}, {"path": "MSH-9"}, b"MDM^T08"),
    ("site limit", "field.length", {"OBX2": OBX2}, {"path": "OBX-5", "occurrence": 1}, b"Dull"),
    ("a missing field at the end", "field.required", {"PV1": "PV1|1"}, {"path": "PV1-2"}, b"\r"),
]  # fmt: skip


@pytest.mark.parametrize("framed", [False, True])
@pytest.mark.parametrize(("what", "check", "parts", "place", "there"), PLACES, ids=[row[0] for row in PLACES])
def test_an_offence_names_its_place_to_the_byte(
    what: str, check: str, parts: dict[str, Any], place: dict[str, Any], there: bytes, framed: bool
) -> None:
    raw = message(**parts)
    raw = b"\x0b" + raw + b"\x1c\r" if framed else raw
    limits = {"field_limits": {"OBX-5": 20}} if what == "site limit" else {}
    found = judged(f"hl7.{check}", hl7_case(raw, hl7=limits))
    assert found.status is FAILED, found.says
    first = found.facts["places"][0]
    assert place.items() <= first.items(), first
    assert raw[first["offset"] :].startswith(there)


SEGMENTS: list[tuple[str, str, bytes, bytes]] = [
    ("unexpected", "grammar.order", message(MSH, EVN, PID, TXA, PV1, OBX), TXA.encode()),
    ("repeated", "grammar.missing", message(MSH, EVN, PID, PID.replace("P-1", "P-2"), PV1, TXA, OBX),
     PID.replace("P-1", "P-2").encode()),
    ("start byte inside", "mllp.framing", b"\x0b" + message().replace(b"ache", b"\x0bache") + b"\x1c\r", b"\x0bache"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "check", "raw", "there"), SEGMENTS, ids=[row[0] for row in SEGMENTS])
def test_an_offence_of_a_whole_segment_names_its_first_byte(what: str, check: str, raw: bytes, there: bytes) -> None:
    found = judged(f"hl7.{check}", hl7_case(raw))
    assert found.status is FAILED and raw[found.facts["offset"] :].startswith(there)


ORU = MSH.replace("MDM^T02^MDM_T02", "ORU^R01^ORU_R01")
OBR = "OBR|1|1-1|F-1|11506-3^Progress note^LN"
WHOLE: list[tuple[str, str, bytes, Outcome]] = [
    ("a batch", "msh.first", message("FHS|^~\\&|S", "BHS|^~\\&|S", MSH, EVN, PID, PV1, TXA, OBX, "BTS|1", "FTS|1"), NA),
    ("a batch", "grammar.order", message("BHS|^~\\&|S", MSH, EVN, PID, PV1, TXA, OBX, "BTS|1"), PASSED),
    ("a batch with a broken second message", "grammar.order",
     message("BHS|^~\\&|S", MSH, EVN, PID, PV1, TXA, OBX, MSH, EVN, PID, TXA, PV1, OBX, "BTS|2"), FAILED),
    ("a batch of two sound ones", "grammar.missing",
     message("BHS|^~\\&|S", MSH, EVN, PID, PV1, TXA, OBX, MSH, EVN, PID, PV1, TXA, OBX, "BTS|2"), PASSED),
    ("two headers without a batch", "grammar.missing", message(MSH, EVN, PID, PV1, TXA, OBX, MSH), FAILED),
    ("an order begun and not finished", "grammar.missing", message(ORU, PID, OBR, OBX, "ORC|NW"), FAILED),
    ("a visit twice in a results message", "grammar.missing", message(ORU, PID, PV1, PV1, OBR, OBX), FAILED),
    ("two frames, each sound", "mllp.framing", (b"\x0b" + message() + b"\x1c\r") * 2, PASSED),
    ("two frames, each sound", "linebreak", (b"\x0b" + message() + b"\x1c\r") * 2, PASSED),
    ("lower-case status", "field.table", message(OBX=OBX.replace("||||||F", "||||||f")), FAILED),
    ("null in a coded field", "field.table", message(TXA=f'{TXA}|""'), PASSED),
    ("a status of v2.8", "field.table",
     message(MSH=MSH.replace("2.5.1", "2.8"), OBX=OBX.replace("||||||F", "||||||V")), PASSED),
    ("a status of v2.8 in 2.5.1", "field.table", message(OBX=OBX.replace("||||||F", "||||||V")), FAILED),
    ("a document type of the site's own", "field.table", message(TXA=TXA.replace("|PN|", "|11506-3^Note^LN|")), PASSED),
    ("no value type for a value", "field.required", message(OBX=OBX.replace("|TX|", "||")), FAILED),
    ("no value type and no value", "field.required", message(OBX="OBX|1||1^n^L||||||||X"), PASSED),
    ("only delimiters", "field.required", message(PID="PID|1||^^^~&||ROE^SAM"), FAILED),
    ("two statuses in v2.3", "escape.repetition",
     message(MSH=MSH.replace("2.5.1", "2.3"), TXA=TXA.replace("|AU", "|AU~LA")), PASSED),
    ("two statuses in v2.5.1", "escape.repetition", message(TXA=TXA.replace("|AU", "|AU~LA")), FAILED),
    ("several patient ids", "escape.repetition", message(PID=PID.replace("MR|", "MR~P-9^^^SOUTH^MR|")), PASSED),
    ("declared UTF-16", "encoding.undeclared", message(MSH=f"{MSH}||||||UNICODE UTF-16"), FAILED),
    ("declared UNICODE, sent UTF-8", "encoding.undeclared",
     message(MSH=f"{MSH}||||||UNICODE", OBX=ACCENTED), PASSED),
    ("in UTF-16", "msh.first", message().decode().encode("utf-16"), FAILED),
    ("no such version", "msh.version", message(MSH=MSH.replace("2.5.1", "3.1")), FAILED),
    ("a fifth delimiter before v2.7", "msh.delims", message(MSH=MSH.replace("^~\\&|", "^~\\&#|", 1)), WARNING),
    ("a fifth delimiter in v2.7", "msh.delims",
     message(MSH=MSH.replace("^~\\&|", "^~\\&#|", 1).replace("2.5.1", "2.7")), PASSED),
    ("one delimiter for two things", "msh.delims", message(MSH=MSH.replace("^~\\&", "^^\\&")), WARNING),
    ("an own heading alone on a line", "linebreak", message(OBX="OBX|1|TX|1^n^L||Note\rBMI\rfine||||||F"), FAILED),
    ("an empty Z segment", "linebreak", message(MSH, EVN, PID, "ZPD", PV1, TXA, OBX), PASSED),
]  # fmt: skip


@pytest.mark.parametrize(("what", "check", "raw", "status"), WHOLE, ids=[f"{row[1]}-{row[0]}" for row in WHOLE])
def test_what_counts_and_what_does_not(what: str, check: str, raw: bytes, status: Outcome) -> None:
    found = judged(f"hl7.{check}", hl7_case(raw))
    assert found.status is status, found.says


@pytest.mark.parametrize(
    ("configured", "status"),
    [
        ("MDM^T02", PASSED),
        ("MDM", PASSED),
        ("MDM^T08, MDM^T02", PASSED),
        ("MDM_T02", PASSED),
        ("MDM^T08;ORU^R01", FAILED),
    ],
)
def test_an_interface_may_take_several_types(configured: str, status: Outcome) -> None:
    assert judged("hl7.msh.type", hl7_case(message(), hl7={"message": configured})).status is status


@pytest.mark.parametrize(("name", "status"), [("*", PASSED), ("SCRIBE", PASSED), ("SCRIBE^1.2^ISO", FAILED)])
def test_a_route_may_let_every_name_through(name: str, status: Outcome) -> None:
    assert judged("hl7.msh.routing", hl7_case(message(), hl7={"sending_application": name})).status is status


LIMIT = OBX.replace("Dull ache", "x" * 65_537)
LENGTHS: list[tuple[str, str, str, Outcome]] = [
    ("2.4", "OBX-5", LIMIT, WARNING),
    ("2.5.1", "OBX-5", LIMIT, PASSED),
    ("2.6", "OBX-5", LIMIT, WARNING),
    ("2.7", "OBX-5", LIMIT, PASSED),
    ("2.8", "OBX-5", LIMIT.replace("x" * 65_537, "x" * 120_000), PASSED),
    ("2.5.1", "OBX-5", LIMIT.replace("x" * 65_537, "x" * 99_999), WARNING),
    ("2.4", "each line under it", OBX.replace("Dull ache", "~".join(["x" * 40_000] * 3)), PASSED),
]


@pytest.mark.parametrize(("version", "what", "obx", "status"), LENGTHS)
def test_the_standards_length_goes_by_version_and_by_repetition(
    version: str, what: str, obx: str, status: Outcome
) -> None:
    raw = message(MSH=MSH.replace("2.5.1", version), OBX=obx)
    found = judged("hl7.field.length", hl7_case(raw, hl7={"version": version}))
    assert found.status is status, found.says


def test_the_sites_limit_wins_over_the_standards() -> None:
    raw = message(MSH=MSH.replace("2.5.1", "2.4"), OBX=LIMIT)
    assert judged("hl7.field.length", hl7_case(raw, hl7={"field_limits": {"OBX-5": 200_000}})).status is PASSED


FOREIGN = message(MSH.replace("2.5.1", "2.3"), EVN, PID, PV1, OBR, TXA, OBX)
ANSWERS: list[tuple[str, Any, Outcome]] = [
    ("no answer known", None, WARNING),
    ("taken", sent_and(ack="AA", ack_id="tx-1"), WARNING),
    ("refused without a code", nack("AR"), FAILED),
    ("refused for the sequence", nack("AE", "100"), FAILED),
    ("refused at that segment", nack("AE", "100", "OBR"), FAILED),
    ("refused at another segment", nack("AE", "101", "PID-3"), WARNING),
]


@pytest.mark.parametrize(("what", "rows", "status"), ANSWERS, ids=[row[0] for row in ANSWERS])
def test_an_order_group_of_later_versions_counts_where_the_answer_points_to_it(
    what: str, rows: Any, status: Outcome
) -> None:
    found = judged("hl7.grammar.order", hl7_case(FOREIGN, rows, hl7={"version": "2.3"}))
    assert found.status is status, found.says


def test_a_suggested_value_counts_where_the_interface_names_it() -> None:
    raw = message(TXA=TXA.replace("|PN|", "|NOTE|"))
    found = judged("hl7.field.table", hl7_case(raw, nack("AE", "103", "TXA-2")))
    assert (found.status, found.strength) == (FAILED, Strength.STRONG)
    assert judged("hl7.field.table", hl7_case(raw, nack("AE", "103", "PID-8"))).status is PASSED
