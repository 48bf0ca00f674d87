"""Read the words of a PDF back from its pages, in the order in which they were set; enough for what typst writes."""

import re
import zlib


def pieces_of(pdf: bytes) -> list[str]:
    """Give the marked pieces of text: a table's cell, a paragraph, a heading; spaces are left out."""
    objects = {int(n): body for n, body in re.findall(rb"(\d+) 0 obj\n(.*?)endobj", pdf, re.S)}
    fonts = {n: _font(objects, body) for n, body in objects.items() if b"/Type/Font/" in body}
    found: list[str] = []
    for body in objects.values():
        if b"/Type/Page/" not in body:
            continue
        resources = objects[int(re.search(rb"/Resources (\d+) 0 R", body)[1])]
        named = re.search(rb"/Font<<(.*?)>>", resources)
        used = {name: fonts[int(n)] for name, n in re.findall(rb"/(\w+) (\d+) 0 R", named[1])} if named else {}
        found += _pieces(_stream(objects[int(re.search(rb"/Contents (\d+) 0 R", body)[1])]), used)
    return found


def words_of(pdf: bytes) -> str:
    """Give all words without the spaces between them."""
    return "".join(pieces_of(pdf))


def pages_of(pdf: bytes) -> int:
    """Count the pages."""
    return len(re.findall(rb"/Type/Page/", pdf))


def _stream(body: bytes) -> bytes:
    return zlib.decompress(re.search(rb"stream\r?\n(.*)\r?\nendstream", body, re.S)[1])


def _font(objects: dict[int, bytes], body: bytes) -> dict[int, str]:
    unicode = re.search(rb"/ToUnicode (\d+) 0 R", body)
    if unicode is None:
        return {}
    text = _stream(objects[int(unicode[1])])
    return {
        int(code, 16): bytes.fromhex(value.decode()).decode("utf-16-be")
        for code, value in re.findall(rb"<([0-9A-F]{4})> <((?:[0-9A-F]{4})+)>\n", text)
    }


def _pieces(content: bytes, fonts: dict[bytes, dict[int, str]]) -> list[str]:
    found, piece, font, at = [], "", {}, 0
    token = re.compile(rb"/(\w+) [\d.]+ Tf|\(|\bEMC\b")
    while match := token.search(content, at):
        at = match.end()
        if match[1]:
            font = fonts.get(match[1], {})
        elif match[0] == b"EMC":
            found.append(piece)
            piece = ""
        else:
            at = _end_of_string(content, at)
            codes = _unescaped(content[match.end() : at - 1])
            piece += "".join(font.get(int.from_bytes(codes[n : n + 2]), "") for n in range(0, len(codes), 2))
    return ["".join(text.split()) for text in (*found, piece)]


def _end_of_string(content: bytes, at: int) -> int:
    """Give the place after the closing parenthesis; balanced ones stand inside a string as they are (PDF 7.3.4.2)."""
    depth = 1
    for match in re.compile(rb"\\.|[()]", re.S).finditer(content, at):
        depth += {b"(": 1, b")": -1}.get(match[0], 0)
        if depth == 0:
            return match.end()
    raise AssertionError("a string of the PDF does not end")


def _unescaped(text: bytes) -> bytes:
    plain = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}

    def one(match: re.Match[bytes]) -> bytes:
        escaped = match[1]
        return bytes([int(escaped, 8)]) if escaped[:1].isdigit() else plain.get(escaped, escaped)

    return re.sub(rb"\\([0-7]{1,3}|.)", one, text, flags=re.S)
