"""What is typed is kept: while typing, over the end of a session, and until it is sent; sealed, and nobody else's."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from console.accounts.roles import Role
from console.shared.idle import SESSION_KEY
from console.tickets import drafts
from console.tickets.models import Comment, Draft, Presence
from console.tickets.tasks import tidy
from tests.console.builders import a_department, a_facility, a_note, a_person, a_ticket, an_integration
from tests.console.pages.documents import a_diagnosed_ticket, logged_in

pytestmark = pytest.mark.django_db
TYPED = "Called the EHR team; they look into it."


@pytest.fixture
def facility():
    return a_facility()


@pytest.fixture
def ticket(facility):
    return a_diagnosed_ticket(facility)


@pytest.fixture
def desk(facility):
    return a_person(facility)


def keep(person, ticket, place: str = "comment", text: str = TYPED) -> int:
    return logged_in(person).post(f"/tickets/{ticket.number}/drafts/", {"place": place, "text": text}).status_code


def page(person, ticket) -> str:
    return logged_in(person).get(f"/tickets/{ticket.number}/").content.decode()


@pytest.mark.parametrize("place", ["comment", "objection"])
def test_what_is_typed_is_found_again_and_says_when_it_was_typed(ticket, desk, place) -> None:
    assert keep(desk, ticket, place) == 204
    assert keep(desk, ticket, place, TYPED + " Soon.") == 204
    assert Draft.objects.get().text == TYPED + " Soon."
    text = page(desk, ticket)
    assert f"{TYPED} Soon.</textarea>" in text
    assert "Restored what you typed at" in text
    assert "Restored" not in page(a_person(ticket.facility), ticket)


def test_a_draft_is_sealed_in_the_database(ticket, desk) -> None:
    keep(desk, ticket)
    with connection.cursor() as cursor:
        cursor.execute("SELECT text FROM tickets_draft")
        assert TYPED.encode() not in bytes(cursor.fetchone()[0])


def test_sending_deletes_it_and_so_does_emptying_and_discarding(ticket, desk) -> None:
    client = logged_in(desk)
    keep(desk, ticket)
    client.post(f"/tickets/{ticket.number}/comment/", {"text": TYPED})
    assert not Draft.objects.exists()
    keep(desk, ticket)
    keep(desk, ticket, text="  ")
    assert not Draft.objects.exists()
    keep(desk, ticket)
    assert 'name="discard" value="comment"' in page(desk, ticket)
    answer = client.post(f"/tickets/{ticket.number}/drafts/discard/", {"discard": "comment", "text": TYPED})
    assert (answer.status_code, answer.url) == (302, f"/tickets/{ticket.number}/")
    assert not Draft.objects.exists()


def test_only_known_forms_within_bounds_are_kept_and_only_of_tickets_one_works_on(ticket, facility, desk) -> None:
    assert keep(desk, ticket, place="elsewhere") == 400
    assert keep(desk, ticket, text="x" * (drafts.LIMIT + 1)) == 413
    assert keep(a_person(a_facility()), ticket) == 404
    assert keep(a_person(facility, Role.MANAGER), ticket) == 403
    assert not Draft.objects.exists()


def test_the_page_of_resolving_and_of_handing_over_keep_theirs(ticket, desk) -> None:
    client = logged_in(desk)
    for place, where in (("resolve", "resolve"), ("handover", "handover")):
        assert keep(desk, ticket, place) == 204
        text = client.get(f"/tickets/{ticket.number}/{where}/").content.decode()
        assert f"{TYPED}</textarea>" in text
    client.post(f"/tickets/{ticket.number}/handover/", {"text": TYPED})
    assert [row.place for row in Draft.objects.all()] == ["resolve"]


# -- the end of a session ------------------------------------------------------------------------------------------


def left(person, **options) -> Client:
    """Give the browser of somebody who has been away for too long."""
    client = Client(**options)
    client.force_login(person)
    session = client.session
    session[SESSION_KEY] = int(timezone.now().timestamp()) - settings.IDLE_LIMIT_S - 60
    session.save()
    return client


def test_what_arrives_after_the_session_ended_is_a_draft_after_the_login(ticket, desk) -> None:
    client = left(desk)
    answer = client.post(f"/tickets/{ticket.number}/comment/", {"text": TYPED})
    assert answer.status_code == 302
    assert answer.url == f"/login/?next=/tickets/{ticket.number}/"
    assert not Comment.objects.exists()
    assert Draft.objects.get().user == desk
    assert "What you typed was kept" in client.get(answer.url).content.decode()
    assert client.get(f"/tickets/{ticket.number}/").status_code == 302  # still logged off
    assert f"{TYPED}</textarea>" in page(desk, ticket)


def test_what_was_pasted_to_open_a_ticket_is_kept_too(facility, desk) -> None:
    an_integration(facility)
    answer = left(desk).post("/tickets/open/", {"pasted": "E-88213"})
    assert answer.url == "/login/?next=/tickets/open/"
    row = Draft.objects.get()
    assert (row.place, row.ticket, row.text) == ("open", None, "E-88213")
    client = logged_in(desk)
    assert "E-88213</textarea>" in client.get("/tickets/open/").content.decode()
    assert client.post("/tickets/drafts/discard/", {"discard": "open"}).url == "/tickets/open/"
    assert not Draft.objects.exists()


def test_a_form_that_another_site_forged_leaves_nothing(ticket, desk) -> None:
    client = left(desk, enforce_csrf_checks=True)
    assert client.post(f"/tickets/{ticket.number}/comment/", {"text": TYPED}).status_code == 403
    assert not Draft.objects.exists()


def test_of_a_ticket_that_is_not_seen_nothing_is_kept(facility, ticket, desk) -> None:
    shut = a_department(facility, restricted=True)
    integration = an_integration(facility)
    hidden = a_ticket(integration, a_note(integration, department=shut))
    for number in (hidden.number, a_ticket(an_integration(a_facility())).number):
        answer = left(desk).post(f"/tickets/{number}/comment/", {"text": TYPED})
        assert answer.url.startswith("/login/")
    assert not Draft.objects.exists()


def test_forms_that_keep_no_text_end_at_the_login_as_before(ticket, desk) -> None:
    answer = left(desk).post(f"/tickets/{ticket.number}/take/")
    assert answer.url == f"/login/?next=/tickets/{ticket.number}/take/"
    assert not Draft.objects.exists()


# -- housekeeping --------------------------------------------------------------------------------------------------


def test_after_a_week_drafts_are_dropped_and_signs_of_closed_pages_within_a_day(ticket, desk) -> None:
    keep(desk, ticket)
    keep(desk, ticket, "objection")
    page(desk, ticket)
    Draft.objects.filter(place="objection").update(at=timezone.now() - timedelta(days=7, minutes=1))
    Presence.objects.update(at=timezone.now() - timedelta(hours=2))
    tidy()
    assert [row.place for row in Draft.objects.all()] == ["comment"]
    assert not Presence.objects.exists()
    assert "desk" in settings.CELERY_BEAT_SCHEDULE
