"""An import killed again and again: begun anew each time, it ends with every line stored once or set aside once."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from console.notes.import_models import LogImport, QuarantinedLine
from console.notes.models import LogBatch, LogEntry
from tests.benchmarks.two_logs.import_torture import write

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]
ROOT = Path(__file__).resolve().parents[3]
ROWS, KILLS = 20_000, 5


def start(path: Path) -> subprocess.Popen[str]:
    command = [sys.executable, str(ROOT / "manage.py"), "import_logs", "scribe", str(path), "--json"]
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip


def run(path: Path) -> dict[str, int]:
    process = start(path)
    out, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors[-3000:]
    counts = json.loads(out.strip().splitlines()[-1])
    assert counts["rows"] == counts["stored"] + counts["duplicate"] + counts["quarantined"]
    return dict(counts)


def kill_at_work(path: Path, rng: random.Random) -> bool:
    """Kill one run a random while after it took up the file; tell whether it was still at it."""
    process = start(path)
    before = _reached()
    while process.poll() is None and _reached() == before:
        time.sleep(0.002)
    time.sleep(rng.random() * 0.15)
    alive = process.poll() is None
    if alive:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    return alive


def _reached() -> tuple[int, int]:
    """Tell how far imports have come: receipts begun, lines done."""
    lines = LogImport.objects.values_list("line", flat=True)
    return len(lines), sum(lines)


def test_killed_five_times_and_handed_in_twice_everything_is_there_once(tmp_path: Path) -> None:
    path = tmp_path / "scribe.ndjson"
    told = write(path, ROWS, huge=2_000_000)
    rng = random.Random(5)
    kills = sum(kill_at_work(path, rng) for _ in range(KILLS))
    assert kills, "no run was killed at work: the test proves nothing"
    run(path)
    # A run that had come to its end before it was killed is whole, and the next one begins the file anew.
    whole = list(LogImport.objects.all())
    assert {one.state for one in whole} == {LogImport.State.DONE}
    assert {(one.rows, one.quarantined) for one in whole} == {(told.rows, told.bad)}
    assert sum(one.stored for one in whole) == told.distinct
    assert LogEntry.objects.count() == told.distinct
    assert sum(LogBatch.objects.values_list("rows", flat=True)) == told.distinct
    for one in whole:
        places = list(QuarantinedLine.objects.filter(log_import=one).values_list("number", flat=True))
        assert sorted(places) == told.places
    second = run(path)
    assert (second["rows"], second["stored"]) == (told.rows, 0)
    assert (second["duplicate"], second["quarantined"]) == (told.good, told.bad)
    assert LogEntry.objects.count() == told.distinct


def test_two_imports_of_one_file_at_once_store_every_row_once(tmp_path: Path) -> None:
    path = tmp_path / "scribe.ndjson"
    told = write(path, 4000, seed=9, huge=0)
    both = [start(path), start(path)]
    said = []
    for process in both:
        out, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors[-3000:]
        said.append(json.loads(out.strip().splitlines()[-1]))
    assert LogEntry.objects.count() == told.distinct
    assert sum(counts["stored"] for counts in said) <= told.distinct
    for counts in said:
        assert counts["rows"] == counts["stored"] + counts["duplicate"] + counts["quarantined"]
