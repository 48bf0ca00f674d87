"""Find a note by whatever somebody has in hand; no id becomes part of an address or of the session."""

import json
import re

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.notes.log_rows import store_rows
from console.notes.models import LogEntry, Trace
from tests.console.builders import a_department, a_facility, a_note, a_person, an_integration
from tests.console.monitoring.rows import a_note_story
from tests.console.pages.documents import logged_in
from tests.console.worklist.traces import a_trace, ago, an_orphan

pytestmark = pytest.mark.django_db


@pytest.fixture
def facility():
    return a_facility()


@pytest.fixture
def integration(facility):
    return an_integration(facility)


@pytest.fixture
def desk(facility):
    return a_person(facility)


def find(person, typed: str):
    client = logged_in(person)
    answer = client.post("/notes/", {"asked": typed})
    return answer, client


def shown(person, typed: str) -> list[str]:
    """Give the providers of the notes that a search lists."""
    answer, client = find(person, typed)
    assert answer.status_code == 302, answer.content.decode()[-2000:]
    text = re.sub(r"\s+", " ", client.get(answer.url).content.decode())
    return re.findall(r'<td class="where">(prov-\w+|Provider not known)', text)


def store(integration, story) -> None:
    for log, rows in story.items():
        store_rows(facility_id=integration.facility_id, integration=integration, log=log, rows=rows)


@pytest.mark.parametrize("typed", ["N-77", "note N-77", "TX-77", "message id TX-77", "E-77", "Encounter/E-77"])
def test_the_only_note_of_an_id_is_gone_to_at_once(integration, desk, typed) -> None:
    trace = a_trace(integration, external_id="N-77", transaction_id="TX-77", encounter_id="E-77")
    a_trace(integration)
    answer, _ = find(desk, typed)
    assert (answer.status_code, answer.url) == (302, f"/notes/{trace.note_id}/")


@pytest.mark.parametrize("typed", ["req-5", "DOC-5", "TX-5b"])
def test_an_id_that_only_the_logs_know_leads_to_its_note(integration, desk, typed) -> None:
    story = a_note_story(5, ago(60))
    for row in story["ehr"]:
        row["resource"] = "DocumentReference/DOC-5"
    store(integration, story)
    # A second attempt went out under a transaction id of its own.
    store(integration, {"scribe": [{"at": ago(50).isoformat(), "event": "sent", "note_id": "N-5",
                                    "transaction_id": "TX-5b"}], "ehr": []})  # fmt: skip
    note = a_note(integration, external_id="N-5", transaction_id="TX-5", encounter_id="E-5")
    if typed == "DOC-5" and not LogEntry.objects.filter(document_hash__isnull=False).exists():
        pytest.fail("the EHR's rows carry no document hash")
    answer, _ = find(desk, typed)
    assert (answer.status_code, answer.url) == (302, f"/notes/{note.id}/")


def test_several_notes_of_an_encounter_are_listed_newest_first(integration, desk) -> None:
    a_trace(integration, minutes=300, encounter_id="E-1", provider_id="prov-1")
    a_trace(integration, minutes=100, encounter_id="E-1", provider_id="prov-2")
    assert shown(desk, "E-1") == ["prov-2", "prov-1"]


def test_a_document_that_only_the_ehr_knows_is_found_as_such(facility, integration, desk) -> None:
    from console.accounts.keys import keyring

    orphan = an_orphan(integration)
    Trace.objects.filter(pk=orphan.pk).update(orphan_hash=keyring(facility.id).hash("DOC-9", "document"))
    answer, client = find(desk, "DOC-9")
    assert "A document that only the EHR knows" in client.get(answer.url).content.decode()


def test_neither_address_nor_session_nor_result_holds_the_id(integration, desk) -> None:
    a_trace(integration, encounter_id="E-4711", external_id="N-4711a")
    a_trace(integration, encounter_id="E-4711", external_id="N-4711b")
    answer, client = find(desk, "E-4711")
    assert "4711" not in answer.url
    kept = Session.objects.get(pk=client.session.session_key).get_decoded()
    assert "4711" not in json.dumps(kept)
    assert "4711" not in client.get(answer.url).content.decode()
    # Another person's session knows nothing of it.
    text = logged_in(a_person(integration.facility)).get(answer.url).content.decode()
    assert "This search is over" in text


def test_providers_and_times_stand_in_the_address_and_narrow_each_other(integration, desk) -> None:
    a_trace(integration, minutes=30, provider_id="prov-7")
    a_trace(integration, minutes=60 * 24 * 3, provider_id="prov-7")
    a_trace(integration, minutes=40, provider_id="prov-8")
    assert shown(desk, "prov-7") == ["prov-7", "prov-7"]
    assert shown(desk, "prov-7 last hour") == ["prov-7"]
    assert shown(desk, "last hour") == ["prov-7", "prov-8"]
    answer, _ = find(desk, "prov-7 last hour")
    assert "provider=prov-7" in answer.url
    local = timezone.localtime(ago(30))
    assert "prov-7" in shown(desk, f"{local:%Y-%m-%d %H:%M}")


def test_an_id_and_a_time_narrow_each_other_too(integration, desk) -> None:
    a_trace(integration, minutes=30, encounter_id="E-1", provider_id="prov-1")
    a_trace(integration, minutes=60 * 48, encounter_id="E-1", provider_id="prov-2")
    assert shown(desk, "E-1 last hour") == ["prov-1"]
    assert shown(desk, "E-1 prov-2") == ["prov-2"]


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("N-none", "Nothing is known here under this."),
        ("prov-7 N-none", "Nothing is known here under one of these."),
        ("", "Type an id, a provider or a time first."),
        ("2026-02-31", "This is no date."),
        ("'; DROP TABLE notes_note; --", "Nothing is known here"),
    ],
)
def test_what_leads_nowhere_is_said_beside_the_box(integration, desk, typed, says) -> None:
    a_trace(integration, provider_id="prov-7")
    answer, _ = find(desk, typed)
    assert answer.status_code == 422
    assert says in answer.content.decode()


def test_another_facilitys_note_and_one_of_a_closed_department_are_not_found(facility, integration, desk) -> None:
    foreign = an_integration(a_facility())
    a_trace(foreign, external_id="N-1", transaction_id="TX-1", encounter_id="E-1", provider_id="prov-x")
    closed = a_department(facility, restricted=True)
    a_trace(integration, external_id="N-2", encounter_id="E-2", department=closed, provider_id="prov-y")
    store(integration, a_note_story(2, ago(50)))
    for typed in ("N-1", "TX-1", "E-1", "prov-x", "N-2", "E-2", "req-2"):
        answer, _ = find(desk, typed)
        assert answer.status_code == 422, typed
    assert shown(desk, "prov-y last day") == []
    assert "prov-x" not in logged_in(desk).get("/notes/").content.decode()


def test_a_note_that_is_surely_in_the_chart_is_not_called_doubtful(integration, desk) -> None:
    a_trace(integration, "delivered", provider_id="prov-1")
    text = logged_in(desk).get("/notes/").content.decode()
    assert "Filed in the chart" in text
    assert "weak" not in text


def test_a_part_of_an_id_finds_nothing(integration, desk) -> None:
    a_trace(integration, external_id="N-12345")
    for typed in ("N-123", "12345", "N-%", "n-12345"):
        assert find(desk, typed)[0].status_code == 422, typed


def test_a_note_that_no_log_tells_of_is_found_all_the_same(integration, desk) -> None:
    a_note(integration, external_id="N-1", encounter_id="E-1", provider_id="prov-1")
    a_note(integration, external_id="N-2", encounter_id="E-1", provider_id="prov-2")
    answer, client = find(desk, "E-1")
    assert "no log tells of it" in client.get(answer.url).content.decode()


def test_the_newest_notes_are_listed_page_by_page_and_narrowed(integration, desk) -> None:
    other = an_integration(integration.facility)
    for number in range(55):
        a_trace(other if number == 3 else integration, minutes=number + 1, provider_id=f"prov-{number:02}")
    client = logged_in(desk)

    def providers(query: str) -> list[str]:
        text = re.sub(r"\s+", " ", client.get("/notes/" + query).content.decode())
        return re.findall(r'<td class="where">(prov-\w+)', text)

    first = client.get("/notes/").content.decode()
    following = re.search(r'href="(\?[^"]*after=[^"]*)"', first)
    assert following is not None
    second = following[1].replace("&amp;", "&")
    assert providers("") + providers(second) == [f"prov-{n:02}" for n in range(55)]
    assert providers(f"?integration={other.id}") == ["prov-03"]
    assert providers("?mode=delivered") == []
    assert len(providers("?after=odd&integration=odd&mode=odd&from=odd&to=odd")) == 50


def test_the_price_of_a_search_and_of_its_page_does_not_grow(integration, desk) -> None:
    def cost(typed: str) -> tuple[int, int]:
        client = logged_in(desk)
        with CaptureQueriesContext(connection) as asking:
            answer = client.post("/notes/", {"asked": typed})
        with CaptureQueriesContext(connection) as listing:
            assert client.get(answer.url).status_code == 200
        return len(asking), len(listing)

    def furnish(count: int) -> None:
        for _ in range(count):
            a_trace(integration, encounter_id="E-1", provider_id="prov-1")

    furnish(2)
    few = cost("E-1"), cost("prov-1"), cost("last day")
    furnish(20)
    assert (cost("E-1"), cost("prov-1"), cost("last day")) == few
