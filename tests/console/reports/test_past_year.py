"""The demo's past: the story that the report tells of it, and the page of a ticket whose evidence is gone."""

import pytest
from django.utils import timezone

from console.accounts.roles import Role
from console.demo.sample_reports import make_past_year
from console.integrations.models import Integration
from console.reports.figures import Clock, Facet
from console.reports.periods import of
from console.reports.queries import lives
from console.reports.report import Asked, make
from console.tickets.models import Ticket
from diagnostics import catalog
from tests.console.builders import a_facility, a_person, a_ticket, an_integration
from tests.console.pages.documents import logged_in
from tests.console.reports.past import a_past_ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def facility():
    return a_facility(time_zone="America/Chicago")


def test_the_past_year_is_told_by_events_and_gets_better(facility) -> None:
    an_integration(facility)
    Integration.objects.create(facility=facility, name="Engine", vendor="generic", protocol="hl7v2")
    desk, manager, now = a_person(facility), a_person(facility, Role.MANAGER), timezone.now()
    made = make_past_year({desk.email: desk}, now)
    assert made == Ticket.objects.count() == 350
    report = make(manager, Asked(of("12m", now.date()), Clock.WALL, (facility,), now))
    assert report.total.n > 200
    assert report.before.n > 90
    held = [group.figures.resolution.median for group in report.groups[Facet.MONTH] if group.figures.n >= 5]
    assert held[0] > 2 * 3600 > 90 * 60 > held[-1]
    assert report.total.diagnosis.median < 60 < report.before.diagnosis.median
    assert 0 < report.total.reopened < 0.1 * report.total.n
    assert len(report.groups[Facet.CATEGORY]) == 6
    assert not report.open.tickets
    for ticket in Ticket.objects.select_related("integration"):
        assert ticket.confirmed_cause in catalog.causes()
        wrong = "fhir." if ticket.integration.protocol == "hl7v2" else "hl7."
        assert not ticket.confirmed_cause.startswith(wrong)
    first = a_ticket(Integration.objects.first())
    assert first.number > max(Ticket.objects.exclude(pk=first.pk).values_list("number", flat=True))


def test_its_tickets_say_what_their_events_say(facility) -> None:
    an_integration(facility)
    desk, now = a_person(facility), timezone.now()
    manager = a_person(facility, Role.MANAGER)
    make_past_year({desk.email: desk}, now)
    told = {row.number: row.life for row in lives(manager, {facility.id}, now - timezone.timedelta(days=800), now)}
    for ticket in Ticket.objects.all():
        life = told[ticket.number]
        assert (ticket.opened_at, ticket.resolved_at, ticket.reopened) == (
            life.opened_at, life.resolved_at, life.reopened,
        )  # fmt: skip
        assert (ticket.confirmed_category, ticket.confirmed_cause) == (life.category, life.cause)
        assert life.resolved_at < now


def test_without_integrations_or_people_nothing_is_made(facility) -> None:
    assert make_past_year({}, timezone.now()) == 0
    an_integration(facility)
    assert make_past_year({}, timezone.now()) == 0


def test_a_resolved_ticket_without_a_run_shows_its_confirmed_cause(facility) -> None:
    ticket = a_past_ticket(an_integration(facility))
    text = logged_in(a_person(facility)).get(f"/tickets/{ticket.number}/").content.decode()
    assert catalog.cause("auth.token.expired").title in text
    assert "The evidence of this diagnosis is no longer kept." in text
    assert "No diagnosis has been made yet" not in text
    assert "Run the diagnosis to find" not in text
    assert "Six diagnostic steps" not in text


def test_a_category_alone_is_said_too_and_an_open_ticket_still_asks_for_its_diagnosis(facility) -> None:
    integration, person = an_integration(facility), a_person(facility)
    known = a_past_ticket(integration, cause="", category="network")
    text = logged_in(person).get(f"/tickets/{known.number}/").content.decode()
    assert "<h2>Network</h2>" in text
    fresh = a_ticket(integration)
    text = logged_in(person).get(f"/tickets/{fresh.number}/").content.decode()
    assert "No diagnosis has been made yet" in text
    assert "no longer kept" not in text
