"""Seen before: which articles are suggested on a ticket, why, and when opening one counts."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console.accounts.roles import Role
from console.knowledge import services
from console.knowledge.models import Article, ArticleUse
from console.knowledge.similar import LIKE_TEXT, SAME_CAUSE, SAME_SIGNATURE, SAME_VENDOR, seen_before
from console.tickets.models import Ticket
from tests.console.builders import a_department, a_facility, a_note, a_person, a_ticket, an_integration
from tests.console.knowledge.builders import ERROR, KID, a_draft, a_published, a_reviewer, a_written, failing
from tests.console.pages.documents import a_diagnosed_ticket, logged_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def facility():
    return a_facility()


@pytest.fixture
def desk(facility):
    return a_person(facility)


@pytest.fixture
def integration(facility):
    return an_integration(facility)


def card(ticket, person, status: int = 200) -> str:
    answer = logged_in(person).get(f"/tickets/{ticket.number}/seen-before/")
    assert answer.status_code == status
    return answer.content.decode()


def reasons(person, ticket) -> dict[str, tuple[str, ...]]:
    return {match.article.title: match.reasons for match in seen_before(person, ticket)}


def test_the_same_error_is_found_by_its_signature_whatever_the_ids_in_it(facility, integration, desk) -> None:
    article = a_published(facility, failing(a_note(integration)))
    other = ERROR.replace("2026-05", "2027-11")
    ticket = a_ticket(integration, failing(a_note(integration), other))
    assert reasons(desk, ticket) == {article.title: (SAME_SIGNATURE,)}


def test_a_pasted_error_has_a_signature_too(facility, integration, desk) -> None:
    article = a_published(facility, failing(a_note(integration)))
    ticket = a_ticket(integration, pasted=ERROR.replace("2026-05", "kid-88"))
    assert reasons(desk, ticket) == {article.title: (SAME_SIGNATURE,)}


def test_the_same_cause_is_named_together_with_what_else_agrees(facility, desk) -> None:
    article = a_published(facility)
    ticket = a_diagnosed_ticket(facility)
    assert reasons(desk, ticket) == {article.title: (SAME_CAUSE, SAME_VENDOR)}


def test_vendor_and_category_together_are_a_reason_and_neither_alone(facility, desk) -> None:
    both = a_written(facility, "Both", category="authentication", vendor="generic")
    a_written(facility, "Vendor only", category="network", vendor="generic")
    a_written(facility, "Category only", category="authentication", vendor="epic")
    assert reasons(desk, a_diagnosed_ticket(facility)) == {both.title: (SAME_VENDOR,)}


def test_a_like_error_text_is_found_by_its_trigrams(facility, integration, desk) -> None:
    article = a_written(facility, "Key not found")
    Article.objects.filter(pk=article.pk).update(signature="invalid_client: the key id <n> is not in the key set")
    ticket = a_ticket(integration, failing(a_note(integration), "invalid_client: key 2026-05 is not in the set"))
    assert reasons(desk, ticket) == {article.title: (LIKE_TEXT,)}


def test_the_best_reason_comes_first_and_three_are_enough(facility, integration, desk) -> None:
    by_vendor = a_written(facility, "By vendor", category="authentication", vendor="generic")
    a_written(facility, "By vendor, later", category="authentication", vendor="generic")
    by_cause = a_written(facility, "By cause", category="authentication", cause=KID, vendor="epic")
    by_both = a_written(facility, "By cause and vendor", category="authentication", cause=KID, vendor="generic")
    signed = a_published(facility, failing(a_note(integration)), cause="auth.token.expired", category="network")
    ticket = a_diagnosed_ticket(facility, failing(a_note(integration)))
    found = [match.article for match in seen_before(desk, ticket)]
    assert found == [signed, by_both, by_cause]
    assert by_vendor not in found


def test_drafts_stale_articles_and_the_tickets_own_are_not_suggested(facility, desk) -> None:
    a_draft(facility)
    stale = a_published(facility)
    services.mark_stale(article=stale, by=a_reviewer(facility), reason="The vendor moved on.")
    assert reasons(desk, a_diagnosed_ticket(facility)) == {}
    own = a_published(facility)
    assert reasons(desk, own.ticket) == {}


def test_what_comes_from_a_restricted_department_is_suggested_only_after_its_release(facility, integration) -> None:
    shut = a_department(facility, restricted=True)
    reviewer, desk = a_reviewer(facility), a_person(facility)
    from console.accounts.services import admit

    admit(user=reviewer, department=shut, by=None)
    article = a_published(facility, a_note(integration, department=shut), by=reviewer)
    ticket = a_diagnosed_ticket(facility)
    assert reasons(desk, ticket) == {}
    assert reasons(reviewer, ticket) == {article.title: (SAME_CAUSE, SAME_VENDOR)}
    services.release(article=article, by=a_person(facility, Role.PRIVACY_OFFICER), seen=article.version)
    assert reasons(desk, ticket) == {article.title: (SAME_CAUSE, SAME_VENDOR)}


def test_the_card_says_how_often_and_how_fast(facility, desk) -> None:
    article = a_published(facility)
    for minutes in (10, 30):
        ticket = a_draft(facility).ticket
        Ticket.objects.filter(pk=ticket.pk).update(opened_at=ticket.resolved_at - timedelta(minutes=minutes))
    Ticket.objects.filter(pk=article.ticket_id).update(
        opened_at=Ticket.objects.get(pk=article.ticket_id).resolved_at - timedelta(minutes=22)
    )
    text = card(a_diagnosed_ticket(facility), desk)
    assert article.title in text
    assert "same cause, same vendor and category · seen 3 times · median fix 22 min" in text
    # What another facility resolved is counted for nobody who does not see it.
    elsewhere = a_facility()
    assert "fixed in" in card(a_diagnosed_ticket(elsewhere), a_person(elsewhere))


def test_nothing_alike_is_said_briefly(facility, integration, desk) -> None:
    assert "No article is like this ticket yet." in card(a_ticket(integration), desk)


def test_opening_an_article_from_a_ticket_counts_once_and_only_by_who_works_there(facility, desk) -> None:
    article, ticket = a_published(facility), a_diagnosed_ticket(facility)
    way = f"/knowledge/{article.id}/?from={ticket.number}"
    assert f'href="{way}"' in card(ticket, desk)
    logged_in(a_person(facility, Role.MANAGER)).get(way)
    logged_in(a_person(a_facility())).get(way)
    logged_in(desk).get(f"/knowledge/{article.id}/?from={article.ticket.number}")
    logged_in(desk).get(f"/knowledge/{article.id}/?from=99999999999999")
    assert not ArticleUse.objects.exists()
    logged_in(desk).get(way)
    text = logged_in(a_person(facility)).get(way).content.decode()
    assert ArticleUse.objects.get().by == desk
    assert "used on 1 ticket<" in text


def test_the_ticket_page_loads_the_card_and_leads_on_without_javascript(facility, desk) -> None:
    ticket = a_diagnosed_ticket(facility)
    text = logged_in(desk).get(f"/tickets/{ticket.number}/").content.decode()
    assert 'id="seen-before-authassertionkid-done"' in text
    assert f'hx-get="/tickets/{ticket.number}/seen-before/"' in text
    assert '<a href="/knowledge/">Look for articles</a>' in text
    card(ticket, a_person(a_facility()), 404)


def test_the_card_asks_as_many_queries_for_many_articles_as_for_few(facility, desk) -> None:
    def count() -> int:
        client = logged_in(desk)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(f"/tickets/{ticket.number}/seen-before/").status_code == 200
        return len(queries)

    ticket = a_diagnosed_ticket(facility)
    for _ in range(3):
        a_published(facility)
    few = count()
    for _ in range(5):
        a_published(facility)
    assert count() == few
