"""A file is unpacked while it is read; what cannot be unpacked is told after everything before it."""

import gzip
from io import BytesIO

import pytest

from diagnostics.parsing.log_formats import BadFormat, BadPacking, open_stream, read, sniff
from tests.diagnostics.log_formats.samples import NDJSON, lines


def test_gzip_is_known_by_its_bytes_and_may_have_several_members_and_padding() -> None:
    packed = gzip.compress(NDJSON) + gzip.compress(NDJSON) + b"\0" * 700
    assert open_stream(BytesIO(packed)).read() == NDJSON * 2
    assert [line.number for line in lines(packed, "scribe", "ndjson")] == [1, 2]


def test_an_empty_file_and_an_empty_gzip_hold_nothing() -> None:
    assert open_stream(BytesIO(b"")).read() == b""
    assert open_stream(BytesIO(gzip.compress(b""))).read() == b""
    assert lines(b"", "scribe", "ndjson") == []


def test_a_gzip_that_breaks_off_gives_its_lines_first() -> None:
    packed = gzip.compress(NDJSON * 3)
    source = read(open_stream(BytesIO(packed[:-9])), log="scribe", format="ndjson")
    found = []
    with pytest.raises(BadPacking, match="breaks off"):
        for line in source:
            found.append(line.number)
    assert found == [1, 2, 3] or found == []  # all of it fits into one block of deflate

    large = gzip.compress(b"".join(b'{"n": %d}\n' % n for n in range(400_000)), compresslevel=1)
    count = 0
    with pytest.raises(BadPacking, match="breaks off"):
        for line in read(open_stream(BytesIO(large[: len(large) // 2])), log="scribe", format="ndjson"):
            count += 1
            assert line.raw == b'{"n": %d}' % (line.number - 1)
    assert count > 150_000


def test_a_damaged_gzip_says_where() -> None:
    packed = bytearray(gzip.compress(b"".join(b'{"n": %d}\n' % n for n in range(50_000)), compresslevel=1))
    packed[len(packed) // 2] ^= 0xFF
    with pytest.raises(BadPacking, match=r"damaged after [\d,]+ bytes|breaks off"):
        open_stream(BytesIO(bytes(packed))).read()


def test_what_follows_a_gzip_is_not_swallowed() -> None:
    with pytest.raises(BadPacking, match="not gzip follows"):
        open_stream(BytesIO(gzip.compress(NDJSON) + b"and more")).read()


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"PK\x03\x04" + b"x" * 30, "a ZIP archive"),
        (b"BZh91AY", "bzip2"),
        (b"\xfd7zXZ\x00\x00", "xz"),
        (b"\x28\xb5\x2f\xfd\x00\x00", "Zstandard"),
        ("x".encode("utf-32"), "UTF-32"),
        (gzip.compress(b"PK\x03\x04" + b"x" * 30), "a ZIP archive"),
    ],
)
def test_another_packing_is_refused_by_its_name(raw: bytes, says: str) -> None:
    with pytest.raises(BadPacking, match=says):
        open_stream(BytesIO(raw))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_with_its_mark_is_read_as_text(encoding: str) -> None:
    text = NDJSON.decode() + '{"site": "Zürich 𝄞"}\n'
    raw = "\ufeff".encode(encoding) + text.encode(encoding)
    assert open_stream(BytesIO(raw)).read() == text.encode()
    assert open_stream(BytesIO(gzip.compress(raw))).read() == text.encode()


def test_utf_16_without_its_mark_is_refused_with_what_to_do() -> None:
    raw = NDJSON.decode().encode("utf-16-le")
    with pytest.raises(BadFormat, match="Save it as UTF-8"):
        lines(raw, "scribe", "ndjson")
    with pytest.raises(BadFormat, match="Save it as UTF-8"):
        sniff(raw, log="scribe")


def test_a_byte_order_mark_belongs_to_no_line() -> None:
    (line,) = lines(b"\xef\xbb\xbf" + NDJSON, "scribe", "ndjson")
    assert line.raw == NDJSON[:-1]
    assert line.end == len(NDJSON) + 3
