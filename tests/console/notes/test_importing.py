"""Files brought in: streamed in batches, gone on with where they stopped, odd ones told apart from odd lines."""

import gzip
import io
import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection

from console.integrations.models import Source
from console.integrations.named_sources import named_source
from console.notes import preparing
from console.notes.importing import ImportStopped, import_stream
from console.notes.models import LogBatch, LogEntry, LogImport, QuarantinedLine
from diagnostics.parsing.log_formats import BadFormat, BadPacking
from tests.console.builders import a_facility, an_integration
from tests.console.monitoring.rows import a_source

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
COUNTS = ("rows", "stored", "duplicate", "quarantined")


class Enough(Exception):
    """The caller had enough of an import."""


@pytest.fixture
def source() -> Source:
    return a_source(an_integration(a_facility()))


@pytest.fixture
def small_batches(monkeypatch) -> None:
    monkeypatch.setattr(preparing, "BATCH_ROWS", 100)
    monkeypatch.setattr("diagnostics.parsing.log_formats.lines.BLOCK_BYTES", 8 * 1024)


def rows(count: int, first: int = 0) -> list[dict[str, Any]]:
    return [
        {"at": (AT + timedelta(seconds=number)).isoformat(), "event": "sent", "note_id": f"N-{number}"}
        for number in range(first, first + count)
    ]


def text(told: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in told)


def bring(source: Source | None, data: bytes, log: str = "scribe", **more: Any) -> tuple[int, ...]:
    receipt = import_stream(source=source, log=log, stream=io.BytesIO(data), via="command", size=len(data), **more)
    return tuple(getattr(receipt, name) for name in COUNTS)


def stop_after(batches: int) -> Any:
    seen = []

    def step(made: LogImport) -> None:
        seen.append(made.rows)
        if len(seen) == batches:
            raise Enough

    return step


def test_a_file_is_stored_with_its_batches_its_place_and_its_counts(source, small_batches) -> None:
    data = text(rows(1000)) + b"broken\n\n" + text(rows(1)) + b'{"at": "2026"}'
    assert bring(source, data, name="Ada Example.ndjson") == (1003, 1000, 1, 2)
    made = LogImport.objects.get()
    assert (made.state, made.format, made.offset, made.line) == ("done", "ndjson", len(data), 1004)
    assert (made.size, made.taken, made.name) == (len(data), len(data), "Ada Example.ndjson")
    assert list(made.quarantined_lines.values_list("number", flat=True)) == [1001, 1004]
    batches = LogBatch.objects.filter(log_import=made)
    assert len(batches) > 3
    assert sum(batch.rows for batch in batches) == LogEntry.objects.count() == 1000
    assert {batch.integration_id for batch in batches} == {source.integration_id}
    entry = LogEntry.objects.order_by("at").first()
    assert (entry.source_id, entry.position, entry.sealed["note_id"]) == (source.id, 1, "N-0")


@pytest.mark.parametrize("packed", [False, True])
def test_what_stopped_goes_on_where_it_stopped_and_counts_as_if_it_never_had(source, small_batches, packed) -> None:
    data = text(rows(700)) + b"broken\n" * 3 + text(rows(300, 500))
    data = gzip.compress(data) if packed else data
    for _ in range(3):
        with pytest.raises(Enough):
            bring(source, data, progress=stop_after(2))
    made = LogImport.objects.get()
    assert made.state == "running"
    assert 0 < made.rows < 1003
    assert bring(source, data) == (1003, 800, 200, 3)
    assert LogImport.objects.get().state == "done"
    assert sorted(QuarantinedLine.objects.values_list("number", flat=True)) == [701, 702, 703]
    assert bring(source, data) == (1003, 0, 1000, 3), "a finished file is brought in anew"
    assert LogEntry.objects.count() == 800


def test_another_file_or_another_source_begins_an_import_of_its_own(source, small_batches) -> None:
    data = text(rows(600))
    with pytest.raises(Enough):
        bring(source, data, progress=stop_after(1))
    assert bring(source, data + text(rows(1, 600)))[0] == 601
    elsewhere = a_source(an_integration(source.facility))
    assert bring(elsewhere, data) == (600, 600, 0, 0)
    assert LogImport.objects.filter(state="running").count() == 1


def test_an_import_that_somebody_else_holds_is_left_to_him(source, small_batches, monkeypatch) -> None:
    monkeypatch.setattr("console.notes.import_locks._PATIENCE_S", 0.1)
    data = text(rows(600))
    with pytest.raises(Enough):
        bring(source, data, progress=stop_after(1))
    made = LogImport.objects.get()
    from console.notes.import_locks import number

    with psycopg.connect(**_address()) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [number(made.id)])
        with pytest.raises(ImportStopped, match="Another process"):
            bring(source, data, resume=made)
        assert bring(source, data)[0] == 600
        assert LogImport.objects.count() == 2


def test_who_lost_his_place_to_another_writes_nothing(source, small_batches) -> None:
    def overtaken(made: LogImport) -> None:
        LogImport.objects.filter(pk=made.pk).update(offset=made.offset + 1)

    with pytest.raises(ImportStopped):
        bring(source, text(rows(1000)), progress=overtaken)
    made = LogImport.objects.get()
    assert made.rows == made.stored == LogEntry.objects.count()


@pytest.mark.django_db(transaction=True)
def test_rows_are_prepared_beside_the_database_and_a_failure_there_is_told_after_what_came_before(
    source, small_batches
) -> None:
    data = gzip.compress(text(rows(3000)))
    with pytest.raises(BadPacking, match="breaks off"):
        bring(source, data[:-2000])
    made = LogImport.objects.get()
    assert made.state == "failed"
    assert "breaks off" in made.reason
    assert 0 < made.stored == LogEntry.objects.count() < 3000
    assert {thread.name for thread in threading.enumerate()} & {"prepare-log"} == set()
    assert bring(source, data) == (3000, 3000 - made.stored, made.stored, 0)


@pytest.mark.django_db(transaction=True)
def test_a_full_disk_stops_an_import_which_goes_on_when_there_is_room_again(source, small_batches, postgres) -> None:
    from console.launch.postgres import OWNER

    data = text(rows(2000)) + b"broken\n"
    full = """
    CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF NEW.position > 900 THEN
        RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full';
      END IF;
      RETURN NEW;
    END $$;
    CREATE TRIGGER no_room BEFORE INSERT ON notes_logentry FOR EACH ROW EXECUTE FUNCTION no_room();
    """
    with psycopg.connect(postgres.url(OWNER), autocommit=True) as owner:
        owner.execute(full)
        try:
            with pytest.raises(ImportStopped, match="disk is full"):
                bring(source, data)
        finally:
            owner.execute("DROP FUNCTION no_room CASCADE")
    made = LogImport.objects.get()
    assert (made.state, made.reason.startswith("The database's disk is full.")) == ("failed", True)
    assert 0 < made.stored == LogEntry.objects.count() <= 900
    assert bring(source, data) == (2001, 2000, 0, 1)
    assert LogImport.objects.get().state == "done"


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_breaks_stops_an_import_which_then_goes_on(source, small_batches, postgres) -> None:
    from console.launch.postgres import OWNER

    data = text(rows(2000))

    def breaks(made: LogImport) -> None:
        if made.rows > 500:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                pid = cursor.fetchone()[0]
            with psycopg.connect(postgres.url(OWNER), autocommit=True) as owner:
                owner.execute("SELECT pg_terminate_backend(%s)", [pid])

    with pytest.raises(ImportStopped):
        bring(source, data, progress=breaks)
    made = LogImport.objects.get()
    assert made.rows == made.stored == LogEntry.objects.count() > 500
    assert bring(source, data) == (2000, 2000, 0, 0)
    assert LogImport.objects.count() == 1


def test_a_file_of_no_known_kind_is_refused_as_a_whole(source) -> None:
    with pytest.raises(BadFormat, match="no known format"):
        bring(source, b"dear reader,\nthis is a letter\n" * 5)
    made = LogImport.objects.get()
    assert (made.state, made.rows) == ("failed", 0)
    with pytest.raises(BadPacking, match="ZIP"):
        bring(source, b"PK\x03\x04" + b"x" * 100)


def test_lines_that_are_odd_in_every_way_cost_only_themselves(source) -> None:
    good = rows(3)
    giant = b'{"at": "2026-11-20T09:00:00Z", "error": "' + b"x" * 10_000_000 + b'"}\n'
    forged = {**good[1], "error": 'a\r\n\u2028{"at": "2026-11-20T09:00:00Z", "event": "acked"}'}
    data = b"".join((
        b"\xef\xbb\xbf", text(good[:1]), giant, b"{\x00}\n", b'{"at": "\xff\xfe"}\n', b'{"site": "caf\xe9"}\n',
        json.dumps(forged, ensure_ascii=False).encode() + b"\r\n", b"\r\n", text(good[2:]).rstrip(),
    ))  # fmt: skip
    assert bring(source, data) == (7, 3, 0, 4)
    kept = {row.number: row for row in QuarantinedLine.objects.all()}
    assert sorted(kept) == [2, 3, 4, 5]
    assert kept[2].line == giant[:4096]
    assert "1 MB" in kept[2].reason
    assert kept[5].reason == "is not UTF-8 text"
    events = LogEntry.objects.order_by("position").values_list("position", "event")
    assert list(events) == [(1, "sent"), (6, "sent"), (8, "sent")]


def test_a_ragged_csv_keeps_its_whole_records_and_names_the_others(source) -> None:
    lines = (
        b"Timestamp,Event,Note ID,Status",
        b"2026-11-20 09:00:00,sent,N-1,201",
        b"2026-11-20 09:00:01,sent",
        b"2026-11-20 09:00:02,sent,N-3,201,left,over",
        b'2026-11-20 09:00:03,acked,"N',
        b'-4",201',
    )
    data = b"\n".join(lines)
    a_source(source.integration, time_zone="America/Chicago")
    source.refresh_from_db()
    assert bring(source, data, name="rows.csv") == (4, 2, 0, 2)
    assert [row.number for row in QuarantinedLine.objects.order_by("number")] == [3, 4]
    assert LogEntry.objects.order_by("at").first().at == datetime(2026, 11, 20, 15, tzinfo=UTC)


def test_a_mapping_is_taken_from_the_caller_or_from_the_sources_last_file(source) -> None:
    data = b"wann,was,notiz\n2026-11-20T09:00:00Z,sent,N-1\n"
    mapping = {"wann": "at", "was": "event", "notiz": "note_id"}
    with pytest.raises(BadFormat):
        bring(source, data, format="csv")
    assert bring(source, data + b"\n", format="csv", mapping=mapping) == (1, 1, 0, 0)
    source.mappings = {"scribe": mapping}
    source.save()
    assert bring(source, data + b"\n\n", format="csv") == (1, 0, 1, 0)


def test_times_in_a_zone_that_is_not_declared_are_set_aside_one_by_one(source) -> None:
    a_source(source.integration, time_zone="")
    source.refresh_from_db()
    data = b"at,event\n2026-11-20 09:00:00,sent\n2026-11-20T09:00:00Z,sent\n"
    assert bring(source, data, format="csv") == (2, 1, 0, 1)
    assert "names no time zone" in QuarantinedLine.objects.get().reason


def test_an_unknown_sources_lines_are_all_set_aside_with_the_reason(source) -> None:
    data = text(rows(3)) + b"broken\n"
    assert bring(None, data, source_name="nobody") == (4, 0, 0, 4)
    made = LogImport.objects.get()
    assert (made.source, made.source_name, made.state) == (None, "nobody", "done")
    kept = QuarantinedLine.objects.order_by("number")
    assert {row.reason for row in kept} == {"The source nobody is not known."}
    assert b"".join(row.line + b"\n" for row in kept) == data
    assert not LogEntry.objects.exists()


def test_logs_of_devices_are_read_in_their_own_formats(source) -> None:
    squid = b"1795165200.123    412 192.0.2.7 TCP_DENIED/407 3921 CONNECT ehr.example:443 - HIER_NONE/- text/html\n"
    assert bring(source, squid, log="proxy") == (1, 1, 0, 0)
    entry = LogEntry.objects.get()
    assert (entry.log, entry.status) == ("proxy", 407)


def test_the_default_source_is_made_once_and_others_are_not(db) -> None:
    assert named_source("nobody") is None
    first = named_source("default")
    assert first is not None
    assert named_source("default") == first
    assert (first.time_zone, first.integration.name) == ("UTC", "Imported logs")
    assert first.facility == first.integration.facility


def test_the_default_source_belongs_to_the_first_facility() -> None:
    first, _ = a_facility(), a_facility()
    found = named_source("default")
    assert found is not None
    assert found.facility == first


def _address() -> dict[str, Any]:
    told = connection.settings_dict
    return {"dbname": told["NAME"], "user": told["USER"], "password": told["PASSWORD"], "host": told["HOST"],
            "port": told["PORT"] or None}  # fmt: skip
