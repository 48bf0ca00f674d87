"""The worklist: what waits, for whom, in which order, how it ends and how that is taken back."""

import csv
import io
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from console.accounts.models import AuditEntry
from console.accounts.roles import Role
from console.accounts.services import admit
from console.notes.ends import end_notes
from console.notes.models import NoteEnd
from console.worklist.waiting import PAGE_SIZE
from tests.console.builders import a_department, a_facility, a_person, a_ticket, an_integration
from tests.console.pages.documents import logged_in
from tests.console.worklist.traces import a_trace, an_orphan

pytestmark = pytest.mark.django_db
WHERE = "/notes/worklist/"


@pytest.fixture
def facility():
    return a_facility()


@pytest.fixture
def integration(facility):
    return an_integration(facility)


@pytest.fixture
def desk(facility):
    return a_person(facility)


def page(person, query: str = "", status: int = 200) -> str:
    answer = logged_in(person).get(WHERE + query)
    assert answer.status_code == status
    return re.sub(r"\s+", " ", answer.content.decode())


def providers(text: str) -> list[str]:
    return re.findall(r'<td class="where">(prov-\w+)', text)


def post(person, name: str, follow: bool = True, **data):
    return logged_in(person).post(reverse(f"worklist:{name}"), data, follow=follow)


def test_notes_that_are_not_in_a_chart_wait_oldest_first_with_what_happened(integration, desk) -> None:
    a_trace(integration, "never_sent", minutes=90, provider_id="prov-2")
    a_trace(integration, "rejected", minutes=300, provider_id="prov-1", encounter_id="E-77", department=None)
    text = page(desk)
    assert providers(text) == ["prov-1", "prov-2"]
    assert "E-77" in text
    assert "Never left the AI scribe" in text
    assert "422 · unknown profile" in text
    assert "Rejected by the EHR" in text
    assert "stopped at: accepted" in text
    assert "5 h" in text


def test_what_is_delivered_ended_too_young_or_without_a_note_does_not_wait(integration, desk) -> None:
    a_trace(integration, "delivered", provider_id="prov-1")
    done = a_trace(integration, provider_id="prov-2")
    end_notes(notes=[done.note], how="by_hand", by=desk)
    a_trace(integration, minutes=20, provider_id="prov-3")
    an_orphan(integration)
    text = page(desk)
    assert providers(text) == []
    assert "Every note is in its chart" in text


def test_a_delivery_joined_by_weak_signs_only_is_to_be_checked(integration, desk) -> None:
    a_trace(integration, "delivered", confidence=0.5, provider_id="prov-1")
    a_trace(integration, "delivered", confidence=0.7, provider_id="prov-2")
    text = page(desk, "?show=check")
    assert providers(text) == ["prov-1"]
    assert "Probably in the chart" in text
    assert "weak" in text
    assert providers(page(desk)) == ["prov-1"]


def test_notes_of_one_encounter_stand_together_under_the_oldest(integration, desk) -> None:
    a_trace(integration, minutes=400, encounter_id="E-1", provider_id="prov-1")
    a_trace(integration, minutes=300, encounter_id="E-2", provider_id="prov-2")
    a_trace(integration, minutes=200, encounter_id="Encounter/E-1", provider_id="prov-3")
    a_trace(integration, "delivered", minutes=100, encounter_id="E-1", provider_id="prov-4")
    text = page(desk)
    assert providers(text) == ["prov-1", "prov-3", "prov-2"]
    assert text.count("same encounter") == 1
    assert "1 other note of this encounter is in the chart" in text


def test_the_lead_of_a_narrowed_list_is_the_oldest_that_fits_the_filter(integration, desk) -> None:
    a_trace(integration, "rejected", minutes=400, encounter_id="E-1", provider_id="prov-1")
    a_trace(integration, "partial", minutes=200, encounter_id="E-1", provider_id="prov-2")
    assert providers(page(desk, "?show=wrong")) == ["prov-2"]
    assert providers(page(desk, "?mode=partial")) == ["prov-2"]
    assert providers(page(desk, "?provider=prov-2")) == ["prov-2"]
    assert providers(page(desk, f"?integration={an_integration(integration.facility).id}")) == []
    assert providers(page(desk, "?show=odd&mode=odd&integration=odd&after=odd")) == ["prov-1", "prov-2"]


def test_nobody_sees_another_facility_nor_a_closed_department(facility, integration, desk) -> None:
    closed = a_department(facility, restricted=True)
    a_trace(integration, minutes=500, encounter_id="E-1", department=closed, provider_id="prov-1")
    a_trace(integration, minutes=200, encounter_id="E-1", provider_id="prov-2")
    assert providers(page(desk)) == ["prov-2"]
    assert "All waiting <b>1</b>" in page(desk)
    assert providers(page(a_person(a_facility()))) == []
    admit(user=desk, department=closed, by=None)
    assert providers(page(desk)) == ["prov-1", "prov-2"]


def test_the_id_of_an_encounter_is_for_those_who_may_open_payloads(facility, integration) -> None:
    a_trace(integration, encounter_id="E-4711", provider_id="prov-1")
    assert "E-4711" in page(a_person(facility))
    text = page(a_person(facility, Role.MANAGER))
    assert "E-4711" not in text
    assert "prov-1" in text
    assert 'type="checkbox"' not in text


def test_the_list_goes_on_from_a_key_and_shows_every_encounter_once(integration, desk) -> None:
    for number in range(PAGE_SIZE + 7):
        a_trace(integration, minutes=1000 - number, provider_id=f"prov-{number:03}")
    first = page(desk)
    following = re.search(r'href="\?([^"]*after=[^"]*)"', first)
    assert following is not None
    second = page(desk, "?" + following[1].replace("&amp;", "&"))
    assert providers(first) + providers(second) == [f"prov-{n:03}" for n in range(PAGE_SIZE + 7)]
    assert "End of the list" in second


def test_several_notes_end_after_their_number_was_shown_and_are_taken_back_at_once(integration, desk) -> None:
    one, two = a_trace(integration, encounter_id="E-1"), a_trace(integration, encounter_id="E-2")
    chosen = [str(one.note_id), str(two.note_id)]
    asked = post(desk, "end", note=chosen, how="by_hand", step="ask").content.decode()
    assert "End 2 notes?" in asked
    assert not NoteEnd.objects.exists()
    done = post(desk, "end", note=chosen, how="by_hand", step="do").content.decode()
    assert "2 notes ended: entered by hand." in done
    assert {row.how for row in NoteEnd.objects.all()} == {"by_hand"}
    assert len({row.at for row in NoteEnd.objects.all()}) == 1
    at = re.search(r'name="at" value="([^"]+)"', done)
    assert at is not None
    undone = post(desk, "reopen", at=at[1].replace("&#x2B;", "+")).content.decode()
    assert "2 notes wait again." in undone
    assert undone.count('type="checkbox"') == 2


def test_an_undo_leaves_what_somebody_else_said_since(facility, integration, desk) -> None:
    one, two = a_trace(integration), a_trace(integration)
    post(desk, "end", note=[str(one.note_id), str(two.note_id)], how="by_hand", step="do")
    at = NoteEnd.objects.first().at
    end_notes(notes=[one.note], how="in_chart", by=a_person(facility))
    post(desk, "reopen", at=at.isoformat())
    one.refresh_from_db()
    two.refresh_from_db()
    assert (one.ended, two.ended) == ("in_chart", "")
    assert "Undo</button>" not in page(desk, f"?done={at.isoformat().replace('+', '%2B')}")


def test_nobody_takes_back_what_another_did(facility, integration, desk) -> None:
    trace = a_trace(integration)
    post(desk, "end", note=[str(trace.note_id)], how="by_hand", step="do")
    post(a_person(facility), "reopen", at=NoteEnd.objects.get().at.isoformat())
    trace.refresh_from_db()
    assert trace.ended == "by_hand"


def test_a_note_that_needs_no_documentation_needs_a_reason(integration, desk) -> None:
    trace = a_trace(integration)
    refused = post(desk, "end", note=[str(trace.note_id)], how="not_needed", step="do")
    assert refused.status_code == 422
    assert "Say why no documentation is needed." in refused.content.decode()
    assert not NoteEnd.objects.exists()
    post(desk, "end", note=[str(trace.note_id)], how="not_needed", step="do", reason="The visit was cancelled.")
    assert NoteEnd.objects.get().reason == "The visit was cancelled."


def test_a_note_that_somebody_ended_meanwhile_keeps_that_end_and_it_is_said(facility, integration, desk) -> None:
    one, two = a_trace(integration), a_trace(integration)
    end_notes(notes=[one.note], how="in_chart", by=a_person(facility))
    text = post(desk, "end", note=[str(one.note_id), str(two.note_id)], how="by_hand", step="do").content.decode()
    assert "1 note was ended by somebody else meanwhile" in text
    assert "1 note ended: entered by hand." in text
    one.refresh_from_db()
    assert one.ended == "in_chart"


def test_ending_needs_the_right_and_sight_of_every_note(facility, integration, desk) -> None:
    mine = a_trace(integration)
    foreign = a_trace(an_integration(a_facility()))
    hidden = a_trace(integration, department=a_department(facility, restricted=True))
    for other in (foreign, hidden):
        answer = post(desk, "end", note=[str(mine.note_id), str(other.note_id)], how="by_hand", step="do")
        assert answer.status_code == 404
    manager = a_person(facility, Role.MANAGER)
    assert post(manager, "end", note=[str(mine.note_id)], how="by_hand", step="do").status_code == 403
    assert not NoteEnd.objects.exists()
    end_notes(notes=[mine.note], how="by_hand", by=desk)
    assert post(manager, "reopen", note=[str(mine.note_id)]).status_code == 403


def test_nothing_chosen_is_said_and_nothing_happens(integration, desk) -> None:
    a_trace(integration)
    assert "Choose at least one note first." in post(desk, "end", how="by_hand", step="ask").content.decode()
    assert "Choose at least one note first." in post(desk, "end", note="odd", how="by_hand").content.decode()


def test_ended_notes_are_listed_with_who_and_can_be_opened_again(integration, desk) -> None:
    trace = a_trace(integration, provider_id="prov-9")
    ticket = a_ticket(integration, trace.note)
    end_notes(notes=[trace.note], how="by_hand", by=desk)
    text = page(desk, "?show=ended")
    assert "Entered by hand" in text
    assert str(desk) in text
    assert f"#{ticket.number}" in text
    post(desk, "reopen", note=str(trace.note_id))
    assert "Nobody has ended a note yet" in page(desk, "?show=ended")


def test_documents_that_only_the_ehr_knows_have_a_list_of_their_own(facility, integration, desk) -> None:
    an_orphan(integration, client="scribe-writer")
    assert "Only at the EHR <b>1</b>" in page(desk)
    assert "scribe-writer" in page(desk, "?show=orphans")
    assert "scribe-writer" not in page(a_person(a_facility()), "?show=orphans")


def test_the_sheet_holds_what_the_list_shows_disarmed_and_is_recorded(facility, integration) -> None:
    a_trace(integration, minutes=300, encounter_id="E-1", provider_id="=cmd()", site="+1", signature="=1+1")
    a_trace(integration, "partial", minutes=200, encounter_id="E-2")
    desk, manager = a_person(facility), a_person(facility, Role.MANAGER)
    answer = logged_in(desk).get(f"{WHERE}csv/?show=absent")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["Encounter"] for row in rows] == ["E-1"]
    assert rows[0]["Provider"] == "'=cmd()"
    assert rows[0]["Site"] == "'+1"
    entry = AuditEntry.objects.get(action="worklist.exported")
    assert (entry.who, entry.facility, entry.detail["encounters"]) == (desk, facility, 1)
    assert b"E-1" not in logged_in(manager).get(f"{WHERE}csv/").content


def test_the_badge_counts_as_far_as_it_shows(integration, desk) -> None:
    assert "not in a chart</span></a>" not in page(desk)
    a_trace(integration)
    assert "1 note is not in a chart" in page(desk)
    for _ in range(100):
        a_trace(integration)
    text = page(desk)
    assert "99+" in text
    assert "100 or more notes are not in a chart" in text


@pytest.mark.parametrize("query", ["", "?show=wrong", "?show=orphans", "?show=ended"])
def test_the_price_of_a_page_does_not_grow_with_its_rows(facility, integration, desk, query) -> None:
    def furnish(count: int) -> None:
        for number in range(count):
            encounter = f"E-{number % 5}"
            trace = a_trace(integration, "partial", encounter_id=encounter, department=a_department(facility))
            a_ticket(integration, trace.note)
            gone = a_trace(integration)
            end_notes(notes=[gone.note], how="by_hand", by=desk)
            an_orphan(integration)

    def cost() -> int:
        client = logged_in(desk)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(WHERE + query).status_code == 200
        return len(queries)

    furnish(2)
    few = cost()
    furnish(25)
    assert cost() == few
    assert few <= 30
