"""The drop folder with real files: what lies there for a source comes in once, everything else is set aside."""

import gzip
import json
import logging
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from console.integrations.models import Integration, Source
from console.monitoring.drop_files import execute
from console.monitoring.drop_folder import look
from console.monitoring.models import DropFile, DropLook
from console.notes.models import LogEntry, LogImport
from console.shared.work import WorkState
from tests.console.monitoring.rows import a_source
from tests.console.sources.dropping import AT, lying, reason, round_of, rows, work

pytestmark = pytest.mark.django_db
PATIENT = "Featherstonehaugh, Ottoline"


def test_a_file_comes_in_and_is_taken(scribe: Path, source: Source) -> None:
    (scribe / "monday.ndjson").write_bytes(rows(1, 2))
    (row,) = round_of()
    assert (row.state, row.end, row.says) == (WorkState.DONE, DropFile.End.TAKEN, "")
    made = LogImport.objects.get()
    assert (made.via, made.log, made.source, made.rows, made.stored, made.state) == (
        "drop", "scribe", source, 10, 10, "done",
    )  # fmt: skip
    assert made.name == "monday.ndjson" and row.log_import == made
    assert lying(scribe) == {"taken/monday.ndjson": rows(1, 2)}
    assert LogEntry.objects.count() == 10


def test_the_same_rows_in_another_file_are_stored_once(scribe: Path) -> None:
    for name in ("one.ndjson", "two.ndjson.gz"):
        (scribe / name).write_bytes(gzip.compress(rows(1)) if name.endswith(".gz") else rows(1))
        round_of()
    assert LogEntry.objects.count() == 5
    assert sorted(LogImport.objects.values_list("stored", "duplicate")) == [(0, 5), (5, 0)]
    assert sorted(lying(scribe)) == ["taken/one.ndjson", "taken/two.ndjson.gz"]


def test_a_name_that_comes_again_is_a_new_file(scribe: Path) -> None:
    for number in (1, 2):
        (scribe / "export.ndjson").write_bytes(rows(number))
        round_of()
    assert LogEntry.objects.count() == 10
    assert sorted(lying(scribe)) == ["taken/export.ndjson", "taken/export.ndjson.2"]
    assert DropFile.objects.get().end == DropFile.End.TAKEN


def test_a_file_that_was_set_aside_may_be_put_back(scribe: Path) -> None:
    (scribe / "export.ndjson").write_bytes(rows(1) + b"broken\n")
    (row,) = round_of()
    assert row.end == DropFile.End.SET_ASIDE
    os.rename(scribe / "set-aside" / "export.ndjson", scribe / "export.ndjson")
    (row,) = round_of()
    assert (row.end, LogEntry.objects.count(), LogImport.objects.count()) == (DropFile.End.SET_ASIDE, 5, 2)


def test_lines_that_cannot_be_read_are_kept_and_the_file_is_set_aside_with_the_reason(scribe: Path) -> None:
    (scribe / f"{PATIENT}.ndjson").write_bytes(rows(1) + f'{{"at": "{PATIENT}"}}\n'.encode())
    (row,) = round_of()
    assert row.end == DropFile.End.SET_ASIDE
    assert reason(scribe).splitlines()[1].startswith("1 of 6 lines cannot be read; the other 5 are stored.")
    assert PATIENT not in reason(scribe) and PATIENT not in row.says
    assert LogImport.objects.get().quarantined_lines.count() == 1


def test_a_file_that_is_no_log_is_set_aside(scribe: Path) -> None:
    (scribe / "export.ndjson.gz").write_bytes(gzip.compress(rows(1))[:-30])
    (row,) = round_of()
    assert row.end == DropFile.End.SET_ASIDE
    assert "cannot be read to its end" in reason(scribe)
    assert LogImport.objects.get().state == "failed"


def test_an_empty_file_is_taken(scribe: Path) -> None:
    (scribe / "empty.ndjson").touch()
    (row,) = round_of()
    assert (row.end, LogImport.objects.get().rows) == (DropFile.End.TAKEN, 0)


def test_other_formats_come_in_by_their_folder(drop: Path, source: Source) -> None:
    at = AT.isoformat()
    audit = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": {
        "resourceType": "AuditEvent", "recorded": at, "action": "C", "outcome": "0",
        "entity": [{"what": {"reference": "DocumentReference/7"}}],
    }}]}  # fmt: skip
    squid = (
        f"{AT.timestamp():.3f}    120 10.0.0.9 TCP_TUNNEL/200 3920 CONNECT ehr.example:443 - HIER_DIRECT/192.0.2.9 -\n"
    )
    for log, text in (("ehr", json.dumps(audit)), ("proxy", squid)):
        folder = drop / "north-epic" / log
        folder.mkdir(parents=True)
        (folder / "file").write_text(text)
    assert {row.end for row in round_of()} == {DropFile.End.TAKEN}
    assert sorted(LogEntry.objects.values_list("log", flat=True)) == ["ehr", "proxy"]


def test_a_file_that_still_grows_is_left_alone(scribe: Path, settings: Any) -> None:
    settings.LOG_DROP_STEADY_S = 15.0
    file = scribe / "slow.ndjson"
    file.write_bytes(rows(1)[:100])
    assert look().queued == 1
    (row,) = DropFile.objects.all()
    assert row.due_at > timezone.now() + timedelta(seconds=10) and not execute(row.pk)
    file.write_bytes(rows(1))
    work()
    row.refresh_from_db()
    assert (row.state, row.attempt, row.size) == (WorkState.QUEUED, 0, len(rows(1)))
    assert row.due_at > timezone.now() + timedelta(seconds=10)
    assert LogImport.objects.count() == 0
    work()
    assert lying(scribe) == {"taken/slow.ndjson": rows(1)}


def test_a_marker_says_that_the_file_is_whole(scribe: Path, settings: Any) -> None:
    settings.LOG_DROP_STEADY_S = 3600.0
    (scribe / "export.ndjson").write_bytes(rows(1))
    (scribe / "export.ndjson.done").touch()
    look()
    (row,) = DropFile.objects.all()
    assert execute(row.pk)
    assert lying(scribe) == {"taken/export.ndjson": rows(1)}


def test_what_is_unfinished_by_its_name_waits(scribe: Path) -> None:
    for name in ("a.part", "b.tmp", ".c"):
        (scribe / name).write_bytes(rows(1))
    assert round_of() == []
    os.rename(scribe / "a.part", scribe / "a")
    assert len(round_of()) == 1


def test_a_folder_may_be_named_after_the_sources_id(drop: Path, integration: Integration) -> None:
    source = a_source(integration, name="north/epic")
    folder = drop / str(source.id) / "scribe"
    folder.mkdir(parents=True)
    (folder / "x").write_bytes(rows(1))
    (row,) = round_of()
    assert (row.source, row.end) == (source, DropFile.End.TAKEN)


def test_what_belongs_to_no_source_is_set_aside_unread(drop: Path, source: Source, caplog: Any) -> None:
    for place in ("", "south", "south/scribe", "north-epic", "north-epic/notes", "north-epic/scribe/deeper"):
        (drop / place).mkdir(parents=True, exist_ok=True)
        (drop / place / f"{PATIENT}.csv").write_text("x")
    with caplog.at_level(logging.DEBUG):
        assert round_of() == []
    told = {str(path.relative_to(drop)): path.read_text() for path in drop.rglob("*.reason.txt")}
    assert sorted(name.rpartition("/")[0] for name in told) == [
        "north-epic/notes/set-aside", "north-epic/scribe/set-aside", "north-epic/set-aside", "set-aside",
        "south/scribe/set-aside", "south/set-aside",
    ]  # fmt: skip
    assert not [path for path in drop.rglob("*.csv") if "set-aside" not in path.parts]
    assert "belongs to no source" in told[f"set-aside/{PATIENT}.csv.reason.txt"]
    assert "no plain file" in told["north-epic/scribe/set-aside/deeper.reason.txt"]
    assert DropLook.objects.get().strangers == 6
    assert LogImport.objects.count() == 0 and PATIENT not in caplog.text


def test_links_and_pipes_are_set_aside_and_never_read(scribe: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(rows(1))
    (scribe / "link").symlink_to(tmp_path / "secret")
    os.link(tmp_path / "secret", scribe / "second")
    os.mkfifo(scribe / "pipe")
    (row,) = round_of()  # the second name is a plain file until it is opened
    assert (row.end, LogImport.objects.count()) == (DropFile.End.SET_ASIDE, 0)
    assert (scribe / "set-aside" / "link").is_symlink()
    assert sorted(path.name for path in (scribe / "set-aside").iterdir() if path.suffix != ".txt") == [
        "link", "pipe", "second",
    ]  # fmt: skip
    assert (tmp_path / "secret").read_bytes() == rows(1)


def test_a_source_folder_that_is_a_link_is_not_entered(drop: Path, source: Source, tmp_path: Path) -> None:
    (tmp_path / "outside" / "scribe").mkdir(parents=True)
    (tmp_path / "outside" / "scribe" / "x").write_bytes(rows(1))
    (drop / "north-epic").symlink_to(tmp_path / "outside")
    assert round_of() == []
    assert (tmp_path / "outside" / "scribe" / "x").exists()


def test_odd_names_are_no_obstacle(scribe: Path) -> None:
    for number, name in enumerate((b"\xff\xfe", b"a\nb", b"'; DROP TABLE", "日本語.csv".encode(), b"-rf", b"n" * 255)):
        with open(os.fsencode(scribe) + b"/" + name, "wb") as file:
            file.write(rows(number))
    assert {row.end for row in round_of()} == {DropFile.End.TAKEN}
    assert LogEntry.objects.count() == 30
    assert len(list((scribe / "taken").iterdir())) == 6
    assert all(made.name for made in LogImport.objects.all())


def test_names_stand_nowhere_in_the_clear(scribe: Path) -> None:
    (scribe / PATIENT).write_bytes(rows(1))
    round_of()
    from django.db import connection

    with connection.cursor() as cursor:
        for table in ("monitoring_dropfile", "notes_logimport", "monitoring_droplook", "accounts_auditentry"):
            cursor.execute(f"SELECT t::text FROM {table} t")
            assert PATIENT not in str(cursor.fetchall())
            assert PATIENT.encode().hex() not in str(cursor.fetchall())


def test_a_folder_that_is_not_there_is_told(drop: Path, settings: Any) -> None:
    settings.LOG_DROP_FOLDER = str(drop / "nowhere")
    assert look().troubles == ["The drop folder cannot be opened: no such file or directory."]
    since = DropLook.objects.get().troubled_since
    look()
    assert DropLook.objects.get().troubled_since == since
    (drop / "nowhere").mkdir()
    assert look().troubles == [] and DropLook.objects.get().trouble == ""
