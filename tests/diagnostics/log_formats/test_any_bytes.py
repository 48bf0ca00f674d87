"""Whatever the bytes are: reading ends, never raises, loses no line, and goes on from any place it gave."""

import gzip
from io import BytesIO
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diagnostics.parsing.log_formats import BadFormat, BadPacking, Line, ndjson_chunks, open_stream, read, sniff
from tests.diagnostics.log_formats.samples import IDS, NOW, SAMPLES

FORMATS = sorted({(log, format) for log, format, _, _ in SAMPLES})
CALM = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
ODD = [b"\x00", b'"', b"\n", b"\r", b"<", b">", b"{", b"}", b"[", b"]", b"\\", b",", b";", b"|", b"\xff", b"&", b"#",
       b"\xed\xa0\x80", "\u2028".encode(), b"MSH|^~\\&|", b"</AuditMessage>", b"<AuditMessage>", b"\x1c", b"\x0b",
       b'"entry": [', b"99999999999999999999", b"\\ud800", b"\xef\xbb\xbf", b"]]>", b"<![CDATA[", b" "]  # fmt: skip


def taken(raw: bytes, log: str, format: str, start: int = 0) -> list[Line] | None:
    """Read all; None where the file as a whole is refused."""
    source = read(BytesIO(raw), log=log, format=format, start=start, now=NOW)
    found: list[Line] = []
    try:
        for line in source:
            found.append(line)
    except BadFormat:
        assert not found, "a file is refused before its first line or not at all"
        return None
    return found


def holds(raw: bytes, log: str, format: str) -> None:
    whole = taken(raw, log, format)
    if whole is None:
        return
    ends = [line.end for line in whole]
    assert ends == sorted(set(ends))
    assert not ends or (ends[0] > 0 and ends[-1] <= len(raw))
    numbers = [line.number for line in whole]
    assert numbers == sorted(numbers)
    for line in whole:
        assert (line.row is None) or (line.problem is None)
        assert format == "ndjson" or line.row is not None or line.problem
    for place in {0, *ends[:4], *ends[-3:]}:
        assert taken(raw, log, format, place) == [line for line in whole if line.end > place]


@pytest.mark.parametrize(("log", "format"), FORMATS)
@given(raw=st.binary(max_size=400))
@CALM
def test_random_bytes(log: str, format: str, raw: bytes) -> None:
    holds(raw, log, format)


@pytest.mark.parametrize(("log", "format", "sample", "count"), SAMPLES, ids=IDS)
@given(data=st.data())
@CALM
def test_a_damaged_log(log: str, format: str, sample: bytes, count: int, data: Any) -> None:
    raw = sample
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(raw)))
        gone = data.draw(st.integers(0, 30))
        raw = raw[:place] + data.draw(st.sampled_from([b"", *ODD])) + raw[place + gone :]
    holds(raw, log, format)


@pytest.mark.parametrize(("log", "format", "sample", "count"), SAMPLES, ids=IDS)
def test_a_log_cut_anywhere(log: str, format: str, sample: bytes, count: int) -> None:
    for end in range(0, len(sample), 7):
        holds(sample[:end], log, format)


@pytest.mark.parametrize(("log", "format", "sample", "count"), SAMPLES, ids=IDS)
def test_a_whole_log_and_its_rest_from_every_place(log: str, format: str, sample: bytes, count: int) -> None:
    whole = taken(sample, log, format)
    assert whole is not None and len(whole) == count
    assert all(line.problem is None for line in whole)
    holds(sample, log, format)


@pytest.mark.parametrize(("log", "format", "sample", "count"), SAMPLES, ids=IDS)
def test_lines_across_the_blocks_in_which_a_file_is_read(log: str, format: str, sample: bytes, count: int) -> None:
    if format in ("csv", "vpc_flow"):
        head, _, sample = sample.partition(b"\n")
        head += b"\n"
    else:
        head = b"\n"
    if format == "json" or sample.startswith(b'{\n "resourceType": "Bundle"'):
        sample += b"\n"
    times = 1_300_000 // len(sample)
    whole = taken(head + sample * times, log, format)
    assert whole is not None
    assert {line.problem for line in whole} == {None}
    assert len(whole) == count * times
    place = whole[len(whole) // 2].end
    assert taken(head + sample * times, log, format, place) == whole[len(whole) // 2 + 1 :]


@given(raw=st.binary(max_size=600))
@CALM
def test_every_line_of_ndjson_comes_once(raw: bytes) -> None:
    chunks = list(ndjson_chunks(BytesIO(raw)))
    body = raw.removeprefix(b"\xef\xbb\xbf")
    together = [line for _, lines, _ in chunks for line in lines]
    assert b"\n".join(together) == (body[:-1] if body.endswith(b"\n") else body)
    number = 1
    for first, lines, _ in chunks:
        assert first == number
        number += len(lines)
    assert not chunks or chunks[-1][2] == len(raw)


@given(raw=st.binary(max_size=300), log=st.sampled_from(["scribe", "ehr", "firewall", "proxy"]))
@CALM
def test_telling_the_format_of_anything(raw: bytes, log: str) -> None:
    try:
        format = sniff(raw, log=log)
    except BadFormat:
        return
    holds(raw, log, format)


@given(raw=st.binary(max_size=300), cut=st.integers(0, 200), flip=st.integers(0, 200))
@CALM
def test_a_damaged_gzip_gives_what_came_before_and_says_so(raw: bytes, cut: int, flip: int) -> None:
    packed = bytearray(gzip.compress(raw) + gzip.compress(raw))
    if flip < len(packed):
        packed[flip] ^= 0x55
    given_out = b""
    try:
        stream = open_stream(BytesIO(bytes(packed[: len(packed) - cut])))
        while block := stream.read(7):
            given_out += block
    except BadPacking as reason:
        assert str(reason)
    assert len(given_out) <= 2 * len(raw) + 400
