"""Acknowledgements of every version, with every error they carry."""

import pytest

from diagnostics.parsing.ack import read_ack

MSH = "MSH|^~\\&|EHR|N|SCRIBE|N|2026||ACK|A1|P|2.5.1\r"
CODES = [
    ("v2.5: ERR-3", MSH + "MSA|AE|M1\rERR||PID^1^3^2^1|204^x^HL70357|E|||more\r", [("204", "PID-3")]),
    ("v2.3: ERR-1", MSH + "MSA|AE|M1\rERR|PID^1^5^101&Required field missing&HL70357\r", [("101", "PID-5")]),
    ("v2.4: two in ERR-1", MSH + "MSA|AE|M1\rERR|PID^1^5^101&a~PV1^1^2^103&b\r", [("101", "PID-5"), ("103", "PV1-2")]),
    ("v2.3: MSA-6 alone", MSH + "MSA|AR|M1|no|||200^Unsupported\r", [("200", "")]),
    ("two ERR segments", MSH + "MSA|AE|M1\rERR||OBX^1^3|103|W\rERR||PID^1^3|204|E\r",
     [("103", "OBX-3"), ("204", "PID-3")]),
    ("own delimiters", "MSH|*~\\&|EHR\rMSA|AE|M1\rERR||PID*1*3|101*gone|E\r", [("101", "PID-3")]),
    ("pasted in one line", "MSA|AE|M1|bad ERR||TXA^1^12|101|E", [("101", "TXA-12")]),
]  # fmt: skip


@pytest.mark.parametrize(("what", "text", "codes"), CODES, ids=[row[0] for row in CODES])
def test_every_error_is_read(what: str, text: str, codes: list[tuple[str, str]]) -> None:
    ack = read_ack(text)
    assert ack is not None
    assert [(error.code, error.location) for error in ack.errors] == codes


def test_the_gravest_error_decides() -> None:
    ack = read_ack(MSH + "MSA|AE|M1\rERR|||0|I\rERR||OBX^1^3|103|W\rERR||PID^1^3^2^1|204^Unknown|E\r")
    assert ack is not None and ack.worst is not None
    assert ack.worst.code == "204" and (ack.worst.repetition, ack.worst.component) == ("2", "1")
    mild = read_ack(MSH + "MSA|AA|M1\rERR||OBX^1^3|103|W\r")
    assert mild is not None and mild.worst is not None and mild.worst.code == "103"
    bare = read_ack(MSH + "MSA|AR|M1\r")
    assert bare is not None and bare.worst is None


def test_escapes_in_words_are_undone_by_the_answers_own_delimiters() -> None:
    ack = read_ack("MSH|^~\\&|EHR\rMSA|AE|M1|A\\T\\B \\F\\ C\\S\\D\r")
    assert ack is not None and ack.text == "A&B | C^D"
