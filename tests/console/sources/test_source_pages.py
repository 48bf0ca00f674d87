"""The pages of sources: what is declared, changed with a reason, shown to those who look after it, and its notices."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.accounts.models import AuditEntry
from console.accounts.roles import Role
from console.accounts.services import give_role
from console.integrations.models import Integration, Source
from console.monitoring.models import AuditPull, DropFile, DropLook
from console.monitoring.source_pages import _LAST, last_rows
from console.notes.import_models import Log
from console.notes.intake import take_rows
from console.notes.models import LogBatch, LogEntry
from console.shared.work import WorkState
from tests.console.builders import a_facility, a_person, an_integration
from tests.console.monitoring.rows import a_source
from tests.console.pages.documents import logged_in

pytestmark = pytest.mark.django_db
NAIVE = b'{"at": "2026-11-20 07:05:12", "event": "sent", "note_id": "N-1"}'


@pytest.fixture
def facility() -> Any:
    return a_facility()


@pytest.fixture
def integration(facility: Any) -> Integration:
    return an_integration(facility)


@pytest.fixture
def source(integration: Integration) -> Source:
    return a_source(integration, name="north-epic", time_zone="America/Chicago")


@pytest.fixture
def client(facility: Any) -> Any:
    return logged_in(a_person(facility, Role.INTEGRATION_ENGINEER))


def page(source: Source) -> str:
    return f"/monitoring/sources/{source.id}/"


def text(client: Any, where: str) -> str:
    answer = client.get(where)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def failing(integration: Integration, **fields: Any) -> AuditPull:
    now = timezone.now()
    return AuditPull.objects.create(
        facility_id=integration.facility_id, integration=integration, last_seen=now, failing_since=now,
        **{"failures": 1, "trouble": "scope", "says": "The token does not cover audit events.",
           "remedy": "Ask the EHR team."} | fields,
    )  # fmt: skip


def a_file(source: Source, **fields: Any) -> DropFile:
    return DropFile.objects.create(
        facility_id=source.facility_id, source=source, log="ehr", key=timezone.now().isoformat().encode(),
        path=b"north-epic/ehr/Ada.csv", size=10, changed_ns=1,
        **{"state": WorkState.DONE, "finished_at": timezone.now(), "end": "set_aside", "says": "2 lines."} | fields,
    )  # fmt: skip


def test_another_zone_is_declared_with_a_reason_and_stored_rows_keep_their_times(client: Any, source: Source) -> None:
    take_rows(source=source, log="scribe", lines=[NAIVE])
    before = LogEntry.objects.get().at
    where = f"{page(source)}zone/"
    answer = client.post(where, {"time_zone": "Europe/Berlin", "why": "The server moved."}, follow=True)
    told = re.sub(r"\s+", " ", answer.content.decode())
    assert "Rows stored keep their times." in told and "America/Chicago to Europe/Berlin" in told
    entry = AuditEntry.objects.get(action="source.zone_changed")
    assert entry.detail == {"from": "America/Chicago", "to": "Europe/Berlin", "why": "The server moved."}
    assert LogEntry.objects.get().at == before
    source.refresh_from_db()
    take_rows(source=source, log="scribe", lines=[NAIVE])
    assert [row.at.hour for row in LogEntry.objects.order_by("at")] == [6, 13]
    client.post(where, {"time_zone": "Europe/Berlin", "why": "Once more."})
    assert AuditEntry.objects.filter(action="source.zone_changed").count() == 1


@pytest.mark.parametrize(
    ("entered", "says"),
    [
        ({"time_zone": "Berlin", "why": "x"}, "This is no time zone"),
        ({"time_zone": "../../etc/passwd", "why": "x"}, "This is no time zone"),
        ({"time_zone": "UTC", "why": " "}, "Say why"),
    ],
)
def test_a_zone_that_is_none_or_has_no_reason_changes_nothing(
    client: Any, source: Source, entered: Any, says: str
) -> None:
    answer = client.post(f"{page(source)}zone/", entered)
    assert answer.status_code == 422 and says in answer.content.decode()
    source.refresh_from_db()
    assert source.time_zone == "America/Chicago"


def test_without_a_zone_naive_rows_are_refused_and_the_page_counts_them(client: Any, source: Source) -> None:
    assert "would be set aside" in text(client, page(source))
    client.post(f"{page(source)}zone/", {"time_zone": "", "why": "It changes with the device."})
    source.refresh_from_db()
    receipt = take_rows(source=source, log="scribe", lines=[NAIVE, NAIVE.replace(b"N-1", b"N-2")])
    assert (receipt.stored, receipt.quarantined) == (0, 2)
    told = text(client, page(source))
    assert "none declared" in told and "2 lines were set aside for that reason" in told
    assert "none declared" in text(client, "/monitoring/sources/")


def test_remembered_columns_are_shown_and_forgotten(client: Any, source: Source) -> None:
    source.mappings = {"ehr": {"Date/Time": "at", "Workstation": ""}, "scribe": {"When": "at"}}
    source.save()
    told = text(client, page(source))
    assert "Date/Time" in told and "left out" in told and "When" in told
    assert client.post(f"{page(source)}columns/forget/", {"log": "ehr"}).status_code == 302
    client.post(f"{page(source)}columns/forget/", {"log": "ehr"})
    source.refresh_from_db()
    assert source.mappings == {"scribe": {"When": "at"}}
    assert AuditEntry.objects.get(action="source.mapping_forgotten").detail == {"log": "ehr"}


def test_a_token_of_this_source_is_shown_once(client: Any, source: Source) -> None:
    answer = client.post(page(source), {"name": "Scribe vendor"})
    [token] = re.findall(r"nt_[\w-]{43}", answer.content.decode())
    assert "no-store" in answer["Cache-Control"]
    told = text(client, page(source))
    assert token not in told and "Scribe vendor" in told
    made = source.tokens.get()
    assert client.post(f"/monitoring/sources/{made.id}/revoke/", {"back": "source"}).url == page(source)
    assert "revoked" in text(client, page(source))
    assert client.post(page(source), {"name": " "}).status_code == 422


def test_the_newest_rows_and_the_usual_pause_are_told(client: Any, source: Source, integration: Integration) -> None:
    now = timezone.now()
    for minutes in (3, 8, 13, 18, 95):
        at = now - timedelta(minutes=minutes)
        LogBatch.objects.create(
            facility_id=integration.facility_id, integration=integration, log="scribe", first_at=at, last_at=at, rows=1
        )
    (last,) = last_rows([integration.id])[integration.id]
    assert (last.log, last.pause) == ("scribe", timedelta(minutes=5))
    told = text(client, page(source))
    assert "as a rule 5 min pass until the next rows" in told
    assert last_rows([]) == {} and last_rows([an_integration(integration.facility).id]) == {}


def test_the_newest_batches_are_found_by_their_index(integration: Integration) -> None:
    now = timezone.now()
    LogBatch.objects.bulk_create(
        LogBatch(facility_id=integration.facility_id, integration=integration, log="ehr", rows=1,
                 first_at=now - timedelta(seconds=number), last_at=now - timedelta(seconds=number))
        for number in range(3000)
    )  # fmt: skip
    logs = list(Log.values)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE notes_logbatch")
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT TEXT) {_LAST}", [[integration.id], logs, logs])
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "batch_newest" in plan and "Seq Scan on notes_logbatch" not in plan
    most = max(int(float(rows)) for rows in re.findall(r"actual time=\S+ rows=([\d.]+)", plan))
    assert most <= 200


def test_the_drop_folder_and_its_files_are_told(client: Any, source: Source, settings: Any) -> None:
    assert "No drop folder is set up" in text(client, page(source))
    settings.LOG_DROP_FOLDER = "/srv/logs"
    a_file(source)
    told = text(client, page(source))
    assert "/srv/logs/north-epic/ehr" in told and "Ada.csv" in told and "2 lines." in told


def test_a_files_name_is_for_those_who_may_open_payloads(facility: Any, source: Source, settings: Any) -> None:
    settings.LOG_DROP_FOLDER = "/srv/logs"
    a_file(source)
    told = text(logged_in(a_person(facility, Role.ADMINISTRATOR)), page(source))
    assert "2 lines." in told and "Ada.csv" not in told


def test_what_does_not_come_by_itself_is_said_above_every_page(
    client: Any, facility: Any, source: Source, integration: Integration, settings: Any
) -> None:
    where = "/monitoring/rules/"
    assert "do not come" not in text(client, where)
    pull = failing(integration)
    assert f"The audit events of {integration.name} do not come: The token does not cover audit events." in text(
        client, where
    )
    AuditPull.objects.filter(pk=pull.pk).update(trouble="server", failures=2)  # it may pass by itself
    assert "do not come" not in text(client, where)
    AuditPull.objects.filter(pk=pull.pk).update(failures=3)
    assert "do not come" in text(client, where)
    AuditPull.objects.filter(pk=pull.pk).update(state=WorkState.DONE)
    assert "do not come" not in text(client, where)
    a_file(source)
    assert "need" not in text(client, where)  # no folder, no word of it
    settings.LOG_DROP_FOLDER = "/srv/logs"
    assert "1 file of the drop folder needs a look." in text(client, where)
    DropLook.objects.create(at=timezone.now(), trouble="The drop folder cannot be opened: permission denied.")
    assert "permission denied" in text(client, where)
    DropLook.objects.update(trouble="", at=timezone.now() - timedelta(hours=1))
    assert "Nobody has looked into the drop folder" in text(client, where)


def test_notices_are_for_those_who_look_after_the_source(
    facility: Any, source: Source, integration: Integration, settings: Any
) -> None:
    settings.LOG_DROP_FOLDER = "/srv/logs"
    failing(integration)
    a_file(source)
    for person in (a_person(facility), a_person(a_facility(), Role.INTEGRATION_ENGINEER)):
        told = text(logged_in(person), "/monitoring/rules/")
        assert "do not come" not in told and "drop folder" not in told


def test_another_facilitys_source_is_not_there(source: Source) -> None:
    person = a_person(a_facility(), Role.INTEGRATION_ENGINEER)
    give_role(user=person, facility=a_facility(), role=Role.ADMINISTRATOR, by=None)
    client = logged_in(person)
    for answer in (client.get(page(source)), client.post(f"{page(source)}zone/", {"time_zone": "UTC", "why": "x"})):
        assert answer.status_code == 404
    assert source.name not in text(client, "/monitoring/sources/")


@pytest.mark.parametrize("one", [False, True])
def test_the_number_of_queries_does_not_grow_with_the_rows(
    client: Any, facility: Any, source: Source, settings: Any, one: bool
) -> None:
    settings.LOG_DROP_FOLDER = "/srv/logs"

    def more(count: int) -> None:
        for _ in range(count):
            other = an_integration(facility)
            failing(other)
            for each in (source, a_source(other)):
                a_file(each)
                take_rows(source=each, log="ehr", lines=[b'{"at": "2026-11-20T09:00:00Z", "event": "filed"}', b"bad"])
                client.post(page(each), {"name": "x"})
            now = timezone.now().isoformat()
            client.post(f"{page(source)}zone/", {"time_zone": ("UTC", "Europe/Berlin")[len(now) % 2], "why": now})

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(page(source) if one else "/monitoring/sources/").status_code == 200
        return len(queries)

    more(2)
    count()
    few = count()
    more(5)
    assert count() == few


def test_the_pull_is_switched_on_the_integrations_page(client: Any, integration: Integration) -> None:
    where = f"/integrations/{integration.id}/audit-events/"
    assert "Not asked for." in text(client, f"/integrations/{integration.id}/")
    assert client.post(where, {"do": "on", "every_minutes": "10"}).status_code == 302
    pull = AuditPull.objects.get()
    assert (pull.every_minutes, pull.is_on) == (10, True)
    assert "Asked every 10 minutes." in text(client, f"/integrations/{integration.id}/")
    AuditPull.objects.update(due_at=timezone.now() + timedelta(hours=5))
    client.post(where, {"do": "now"})
    assert AuditPull.objects.get().due_at <= timezone.now()
    client.post(where, {"do": "off"})
    assert not AuditPull.objects.get().is_on
    client.post(where, {"do": "now"})  # an old page's button
    assert not AuditPull.objects.get().is_on
    for wrong in ("0", "2000", "", "often"):
        assert client.post(where, {"do": "on", "every_minutes": wrong}).status_code == 422
