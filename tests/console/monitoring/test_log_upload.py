"""Files uploaded on the page of log import: sealed while they wait, columns named once, brought in by workers."""

import gzip
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.utils import timezone

from console.accounts.models import User
from console.accounts.roles import Role
from console.integrations.models import Source
from console.integrations.tokens import source_of
from console.monitoring.column_kinds import NAIVE, kind_of
from console.notes import preparing
from console.notes.import_jobs import execute
from console.notes.models import ImportJob, LogEntry, LogImport, LogUploadPart
from console.notes.uploads import PART_BYTES, UploadedFile, begin, drop_left_uploads, head_of
from console.shared.sealing import SealError
from console.shared.work import WorkState, claim, sweep
from tests.console.builders import a_facility, a_person, an_integration
from tests.console.monitoring.rows import a_source

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
CSV = b"When;What;Note;Colour\n2026-11-20 09:00:00;sent;N-1;vermilion\n2026-11-20 09:00:01;acked;N-1;blue\n"


@pytest.fixture(autouse=True)
def long_leases(settings) -> None:
    """Renew no lease during a test: its thread would not see the rows of the test's transaction."""
    settings.WORK_LEASE_S = 60.0


@pytest.fixture
def person() -> User:
    return a_person(a_facility(), Role.INTEGRATION_ENGINEER)


@pytest.fixture
def source(person) -> Source:
    facility = person.groups.get().name.rpartition(":")[0]
    from console.accounts.models import Facility

    return a_source(an_integration(Facility.objects.get(slug=facility)), time_zone="America/Chicago")


@pytest.fixture
def client(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def upload(client: Client, source: Source, content: bytes, name: str = "rows.ndjson", log: str = "scribe") -> Any:
    data = {"integration": str(source.integration_id), "log": log, "file": SimpleUploadedFile(name, content)}
    return client.post("/monitoring/logs/", data)


def ndjson(count: int, **more: Any) -> bytes:
    rows = (
        {"at": (AT + timedelta(seconds=n)).isoformat(), "event": "sent", "note_id": f"N-{n}", **more}
        for n in range(count)
    )
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def seen(client: Client, where: str) -> str:
    return re.sub(r"\s+", " ", client.get(where).content.decode())


def test_a_file_lies_sealed_in_pieces_until_it_is_in_and_then_is_gone(client, source) -> None:
    content = ndjson(1500, url="u" * 700)
    assert len(content) > PART_BYTES
    where = upload(client, source, content, "Ada Example.ndjson")["Location"]
    made = LogImport.objects.get()
    assert (made.state, made.name, made.size, made.format) == ("waiting", "Ada Example.ndjson", len(content), "ndjson")
    parts = list(LogUploadPart.objects.all())
    assert len(parts) == len(content) // PART_BYTES + 1
    for part in parts:
        assert b"note_id" not in bytes(part.sealed), "three letters would turn up in a MiB of noise"
    with connection.cursor() as cursor:
        cursor.execute("SELECT upload_key, name FROM notes_logimport")
        key, name = map(bytes, cursor.fetchone())
    assert made.upload_key not in key
    assert b"Ada" not in name
    assert "waits for a worker" in seen(client, where)
    assert execute(ImportJob.objects.get().id)
    assert "1500 rows taken in" in seen(client, where)
    assert "within a minute" in seen(client, where)
    made.refresh_from_db()
    assert (made.stored, made.state, made.upload_key) == (1500, "done", None)
    assert not LogUploadPart.objects.exists()
    assert "Ada" not in seen(client, where), "the file's name may be a patient's"


def test_a_piece_that_was_changed_or_moved_does_not_open(client, source) -> None:
    upload(client, source, ndjson(20_000))
    made = LogImport.objects.get()
    first, second = LogUploadPart.objects.order_by("number")[:2]
    LogUploadPart.objects.filter(pk=first.pk).update(sealed=second.sealed)
    with pytest.raises(SealError):
        UploadedFile(made.id, made.upload_key).read()


def test_a_large_file_is_brought_in_slice_by_slice(client, source, monkeypatch) -> None:
    monkeypatch.setattr(preparing, "BATCH_ROWS", 2000)
    upload(client, source, gzip.compress(ndjson(20_000)), "rows.gz")
    job = ImportJob.objects.get()
    slices = 0
    while not execute(job.id, slice_s=0.0):
        slices += 1
        job.refresh_from_db()
        assert (job.state, job.attempt) == (WorkState.QUEUED, 0), "a slice that came further is no failed attempt"
        made = LogImport.objects.get()
        assert made.rows == LogEntry.objects.count()
        page = seen(client, f"/monitoring/logs/{made.id}/")
        assert "rows so far" in page
        assert "<progress" in page
        assert "data-poll" in page
        assert "Look again" in page
        assert "when the file is in" in page
    assert slices > 1
    made = LogImport.objects.get()
    assert (made.rows, made.stored, made.state) == (20_000, 20_000, "done")


@pytest.mark.django_db(transaction=True)
def test_pieces_are_read_in_a_thread_of_their_own(client, source) -> None:
    upload(client, source, ndjson(30_000))
    assert execute(ImportJob.objects.get().id)
    assert LogEntry.objects.count() == 30_000


def test_what_a_lost_worker_left_is_gone_on_with(client, source, monkeypatch) -> None:
    monkeypatch.setattr(preparing, "BATCH_ROWS", 2000)
    upload(client, source, ndjson(20_000) + b"broken\n")
    job = ImportJob.objects.get()
    execute(job.id, slice_s=0.0)
    assert claim(ImportJob, job.id), "a worker takes the job and is never heard of again"
    assert not execute(job.id), "its lease holds"
    ImportJob.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert execute(job.id)
    made = LogImport.objects.get()
    assert (made.rows, made.stored, made.duplicate, made.quarantined) == (20_001, 20_000, 0, 1)


def test_a_file_that_costs_every_worker_its_life_is_given_up_and_can_be_gone_on_with(client, source) -> None:
    where = upload(client, source, ndjson(5))["Location"]
    past = timezone.now() - timedelta(seconds=1)
    ImportJob.objects.update(attempt=5, state=WorkState.RUNNING, lease_until=past)
    sweep()
    page = seen(client, where)
    assert "The import stopped" in page
    assert "Several workers were lost" in page
    client.post(f"{where}again/")
    job = ImportJob.objects.get(state=WorkState.QUEUED)
    assert execute(job.id)
    assert "5 rows taken in" in seen(client, where)


def test_a_file_that_breaks_off_says_so_and_keeps_what_came_before(client, source) -> None:
    where = upload(client, source, gzip.compress(ndjson(20_000))[:-3000], "rows.gz")["Location"]
    assert execute(ImportJob.objects.get().id)
    page = seen(client, where)
    assert "The gzip file breaks off" in page
    assert "Go on" not in page
    assert LogEntry.objects.count() > 0
    assert not LogUploadPart.objects.exists()


def test_columns_are_named_once_and_remembered(client, source) -> None:
    where = upload(client, source, CSV, "rows.csv")["Location"]
    assert not ImportJob.objects.exists(), "nothing happens before somebody said what the columns mean"
    page = seen(client, where)
    assert "Say what the columns mean" in page
    assert NAIVE in page
    for value in ("N-1", "vermilion", "09:00:01"):
        assert value not in page
    assert "America/Chicago" in page
    chosen = {"column-0": "at", "column-1": "event", "column-2": "note_id", "column-3": ""}
    refused = client.post(f"{where}columns/", chosen)
    assert refused.status_code == 422, "the time zone has to be agreed to"
    for wrong, says in (
        ({"column-0": ""}, "Choose the column that holds at"),
        ({"column-3": "note_id"}, "Several columns are chosen for note_id"),
        ({"column-3": "nothing"}, "Choose keys of the list"),
    ):
        answer = client.post(f"{where}columns/", {**chosen, "zone": "on", **wrong})
        assert answer.status_code == 422
        assert says in answer.content.decode()
    client.post(f"{where}columns/", {**chosen, "zone": "on"})
    client.post(f"{where}columns/", {**chosen, "zone": "on"})
    assert execute(ImportJob.objects.get().id)
    assert LogEntry.objects.order_by("at").first().at == datetime(2026, 11, 20, 15, tzinfo=UTC)
    mapping = {"When": "at", "What": "event", "Note": "note_id", "Colour": ""}
    assert Source.objects.get(pk=source.pk).mappings == {"scribe": mapping}
    again = upload(client, source, CSV.replace(b"vermilion", b"green"), "rows.csv")["Location"]
    page = seen(client, again)
    assert re.search(r'name="column-2".{0,900}<option value="note_id" selected>', page)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (("2026-11-20T09:00:00Z", ""), "times with an offset"),
        (("2026-11-20 09:00:00",), NAIVE),
        (("11/20/2026 9:00:00 AM",), NAIVE),
        (("20261120090000",), NAIVE),
        (("20261120090000-0600",), "times with an offset"),
        (("1795165200", "1795165200123"), "times in seconds or milliseconds"),
        (("11/20/2026",), "dates"),
        (("9:00:00 PM",), "times of day"),
        (("201", "-1.5"), "numbers"),
        (('{"a": 1}',), "JSON"),
        (("N-1",), "codes or ids"),
        (("sent", "acked"), "words"),
        (("connection refused",), "text"),
        (("sent", "7"), "different things"),
        (("", " "), "empty"),
    ],
)
def test_a_columns_kind_is_named_without_a_value(values, kind) -> None:
    assert kind_of(values) == kind


def test_a_file_may_be_left_and_is_deleted(client, source) -> None:
    where = upload(client, source, CSV, "rows.csv")["Location"]
    client.post(f"{where}drop/")
    assert not LogUploadPart.objects.exists()
    assert "deleted before it was brought in" in seen(client, where)
    upload(client, source, CSV, "rows.csv")
    stray = LogUploadPart.objects.create(upload=source.id, number=0, sealed=b"x")
    assert drop_left_uploads() == 0
    LogUploadPart.objects.filter(pk=stray.pk).update(created_at=timezone.now() - timedelta(hours=7))
    LogImport.objects.update(at=timezone.now() - timedelta(days=8))
    assert drop_left_uploads() == 2
    assert not LogUploadPart.objects.exists()
    assert drop_left_uploads() == 0


def test_nothing_is_kept_of_a_post_without_its_token_or_without_the_right(source, person) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(person)
    assert upload(strict, source, ndjson(5)).status_code == 403
    assert upload(Client(), source, ndjson(5)).status_code == 302
    manager = Client()
    manager.force_login(a_person(source.facility, Role.MANAGER))
    assert upload(manager, source, ndjson(5)).status_code == 403
    foreign = Client()
    foreign.force_login(a_person(a_facility(), Role.INTEGRATION_ENGINEER))
    assert upload(foreign, source, ndjson(5)).status_code == 422
    assert not LogUploadPart.objects.exists()
    assert not LogImport.objects.exists()


def test_a_file_that_is_too_large_is_refused_before_it_is_read(client, source, settings) -> None:
    settings.LOG_UPLOAD_LIMIT_BYTES = 1024
    answer = client.post(
        "/monitoring/logs/", b"x" * 100, content_type="multipart/form-data; boundary=x", CONTENT_LENGTH=str(10**9)
    )
    assert answer.status_code == 413
    assert "manage.py import_logs" in answer.content.decode()


def test_each_source_of_an_integration_can_be_chosen(client, source) -> None:
    other = Source.objects.create(
        facility=source.facility, integration=source.integration, name="second", time_zone="UTC"
    )
    assert "second (UTC)" in seen(client, "/monitoring/logs/")
    data = {"integration": str(other.id), "log": "scribe", "pasted": ndjson(1).decode()}
    client.post("/monitoring/logs/", data)
    assert LogImport.objects.get().source == other


def test_pasted_rows_of_another_format_are_recognised(client, source) -> None:
    event = {"resourceType": "AuditEvent", "recorded": AT.isoformat(), "action": "C", "outcome": "0"}
    bundle = json.dumps({"resourceType": "Bundle", "entry": [{"resource": event}]}, indent=1)
    data = {"integration": str(source.integration_id), "log": "ehr", "pasted": bundle}
    assert "1 row taken in" in seen(client, client.post("/monitoring/logs/", data)["Location"])


def test_the_beginning_of_a_packed_file_is_looked_at_unpacked(client, source) -> None:
    upload(client, source, gzip.compress(CSV), "rows.csv.gz")
    assert head_of(LogImport.objects.get()) == CSV
    assert begin(made=LogImport.objects.get()) == begin(made=LogImport.objects.get()), "one job at a time"
    assert source_of(source.integration).id == source.id
