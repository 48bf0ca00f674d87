"""Plain characters for special ones: only where number, sign and unit mean the same afterwards."""

import unicodedata

import pytest

from diagnostics.parsing.hl7 import Delimiters, read_message
from diagnostics.parsing.hl7_transliteration import escaped, plain_character, preview, specials, transliterated

SAFE = [
    ("cough \u2014 improving", "cough - improving"),
    ("5\u201310 mg", "5-10 mg"),
    ("pain\u20145 days", "pain - 5 days"),  # not minus five
    ("\u22125 mmol", "-5 mmol"),
    ("patient\u2019s \u201ccold\u201d", 'patient\'s "cold"'),
    ("and so on\u2026", "and so on..."),
    ("a\u00a0b\u202fc", "a b c"),
    ("\u2022 rest\u200b", "* rest"),
    ("caf\u00e9, M\u00fcller, \u0141ukasz, Stra\u00dfe", "cafe, Muller, Lukasz, Strasse"),
    ("e\u0301t\u00e9", "ete"),
    ("37.2\u00b0C, 98 \u00b0F, 45\u00b0 flexion", "37.2 deg C, 98 deg F, 45 deg flexion"),
    ("37\u2103", "37 deg C"),
    ("\u22643 and \u22655, \u22602, \u00b11", "<=3 and >=5, !=2, +/-1"),
    ("50 \u00b5g, 5 \u03bcL, 3 \u00b5mol/L", "50 mcg, 5 mcL, 3 mcmol/L"),
    ("50 \u338d", "50 mcg"),
    ("1\u00bd tablets, \u00bc tablet", "1 1/2 tablets, 1/4 tablet"),
    ("kg/m\u00b2, cm\u00b3, SpO\u2082, C\u2081\u2082", "kg/m2, cm3, SpO2, C12"),
    ("Na\u207a", "Na+"),
    ("\uff11\uff12 mg", "12 mg"),
    ("K \u2191, Na \u2193", "K (up), Na (down)"),
    ("\u22485 cm", "approx. 5 cm"),
    ("3\u00d72 cm", "3x2 cm"),
]
KEPT = [
    ("10\u2079/L", "\u2079"),
    ("10\u207b\u00b3", "\u207b"),
    ("5\u00b2", "\u00b2"),
    ("x\u00b2", "\u00b2"),
    ("\u00bd5", "\u00bd"),
    ("7\u00b735", "\u00b7"),  # a decimal point to some, a times sign to others
    ("\u03bc-receptor", "\u03bc"),
    ("t\u00b5o", "\u00b5"),
    ("\u0418\u0432\u0430\u043d", "\u0418"),
    ("\u03b2-blocker", "\u03b2"),
    ("\u2460", "\u2460"),
    ("\ufffd", "\ufffd"),
    ("\U0001f600", "\U0001f600"),
    ("1\u00ba", "\u00ba"),
    ("5 \u2030", "\u2030"),
    ("\u0085", "\u0085"),
    ("line\u2028break", "\u2028"),
]


@pytest.mark.parametrize(("text", "plain"), SAFE)
def test_what_is_safe_is_written_plainly(text: str, plain: str) -> None:
    assert transliterated(text) == plain


@pytest.mark.parametrize(("text", "character"), KEPT)
def test_what_is_not_safe_is_kept_and_told(text: str, character: str) -> None:
    assert plain_character(text, text.index(character)) is None
    assert character in transliterated(text)


def test_no_character_of_unicode_is_dropped_in_silence_or_turned_into_a_digit() -> None:
    for number in range(0x80, 0x11000):
        character = chr(number)
        if unicodedata.category(character) in ("Cs", "Cn", "Co"):
            continue
        for text in (f"5{character}5", f"a{character} b", f" {character}g"):
            plain = plain_character(text, text.index(character))
            if plain is None:
                continue
            assert plain.isascii()
            if not plain:  # nothing is seen of it, or it is an accent on the letter before
                assert unicodedata.category(character) == "Cf" or unicodedata.combining(character), hex(number)
            if any(part.isdigit() for part in plain) and text.startswith("5"):
                same = unicodedata.decimal(character, None)
                assert same is not None and plain == str(same), hex(number)


MESSAGE = (
    "MSH|^~\\&|SCRIBE|N|EHR|N|2026||MDM^T02|M1|P|2.5.1\r\n"
    "PID|1||P-1||R\u00d6E^S\u00c1M\r\n"
    "OBX|1|TX|1^n^L||one \u2014 two~5 \u00b5g and 10\u2079 \uff06 more||||||F\r\n"
).encode()


def test_each_special_character_has_its_place_and_no_text_around_it() -> None:
    found = list(specials(read_message(MESSAGE)))
    assert [(one.place.path, one.place.repetition, one.replacement) for one in found] == [
        ("PID-5.1", 1, "O"),
        ("PID-5.2", 1, "A"),
        ("OBX-5.1", 1, "-"),
        ("OBX-5.1", 2, "mc"),
        ("OBX-5.1", 2, None),
        ("OBX-5.1", 2, "&"),
    ]
    for one in found:
        assert MESSAGE[one.place.offset :].decode().startswith(one.character)
        assert len(str(one.facts["name"])) < 60 and one.facts["code_point"] == f"U+{ord(one.character):04X}"


def test_places_hold_in_latin_1_as_well() -> None:
    raw = MESSAGE.decode().replace("\u2014", "-").replace("\u2079", "9").replace("\uff06", "+").encode("latin-1")
    for one in specials(read_message(raw)):
        assert raw[one.place.offset : one.place.offset + 1].decode("latin-1") == one.character


def test_the_preview_is_the_message_with_replacements_that_cannot_split_it() -> None:
    lines = preview(read_message(MESSAGE)).split("\n")
    assert lines[1] == "PID|1||P-1||ROE^SAM"
    assert lines[2] == "OBX|1|TX|1^n^L||one - two~5 mcg and 10\u2079 \\T\\ more||||||F"
    assert escaped(r"a|b^c\d", Delimiters()) == r"a\F\b\S\c\E\d"


def test_a_plain_message_is_left_alone() -> None:
    raw = b"MSH|^~\\&|S\rPID|1"
    assert list(specials(read_message(raw))) == [] and preview(read_message(raw)) == "MSH|^~\\&|S\nPID|1"
