"""What may go wrong with a drop folder, and what is told of it."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from console.integrations.models import Integration, Source
from console.monitoring import drop_files
from console.monitoring.drop_files import execute
from console.monitoring.drop_folder import forget_taken, look
from console.monitoring.models import DropFile, DropLook
from console.notes.models import LogEntry, LogImport
from console.shared.work import WorkState, claim, sweep
from tests.console.builders import an_integration
from tests.console.monitoring.rows import a_source
from tests.console.sources.dropping import lying, reason, round_of, rows, work

pytestmark = pytest.mark.django_db
PATIENT = "Featherstonehaugh, Ottoline"


@contextlib.contextmanager
def as_somebody_who_owns(place: str) -> Iterator[None]:
    """Act as somebody whom folders can be closed to: for root none is."""
    if os.getuid() != 0:
        yield
        return
    os.chown(place, 65534, 65534)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_closed_folder_is_told_and_the_others_go_on(integration: Integration, source: Source, settings: Any) -> None:
    a_source(an_integration(integration.facility), name="closed")
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, 0o755)
        settings.LOG_DROP_FOLDER, settings.LOG_DROP_STEADY_S = place, 0.0
        with as_somebody_who_owns(place):
            scribe = Path(place) / "north-epic" / "scribe"
            scribe.mkdir(parents=True)
            (scribe / "x").write_bytes(rows(1))
            (Path(place) / "closed").mkdir(mode=0o000)
            assert [row.end for row in round_of()] == [DropFile.End.TAKEN]
            assert DropLook.objects.get().trouble == "A folder of closed cannot be used: permission denied."
            (Path(place) / "closed").chmod(0o700)


def test_a_file_that_cannot_be_moved_is_in_once_told_and_moved_later(scribe: Path) -> None:
    (scribe / "x").write_bytes(rows(1))
    (scribe / "taken").write_text("a file where the folder should be")
    (row,) = round_of()
    assert row.end == DropFile.End.STUCK and "cannot be moved away: not a directory" in row.says
    for _ in range(3):
        round_of()
    assert LogImport.objects.count() == 1
    (scribe / "taken").unlink()
    (row,) = round_of()
    assert row.end == DropFile.End.TAKEN and lying(scribe) == {"taken/x": rows(1)}
    assert LogImport.objects.count() == 1


def test_a_file_that_vanishes_is_not_waited_for(scribe: Path) -> None:
    (scribe / "x").write_bytes(rows(1))
    look()
    (scribe / "x").unlink()
    work()
    assert DropFile.objects.get().end == DropFile.End.GONE


def test_a_worker_without_the_folder_leaves_the_file_to_others(scribe: Path, settings: Any) -> None:
    (scribe / "x").write_bytes(rows(1))
    look()
    settings.LOG_DROP_FOLDER = ""
    assert look() is None
    work()
    row = DropFile.objects.get()
    assert (row.state, row.attempt, row.end) == (WorkState.QUEUED, 0, "")


@pytest.mark.django_db(transaction=True)  # the lease is renewed by another connection
def test_a_file_is_taken_in_slices(scribe: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(drop_files, "SLICE_S", 0.0)
    (scribe / "x").write_bytes(rows(*range(6000)))
    look()
    rounds = 0
    while DropFile.objects.get().state != WorkState.DONE:
        work()
        rounds += 1
        assert rounds < 100
    assert rounds > 1
    made = LogImport.objects.get()
    assert (made.rows, made.stored, made.duplicate) == (30_000, 30_000, 0)
    assert list(lying(scribe)) == ["taken/x"]


def test_one_worker_at_a_time_takes_a_file(scribe: Path) -> None:
    (scribe / "x").write_bytes(rows(1))
    look()
    DropFile.objects.update(due_at=timezone.now())
    row = DropFile.objects.get()
    assert claim(DropFile, row.pk) is not None
    assert not execute(row.pk)
    assert LogImport.objects.count() == 0 and list(lying(scribe)) == ["x"]


def test_a_worker_where_the_folder_is_not_mounted_leaves_the_file_to_others(scribe: Path, settings: Any) -> None:
    (scribe / "x").write_bytes(rows(1))
    look()
    settings.LOG_DROP_FOLDER = str(scribe / "elsewhere")
    work()
    row = DropFile.objects.get()
    assert (row.state, row.end, row.says) == (WorkState.QUEUED, "", "The drop folder cannot be opened.")


def test_a_fault_of_our_own_is_told_without_a_word_of_the_file(scribe: Path, monkeypatch: Any, caplog: Any) -> None:
    def broken(**_: Any) -> None:
        raise ValueError(PATIENT)

    monkeypatch.setattr(drop_files, "import_stream", broken)
    (scribe / "x").write_bytes(rows(1))
    round_of()
    row = DropFile.objects.get()
    assert (row.state, row.attempt, row.says) == (WorkState.QUEUED, 1, "NoteTrace itself failed on this file.")
    assert "ValueError" in caplog.text and PATIENT not in caplog.text


def test_a_file_that_ends_its_worker_again_and_again_is_set_aside(scribe: Path) -> None:
    (scribe / "x").write_bytes(rows(1))
    look()
    DropFile.objects.update(attempt=5, state=WorkState.RUNNING, lease_until=timezone.now() - timedelta(seconds=1),
                            due_at=timezone.now() - timedelta(seconds=9))  # fmt: skip
    assert sweep()["gave_up"] == 1
    (row,) = round_of()
    assert row.end == DropFile.End.SET_ASIDE and "ended in the middle" in reason(scribe)


def test_a_worker_killed_between_its_last_acts_leaves_no_doubt(scribe: Path) -> None:
    """The rows were stored, and the file moved or not, when the worker was killed."""
    for moved in (False, True):
        (scribe / "x").write_bytes(rows(1 + moved))
        (row,) = round_of()
        if not moved:
            os.rename(scribe / "taken" / "x", scribe / "x")
        DropFile.objects.update(
            state=WorkState.RUNNING, end="", attempt=1, lease_until=timezone.now() - timedelta(seconds=1)
        )
        made = row.log_import
        assert execute(row.pk)
        row.refresh_from_db()
        assert (row.end, row.log_import) == (DropFile.End.TAKEN, made)
    assert LogImport.objects.count() == 2 and LogEntry.objects.count() == 10


def test_what_was_taken_is_forgotten_after_its_days(scribe: Path, settings: Any) -> None:
    (scribe / "x").write_bytes(rows(1))
    (scribe / "y").write_bytes(b"broken\n")
    round_of()
    settings.LOG_DROP_KEEP_DAYS = 7
    assert forget_taken() == 0
    assert forget_taken(now=timezone.now() + timedelta(days=6)) == 0
    assert forget_taken(now=timezone.now() + timedelta(days=8)) == 1
    assert sorted(lying(scribe)) == ["set-aside/y", "set-aside/y.reason.txt"]
    assert DropFile.objects.count() == 2
    forget_taken(now=timezone.now() + timedelta(days=31))
    assert DropFile.objects.count() == 0
