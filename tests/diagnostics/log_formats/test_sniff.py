"""The format of a log is told from its beginning, and named for people."""

import pytest

from diagnostics.parsing.log_formats import FORMATS, BadFormat, formats_for, sniff
from tests.diagnostics.log_formats.samples import ATNA, CSV, IDS, MIRTH, NDJSON, SAMPLES, SQUID, lines


@pytest.mark.parametrize(("log", "format", "sample", "count"), SAMPLES, ids=IDS)
def test_every_format_is_told_from_its_beginning(log: str, format: str, sample: bytes, count: int) -> None:
    assert sniff(sample, log=log) == format
    assert sniff(b"\xef\xbb\xbf" + sample * 3, log=log) == format


@pytest.mark.parametrize(
    ("head", "log", "name", "format"),
    [
        (b"", "scribe", "", "ndjson"),
        (b"\n\n", "ehr", "x.csv", "ndjson"),
        (b"broken line\n" + NDJSON * 5, "scribe", "", "ndjson"),
        (b"noise\n", "scribe", "notes.ndjson.gz", "ndjson"),
        (b'{\n "at": 1\n}\n', "scribe", "", "json"),
        (b"when;what\n1;2\n", "scribe", "notes.CSV", "csv"),
        (b"Date\tTime\tEvent\n", "ehr", "", "csv"),
        (b"noise\n" + SQUID * 3, "proxy", "", "squid"),
        (b'{"resourceType":"Bundle","entry":[', "ehr", "", "audit_events"),
    ],
)
def test_odd_beginnings(head: bytes, log: str, name: str, format: str) -> None:
    assert sniff(head, log=log, name=name) == format


@pytest.mark.parametrize(
    ("head", "log", "says"),
    [
        (b"noise\nmore noise\n", "scribe", "of no known format. The AI scribe's log may come as NDJSON"),
        (ATNA, "scribe", "a log of another kind: ATNA"),
        (MIRTH, "proxy", "a log of another kind: Message export"),
        (b'<Bundle xmlns="http://hl7.org/fhir"><entry>', "ehr", "FHIR in XML"),
        (bytes(range(256)), "proxy", "of no known format"),
    ],
)
def test_what_is_no_log_is_told_what_would_be_one(head: bytes, log: str, says: str) -> None:
    with pytest.raises(BadFormat, match=says):
        sniff(head, log=log)


def test_every_format_has_a_name_and_a_log() -> None:
    assert set().union(*(formats_for(log) for log in ("scribe", "ehr", "firewall", "proxy"))) == set(FORMATS)


def test_a_format_of_another_log_is_refused() -> None:
    with pytest.raises(BadFormat, match="cannot be read as Squid"):
        lines(CSV, "scribe", "squid")
