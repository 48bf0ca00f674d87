"""The shelf: each row once, whether it asks before or is told by the primary key, and whoever else puts rows there."""

import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from console.accounts.keys import keyring
from console.notes.copy_rows import Entry, packers
from console.notes.log_lines import EPOCH, micros
from console.notes.models import LogBatch, LogEntry
from console.notes.partitions import ensure_days
from console.notes.storing import Shelf, ensure_partitions
from console.shared.sealing import Address
from tests.console.builders import a_facility, an_integration
from tests.console.monitoring.rows import a_source

AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@pytest.fixture
def source():
    return a_source(an_integration(a_facility()))


def entries(source, numbers) -> list[Entry]:
    pack, _ = packers(keyring(source.facility_id), "scribe", integration=source.integration_id, source=source.id)
    made = []
    for number in numbers:
        at = AT + timedelta(hours=number % 50, seconds=number)
        row = {"at": at.isoformat(), "event": "sent", "note_id": f"N-{number}", "error": "invalid_client", "ack": "AE"}
        made.append(pack(row, micros(at), number))
    return made


def put(shelf: Shelf, some: list[Entry]) -> int:
    ensure_partitions(some)
    with transaction.atomic():
        return shelf.put(some, None)


@pytest.mark.django_db
def test_rows_that_stand_there_are_left_out_whether_they_were_asked_for_or_not(source) -> None:
    shelf = Shelf(source, "scribe")
    assert put(shelf, entries(source, range(100))) == 100
    assert put(shelf, entries(source, range(100, 200))) == 100, "now nothing is asked before"
    assert put(shelf, entries(source, range(150, 250))) == 50, "the primary key tells, and the rest is stored"
    assert put(shelf, entries(source, range(250))) == 0
    assert put(Shelf(source, "scribe"), entries(source, range(245, 255))) == 5
    assert LogEntry.objects.count() == 255
    assert sum(LogBatch.objects.values_list("rows", flat=True)) == 255
    assert {row.batch for row in LogEntry.objects.all()} == set(LogBatch.objects.values_list("id", flat=True))


@pytest.mark.django_db
def test_a_batch_costs_the_same_queries_however_many_rows_and_days_it_has(source) -> None:
    ensure_days(date(2026, 11, 20) + timedelta(days=day) for day in range(3))

    def queries(numbers: range) -> int:
        with CaptureQueriesContext(connection) as caught:
            put(Shelf(source, "scribe"), entries(source, numbers))
        return len(caught)

    queries(range(1))
    assert queries(range(1, 2)) == queries(range(2, 500))


@pytest.mark.django_db
def test_what_is_asked_of_the_log_is_found_by_its_primary_key(source) -> None:
    from console.notes import storing

    put(Shelf(source, "scribe"), entries(source, range(500)))
    some = entries(source, range(3))
    times = "{" + ",".join(str(entry[0]) for entry in some) + "}"
    ids = "{" + ",".join(entry[1].hex() for entry in some) + "}"
    with connection.cursor() as cursor:
        ends = [EPOCH + timedelta(microseconds=some[at][0]) for at in (0, -1)]
        cursor.execute("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) " + storing._KNOWN, [times, ids, *ends])
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Index" in plan
    assert "Seq Scan" not in plan


@pytest.mark.django_db
def test_a_packed_row_reads_back_with_every_column(source) -> None:
    [entry] = entries(source, [7])
    put(Shelf(source, "scribe"), [entry])
    row, ring = LogEntry.objects.get(), keyring(source.facility_id)
    assert row.id.bytes == entry[1]
    assert row.id.version == 8
    assert row.at == AT + timedelta(hours=7, seconds=7)
    assert (row.log, row.event, row.status, row.ack, row.signature) == ("scribe", "sent", None, "AE", "invalid_client")
    assert (row.facility_id, row.integration_id, row.source_id) == (
        source.facility_id,
        source.integration_id,
        source.id,
    )
    assert bytes(row.note_hash) == ring.hash("N-7", "note")
    assert row.transaction_hash is None
    assert row.position == 7
    assert row.sealed["error"] == "invalid_client"
    assert row.sealed["at"] == row.at.isoformat()


@pytest.mark.django_db
def test_values_sealed_and_hashed_in_bulk_are_those_of_the_keyring(source) -> None:
    ring = keyring(source.facility_id)
    sealed = ring.sealer("notes_logentry", "sealed")(b"text", source.id.bytes)
    assert ring.open(sealed, Address("notes_logentry", "sealed", source.id, source.facility_id)) == b"text"
    for value in ("N-1", "Encounter/E-1", " E-1 ", "urn:uuid:ABC", "a|b", "E-1/_history/2", "ü"):
        assert ring.hasher("note")(value) == ring.hash(value, "note")
    many = {ring.sealer("t", "c")(b"", source.id.bytes)[17:29] for _ in range(1000)}
    assert len(many) == 1000, "no nonce comes twice"


@pytest.mark.django_db(transaction=True)
def test_two_writers_with_overlapping_rows_store_each_once_and_never_block_each_other_for_good(source) -> None:
    counted: list[int] = []
    start = threading.Barrier(2)

    def write(first: int) -> None:
        shelf = Shelf(source, "scribe")
        start.wait()
        for step in range(6):
            numbers = range(first + step * 100, first + step * 100 + 200)
            counted.append(put(shelf, entries(source, numbers)))
        connection.close()

    threads = [threading.Thread(target=write, args=(first,)) for first in (0, 150)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(counted) == 12, "a writer failed"
    assert sum(counted) == LogEntry.objects.count() == 850
