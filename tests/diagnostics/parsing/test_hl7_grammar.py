"""Message structures against sequences of segments."""

import pytest

from diagnostics.parsing.hl7_grammar import match, structure_id, structure_of
from diagnostics.parsing.hl7_segments import length_limits, required_fields
from diagnostics.parsing.hl7_tables import version_of

T02, ORU = "MDM T02", "ORU R01"
TABLE = [
    (T02, "2.5.1", "MSH EVN PID PV1 TXA OBX OBX", "", "", ""),
    (T02, "2.5.1", "MSH SFT SFT EVN PID PV1 ORC TQ1 TQ2 OBR NTE OBR TXA OBX NTE OBX", "", "", ""),
    (T02, "2.5.1", "MSH EVN PID TXA PV1 OBX", "TXA", "", ""),
    (T02, "2.5.1", "MSH EVN PID PV1 TXA OBR OBX", "OBR", "", ""),
    (T02, "2.5.1", "MSH PID EVN PV1 TXA OBX", "PID", "", ""),
    (T02, "2.5.1", "MSH EVN PID PV1 TXA", "", "OBX", ""),
    (T02, "2.5.1", "MSH EVN PID OBX", "", "PV1 TXA", ""),
    (T02, "2.5.1", "MSH EVN PID PV1 PV1 TXA OBX", "", "", "PV1"),
    (T02, "2.5.1", "MSH ZAA EVN PID PV1 TXA OBX ZZZ", "", "", ""),
    (T02, "2.8", "MSH UAC EVN PID PRT PV1 TXA CON OBX PRT", "", "", ""),
    ("MDM T01", "2.4", "MSH EVN PID PV1 TXA", "", "", ""),
    (ORU, "2.5.1", "MSH PID PV1 OBR OBX OBX OBR NTE OBX SPM", "", "", ""),
    (ORU, "2.3", "MSH PID OBR OBX PID OBR OBX", "", "", ""),
    (ORU, "2.5.1", "MSH PID OBX OBR", "OBX", "", ""),
    (ORU, "2.5.1", "MSH PID OBX", "", "OBR", ""),
    ("ACK ", "2.5.1", "MSH MSA ERR ERR", "", "", ""),
]


@pytest.mark.parametrize(("kind", "version", "segments", "unexpected", "missing", "repeated"), TABLE)
def test_a_sequence_is_matched(
    kind: str, version: str, segments: str, unexpected: str, missing: str, repeated: str
) -> None:
    code, _, event = kind.partition(" ")
    structure = structure_of(code, event, version)
    assert structure is not None
    found = match(structure, segments.split())
    assert (found.unexpected.name if found.unexpected else "") == unexpected
    assert " ".join(found.missing) == missing
    assert " ".join(name for _, name in found.repeated) == repeated


def test_other_messages_have_no_structure_here() -> None:
    assert structure_of("ADT", "A01", "2.5.1") is None
    assert structure_id("MDM", "T08") == "MDM_T02"
    assert structure_id("MDM", "T07") == "MDM_T01"


def test_tables_go_by_version() -> None:
    assert length_limits("2.4")["OBX-5"] == 65536
    assert length_limits("2.5.1")["OBX-5"] == 99999
    assert "OBX-5" not in length_limits("2.8")
    assert 7 in required_fields("MSH", "2.5.1")
    assert 7 not in required_fields("MSH", "2.3.1")
    assert version_of("9.9") == "2.5.1"
