"""Find the elements of a JSON document while it streams: objects one after another, of an array, or of a Bundle.

A Bundle may be one document of hundreds of megabytes; only one element is held at a time, of at most 1 MiB. Brackets
and strings are followed, nothing is parsed: whoever converts an element finds out whether it is JSON.
"""

import codecs
import re
from collections.abc import Iterator
from typing import BinaryIO

from diagnostics.parsing.log_formats.pieces import BLOCK_BYTES, HEAD_BYTES, LONGEST_LINE_BYTES, Piece, fill, too_long

_LINE = b"\n"
_ENTRY = re.compile(rb'"entry"\s*:\s*\Z')
_LOOK_BACK = 256
_BLANK = b" \t\r\n,\xef\xbb\xbf"
_STRING = re.compile(rb'(?:[^"\\\n]++|\\[^\n])*+')
_BREAKS_OFF = "breaks off: a bracket or a quote is not closed"


def elements(stream: BinaryIO, *, lines: bool, before: bytes = b"") -> Iterator[Piece]:
    """Yield each element of a document, numbered; `before` is what was already read of the stream.

    With `lines` every line feed ends what stands before it (NDJSON): a broken line costs only itself, and elements
    carry the number of their line. Without, a line feed ends at most a string, which none may cross.
    """
    scan = _Scan(stream, lines, before)
    depth = floor = count = 0
    inside = False  # an element is open since scan.mark
    line = 1
    while (token := scan.next()) is not None:
        if token == _LINE:
            if inside or depth or scan.text_before():
                count += 1
                yield scan.piece(line, _BREAKS_OFF if inside or depth else "is no JSON object")
            scan.drop()
            depth = floor = 0
            inside = False
            line += 1
            continue
        opens = token in b"{["
        if opens and not inside and depth == floor:
            if scan.text_before(but_token=True):
                count += 1
                yield scan.piece(line if lines else count, "holds text outside any element", but_token=True)
            if token == b"[" and floor == 0:
                depth = floor = 1
                scan.drop()
                continue
            scan.mark_token()
            inside = True
            depth += 1
        elif opens:
            depth += 1
            if inside and floor == 0 and depth == 2 and token == b"[" and scan.after(_ENTRY):
                floor, inside = 2, False
                scan.drop()
        elif depth == 0:
            count += 1
            yield scan.piece(line if lines else count, "closes a bracket that was not opened")
            scan.drop()
        else:
            depth -= 1
            if inside and depth == floor:
                count += 1
                yield scan.piece(line if lines else count)
                scan.drop()
                inside = False
            elif not inside and depth < floor:
                if scan.text_before(but_token=True):
                    count += 1
                    yield scan.piece(line if lines else count, "holds text outside any element", but_token=True)
                scan.drop()
                floor = 0
            elif not inside and depth == 0:
                scan.drop()
    scan.to_end()
    if scan.text_before():
        odd = _BREAKS_OFF if inside or depth else "is no JSON object"
        yield scan.piece(line if lines else count + 1, odd)


class _Scan:
    """Walk over brackets; hold the bytes since `mark`, or only their beginning once they are too many."""

    def __init__(self, stream: BinaryIO, lines: bool, before: bytes) -> None:
        self._stream = stream
        self._before = before
        extra = rb"\n" if lines else b""
        plain = rb'[^"{}\[\]' + extra + rb"]++"
        string = rb'"(?:[^"\\\n]++|\\[^\n])*+' + (rb'"' if lines else rb'["\n]')
        self._token = re.compile(rb"(?:" + plain + rb"|" + string + rb")*+([{}\[\]" + extra + rb"])")
        self._skip = re.compile(rb"(?:" + plain + rb"|" + string + rb")*+")
        self._lines = lines
        self._buffer = b""
        self._base = 0  # offset in the stream of the buffer's first byte
        self._at = 0  # next place in the buffer to look at
        self._in_string = False
        self._mark = 0  # offset in the stream since which bytes are held
        self._head: bytes | None = None  # the beginning of what became too long to be held
        self._odd = False  # what became too long held more than white space
        self._token_at = 0

    def next(self) -> bytes | None:
        """Return the next bracket (or line feed), or None at the end."""
        while True:
            if self._in_string and not self._leave_string():
                if not self._more():
                    return None
                continue
            found = self._token.match(self._buffer, self._at)
            if found is not None:
                self._at = found.end()
                self._token_at = self._base + self._at - 1
                return found[1]
            self._at = self._skip.match(self._buffer, self._at).end()  # type: ignore[union-attr]
            if self._at < len(self._buffer):  # a string that goes on behind the buffer
                self._in_string = True
                self._at += 1
            elif not self._more():
                return None

    def _leave_string(self) -> bool:
        found = _STRING.match(self._buffer, self._at)
        self._at = found.end() if found else self._at
        rest = self._buffer[self._at : self._at + 2]
        if not rest or rest == b"\\":
            return False
        self._in_string = False
        if rest[:1] == b"\\":  # a backslash before the line feed that ends the string
            self._at += 1
            rest = rest[1:]
        if rest[:1] == b'"' or not self._lines:
            self._at += 1
        return True

    def _more(self) -> bool:
        block, self._before = self._before or fill(self._stream, BLOCK_BYTES), b""
        if not block:
            return False
        held = self._base + self._at - self._mark
        if self._head is None and held > LONGEST_LINE_BYTES:
            start = self._mark - self._base
            self._head = self._buffer[start : start + HEAD_BYTES]
        if self._head is not None:
            self._odd = self._odd or bool(self._buffer[: self._at].strip(_BLANK))
            keep = max(0, self._at - _LOOK_BACK)
        else:
            keep = max(0, self._mark - self._base)
        self._buffer = self._buffer[keep:] + block
        self._base += keep
        self._at -= keep
        return True

    @property
    def _here(self) -> int:
        return self._base + self._at

    def to_end(self) -> None:
        """Put the place behind the last byte."""
        self._at = len(self._buffer)

    def drop(self) -> None:
        """Hold nothing of what was read up to here."""
        self._mark, self._head, self._odd = self._here, None, False

    def mark_token(self) -> None:
        """Hold from the bracket on that was just found."""
        self._mark, self._head, self._odd = self._token_at, None, False

    def after(self, pattern: re.Pattern[bytes]) -> bool:
        """Tell whether the bracket just found stands after this."""
        end = self._token_at - self._base
        return pattern.search(self._buffer[max(0, end - _LOOK_BACK) : end]) is not None

    def text_before(self, *, but_token: bool = False) -> bool:
        """Tell whether anything but white space and commas was passed since the mark."""
        end = self._at - but_token
        start = max(0, self._mark - self._base)
        return self._odd or bool(self._buffer[start:end].strip(_BLANK))

    def piece(self, number: int, problem: str | None = None, *, but_token: bool = False) -> Piece:
        """Return what was passed since the mark."""
        end = self._here - but_token
        size = end - self._mark
        if size > LONGEST_LINE_BYTES or self._head is not None:
            start = max(0, self._mark - self._base)
            head = self._head if self._head is not None else self._buffer[start : start + HEAD_BYTES]
            return Piece(number, head, end, too_long("the element", size) if problem is None else problem)
        raw = self._buffer[self._mark - self._base : end - self._base]
        return Piece(number, raw.removeprefix(codecs.BOM_UTF8).strip(), end, problem)
