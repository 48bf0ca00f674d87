"""The pages: who sees what, what they say, and at what price."""

import gzip
import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.accounts.models import AuditEntry
from console.accounts.roles import Role
from console.integrations.models import SourceToken
from console.monitoring.evaluating import evaluate
from console.monitoring.models import Alert, AlertRule
from console.notes.correlation import correlate_new
from console.notes.import_jobs import execute
from console.notes.models import ImportJob, LogEntry, LogImport, LogUploadPart
from tests.console.builders import a_department, a_facility, a_note, a_person, a_ticket, an_integration
from tests.console.monitoring.rows import a_note_story, body, take
from tests.console.pages.documents import logged_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def facility():
    return a_facility()


@pytest.fixture
def integration(facility):
    return an_integration(facility)


def page(person, where: str = "/monitoring/", status: int = 200) -> str:
    answer = logged_in(person).get(where)
    assert answer.status_code == status
    return re.sub(r"\s+", " ", answer.content.decode())


def recently(minutes: float):
    return timezone.now() - timedelta(minutes=minutes)


def an_open_alert(integration, name: str = "f"):
    take(integration, *(a_note_story(f"{name}{n}", recently(20 - n), ends="failed") for n in range(3)))
    evaluate()
    return Alert.objects.get(integration=integration)


def test_the_overview_shows_figures_and_nothing_of_another_facility(facility, integration) -> None:
    take(integration, *(a_note_story(n, recently(60 - n), took_s=8) for n in range(9)))
    take(integration, a_note_story("lost", recently(50), ends="refused", status=422))
    correlate_new(wait=True)
    text = page(a_person(facility))
    assert integration.name in text
    assert "90.0 %" in text
    assert "1 not in chart" in text
    assert "8.0 s" in text
    assert "× 422" in text
    other = page(a_person(a_facility()))
    assert integration.name not in other
    assert "No integration to watch yet" in other


def test_an_integration_without_rows_says_what_to_do_to_whoever_may_do_it(facility, integration) -> None:
    assert "Make a token" in page(a_person(facility, Role.INTEGRATION_ENGINEER))
    desk = page(a_person(facility))
    assert "Make a token" not in desk
    assert "bring in a log by hand" in desk
    manager = page(a_person(facility, Role.MANAGER))
    assert "/monitoring/logs/" not in manager
    assert "An integration engineer connects" in manager


@pytest.mark.parametrize("period", ["24h", "7d", "30d", "odd"])
def test_the_page_of_an_integration_shows_charts_with_their_table(facility, integration, period) -> None:
    take(integration, *(a_note_story(n, recently(60 - n), took_s=8) for n in range(9)))
    correlate_new(wait=True)
    text = page(a_person(facility), f"/monitoring/{integration.id}/?period={period}")
    assert text.count('role="img"') == 3
    assert "The table below holds every value." in text
    assert "No failed attempt in this period." in text
    assert "100 %" in text


def test_every_page_speaks_of_an_open_alert_and_for_a_while_of_its_end(facility, integration) -> None:
    person = a_person(facility)
    alert = an_open_alert(integration)
    line = f"Sync success rate low at {integration.name} since"
    for where in ("/tickets/", "/monitoring/", f"/monitoring/alerts/{alert.id}/"):
        text = page(person, where)
        assert line in text
        assert f"· ticket {alert.ticket.number}" in text
        assert "1 alert is open" in text
    assert line not in page(a_person(a_facility()), "/tickets/")
    assert line not in page(a_person(facility, Role.PRIVACY_OFFICER), "/tickets/")
    Alert.objects.update(ended_at=recently(14))
    assert "over since" in page(person, "/tickets/")
    assert "alert is open" not in page(person, "/tickets/")
    Alert.objects.update(ended_at=recently(16))
    assert "over since" not in page(person, "/tickets/")


def test_many_alerts_share_one_line(facility) -> None:
    for _ in range(3):
        an_open_alert(an_integration(facility))
    assert "3 alerts began at 3 integrations." in page(a_person(facility), "/tickets/")


def test_an_alert_is_news_for_an_hour_or_until_somebody_acknowledges_it(facility, integration) -> None:
    person, now = a_person(facility), timezone.now()
    an_open_alert(integration)
    news = f"at {integration.name} since"
    assert news in page(person, "/profile/")
    Alert.objects.update(opened_at=now - timedelta(hours=2))
    assert news not in page(person, "/profile/")
    assert "1 alert is open" in page(person, "/profile/")  # the dot stays
    Alert.objects.update(opened_at=now, acknowledged_at=now)
    assert news not in page(person, "/profile/")


def test_a_muted_alert_is_on_the_page_and_not_in_the_notices(facility, integration) -> None:
    an_open_alert(integration)
    Alert.objects.update(muted=True, ticket=None)
    text = page(a_person(facility))
    assert "maintenance, nobody told" in text
    assert 'class="bar bad"' not in text.replace('class="bar bad offline"', "")


def test_an_alert_shows_its_history_and_the_mails_with_their_state(facility, integration) -> None:
    engineer = a_person(facility, Role.INTEGRATION_ENGINEER)
    alert = an_open_alert(integration)
    where = f"/monitoring/alerts/{alert.id}/"
    text = page(engineer, where)
    for said in ("The last 3 notes all failed.", f"Opened ticket {alert.ticket.number}", "Mail to 1 person",
                 engineer.email, "waits to be sent", "3 failed notes"):  # fmt: skip
        assert said in text, said
    assert logged_in(engineer).post(where + "acknowledge/").status_code == 302
    text = page(engineer, where)
    assert f"Acknowledged by {engineer}" in text
    assert ">Acknowledge<" not in text


def test_the_ticket_is_linked_only_for_those_who_see_it(facility, integration) -> None:
    alert = an_open_alert(integration)
    shut = a_department(facility, restricted=True)
    alert.ticket.ticket_notes.update(department=shut)
    link = f'href="/tickets/{alert.ticket.number}/"'
    assert link not in page(a_person(facility), f"/monitoring/alerts/{alert.id}/")
    assert link not in page(a_person(facility))
    assert link not in page(a_person(facility, Role.ADMINISTRATOR), f"/monitoring/alerts/{alert.id}/")


def test_only_those_who_look_after_integrations_are_offered_to_change_rules(facility, integration) -> None:
    engineer, desk = a_person(facility, Role.INTEGRATION_ENGINEER), a_person(facility)
    assert "Save" in page(engineer, "/monitoring/rules/")
    seen = page(desk, "/monitoring/rules/")
    assert "Save" not in seen
    assert '<b class="tnum">95</b>' in seen
    where = f"/monitoring/rules/{facility.id}/success_rate/"
    client = logged_in(engineer)
    assert client.post(where, {"threshold": "90.5", "min_sample": "30", "active": "on"}).status_code == 302
    rule = AlertRule.objects.get(facility=facility, kind="success_rate", integration=None)
    assert (rule.threshold, rule.min_sample, rule.active, rule.changed_by) == (90.5, 30, True, engineer)
    assert AuditEntry.objects.filter(action="alert_rule.changed", who=engineer).exists()


@pytest.mark.parametrize(
    ("kind", "data", "says"),
    [
        ("success_rate", {"threshold": "101"}, "At most 100."),
        ("success_rate", {"threshold": "nan"}, "Enter a number."),
        ("success_rate", {"threshold": "inf"}, "Enter a number."),
        ("success_rate", {"threshold": ""}, "This field is required."),
        ("token", {"threshold": "1.5"}, "A whole number."),
        ("certificate", {"threshold": "0"}, "greater than or equal to"),
    ],
)
def test_a_number_that_cannot_be_is_refused_and_nothing_changes(facility, integration, kind, data, says) -> None:
    client = logged_in(a_person(facility, Role.INTEGRATION_ENGINEER))
    answer = client.post(f"/monitoring/rules/{facility.id}/{kind}/", {**data, "active": "on"})
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert not AlertRule.objects.exclude(changed_by=None).exists()


def test_an_integration_of_another_facility_gets_no_rule_here(facility) -> None:
    client = logged_in(a_person(facility, Role.INTEGRATION_ENGINEER))
    foreign = an_integration(a_facility())
    data = {"threshold": "2", "active": "on", "integration": str(foreign.id)}
    assert client.post(f"/monitoring/rules/{facility.id}/token/", data).status_code == 422
    assert not AlertRule.objects.filter(integration=foreign).exists()


def test_an_integrations_own_rule_is_made_and_taken_away(facility, integration) -> None:
    client = logged_in(a_person(facility, Role.INTEGRATION_ENGINEER))
    data = {"threshold": "3", "active": "on", "integration": str(integration.id)}
    client.post(f"/monitoring/rules/{facility.id}/token/", data)
    own = AlertRule.objects.get(integration=integration)
    assert integration.name in client.get("/monitoring/rules/").content.decode()
    client.post(f"/monitoring/rules/{own.id}/drop/")
    assert not AlertRule.objects.filter(integration=integration).exists()


@pytest.mark.parametrize("how", ["pasted", "file", "packed"])
def test_rows_are_brought_in_by_paste_or_file(facility, integration, how) -> None:
    person = a_person(facility)
    rows = body(a_note_story(1, recently(60))["scribe"])
    data = {"integration": str(integration.id), "log": "scribe"}
    if how == "pasted":
        data["pasted"] = rows.decode().replace("\n", "\r\n")
    else:
        content = rows if how == "file" else gzip.compress(rows)
        data["file"] = SimpleUploadedFile("rows.ndjson", content)
    client = logged_in(person)
    where = client.post("/monitoring/logs/", data)["Location"]
    if how != "pasted":
        assert "waits for a worker" in client.get(where).content.decode()
        execute(ImportJob.objects.get().id)
    text = re.sub(r"\s+", " ", client.get(where).content.decode())
    assert "5 rows taken in" in text
    assert LogEntry.objects.filter(integration=integration).count() == 5
    made = LogImport.objects.get()
    assert (made.by, made.via, made.stored) == (person, "upload", 5)


def test_what_was_set_aside_is_listed_without_content_and_handed_out_with_a_record(facility, integration) -> None:
    person = a_person(facility)
    client = logged_in(person)
    data = {"integration": str(integration.id), "log": "ehr", "pasted": 'broken Ada\n{"at": "2026-06-01"}'}
    text = client.post("/monitoring/logs/", data, follow=True).content.decode()
    assert "is not JSON" in text
    assert "Ada" not in text
    made = LogImport.objects.get()
    file = client.get(f"/monitoring/logs/{made.id}/lines/")
    assert file.getvalue() == b'broken Ada\n{"at": "2026-06-01"}\n'
    assert file["Content-Disposition"].startswith("attachment")
    assert AuditEntry.objects.get(action="quarantined_lines.opened").who == person


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"pasted": " \n"}, "Paste the rows"),
        ({"log": "weather"}, "Select a valid choice"),
        ({"integration": ""}, "This field is required"),
        ({"pasted": "", "file": SimpleUploadedFile("a.gz", b"\x1f\x8bbroken")}, "The gzip file is damaged"),
        ({"pasted": "", "file": SimpleUploadedFile("b.txt", b"just words\n" * 20)}, "The file is of no known format"),
        ({"pasted": "", "file": SimpleUploadedFile("c.ndjson", b"")}, "The submitted file is empty"),
        ({"pasted": "x" * 10_600_000}, "Up to 10 MB may be pasted"),
    ],
)
def test_a_form_that_cannot_be_taken_says_why(facility, integration, change, says) -> None:
    data = {"integration": str(integration.id), "log": "scribe", "pasted": "{}"} | change
    answer = logged_in(a_person(facility)).post("/monitoring/logs/", data)
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert not LogImport.objects.exists()
    assert not LogUploadPart.objects.exists()


def test_nobody_brings_rows_in_for_another_facility(facility) -> None:
    foreign = an_integration(a_facility())
    data = {"integration": str(foreign.id), "log": "scribe", "pasted": "{}"}
    assert logged_in(a_person(facility)).post("/monitoring/logs/", data).status_code == 422
    assert not LogImport.objects.exists()


def test_a_token_is_shown_once_and_works_until_it_is_revoked(facility, integration) -> None:
    client = logged_in(a_person(facility, Role.INTEGRATION_ENGINEER))
    answer = client.post("/monitoring/sources/", {"integration": str(integration.id), "name": "Scribe vendor"})
    [token] = re.findall(r"nt_[\w-]{43}", answer.content.decode())
    assert "no-store" in answer["Cache-Control"]
    assert token not in client.get("/monitoring/sources/").content.decode()

    def send() -> int:
        headers = {"authorization": f"Bearer {token}"}
        return client.post("/api/v1/logs/ehr", data=b"{}", content_type="text/plain", headers=headers).status_code

    assert send() == 202
    client.post(f"/monitoring/sources/{SourceToken.objects.get().id}/revoke/")
    assert send() == 401
    assert "revoked" in client.get("/monitoring/sources/").content.decode()


def test_the_switcher_narrows_the_lists(facility, integration) -> None:
    person = a_person(facility)
    there = a_facility()
    elsewhere = an_integration(there)
    from console.accounts.services import give_role

    give_role(user=person, facility=there, role=Role.HELP_DESK, by=None)
    client = logged_in(person)
    assert elsewhere.name in client.get("/monitoring/").content.decode()
    client.post("/place/", {"facility": str(facility.id)})
    text = client.get("/monitoring/").content.decode()
    assert integration.name in text
    assert elsewhere.name not in text
    assert client.get(f"/monitoring/{elsewhere.id}/").status_code == 200


@pytest.mark.parametrize("where", ["/monitoring/", "/monitoring/rules/", "/monitoring/logs/", "/monitoring/sources/"])
def test_the_number_of_queries_does_not_grow_with_the_rows(facility, where) -> None:
    engineer = a_person(facility, Role.INTEGRATION_ENGINEER)

    def more(count: int) -> None:
        for _ in range(count):
            one = an_integration(facility)
            an_open_alert(one)
            a_ticket(one, a_note(one))
            logged_in(engineer).post("/monitoring/sources/", {"integration": str(one.id), "name": "x"})

    def count() -> int:
        client = logged_in(engineer)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(where).status_code == 200
        return len(queries)

    more(1)
    count()
    few = count()
    more(5)
    assert count() == few
