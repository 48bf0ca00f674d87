"""One box for everything: what it finds, for whom, where it goes at once, and what is recorded of it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.accounts.models import AuditEntry
from console.accounts.roles import Role
from console.integrations.models import Integration
from console.monitoring.models import Alert
from console.tickets.models import Ticket
from tests.console.builders import a_department, a_facility, a_note, a_person, a_ticket, an_integration
from tests.console.knowledge.builders import a_published
from tests.console.pages.documents import a_diagnosed_ticket, logged_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def facility():
    return a_facility()


@pytest.fixture
def desk(facility):
    return a_person(facility)


def ask(who, typed: str, **more: str):
    return logged_in(who).post("/search/", {"asked": typed, **more})


def text(who, typed: str) -> str:
    answer = ask(who, typed, list="yes")
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def test_a_tickets_number_goes_there_at_once(facility, desk) -> None:
    ticket = a_ticket(an_integration(facility))
    for typed in (str(ticket.number), f"#{ticket.number}", f"ticket {ticket.number}"):
        answer = ask(desk, typed)
        assert (answer.status_code, answer.headers.get("Location")) == (302, f"/tickets/{ticket.number}/"), typed


def test_so_does_the_number_that_another_system_gave_it(facility, desk) -> None:
    ticket = a_ticket(an_integration(facility))
    Ticket.objects.filter(pk=ticket.pk).update(reference="INC-0042")
    assert ask(desk, "inc-0042").headers["Location"] == f"/tickets/{ticket.number}/"


@pytest.mark.parametrize("kind", ["external_id", "transaction_id", "encounter_id"])
def test_an_id_of_a_note_goes_to_the_note_and_stands_in_no_address(facility, desk, kind) -> None:
    note = a_note(an_integration(facility), external_id="N-77", transaction_id="T-77", encounter_id="E-77")
    typed = {"external_id": "N-77", "transaction_id": "T-77", "encounter_id": "E-77"}[kind]
    where = ask(desk, typed).headers["Location"]
    assert where == f"/notes/{note.pk}/"
    assert typed not in where


def test_what_means_two_things_is_shown_instead(facility, desk) -> None:
    integration = an_integration(facility)
    ticket = a_ticket(integration)
    a_note(integration, external_id=str(ticket.number))
    answer = ask(desk, str(ticket.number))
    assert answer.status_code == 200
    assert answer.content.decode().count("exactly this") == 2


def test_words_of_a_title_find_tickets_newest_first(facility, desk) -> None:
    integration = an_integration(facility)
    first = a_ticket(integration, title="Plan section empty since noon")
    second = a_ticket(integration, title="Plan section empty again")
    a_ticket(integration, title="Something else")
    shown = text(desk, "plan empty")
    assert shown.index(second.title) < shown.index(first.title)
    assert "Something else" not in shown


def test_an_error_text_is_explained_and_leads_to_tickets_with_its_cause(facility, desk) -> None:
    ticket = a_diagnosed_ticket(facility, title="Progress note missing")
    Ticket.objects.filter(pk=ticket.pk).update(cause="net.tls.expired")
    shown = text(desk, "SSL: CERTIFICATE_VERIFY_FAILED certificate has expired")
    assert "Progress note missing" in shown
    assert "the same cause" in shown


def test_articles_integrations_and_alerts(facility, desk) -> None:
    integration = an_integration(facility)
    article = a_published(facility)
    now = timezone.now()
    alert = Alert.objects.create(
        facility=facility, integration=integration, kind="success_rate", key="k", says="9 of 10 notes failed",
        opened_at=now, last_seen_at=now, counted_to=now,
    )  # fmt: skip
    assert article.title in text(desk, article.title)
    shown = text(desk, integration.name)
    assert f"/integrations/{integration.pk}/" in shown
    assert f"/monitoring/alerts/{alert.pk}/" in shown
    assert f"/monitoring/alerts/{alert.pk}/" in text(desk, "notes failed")


def test_people_are_found_by_administrators_alone(facility, desk) -> None:
    administrator = a_person(facility, Role.ADMINISTRATOR)
    assert f"/people/{desk.pk}/" in text(administrator, desk.email)
    assert f"/people/{desk.pk}/" not in text(desk, desk.email)


def test_nobody_finds_what_is_another_facilitys_or_lies_in_a_closed_department(facility, desk) -> None:
    integration = an_integration(facility)
    Integration.objects.filter(pk=integration.pk).update(name="Zephyr wing")
    integration.refresh_from_db()
    shut = a_note(integration, external_id="N-shut", department=a_department(facility, restricted=True))
    hidden = a_ticket(integration, shut, title="Hidden behind a door")
    stranger = a_person(a_facility())
    foreign = a_ticket(integration, a_note(integration, external_id="N-foreign"), title="Of another house")
    for who, typed in (
        (desk, str(hidden.number)), (desk, "hidden behind"), (desk, "N-shut"),
        (stranger, str(foreign.number)), (stranger, "another house"), (stranger, "N-foreign"),
        (stranger, integration.name),
    ):  # fmt: skip
        shown = text(who, typed)
        assert "data-row" not in shown, typed


def test_that_an_id_was_looked_for_is_recorded_without_the_id(facility, desk) -> None:
    a_note(an_integration(facility), encounter_id="E-90210")
    ask(desk, "E-90210")
    ask(desk, "E-00000")
    entries = list(AuditEntry.objects.filter(action="search.by_id").order_by("at"))
    assert [entry.detail["found"] for entry in entries] == [1, 0]
    assert {entry.who for entry in entries} == {desk}
    assert {entry.facility for entry in entries} == {facility}
    assert "90210" not in str([entry.detail for entry in entries])
    assert entries[0].detail["asked"] != entries[1].detail["asked"]


def test_words_are_not_recorded(facility, desk) -> None:
    ask(desk, "plan section empty")
    assert not AuditEntry.objects.filter(action="search.by_id").exists()


def test_a_word_in_the_address_searches_nothing(facility, desk) -> None:
    ticket = a_ticket(an_integration(facility))
    answer = logged_in(desk).get(f"/search/?q={ticket.number}&asked={ticket.number}")
    assert answer.status_code == 200
    assert "data-row" not in answer.content.decode()


def test_too_little_is_said_so(desk) -> None:
    answer = ask(desk, " x ")
    assert answer.status_code == 422
    assert "at least two characters" in answer.content.decode()


@pytest.mark.parametrize("typed", ["'; DROP TABLE", "%", "_%_", "\x00\x00ab", "{{7*7}}", "MSH|^~\\&|", "{", "#" * 300])
def test_odd_texts_do_no_harm(desk, typed) -> None:
    assert ask(desk, typed * 2).status_code in (200, 302)


def test_it_costs_as_many_queries_however_much_is_found(facility, desk) -> None:
    integration = an_integration(facility)

    def count() -> int:
        client = logged_in(desk)
        with CaptureQueriesContext(connection) as queries:
            assert client.post("/search/", {"asked": "missing", "list": "yes"}).status_code == 200
        return len(queries)

    a_ticket(integration, a_note(integration))
    few = count()
    for _ in range(5):
        a_ticket(integration, a_note(integration))
    assert count() == few
