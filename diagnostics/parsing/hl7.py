"""Read HL7 v2 messages tolerantly, keeping byte offsets, so that a finding can name the exact place.

Nothing here judges or raises: whatever the bytes are, a Message comes out, and what is odd about it stands in its
frame, its stray lines and its decoding. The raw bytes are kept whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

VT, FS, CR = 0x0B, 0x1C, 0x0D
_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_SEGMENT_ID = re.compile(rb"[A-Z][A-Z0-9]{2}")
_LINE = re.compile(rb"\r\n|\r|\n")
# HL7 table 0211 (and what senders write instead) to Python's names.
_CHARSETS = {
    "": "ascii",
    "ASCII": "ascii",
    "UNICODE UTF-8": "utf-8",
    "UTF-8": "utf-8",
    "UTF8": "utf-8",
    "UNICODE UTF-16": "utf-16",
    "UNICODE": "utf-16",
    "UNICODE UTF-32": "utf-32",
    "GB 18030-2000": "gb18030",
    "BIG-5": "big5",
    "KS X 1001": "euc_kr",
    "ISO IR87": "iso2022_jp",
}
for _part in (*range(1, 10), 15):
    _CHARSETS[f"8859/{_part}"] = f"iso8859-{_part}"


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
        """Tell whether this is exactly one well-formed frame."""
        return self.starts and self.ends and not self.inner_controls and self.frames == 1


@dataclass(frozen=True, slots=True)
class Field:
    """Be one field with its place: `number` counts as HL7 does, `offset` is in bytes of the whole input."""

    number: int
    raw: bytes
    offset: int


@dataclass(frozen=True)
class Segment:
    """Be one segment: `index` counts segments from 0, `offset` is in bytes of the whole input."""

    name: str
    raw: bytes
    offset: int
    index: int
    fields: tuple[Field, ...]
    delimiters: Delimiters = field(repr=False)
    charset: str = field(default="ascii", repr=False)

    def raw_field(self, number: int) -> bytes:
        """Return a field's bytes, empty where it is absent. MSH-1 is the field separator itself."""
        return next((each.raw for each in self.fields if each.number == number), b"")

    def text(self, number: int) -> str:
        """Return a field as text, still escaped."""
        return decode(self.raw_field(number), self.charset)

    def repetitions(self, number: int) -> tuple[str, ...]:
        """Return a field's repetitions, still escaped; none where the field is empty."""
        text = self.text(number)
        return tuple(text.split(self.delimiters.repetition)) if text else ()

    def value(self, number: int, component: int = 1, subcomponent: int = 1, repetition: int = 0) -> str:
        """Return one value, unescaped; an empty string where it is absent."""
        if self.name in ("MSH", "FHS", "BHS") and number <= 2:
            return self.text(number)
        repetitions = self.repetitions(number)
        if repetition >= len(repetitions):
            return ""
        components = repetitions[repetition].split(self.delimiters.component)
        if component > len(components):
            return ""
        parts = components[component - 1].split(self.delimiters.subcomponent)
        return unescape(parts[subcomponent - 1], self.delimiters) if subcomponent <= len(parts) else ""


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
    terminators: frozenset[bytes] = frozenset()
    payload_offset: int = 0

    @property
    def starts_with_msh(self) -> bool:
        """Tell whether the first three payload bytes are MSH, as every receiver demands."""
        return self.raw[self.payload_offset : self.payload_offset + 3] == b"MSH" and not self.bom

    @property
    def batch(self) -> bool:
        """Tell whether the message stands in a batch or file wrapper."""
        return any(segment.name in ("FHS", "BHS") for segment in self.segments)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the segment ids in order."""
        return tuple(segment.name for segment in self.segments)

    def first(self, name: str) -> Segment | None:
        """Return the first segment of an id."""
        return next((segment for segment in self.segments if segment.name == name), None)

    def all(self, name: str) -> tuple[Segment, ...]:
        """Return every segment of an id."""
        return tuple(segment for segment in self.segments if segment.name == name)

    def get(self, path: str) -> str:
        """Return the value at `PID-3.1` (segment, field, component, subcomponent) of the first such segment."""
        match = re.fullmatch(r"([A-Z][A-Z0-9]{2})-(\d{1,3})(?:\.(\d{1,2}))?(?:\.(\d{1,2}))?", path)
        segment = self.first(match.group(1)) if match else None
        if match is None or segment is None:
            return ""
        return segment.value(int(match.group(2)), int(match.group(3) or 1), int(match.group(4) or 1))


def python_charset(declared: str) -> str | None:
    """Return Python's name for a value of MSH-18 (its first repetition), or None for an unknown one."""
    return _CHARSETS.get(declared.strip().upper())


def decode(raw: bytes, charset: str) -> str:
    """Decode as declared, else as UTF-8, else byte for byte: text must come out whatever was declared."""
    for name in (charset, "utf-8"):
        try:
            return raw.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
    return raw.decode("latin-1")


def unescape(text: str, delimiters: Delimiters = Delimiters()) -> str:
    r"""Undo \F\ \S\ \T\ \R\ \E\, \.br\ (a line break) and \Xhh..\ (chapter 2, use of escape sequences)."""
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
    """Read one message, with or without its MLLP frame. Segment terminators may be CR, LF or CRLF."""
    frame, start, end = _frame(data)
    bom = next((mark for mark in _BOMS if data[start:end].startswith(mark)), b"")
    body_at = start + len(bom)
    msh = data.find(b"MSH", body_at, end)
    delimiters = _delimiters(data[msh:end]) if msh >= 0 else Delimiters()
    declared = _declared_charset(data[msh:end], delimiters) if msh >= 0 else ""
    charset = python_charset(declared) or "utf-8"
    segments: list[Segment] = []
    strays: list[StrayLine] = []
    terminators: set[bytes] = set()
    place = body_at
    while place < end:
        match = _LINE.search(data, place, end)
        stop = match.start() if match else end
        line = data[place:stop]
        if _is_segment(line, delimiters):
            segments.append(_segment(line, place, len(segments), delimiters, charset))
        elif line.strip():
            strays.append(StrayLine(line, place, len(segments) - 1))
        if match:
            terminators.add(match.group())
        place = match.end() if match else end
    return Message(
        raw=data,
        frame=frame,
        bom=bool(bom),
        delimiters=delimiters,
        declared_charset=declared,
        charset=charset,
        segments=tuple(segments),
        strays=tuple(strays),
        terminators=frozenset(terminators),
        payload_offset=body_at,
    )


def _frame(data: bytes) -> tuple[Frame, int, int]:
    if VT not in data and FS not in data:
        return Frame(), 0, len(data)
    starts = data[:1] == b"\x0b"
    end_at = data.rfind(b"\x1c\r")
    tail = data[end_at + 2 :] if end_at >= 0 else data
    ends = end_at >= 0 and not tail.strip(b"\r\n")
    start, end = (1 if starts else 0), (end_at if ends else len(data.rstrip(b"\x1c")))
    inner = tuple(place for place in range(start, end) if data[place] in (VT, FS))
    return Frame(True, starts, ends, inner[:100], data.count(b"\x1c\r")), start, end


def _delimiters(msh: bytes) -> Delimiters:
    text = msh[:9].decode("latin-1")
    separator = text[3:4]
    if not separator or separator.isalnum() or separator in "\r\n":
        return Delimiters()
    declared = text[4:8].split(separator, 1)[0]
    chosen = [declared[n] if n < len(declared) and not declared[n].isspace() else "^~\\&"[n] for n in range(4)]
    return Delimiters(separator, chosen[0], chosen[1], chosen[2], chosen[3])


def _declared_charset(msh: bytes, delimiters: Delimiters) -> str:
    line = _LINE.split(msh, maxsplit=1)[0]
    parts = line.split(delimiters.field.encode("latin-1"))
    if len(parts) <= 17:
        return ""
    return parts[17].decode("latin-1").split(delimiters.repetition, 1)[0].strip()


def _is_segment(line: bytes, delimiters: Delimiters) -> bool:
    if not _SEGMENT_ID.match(line):
        return False
    return len(line) == 3 or line[3:4] == delimiters.field.encode("latin-1")


def _segment(line: bytes, offset: int, index: int, delimiters: Delimiters, charset: str) -> Segment:
    name = line[:3].decode("ascii")
    parts = line.split(delimiters.field.encode("latin-1"))
    fields: list[Field] = []
    place = offset + len(parts[0]) + 1
    first = 1
    if name in ("MSH", "FHS", "BHS") and len(line) > 3:
        fields.append(Field(1, line[3:4], offset + 3))  # MSH-1 is the separator: the split swallowed it
        first = 2
    for number, part in enumerate(parts[1:], start=first):
        fields.append(Field(number, part, place))
        place += len(part) + 1
    return Segment(name, line, offset, index, tuple(fields), delimiters, charset)
