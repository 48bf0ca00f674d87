"""The HL7 message: framing, header, grammar, fields, characters; and what counts as no fault."""

from typing import Any

import pytest

from diagnostics.vocabulary import Outcome, Strength
from tests.diagnostics.checks.charts import judged
from tests.diagnostics.checks.step2.payloads import EVN, MSH, OBX, PID, PV1, TXA, hl7_case, message, nack, sent_and

PASSED, FAILED, WARNING, NA = Outcome.PASSED, Outcome.FAILED, Outcome.WARNING, Outcome.NOT_APPLICABLE
MESSAGE_CHECKS = (
    "msh.first", "msh.type", "msh.version", "msh.processing_id", "msh.control_id", "grammar.order", "grammar.missing",
    "field.required", "field.length", "field.table", "encoding.undeclared", "escape", "linebreak",
)  # fmt: skip
ORDER = "ORC|NW|1-1"
OBR = "OBR|1|1-1|F-1|11506-3^Progress note^LN"
UTF8 = f"{MSH}||||||UNICODE UTF-8"
HEALTHY: list[tuple[str, bytes, dict[str, Any]]] = [
    ("plain", message(), {}),
    ("framed", b"\x0b" + message() + b"\x1c\r", {}),
    ("CRLF", message(end="\r\n"), {}),
    ("LF", message(end="\n"), {}),
    ("Z segments", message(MSH, EVN, PID, "ZPD|1|x", PV1, TXA, OBX, "ZZZ|2"), {}),
    ("order group and notes", message(MSH, EVN, PID, PV1, ORDER, OBR, TXA, OBX, "NTE|1||seen"), {}),
    ("declared UTF-8", message(MSH=UTF8, OBX=OBX.replace("ache", "caf\u00e9 \u2013 ache")), {}),
    ("receiver forced to UTF-8", message(OBX=OBX.replace("ache", "\u2013")), {"hl7": {"charset": "UNICODE UTF-8"}}),
    ("escaped text", message(OBX=OBX.replace("ache", r"A\T\P \F\ 5\S\2 \.br\ C:\E\x \X0A\ ")), {}),
    ("repetitions as lines", message(OBX=OBX.replace("ache", "ache~worse on stairs~eases")), {}),
    ("ampersand between codes", message(OBX="OBX|1|CE|1^x^L||A&B^text||||||F"), {}),
    ("local codes", message(OBX="OBX|1|TX|PROG^Progress^99LOCAL||Dull ache.||||||F"), {}),
    ("v2.3 without MSH-9.3",
     message(MSH="MSH|^~\\&|SCRIBE|N|EHR|N|2026||MDM^T02|M1|P|2.3"), {"hl7": {"version": "2.3"}}),
    ("ORU", message(MSH.replace("MDM^T02^MDM_T02", "ORU^R01^ORU_R01"), PID, PV1, OBR, OBX, OBX),
     {"hl7": {"message": "ORU^R01"}}),
]  # fmt: skip


@pytest.mark.parametrize("check", MESSAGE_CHECKS)
@pytest.mark.parametrize(("what", "payload", "setting"), HEALTHY, ids=[row[0] for row in HEALTHY])
def test_a_sound_message_offends_no_rule(what: str, payload: bytes, setting: dict[str, Any], check: str) -> None:
    found = judged(f"hl7.{check}", hl7_case(payload, **setting))
    assert found.status in (PASSED, NA), found.says


CUT = message(OBX="OBX|1|TX|1^n^L||Worse on stairs\rand better with rest||||||F")
WRONG: list[tuple[str, str, bytes, dict[str, Any], str]] = [
    ("no start byte", "mllp.framing", message() + b"\x1c\r", {}, "0x0B"),
    ("no end bytes", "mllp.framing", b"\x0b" + message(), {}, "0x1C"),
    ("two in one frame", "mllp.framing", b"\x0b" + message() + b"\x0b" + message() + b"\x1c\r", {}, "frame byte"),
    ("byte-order mark", "msh.first", b"\xef\xbb\xbf" + message(), {}, "byte-order mark"),
    ("blank line first", "msh.first", b"\r" + message(), {}, "not MSH"),
    ("EVN first", "msh.first", message(EVN, MSH, PID, PV1, TXA, OBX), {}, "not MSH"),
    ("no segments", "msh.first", b"hello there", {}, "no HL7 segment"),
    ("a FHIR resource", "msh.first", b'{"resourceType": "Basic"}', {}, "no HL7 message"),
    ("wrong event", "msh.type", message(MSH=MSH.replace("T02", "T01")), {}, "MDM^T01"),
    ("version", "msh.version", message(MSH=MSH.replace("2.5.1", "2.8")), {}, "2.8"),
    ("test in production", "msh.processing_id", message(MSH=MSH.replace("|P|", "|T|")), {}, "production"),
    ("production in staging", "msh.processing_id", message(), {"environment": "staging"}, "staging"),
    ("no control id", "msh.control_id", message(MSH=MSH.replace("MSG-1", "")), {}, "MSH-10"),
    ("long control id", "msh.control_id", message(MSH=MSH.replace("MSG-1", "M" * 21)), {}, "21"),
    ("another sender", "msh.routing", message(), {"hl7": {"sending_application": "OTHER"}}, "MSH-3"),
    ("TXA before PV1", "grammar.order", message(MSH, EVN, PID, TXA, PV1, OBX), {}, "TXA"),
    ("OBX before OBR", "grammar.order", message(MSH.replace("MDM^T02^MDM_T02", "ORU^R01^ORU_R01"), PID, OBX, OBR),
     {"hl7": {"message": "ORU^R01"}}, "OBX"),
    ("OBR after TXA", "grammar.order", message(MSH, EVN, PID, PV1, TXA, OBR, OBX), {}, "OBR"),
    ("no PV1", "grammar.missing", message(MSH, EVN, PID, TXA, OBX), {}, "PV1"),
    ("no OBX", "grammar.missing", message(MSH, EVN, PID, PV1, TXA), {}, "OBX"),
    ("two PIDs", "grammar.missing", message(MSH, EVN, PID, PID, PV1, TXA, OBX), {}, "second PID"),
    ("no OBR in ORU", "grammar.missing", message(MSH.replace("MDM^T02^MDM_T02", "ORU^R01^ORU_R01"), PID, OBX),
     {"hl7": {"message": "ORU^R01"}}, "OBR"),
    ("empty patient", "field.required", message(PID='PID|1||""||ROE^SAM'), {}, "PID-3"),
    ("no document type", "field.required", message(TXA=TXA.replace("|PN|", "||")), {}, "TXA-2"),
    ("over the site's limit", "field.length", message(), {"hl7": {"field_limits": {"OBX-5": 20}}}, "OBX-5"),
    ("unknown status", "field.table", message(TXA=TXA.replace("|AU", "|QQ")), {}, "TXA-17"),
    ("dash undeclared", "encoding.undeclared", message(OBX=OBX.replace("ache", "\u2013")), {}, "en dash"),
    ("interface reads ASCII", "encoding.undeclared", message(MSH=UTF8, OBX=OBX.replace("ache", "\u00e9")),
     {"hl7": {"charset": "ASCII"}}, "configured for ASCII"),
    ("Latin-1 declared, UTF-8 sent", "encoding.undeclared",
     message(MSH=UTF8.replace("UNICODE UTF-8", "8859/1"), OBX=OBX.replace("ache", "\u2014")), {}, "8859/1"),
    ("bare pipe", "escape", message(OBX=OBX.replace("ache", "BP 120/80 | HR 72")), {}, "field delimiter"),
    ("bare caret", "escape", message(OBX=OBX.replace("ache", "10^3")), {}, "component"),
    ("bare ampersand", "escape", message(OBX=OBX.replace("ache", "A&P")), {}, "subcomponent"),
    ("bare tilde", "escape", message(OBX=OBX.replace("ache", "for ~2 weeks")), {}, "repetition"),
    ("bare backslash", "escape", message(OBX=OBX.replace("ache", r"and\or")), {}, "escape"),
    ("line break in text", "linebreak", CUT, {}, "no segment id"),
    ("heading on its own line", "linebreak", message(OBX="OBX|1|TX|1^n^L||Note\rROS\rfine||||||F"), {}, "2 lines"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "check", "payload", "setting", "named"), WRONG, ids=[f"{r[1]}-{r[0]}" for r in WRONG])
def test_an_offence_is_found_and_named(what: str, check: str, payload: bytes, setting: Any, named: str) -> None:
    found = judged(f"hl7.{check}", hl7_case(payload, **setting))
    assert found.status is FAILED, found.says
    assert named in found.says


REMARKS = [
    ("structure that nobody reads", "msh.type", message(MSH=MSH.replace("MDM_T02", "MDM_T99")), {}),
    ("segment of another structure", "grammar.order", message(MSH, EVN, PID, PV1, TXA, "IN1|1", OBX), {}),
    ("other delimiters", "msh.delims", message().replace(b"^", b"!"), {}),
    ("over the standard's length", "field.length", message(TXA=TXA.replace("DOC-1", "D" * 31)), {}),
]  # fmt: skip


@pytest.mark.parametrize(("what", "check", "payload", "setting"), REMARKS, ids=[row[0] for row in REMARKS])
def test_what_receivers_tolerate_is_a_remark(what: str, check: str, payload: bytes, setting: dict[str, Any]) -> None:
    assert judged(f"hl7.{check}", hl7_case(payload, **setting)).status is WARNING


EMPTY = message(TXA=TXA.replace("|PN|", "||"))
FATES: list[tuple[str, Any, Outcome, Strength]] = [
    ("no log", None, FAILED, Strength.DECISIVE),
    ("taken", sent_and(ack="AA", ack_id="tx-1"), WARNING, Strength.WEAK),
    ("refused for a missing field", nack("AE", "101", "TXA-2"), FAILED, Strength.DECISIVE),
    ("refused without a code", nack("AE"), FAILED, Strength.DECISIVE),
    ("refused for another field", nack("AE", "101", "PID-3"), FAILED, Strength.MODERATE),
    ("refused for an unknown patient", nack("AE", "204", "PID-3"), FAILED, Strength.MODERATE),
    ("failed inside", nack("AE", "207"), FAILED, Strength.MODERATE),
]


@pytest.mark.parametrize(("what", "rows", "status", "strength"), FATES, ids=[row[0] for row in FATES])
def test_the_acknowledgement_decides_how_heavily_an_offence_weighs(
    what: str, rows: Any, status: Outcome, strength: Strength
) -> None:
    found = judged("hl7.field.required", hl7_case(EMPTY, rows))
    assert (found.status, found.strength) == (status, strength), found.says


def test_special_characters_are_named_with_place_and_substitute() -> None:
    found = judged("hl7.encoding.undeclared", hl7_case(message(OBX=OBX.replace("ache", "\u201cache\u201d"))))
    assert found.facts["plain_instead"] == {"left double quotation mark": '"', "right double quotation mark": '"'}
    raw = message(OBX=OBX.replace("ache", "\u201cache\u201d"))
    assert raw[found.facts["offsets"][0] :].decode().startswith("\u201c")


def test_the_first_unexpected_segment_comes_with_what_was_expected() -> None:
    found = judged("hl7.grammar.order", hl7_case(message(MSH, EVN, PID, TXA, PV1, OBX)))
    assert found.facts["segment"] == "TXA"
    assert found.facts["expected"] == ["PV1"]


def test_a_frame_is_only_judged_where_it_was_captured() -> None:
    assert judged("hl7.mllp.framing", hl7_case(message())).status is NA
    assert judged("hl7.mllp.framing", hl7_case(b"\x0b" + message() + b"\x1c\r")).status is PASSED


def test_names_agreed_are_compared_letter_by_letter() -> None:
    assert judged("hl7.msh.routing", hl7_case(message(), hl7={"sending_application": "SCRIBE"})).status is PASSED
    assert judged("hl7.msh.routing", hl7_case(message(), hl7={"sending_application": "Scribe"})).status is FAILED


def test_a_control_id_of_another_note_is_found() -> None:
    other = {"at": "2026-03-02T16:00:00+00:00", "event": "sent", "note_id": "N-0", "transaction_id": "MSG-1"}
    rows = [other, *sent_and(ack="AE", transaction_id="MSG-1")]
    assert judged("hl7.msh.control_id", hl7_case(message(), rows)).status is FAILED
    resend = [other | {"note_id": "N-1"}, *sent_and(ack="AA", transaction_id="MSG-1")]
    assert judged("hl7.msh.control_id", hl7_case(message(), resend)).status is PASSED


def test_no_text_of_the_note_reaches_a_finding() -> None:
    payload = message(OBX="OBX|1|TX|1^n^L||Zebulon Quartermain ~2 \u2013 A&P | x\rQuartermain again||||||F")
    for check in (*MESSAGE_CHECKS, "mllp.framing"):
        found = judged(f"hl7.{check}", hl7_case(payload))
        assert "Quartermain" not in found.says + str(found.facts)


@pytest.mark.parametrize(
    ("check", "code"), [("msh.type", "201"), ("msh.type", "200"), ("msh.processing_id", "202"), ("msh.version", "203")]
)
def test_a_receiver_that_refuses_the_header_outweighs_its_configuration(check: str, code: str) -> None:
    found = judged(f"hl7.{check}", hl7_case(message(), nack("AR", code)))
    assert (found.status, found.strength) == (FAILED, Strength.DECISIVE)
    assert judged(f"hl7.{check}", hl7_case(message(), nack("AR", "100"))).status is PASSED
