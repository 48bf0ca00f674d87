"""Read HL7 v2 messages tolerantly, keeping byte offsets, so that a finding can name the exact place.

Nothing here judges or raises: whatever the bytes are, a Message comes out, and what is odd about it stands in its
frame, its stray lines and its decoding. The raw bytes are kept whole. Fields are split when first asked for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from diagnostics.parsing.hl7_charset import decode as decode
from diagnostics.parsing.hl7_charset import python_charset

VT, FS, CR = 0x0B, 0x1C, 0x0D
HEADERS = ("MSH", "FHS", "BHS")
_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_SEGMENT_ID = re.compile(rb"[A-Z][A-Z0-9]{2}")
_LINE = re.compile(rb"[^\r\n]+")
_CONTROL = re.compile(rb"[\x0b\x1c]")
_PATH = re.compile(r"([A-Z][A-Z0-9]{2})-(\d{1,3})(?:\.(\d{1,2}))?(?:\.(\d{1,2}))?")


@dataclass(frozen=True, slots=True)
class Delimiters:
    """Be the characters MSH-1 and MSH-2 declare; the defaults where they are missing."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"

    @property
    def encoding(self) -> str:
        """Return MSH-2 as these delimiters would write it."""
        return self.component + self.repetition + self.escape + self.subcomponent

    @property
    def all(self) -> str:
        """Return all five."""
        return self.field + self.encoding


@dataclass(frozen=True, slots=True)
class Frame:
    """Say how the MLLP frame was captured. `present` is False for a message without any frame byte."""

    present: bool = False
    starts: bool = False
    ends: bool = False
    inner_controls: tuple[int, ...] = ()  # offsets of VT or FS inside the payload
    frames: int = 0  # complete frames in the capture

    @property
    def sound(self) -> bool:
        """Tell whether every frame of the capture is well-formed."""
        return self.starts and self.ends and not self.inner_controls and self.frames >= 1


@dataclass(frozen=True, slots=True)
class Place:
    """Name a place in a message: occurrence of the segment, field, repetition and component count from 1.

    `offset` is in bytes of the input as sent, its frame included.
    """

    segment: str
    occurrence: int
    offset: int
    field: int | None = None
    repetition: int | None = None
    component: int | None = None

    @property
    def path(self) -> str:
        """Return it as people write it: OBX, OBX-5 or OBX-3.2."""
        if self.field is None:
            return self.segment
        return f"{self.segment}-{self.field}" + (f".{self.component}" if self.component else "")

    @property
    def facts(self) -> dict[str, Any]:
        """Return it as plain data for a finding."""
        held = {"path": self.path, "segment": self.segment, "occurrence": self.occurrence, "field": self.field,
                "repetition": self.repetition, "component": self.component, "offset": self.offset}  # fmt: skip
        return {name: value for name, value in held.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Field:
    """Be one field with its place: `number` counts as HL7 does, `offset` is in bytes of the whole input."""

    number: int
    raw: bytes
    offset: int


@dataclass(frozen=True)
class Segment:
    """Be one segment: `index` counts segments from 0, `occurrence` those of its id from 1, `offset` is in bytes."""

    name: str
    raw: bytes
    offset: int
    index: int
    delimiters: Delimiters = field(repr=False)
    charset: str = field(default="ascii", repr=False)
    occurrence: int = 1

    @cached_property
    def _parts(self) -> list[bytes]:
        """Return what stands between the field separators; MSH-1 is the separator itself, which a split swallows."""
        parts = self.raw.split(self.delimiters.field.encode("latin-1"))
        if self.name in HEADERS and len(self.raw) > 3:
            parts.insert(1, self.raw[3:4])
        return parts

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """Return every field with its place."""
        found: list[Field] = []
        header = self.name in HEADERS
        place = self.offset + 4
        for number, part in enumerate(self._parts[1:], start=1):
            if header and number == 1:
                found.append(Field(1, part, self.offset + 3))
                continue
            found.append(Field(number, part, place))
            place += len(part) + 1
        return tuple(found)

    @property
    def empty(self) -> bool:
        """Tell whether it is a bare id without any field."""
        return len(self.raw) <= 3

    def raw_field(self, number: int) -> bytes:
        """Return a field's bytes, empty where it is absent. MSH-1 is the field separator itself."""
        parts = self._parts
        return parts[number] if 0 < number < len(parts) else b""

    def text(self, number: int) -> str:
        """Return a field as text, still escaped."""
        return decode(self.raw_field(number), self.charset)

    def repetitions(self, number: int) -> tuple[str, ...]:
        """Return a field's repetitions, still escaped; none where the field is empty."""
        text = self.text(number)
        if self.name in HEADERS and number <= 2:
            return (text,) if text else ()
        return tuple(text.split(self.delimiters.repetition)) if text else ()

    def value(self, number: int, component: int = 1, subcomponent: int = 1, repetition: int = 0) -> str:
        """Return one value, unescaped; an empty string where it is absent."""
        if self.name in HEADERS and number <= 2:
            return self.text(number)
        repetitions = self.repetitions(number)
        if repetition >= len(repetitions):
            return ""
        components = repetitions[repetition].split(self.delimiters.component)
        if component > len(components):
            return ""
        parts = components[component - 1].split(self.delimiters.subcomponent)
        return unescape(parts[subcomponent - 1], self.delimiters) if subcomponent <= len(parts) else ""

    def place(
        self, number: int | None = None, repetition: int | None = None, component: int | None = None, within: int = 0
    ) -> Place:
        """Return the place of a field, repetition or component, `within` bytes further on.

        A field that the segment is too short to have lies at the segment's end, where it would have to be added.
        """
        at = self.offset
        if number is not None:
            at = self.fields[number - 1].offset if number <= len(self.fields) else self.offset + len(self.raw)
            raw = self.raw_field(number)
            if repetition is not None and repetition > 1:
                before = raw.split(self.delimiters.repetition.encode("latin-1"))[: repetition - 1]
                at += sum(len(part) + 1 for part in before)
        return Place(self.name, self.occurrence, at + within, number, repetition, component)


@dataclass(frozen=True, slots=True)
class StrayLine:
    """Be a line that starts with no segment id; `after` is the index of the segment before it, or -1."""

    raw: bytes
    offset: int
    after: int


@dataclass(frozen=True)
class Message:
    """Be one message as read. `declared_charset` is MSH-18 as written; `charset` the Python name used to decode."""

    raw: bytes = field(repr=False)
    frame: Frame = Frame()
    bom: bool = False
    delimiters: Delimiters = Delimiters()
    declared_charset: str = ""
    charset: str = "ascii"
    segments: tuple[Segment, ...] = field(default=(), repr=False)
    strays: tuple[StrayLine, ...] = field(default=(), repr=False)
    payload_offset: int = 0

    @property
    def starts_with_msh(self) -> bool:
        """Tell whether the first three payload bytes are MSH, as every receiver demands."""
        return self.raw[self.payload_offset : self.payload_offset + 3] == b"MSH" and not self.bom

    @property
    def batch(self) -> bool:
        """Tell whether the message stands in a batch or file wrapper."""
        return any(segment.name in ("FHS", "BHS") for segment in self.segments)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Return the segment ids in order."""
        return tuple(segment.name for segment in self.segments)

    @cached_property
    def _by_name(self) -> dict[str, tuple[Segment, ...]]:
        grouped: dict[str, list[Segment]] = {}
        for segment in self.segments:
            grouped.setdefault(segment.name, []).append(segment)
        return {name: tuple(group) for name, group in grouped.items()}

    def first(self, name: str) -> Segment | None:
        """Return the first segment of an id."""
        group = self._by_name.get(name)
        return group[0] if group else None

    def all(self, name: str) -> tuple[Segment, ...]:
        """Return every segment of an id."""
        return self._by_name.get(name, ())

    def get(self, path: str) -> str:
        """Return the value at `PID-3.1` (segment, field, component, subcomponent) of the first such segment."""
        match = _PATH.fullmatch(path)
        segment = self.first(match.group(1)) if match else None
        if match is None or segment is None:
            return ""
        return segment.value(int(match.group(2)), int(match.group(3) or 1), int(match.group(4) or 1))


def unescape(text: str, delimiters: Delimiters = Delimiters()) -> str:
    r"""Undo \F\ \S\ \T\ \R\ \E\, \.br\ (a line break) and \Xhh..\ (chapter 2, use of escape sequences)."""
    if delimiters.escape not in text:
        return text
    mark = re.escape(delimiters.escape)
    plain = {
        "F": delimiters.field,
        "S": delimiters.component,
        "T": delimiters.subcomponent,
        "R": delimiters.repetition,
        "E": delimiters.escape,
        ".br": "\n",
        ".BR": "\n",
    }

    def replace(match: re.Match[str]) -> str:
        body = match.group(1)
        if body in plain:
            return plain[body]
        if body[:1] == "X" and len(body) % 2 == 1 and re.fullmatch(r"X[0-9A-Fa-f]+", body):
            return decode(bytes.fromhex(body[1:]), "utf-8")
        return match.group(0)

    return re.sub(rf"{mark}([.A-Za-z0-9+\-]{{1,60}}){mark}", replace, text)


def read_message(data: bytes) -> Message:
    """Read one message, with or without its MLLP frame. Segment terminators may be CR, LF or CRLF.

    A capture of several well-formed frames is read as its first message.
    """
    frame, start, end = _frame(data)
    bom = next((mark for mark in _BOMS if data.startswith(mark, start)), b"")
    body_at = start + len(bom)
    msh = data.find(b"MSH", body_at, end)
    header = data[msh:end].split(b"\r", 1)[0].split(b"\n", 1)[0] if msh >= 0 else b""
    delimiters = _delimiters(header)
    declared = _declared_charset(header, delimiters)
    charset = python_charset(declared) or "utf-8"
    if charset.startswith(("utf-16", "utf-32")):
        charset = "utf-8"  # its header could not be found byte by byte if the message were written in these
    separator = delimiters.field.encode("latin-1")
    segments: list[Segment] = []
    strays: list[StrayLine] = []
    counts: dict[str, int] = {}
    for match in _LINE.finditer(data, body_at, end):
        line, place = match.group(), match.start()
        if _SEGMENT_ID.match(line) and (len(line) == 3 or line[3:4] == separator):
            name = line[:3].decode("ascii")
            counts[name] = counts.get(name, 0) + 1
            segments.append(Segment(name, line, place, len(segments), delimiters, charset, counts[name]))
        elif line.strip():
            strays.append(StrayLine(line, place, len(segments) - 1))
    return Message(
        raw=data,
        frame=frame,
        bom=bool(bom),
        delimiters=delimiters,
        declared_charset=declared,
        charset=charset,
        segments=tuple(segments),
        strays=tuple(strays),
        payload_offset=body_at,
    )


def _frame(data: bytes) -> tuple[Frame, int, int]:
    """Read the MLLP frame (Release 1: 0x0B, the message, 0x1C 0x0D); return it with the payload's bounds."""
    if VT not in data and FS not in data:
        return Frame(), 0, len(data)
    count = data.count(b"\x1c\r")
    starts = data[:1] == b"\x0b"
    first = data.find(b"\x1c\r")
    if starts and count > 1 and _all_sound(data):
        return Frame(True, True, True, (), count), 1, first
    end_at = data.rfind(b"\x1c\r")
    ends = end_at >= 0 and not data[end_at + 2 :].strip(b"\r\n")
    start, end = (1 if starts else 0), (end_at if ends else len(data.rstrip(b"\x1c")))
    inner: list[int] = []
    for match in _CONTROL.finditer(data, start, max(start, end)):
        inner.append(match.start())
        if len(inner) == 100:
            break
    return Frame(True, starts, ends, tuple(inner), count), start, max(start, end)


def _all_sound(data: bytes) -> bool:
    *frames, rest = data.split(b"\x1c\r")
    return not rest.strip(b"\r\n") and all(
        one.lstrip(b"\r\n").startswith(b"\x0b") and len(_CONTROL.findall(one)) == 1 for one in frames
    )


def _delimiters(header: bytes) -> Delimiters:
    text = header[:9].decode("latin-1")
    separator = text[3:4]
    if not separator or separator.isalnum() or separator.isspace():
        return Delimiters()
    declared = text[4:8].split(separator, 1)[0]
    chosen = [declared[n] if n < len(declared) and not declared[n].isspace() else "^~\\&"[n] for n in range(4)]
    return Delimiters(separator, chosen[0], chosen[1], chosen[2], chosen[3])


def _declared_charset(header: bytes, delimiters: Delimiters) -> str:
    parts = header.split(delimiters.field.encode("latin-1"))
    if len(parts) <= 17:
        return ""
    return parts[17].decode("latin-1").split(delimiters.repetition, 1)[0].strip()
