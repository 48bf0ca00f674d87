"""HL7 v2 messages, frames and acknowledgements, generated: nothing raises, and a planted fault is named to the byte.

A sound message of any version is written with a mark where the fault goes. The mark's own index in the bytes is the
place the finding must name; it is taken out again before the message is judged.
"""

from dataclasses import dataclass, field
from functools import cache
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from diagnostics import catalog
from diagnostics.check import Check
from diagnostics.findings import Finding
from diagnostics.gather import read_parts
from diagnostics.judge import judge
from diagnostics.parsing.ack import read_ack
from diagnostics.parsing.hl7 import read_message, unescape
from diagnostics.parsing.hl7_segments import required_fields
from diagnostics.parsing.hl7_tables import TABLES
from diagnostics.parsing.hl7_transliteration import preview, specials
from diagnostics.vocabulary import Outcome
from tests.diagnostics.checks.step2.payloads import hl7_case

VERSIONS = ("2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.7.1", "2.8")
MARK = "\ue000"
AREA = ("acknowledgement", "characters", "escaping", "feeds", "fields", "framing", "garbling", "grammar", "header",
        "truncation")  # fmt: skip
thorough = settings(derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))


@cache
def area() -> tuple[Check, ...]:
    """Return the checks of HL7 v2 messages."""
    names = {f"diagnostics.checks.step2_write_back.{name}" for name in AREA}
    return tuple(one for one in catalog.checks().values() if one.function.__module__ in names)


def judged(raw: bytes, **more: Any) -> dict[str, Finding]:
    """Return the finding of every HL7 check on these bytes; none may have broken."""
    case = hl7_case(raw, **more)
    found = {one.check: one for one in judge(case, read_parts(case), area())}
    assert not [one.check for one in found.values() if one.status is Outcome.ERROR]
    return found


words = st.text("abcdefghij klmnopqrs.,;:()0123456789", min_size=1, max_size=30).map(lambda text: f"x{text.strip()}y")
accents = st.sampled_from(["caf\u00e9", "\u2014", "50 \u00b5g", "na\u00efve", "\u2265 3", "10\u2079/L", "\u4e2d"])


@dataclass
class Draft:
    """A message before it is written: segments as lists of fields, the id first."""

    version: str
    segments: list[list[str]]
    end: str = "\r"
    framed: bool = False
    charset: str = ""
    limits: dict[str, int] = field(default_factory=dict)

    def at(self, name: str, occurrence: int = 1) -> list[str]:
        """Return the nth segment of an id."""
        return [segment for segment in self.segments if segment[0] == name][occurrence - 1]

    def set(self, segment: list[str], number: int, value: str) -> None:
        """Write a field by its HL7 number; MSH-1 is the separator."""
        index = number - 1 if segment[0] == "MSH" else number
        segment.extend([""] * (index + 1 - len(segment)))
        segment[index] = value

    def get(self, segment: list[str], number: int) -> str:
        """Read a field by its HL7 number."""
        index = number - 1 if segment[0] == "MSH" else number
        return segment[index] if index < len(segment) else ""

    def written(self) -> tuple[bytes, int]:
        """Return the bytes as sent, and the byte at which the mark stood (-1: there was none)."""
        text = self.end.join("|".join(segment) for segment in self.segments) + self.end
        raw = text.encode()
        raw = b"\x0b" + raw + b"\x1c\r" if self.framed else raw
        return raw.replace(MARK.encode(), b""), raw.find(MARK.encode())

    def judged(self, raw: bytes | None = None) -> dict[str, Finding]:
        """Return the findings on this message, or on other bytes made of it."""
        interface = {"version": self.version, "message": "MDM^T02", "field_limits": self.limits}
        return judged(self.written()[0] if raw is None else raw, hl7=interface)


@st.composite
def drafts(draw: st.DrawFn, special: bool | None = None) -> Draft:
    """Build a sound MDM^T02 of any version."""
    version = draw(st.sampled_from(VERSIONS))
    accented = draw(st.booleans()) if special is None else special
    later = VERSIONS.index(version) >= VERSIONS.index("2.5")
    control = draw(st.text("ABC0123456789", min_size=1, max_size=20))
    header = ["MSH", "^~\\&", "SCRIBE", "N", "EHR", "N", "20260302165800", "", "MDM^T02", control, "P", version]
    if accented:
        header += [""] * 5 + ["UNICODE UTF-8"]
    segments = [header]
    if later and draw(st.booleans()):
        segments.append(["SFT", "Vendor", "1", "Scribe", "1"])
    segments += [
        ["EVN", "T02", "20260302165800"],
        ["PID", "1", "", "P-1^^^N^MR", "", "ROE^SAM"],
        ["PV1", "1", "O", *[""] * 16, "E-1"],
    ]
    if later and draw(st.booleans()):
        segments += [["ORC", "NW"], ["OBR", "1", "1", "1", "11506-3^Note^LN"]]
    segments.append(["TXA", "1", "PN", "TX", *[""] * 8, "DOC-1", *[""] * 4, "AU", "U", "AV"])
    if draw(st.booleans()):
        segments.insert(draw(st.integers(1, len(segments))), ["ZPD", "1", "x"])
    for number in range(1, draw(st.integers(1, 6)) + 1):
        parts = draw(
            st.lists(st.one_of(words, st.sampled_from([r"a\T\b", r"\.br\x", r"1\F\2"])), min_size=1, max_size=4)
        )
        if accented:
            parts.insert(0, draw(accents))
        kind = draw(st.sampled_from(["TX", "FT", "ST"]))
        segments.append(["OBX", str(number), kind, "1^n^L", "", " ".join(parts), *[""] * 5, "F"])
        if later and draw(st.booleans()):
            segments.append(["NTE", "1", "", draw(words)])
    return Draft(version, segments, draw(st.sampled_from(["\r", "\r\n", "\n"])), draw(st.booleans()),
                 "UNICODE UTF-8" if accented else "")  # fmt: skip


def place_of(found: Finding, offset: int) -> dict[str, Any]:
    """Return the place a finding names at this byte."""
    assert found.status is Outcome.FAILED, (found.check, found.says)
    held: list[dict[str, Any]] = [place for place in found.facts["places"] if place["offset"] == offset]
    assert held, (found.says, offset, found.facts["places"])
    return held[0]


def which(draft: Draft, segment: list[str]) -> int:
    """Return the how-manieth of its id a segment is."""
    same = [one for one in draft.segments if one[0] == segment[0]]
    return next(at for at, one in enumerate(same, start=1) if one is segment)


@settings(thorough, max_examples=300)
@given(drafts())
def test_a_sound_message_has_no_fault(draft: Draft) -> None:
    wrong = [one.check for one in draft.judged().values() if one.status in (Outcome.FAILED, Outcome.WARNING)]
    assert not wrong


@settings(thorough, max_examples=250)
@given(drafts(), st.sampled_from(["EVN", "PID", "PV1", "TXA"]))
def test_a_segment_moved_is_found_at_the_first_that_does_not_fit(draft: Draft, name: str) -> None:
    moved = draft.at(name)
    index = next(at for at, segment in enumerate(draft.segments) if segment is moved)
    after = next(segment for segment in draft.segments[index + 1 :] if segment[0] != "ZPD")
    draft.segments.remove(moved)
    draft.segments.append(moved)
    after[0] = MARK + after[0]
    raw, offset = draft.written()
    after[0] = after[0].removeprefix(MARK)
    found = draft.judged(raw)["hl7.grammar.order"]
    place = place_of(found, offset)
    assert place["segment"] == after[0] == found.facts["segment"]
    assert name in found.facts["expected"]


@settings(thorough, max_examples=150)
@given(drafts(), st.sampled_from(["EVN", "PID", "PV1", "TXA"]))
def test_a_segment_left_out_is_named(draft: Draft, name: str) -> None:
    draft.segments.remove(draft.at(name))
    found = draft.judged()["hl7.grammar.missing"]
    assert found.status is Outcome.FAILED and found.facts["missing"] == [name]


@settings(thorough, max_examples=300)
@given(drafts(), st.data())
def test_a_field_emptied_is_named(draft: Draft, data: st.DataObject) -> None:
    able = [
        (segment, number)
        for segment in draft.segments
        for number in required_fields(segment[0], draft.version)
        if segment[0] != "MSH" or number == 7
    ]
    segment, number = data.draw(st.sampled_from(able))
    draft.set(segment, number, MARK + data.draw(st.sampled_from(["", '""', "^^", " "])))
    raw, offset = draft.written()
    place = place_of(draft.judged(raw)["hl7.field.required"], offset)
    assert (place["segment"], place["field"], place["occurrence"]) == (segment[0], number, which(draft, segment))


@settings(thorough, max_examples=250)
@given(drafts(), st.data())
def test_a_field_over_the_interfaces_limit_is_named(draft: Draft, data: st.DataObject) -> None:
    texts = [segment for segment in draft.segments if segment[0] == "OBX"]
    longest = max(len(draft.get(segment, 5)) for segment in texts)
    segment = data.draw(st.sampled_from(texts))
    draft.limits = {"OBX-5": longest}
    draft.set(segment, 5, MARK + draft.get(segment, 5).ljust(longest + data.draw(st.integers(1, 50)), "z"))
    raw, offset = draft.written()
    found = draft.judged(raw)["hl7.field.length"]
    place = place_of(found, offset)
    assert (place["segment"], place["field"], place["occurrence"]) == ("OBX", 5, which(draft, segment))
    assert found.facts["length"] == len(draft.get(segment, 5)) - 1 > found.facts["limit"] == longest


@settings(thorough, max_examples=250)
@given(drafts(), st.data(), st.text("ABQYZ19", min_size=2, max_size=4))
def test_a_value_outside_its_table_is_named(draft: Draft, data: st.DataObject, value: str) -> None:
    able = [(segment, number) for segment in draft.segments for number in (11, 17, 18, 19)
            if f"{segment[0]}-{number}" in TABLES and segment[0] in ("OBX", "TXA")]  # fmt: skip
    segment, number = data.draw(st.sampled_from(able))
    assume(value not in TABLES[f"{segment[0]}-{number}"][1])
    draft.set(segment, number, MARK + value)
    raw, offset = draft.written()
    place = place_of(draft.judged(raw)["hl7.field.table"], offset)
    assert (place["segment"], place["field"], place["occurrence"]) == (segment[0], number, which(draft, segment))


def plant(draft: Draft, data: st.DataObject, what: str) -> tuple[list[str], bytes, int]:
    """Put something into the text of one OBX, between two letters; return the segment, the bytes and the place."""
    segment = data.draw(st.sampled_from([one for one in draft.segments if one[0] == "OBX"]))
    kept = draft.get(segment, 5)
    draft.set(segment, 5, f"{kept} q{MARK}{what}q {data.draw(words)}")
    raw, offset = draft.written()
    return segment, raw, offset


@settings(thorough, max_examples=250)
@given(
    drafts(special=False),
    st.data(),
    st.characters(min_codepoint=0x80, max_codepoint=0x2FFFF, exclude_categories=("Cs",)),
)
def test_a_character_not_declared_is_named(draft: Draft, data: st.DataObject, character: str) -> None:
    assume(character != MARK)
    segment, raw, offset = plant(draft, data, character)
    place = place_of(draft.judged(raw)["hl7.encoding.undeclared"], offset)
    assert (place["segment"], place["field"], place["occurrence"]) == ("OBX", 5, which(draft, segment))
    assert place["code_point"] == f"U+{ord(character):04X}"
    assert raw[offset:].startswith(character.encode())


@settings(thorough, max_examples=250)
@given(drafts(), st.data(), st.sampled_from(["^", "&", "\\", "|"]))
def test_a_bare_delimiter_is_named(draft: Draft, data: st.DataObject, delimiter: str) -> None:
    segment, raw, offset = plant(draft, data, delimiter)
    place = place_of(draft.judged(raw)["hl7.escape"], offset)
    assert (place["segment"], place["field"], place["occurrence"]) == ("OBX", 5, which(draft, segment))
    assert raw[offset : offset + 1] == delimiter.encode()


@settings(thorough, max_examples=150)
@given(drafts(), st.data(), st.sampled_from(["\r", "\n", "\r\n"]))
def test_a_line_break_in_the_text_is_named(draft: Draft, data: st.DataObject, broken: str) -> None:
    segment, raw, offset = plant(draft, data, broken)
    place = place_of(draft.judged(raw)["hl7.linebreak"], offset + len(broken))
    assert (place["segment"], place["occurrence"], place["field"]) == ("OBX", which(draft, segment), 5)


@settings(thorough, max_examples=200)
@given(drafts(), st.data(), st.sampled_from(["start", "end", "half", "0x0B", "0x1C"]))
def test_a_broken_frame_is_named(draft: Draft, data: st.DataObject, how: str) -> None:
    draft.framed = True
    if how in ("0x0B", "0x1C"):
        _, raw, offset = plant(draft, data, chr(int(how, 16)))
    else:
        whole, _ = draft.written()
        raw = {"start": whole[1:], "end": whole[:-2], "half": whole[:-1]}[how]
        offset = 0 if how == "start" else len(raw)
    found = draft.judged(raw)["hl7.mllp.framing"]
    assert found.status is Outcome.FAILED and found.facts["offset"] == offset, found.says


@settings(thorough, max_examples=350)
@given(drafts(), st.data())
def test_damaged_bytes_are_judged_without_a_word_of_python(draft: Draft, data: st.DataObject) -> None:
    raw = bytearray(draft.written()[0])
    for _ in range(data.draw(st.integers(1, 12))):
        at = data.draw(st.integers(0, max(0, len(raw) - 1)))
        match data.draw(st.integers(0, 3)):
            case 0:
                raw[at : at + data.draw(st.integers(0, 40))] = b""
            case 1:
                raw[at:at] = data.draw(st.binary(min_size=1, max_size=8))
            case 2:
                raw[at:at] = data.draw(
                    st.sampled_from([b"|", b"\r", b"\x0b", b"\x1c\r", b"MSH|", b"\\", b"~~", b"\xef\xbb\xbf"])
                )
            case _:
                raw[at : at + 1] = data.draw(st.binary(min_size=1, max_size=1))
    sent = bytes(raw)
    for found in judged(sent).values():
        assert len(found.says) < 600
    message = read_message(sent)
    covered = sum(len(one.raw) for one in (*message.segments, *message.strays))
    assert covered <= len(sent)
    preview(message)
    for special in specials(message):
        assert 0 <= special.place.offset < len(sent)


@settings(thorough, max_examples=150)
@given(st.binary(max_size=400))
def test_any_bytes_are_read(raw: bytes) -> None:
    judged(b"MSH|^~\\&|" + raw)
    judged(raw)
    unescape(raw.decode("latin-1"))


codes = st.sampled_from(["AA", "AE", "AR", "CA", "CE", "CR"])
error = st.tuples(st.sampled_from(["100", "101", "204"]), st.sampled_from(["PID", "OBX", "TXA"]), st.integers(1, 40))
errors = st.lists(error, max_size=4)
controls = st.text("ABCxyz0189-", min_size=1, max_size=20)
ends = st.sampled_from(["\r", "\n", "\r\n", "\\r"])


@settings(thorough, max_examples=250)
@given(
    codes,
    st.text("ABCxyz0189-", min_size=1, max_size=20),
    errors,
    st.booleans(),
    st.sampled_from(["\r", "\n", "\r\n", "\\r"]),
)
def test_an_acknowledgement_says_what_it_was_given(
    code: str, control: str, given_errors: list[tuple[str, str, int]], old: bool, end: str
) -> None:
    lines = ["MSH|^~\\&|EHR|N|SCRIBE|N|2026||ACK|1|P|2.5.1", f"MSA|{code}|{control}"]
    if old and given_errors:
        lines.append("ERR|" + "~".join(f"{name}^1^{number}^{error}&x" for error, name, number in given_errors))
    elif not old:
        lines += [f"ERR||{name}^1^{number}|{error}^x^HL70357|E" for error, name, number in given_errors]
    ack = read_ack(end.join(lines) + end)
    assert ack is not None and (ack.code, ack.control_id, ack.sender) == (code, control, "EHR")
    assert [(one.code, one.location) for one in ack.errors] == [(e, f"{n}-{f}") for e, n, f in given_errors]


@settings(thorough, max_examples=150)
@given(st.text(max_size=300), st.text("MSAHER|^~\\&\r\n\x0b\x1c 0123AE", max_size=300))
def test_any_text_is_read_as_an_acknowledgement_or_not(text: str, near: str) -> None:
    read_ack(text)
    ack = read_ack(near)
    assert ack is None or ack.code in ("AA", "AE", "AR", "CA", "CE", "CR")


def test_a_long_message_takes_its_length() -> None:
    obx = b"OBX|1|TX|1^n^L||" + "caf\u00e9 \\T\\ x & y ~ 5".encode() + b"||||||F\r"
    head = b"MSH|^~\\&|S|N|E|N|2026||MDM^T02|M|P|2.5.1\r"

    def spent(lines: int) -> float:
        found = judged(head + obx * lines)
        assert len(str(found["hl7.encoding.undeclared"].facts)) < 40_000
        return sum(one.ms for one in found.values())

    spent(200)  # what is loaded once is no message's cost
    short, long = min(spent(2_000) for _ in range(2)), min(spent(20_000) for _ in range(2))
    assert long < 40 * short, "ten times the lines may cost ten times as much, not a hundred times"
