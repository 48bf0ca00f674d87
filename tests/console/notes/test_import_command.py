"""`manage.py import_logs`: what it prints, how it ends, from a fresh installation on."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from console.integrations.models import Source
from console.notes.models import LogEntry, LogImport, QuarantinedLine
from tests.console.monitoring.rows import a_note_story, body
from tests.console.notes.test_importing import AT

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.django_db(transaction=True)


def manage(*words: str, given: bytes = b"") -> tuple[int, str, str]:
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "import_logs", *words],
        cwd=ROOT, env=environment, input=given, capture_output=True, timeout=120, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def counts(out: str) -> tuple[int, ...]:
    said = json.loads(out.strip().split("\n")[-1])
    assert list(said) == ["rows", "stored", "duplicate", "quarantined"]
    return tuple(said.values())


def test_a_file_a_packed_one_and_standard_input_end_with_the_same_receipt(tmp_path) -> None:
    story = a_note_story(1, AT)
    rows = body(story["scribe"]) + b"\nbroken\n"
    (tmp_path / "scribe.ndjson").write_bytes(rows)
    code, out, _ = manage("scribe", str(tmp_path / "scribe.ndjson"), "--json")
    assert (code, counts(out)) == (0, (6, 5, 0, 1))
    assert out.count("\n") == 1, "with --json the receipt is all that is printed"
    (tmp_path / "scribe.gz").write_bytes(gzip.compress(rows))
    assert counts(manage("scribe", str(tmp_path / "scribe.gz"))[1]) == (6, 0, 5, 1)
    code, out, errors = manage("scribe", "-", given=rows)
    assert counts(out) == (6, 0, 5, 1)
    assert "line 6: is not JSON" in errors
    source = Source.objects.get()
    assert (source.name, source.time_zone) == ("default", "UTC")
    assert LogEntry.objects.count() == 5
    assert set(LogImport.objects.values_list("state", "via")) == {("done", "command")}


def test_columns_are_named_on_the_command_line(tmp_path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("wann,was\n2026-11-20 09:00:00,sent\n", encoding="utf-8")
    code, _, errors = manage("scribe", str(file))
    assert code == 2
    assert "at" in errors and "Traceback" not in errors
    code, out, _ = manage("scribe", str(file), "--map", "wann=at", "--map", "was=event", "--json")
    assert (code, counts(out)) == (0, (1, 1, 0, 0))
    assert manage("scribe", str(file), "--map", "nonsense")[0] == 2


def test_an_unknown_sources_lines_are_set_aside_and_counted() -> None:
    code, out, errors = manage("ehr", "-", "--source", "nobody", given=body(a_note_story(1, AT)["ehr"]))
    assert (code, counts(out)) == (0, (3, 0, 0, 3))
    assert "No source is called nobody" in errors
    assert set(QuarantinedLine.objects.values_list("reason", flat=True)) == {"The source nobody is not known."}


@pytest.mark.parametrize(
    ("words", "given", "says"),
    [
        (("scribe", "/nowhere/rows.ndjson"), b"", "cannot be read"),
        (("scribe", "-"), b"PK\x03\x04zip", "ZIP archive"),
        (("scribe", "-"), b"\x1f\x8bbroken", "gzip file is damaged"),
        (("scribe", "-"), b"a letter\nto nobody\n", "no known format"),
        (("weather", "-"), b"", "invalid choice"),
    ],
)
def test_what_cannot_be_read_ends_with_two_and_a_sentence(words, given, says) -> None:
    code, out, errors = manage(*words, given=given)
    assert (code, out) == (2, "")
    assert says in errors
    assert "Traceback" not in errors
