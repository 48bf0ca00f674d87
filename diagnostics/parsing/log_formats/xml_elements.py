"""Find every element of one name in XML that streams: in one document, in many after another, or inside syslog frames.

Only one element is held at a time. Where it grows beyond 1 MiB its long texts (attached documents) are cut to 16 KiB
each, because what a log tells stands at their beginning; an element that stays too long is reported.
"""

import re
from collections.abc import Iterator
from typing import Any, BinaryIO
from xml.parsers.expat import errors

from defusedxml import ElementTree  # type: ignore[import-untyped]
from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]

from diagnostics.parsing.log_formats.pieces import (
    BLOCK_BYTES,
    HEAD_BYTES,
    LONGEST_LINE_BYTES,
    Odd,
    Piece,
    fill,
    too_long,
)

_LONGEST_TEXT = 16 * 1024
_LONG_TEXTS = re.compile(rb"(?<![^<>])[^<>]{%d,}+" % (_LONGEST_TEXT + 1))
_CUT_REFERENCE = re.compile(rb"&[#\w]{0,10}\Z")
_TAIL = 256
_MARKUP = re.compile(rb"<[/?!A-Za-z]")
_PREFIXED = re.compile(r"[<\s/]([A-Za-z_][\w.-]{0,60}):[A-Za-z_]")
_DECLARED = re.compile(r"\sxmlns:([A-Za-z_][\w.-]{0,60})\s?=")
_FIRST_NAME = re.compile(r"<[^\s/>]{1,120}")
_UNBOUND_PREFIX: int = errors.codes[errors.XML_ERROR_UNBOUND_PREFIX]
_BLANK = b" \t\r\n\x00\xef\xbb\xbf"
_PREFIX = rb"(?:[A-Za-z_][A-Za-z0-9_.-]{0,60}:)?"


def xml_elements(stream: BinaryIO, name: str) -> Iterator[Piece]:
    """Yield every `<name …>…</name>`, numbered, with or without a namespace prefix.

    What stands between them is passed by where it is markup or on the same line (a syslog header); other lines are
    reported, and so is an element inside which another one begins.
    """
    local = _PREFIX + name.encode("ascii")
    opening = re.compile(rb"<" + local + rb"(?=[\s>/])")
    either = re.compile(rb"</" + local + rb"\s{0,20}>|" + opening.pattern)
    source = _Source(stream)
    count = 0
    while True:
        for raw, end in source.lines_before(opening):
            count += 1
            yield Piece(count, raw, end, f"holds no <{name}>")
        if source.ended:
            return
        count += 1
        yield source.element(count, name, either)


def parsed(raw: bytes) -> Any:
    """Return the root of an element; raise Odd where it is no well-formed XML or brings a DTD along."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Odd("is not UTF-8 text") from None
    try:
        try:
            return ElementTree.fromstring(text, forbid_dtd=True)
        except ElementTree.ParseError as error:
            if error.code != _UNBOUND_PREFIX:
                raise
            return ElementTree.fromstring(_with_prefixes(text), forbid_dtd=True)
    except (ElementTree.ParseError, DefusedXmlException, ValueError, RecursionError):
        raise Odd("is not well-formed XML") from None


def _with_prefixes(text: str) -> str:
    """Declare the prefixes that an element uses and its wrapper, left behind, declared."""
    prefixes = sorted(set(_PREFIXED.findall(text)) - {"xml", "xmlns"} - set(_DECLARED.findall(text)))[:50]
    name = _FIRST_NAME.match(text)
    at = name.end() if name else 0
    return text[:at] + "".join(f' xmlns:{each}="urn:{each}"' for each in prefixes) + text[at:]


def local_name(tag: Any) -> str:
    """Return a tag without its namespace."""
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


class _Source:
    """Hold the buffer. Places in the stream are counted from its end, because texts inside may have been cut."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._buffer = b""
        self._read = 0
        self._at = 0
        self.ended = False

    def _place(self, at: int) -> int:
        return self._read - len(self._buffer) + at

    def _more(self, kept: bytes) -> bool:
        block = fill(self._stream, BLOCK_BYTES)
        self._buffer = kept + block
        self._read += len(block)
        return bool(block)

    def lines_before(self, opening: re.Pattern[bytes]) -> Iterator[tuple[bytes, int]]:
        """Walk to the next opening tag; yield the lines before it that are neither blank nor markup."""
        head: bytes | None = None  # of a line too long to be held
        while True:
            found = opening.search(self._buffer, self._at)
            limit = found.start() if found else len(self._buffer)
            last = self._buffer.rfind(b"\n", self._at, limit) + 1
            while self._at < last:
                feed = self._buffer.index(b"\n", self._at)
                line, self._at = self._buffer[self._at : feed], feed + 1
                if _stray(head if head is not None else line):
                    yield (head if head is not None else line)[:LONGEST_LINE_BYTES], self._place(self._at)
                head = None
            if found:
                self._at = found.start()
                return
            rest = self._buffer[self._at :]
            if len(rest) > LONGEST_LINE_BYTES:
                head = rest[:HEAD_BYTES] if head is None else head
                rest = rest[-_TAIL:]
            self._at = 0
            if not self._more(rest):
                self.ended = True
                if _stray(head if head is not None else rest):
                    yield head if head is not None else rest, self._read
                return

    def element(self, number: int, name: str, either: re.Pattern[bytes]) -> Piece:
        """Return the element that begins here, up to its closing tag, the next opening one, or the end."""
        start, began, scan = self._at, self._place(self._at), self._at + 1
        head: bytes | None = None
        cut = False
        while (end := either.search(self._buffer, scan)) is None:
            behind = min(len(self._buffer) - scan, _TAIL)
            kept = self._buffer[start:]
            if head is None and len(kept) > LONGEST_LINE_BYTES:
                kept, cut = _shortened(kept[:-_TAIL]) + kept[-_TAIL:], True
                head = kept[:HEAD_BYTES] if len(kept) > LONGEST_LINE_BYTES else None
            if head is not None:
                kept = kept[-_TAIL:]
            start, scan = 0, max(0, len(kept) - behind)
            if not self._more(kept):
                break
        closed = end is not None and end[0].startswith(b"</")
        self._at = (end.end() if closed else end.start()) if end is not None else len(self._buffer)
        raw, place = self._buffer[start : self._at], self._place(self._at)
        problem = None
        if not closed:
            before = "before the next one begins" if end is not None else "before the file ends"
            problem = f"<{name}> is not closed {before}"
        if head is None and (cut or len(raw) > LONGEST_LINE_BYTES):
            raw = _shortened(raw)
            head = raw[:HEAD_BYTES] if len(raw) > LONGEST_LINE_BYTES else None
        if head is not None:
            return Piece(number, head, place, problem or too_long("the element", place - began))
        return Piece(number, raw, place, problem)


def _stray(line: bytes) -> bool:
    return bool(line.strip(_BLANK)) and _MARKUP.search(line) is None


def _shortened(raw: bytes) -> bytes:
    return _LONG_TEXTS.sub(_beginning, raw)


def _beginning(found: re.Match[bytes]) -> bytes:
    return _CUT_REFERENCE.sub(b"", found[0][:_LONGEST_TEXT])
