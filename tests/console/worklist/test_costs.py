"""What opens or carries away several rows at once asks as many statements for many as for few.

The lists and the page of a note say so in their own tests (test_waiting, test_find, test_failures, test_note).
"""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.accounts.models import User
from console.integrations.models import Integration
from console.notes.log_rows import store_rows
from console.notes.models import FiledSnapshot, Trace
from tests.console.builders import a_department, a_facility, a_note, a_person, a_ticket, an_integration
from tests.console.pages.documents import logged_in
from tests.console.worklist.test_gaps import history
from tests.console.worklist.test_note import a_told_note
from tests.console.worklist.traces import a_batch, a_trace, ago, an_orphan

pytestmark = pytest.mark.django_db


@pytest.fixture
def integration() -> Integration:
    return an_integration(a_facility())


@pytest.fixture
def desk(integration) -> User:
    return a_person(integration.facility)


def cost(person: User, where: str, form: dict[str, object] | None = None) -> int:
    client = logged_in(person)
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(where) if form is None else client.post(where, form)
    assert answer.status_code in (200, 302)
    return len(queries)


def same(few: Callable[[], int], more: Callable[[], object]) -> None:
    """Check that what costs so much with few rows costs no more with many."""
    before = few()
    more()
    assert few() == before


@pytest.mark.parametrize("part", ["rows", "compare"])
def test_a_note_opens_for_the_same_price_with_many_rows(integration, desk, part) -> None:
    trace = a_told_note(integration)
    FiledSnapshot.objects.create(facility=integration.facility, note=trace.note, content={"documents": []})

    def more() -> None:
        told = {"note_id": "N-1", "transaction_id": "TX-1", "encounter_id": "E-1", "event": "failed", "status": 500}
        rows = [{**told, "at": (trace.born_at + timedelta(seconds=9 + n)).isoformat()} for n in range(60)]
        store_rows(facility_id=integration.facility_id, integration=integration, log="scribe", rows=rows)
        for number in range(5):
            a_told_note(integration, f"beside-{number}")
            a_ticket(integration, trace.note)
            FiledSnapshot.objects.create(facility=integration.facility, note=trace.note, content={"documents": []})

    cost(desk, f"/notes/{trace.note_id}/{part}/", {})
    same(lambda: cost(desk, f"/notes/{trace.note_id}/{part}/", {}), more)


def test_a_document_of_nobodys_opens_for_the_same_price_with_many_rows(integration, desk) -> None:
    orphan = an_orphan(integration)
    orphan.orphan_hash = a_note(integration, transaction_id="TX-no").transaction_hash
    orphan.save()

    def told(count: int) -> None:
        rows = [{"at": ago(120 - n).isoformat(), "event": "filed", "transaction_id": "TX-no"} for n in range(count)]
        store_rows(facility_id=integration.facility_id, integration=integration, log="ehr", rows=rows)

    where = f"/notes/only-at-the-ehr/{orphan.pk}/rows/"
    told(1)
    same(lambda: cost(desk, where, {}), lambda: told(40))
    assert logged_in(desk).post(where).content.decode().count("TX-no") == 41


def test_the_sheet_is_written_for_the_same_price_with_many_lines(integration, desk) -> None:
    def furnish(count: int) -> None:
        for number in range(count):
            shut = a_department(integration.facility, restricted=number % 5 == 0)
            a_ticket(integration, a_trace(integration, encounter_id=f"E-{number % 7}", department=shut).note)

    furnish(2)
    same(lambda: cost(desk, "/notes/worklist/csv/"), lambda: furnish(30))


def test_many_notes_are_shown_before_they_end_for_the_same_price(integration, desk) -> None:
    def ask(count: int) -> int:
        chosen = [str(a_trace(integration).note_id) for _ in range(count)]
        return cost(desk, "/notes/worklist/end/", {"note": chosen, "how": "in_chart", "step": "ask"})

    assert ask(2) == ask(40)


def test_many_notes_end_and_are_taken_back_for_the_same_price(integration, desk) -> None:
    def end(count: int) -> tuple[int, int]:
        chosen = [str(a_trace(integration).note_id) for _ in range(count)]
        ended = cost(desk, "/notes/worklist/end/", {"note": chosen, "how": "in_chart", "step": "do"})
        assert Trace.objects.filter(note__in=chosen, ended="in_chart").count() == count
        back = cost(desk, "/notes/worklist/reopen/", {"note": chosen})
        assert not Trace.objects.filter(note__in=chosen).exclude(ended="").exists()
        return ended, back

    assert end(2) == end(40)


def test_the_notice_of_silent_logs_costs_each_page_the_same_however_many_are_silent(integration, desk) -> None:
    now = timezone.now()

    def silent(count: int) -> None:
        for _ in range(count):
            one = an_integration(integration.facility)
            for log in ("scribe", "ehr"):
                history(one, log, now)
            a_batch(one, "scribe", now)
            a_batch(one, "ehr", now - timedelta(hours=5))

    silent(1)
    same(lambda: cost(desk, "/notes/worklist/"), lambda: silent(4))
