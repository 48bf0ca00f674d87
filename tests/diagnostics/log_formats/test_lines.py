"""NDJSON: lines end at a line feed and nowhere else."""

from io import BytesIO

from diagnostics.parsing.log_formats import LONGEST_LINE_BYTES, CutLine, ndjson_chunks
from tests.diagnostics.log_formats.samples import lines


def test_other_separators_stand_inside_a_text() -> None:
    raw = '{"a": "x\u2028y\u2029z\x85\x0b\x0c\r!"}\n{"b": 1}\r\n'.encode()
    found = lines(raw, "scribe", "ndjson")
    assert [(line.number, line.row, line.problem) for line in found] == [(1, None, None), (2, None, None)]
    assert found[0].raw.decode().count("\u2028") == 1


def test_blank_lines_count_and_are_no_rows() -> None:
    found = lines(b"\n \n{}\n\t\r\n{}", "scribe", "ndjson")
    assert [(line.number, line.end) for line in found] == [(3, 6), (5, 11)]


def test_a_nul_is_the_matter_of_its_line() -> None:
    found = lines(b'{"a": "\x00"}\n{}\n', "scribe", "ndjson")
    assert len(found) == 2


def test_the_longest_line_is_a_line_and_one_byte_more_is_not() -> None:
    longest = b"x" * LONGEST_LINE_BYTES
    raw = longest + b"\n" + longest + b"y\n{}\n" + longest + b"z"
    found = lines(raw, "scribe", "ndjson")
    assert [(line.number, len(line.raw), line.problem is None) for line in found] == [
        (1, LONGEST_LINE_BYTES, True),
        (2, 4096, False),
        (3, 2, True),
        (4, 4096, False),
    ]
    assert found[1].problem == "the line is longer than 1 MB (1,048,577 bytes)"
    assert found[-1].end == len(raw)
    for line in found:
        assert lines(raw, "scribe", "ndjson", start=line.end) == [each for each in found if each.end > line.end]


def test_chunks_go_on_from_any_chunk() -> None:
    raw = b"".join(b'{"n": %d}\n' % n for n in range(200_000)) + b"z" * (3 * LONGEST_LINE_BYTES) + b"\n{}\n"
    chunks = list(ndjson_chunks(BytesIO(raw)))
    assert len(chunks) > 4
    cut = next(chunk for chunk in chunks if isinstance(chunk[1][0], CutLine))
    assert len(cut[1]) == 1
    for place, chunk in enumerate(chunks):
        rest = list(ndjson_chunks(BytesIO(raw), chunk[2]))
        assert [(number, line) for number, lines, _ in rest for line in enumerate(lines, number)] == [
            (number, line) for number, lines, _ in rest for line in enumerate(lines, number)
        ]
        assert sum(len(lines) for _, lines, _ in rest) == sum(len(lines) for _, lines, _ in chunks[place + 1 :])
        if rest:
            assert rest[0][0] == chunk[0] + len(chunk[1])


def test_a_start_behind_the_end_is_the_end() -> None:
    assert list(ndjson_chunks(BytesIO(b"{}\n"), 3)) == []
    assert list(ndjson_chunks(BytesIO(b"{}\n"), 99)) == []
