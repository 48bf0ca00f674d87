"""The review queue and what is decided about an article."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.accounts.models import AuditEntry
from console.accounts.roles import Role
from console.accounts.services import admit
from console.knowledge import services
from console.knowledge.models import Article, ArticleState, ArticleUse
from console.knowledge.services import About
from console.tickets.models import TicketState
from tests.console.builders import a_department, a_facility, a_note, a_person, an_integration
from tests.console.knowledge.builders import KID, a_draft, a_published, a_reviewer
from tests.console.pages.documents import logged_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def facility():
    return a_facility()


@pytest.fixture
def reviewer(facility):
    return a_reviewer(facility)


def show(article, person, status: int = 200, page: str = "") -> str:
    answer = logged_in(person).get(f"/knowledge/{article.id}/{page}")
    assert answer.status_code == status
    return answer.content.decode()


def act(article, person, name: str, status: int = 302, **data: object) -> str:
    answer = logged_in(person).post(f"/knowledge/{article.id}/{name}/", {"seen": article.version, **data})
    assert answer.status_code == status, answer.content.decode()[:300]
    article.refresh_from_db() if Article.objects.filter(pk=article.pk).exists() else None
    return answer.content.decode()


def edited(article, **fields: object) -> dict[str, object]:
    return {
        "title": article.title, "category": article.category, "cause": article.cause, "vendor": article.vendor,
        "body": article.body, "seen": article.version, **fields,
    }  # fmt: skip


# -- the queue -----------------------------------------------------------------------------------------------------


def test_the_queue_shows_what_waits_in_the_facilities_of_the_reviewer(facility, reviewer) -> None:
    mine, elsewhere = a_draft(facility), a_draft(a_facility(), cause="net.tls.expired", category="network")
    text = logged_in(reviewer).get("/knowledge/review/").content.decode()
    assert mine.title in text
    assert elsewhere.title not in text
    assert "1 draft" in text
    assert f'Ticket <span class="tnum">{mine.ticket.number}</span>' in text
    assert "Drafts <b>1</b>" in text
    assert "Nothing is in review" in logged_in(reviewer).get("/knowledge/review/?view=in_review").content.decode()


def test_articles_due_again_wait_and_are_confirmed_with_one_button(facility, reviewer) -> None:
    article = a_published(facility)
    Article.objects.filter(pk=article.pk).update(review_by=timezone.localdate() - timedelta(days=1))
    article.refresh_from_db()
    assert article.title in logged_in(reviewer).get("/knowledge/review/?view=due").content.decode()
    assert "Still true" in show(article, reviewer)
    act(article, reviewer, "publish")
    assert article.review_by > timezone.localdate()
    assert "Still true" not in show(article, reviewer)


def test_the_navigation_counts_what_waits_for_reviewers_only(facility, reviewer) -> None:
    a_draft(facility)
    said = "waiting for review"
    assert said in logged_in(reviewer).get("/knowledge/").content.decode()
    assert said not in logged_in(a_person(facility)).get("/knowledge/").content.decode()


def test_the_queue_asks_as_many_queries_for_many_articles_as_for_few(facility, reviewer) -> None:
    def count() -> int:
        client = logged_in(reviewer)
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/knowledge/review/").status_code == 200
        return len(queries)

    a_draft(facility)
    few = count()
    for _ in range(6):
        a_draft(facility)
    assert count() == few


# -- who sees what -------------------------------------------------------------------------------------------------


def test_a_draft_is_seen_by_reviewers_and_by_who_resolved_the_ticket(facility, reviewer) -> None:
    desk = a_person(facility)
    article = a_draft(facility, by=desk)
    show(article, reviewer)
    own = show(article, desk)
    assert "Send to review" in own
    assert "/publish/" not in own
    for other in (a_person(facility), a_person(facility, Role.MANAGER), a_reviewer(a_facility())):
        show(article, other, 404)


def test_a_published_article_is_everybodys_and_only_reviewers_of_its_facility_change_it(facility, reviewer) -> None:
    article = a_published(facility)
    elsewhere = a_reviewer(a_facility())
    for person in (a_person(facility), elsewhere):
        assert "/edit/" not in show(article, person)
        show(article, person, 403, "edit/")
        show(article, person, 403, "versions/")
        act(article, person, "stale", 403, reason="No.")
    # The ticket it was learned from is another facility's.
    assert "Learned from" in show(article, reviewer)
    assert "Learned from" not in show(article, elsewhere)


def test_a_restricted_article_is_seen_outside_only_after_its_release_and_an_edit_takes_that_back(facility) -> None:
    shut = a_department(facility, restricted=True)
    reviewer, desk = a_reviewer(facility), a_person(facility)
    officer, other_reviewer = a_person(facility, Role.PRIVACY_OFFICER), a_reviewer(facility)
    admit(user=reviewer, department=shut, by=None)
    article = a_draft(facility, a_note(an_integration(facility), department=shut))
    assert article.restricted
    show(article, other_reviewer, 404)
    show(article, officer, 404)
    act(article, reviewer, "publish")
    show(article, desk, 404)
    assert "Restricted, not released" in show(article, reviewer)
    text = logged_in(officer).get("/knowledge/").content.decode()
    assert "Waiting for your release" in text
    assert "waiting for your release" in text
    assert "Release</button>" in show(article, officer)
    act(article, reviewer, "release", 403)
    act(article, officer, "release", 422, seen=99)
    act(article, officer, "release")
    show(article, desk)
    assert AuditEntry.objects.filter(action="article.released", object_id=str(article.id), who=officer).exists()
    services.save(
        article=article, by=reviewer, seen=article.version, title=article.title, body=article.body + "\nMore.\n",
        about=About(article.category, article.cause, article.vendor),
    )  # fmt: skip
    show(article, desk, 404)


# -- deciding ------------------------------------------------------------------------------------------------------


def test_publishing_closes_the_ticket_and_says_so_in_its_activity(facility, reviewer) -> None:
    article = a_draft(facility)
    act(article, reviewer, "submit")
    assert article.state == ArticleState.IN_REVIEW
    act(article, reviewer, "publish")
    article.ticket.refresh_from_db()
    assert article.state == ArticleState.PUBLISHED
    assert article.text == article.body
    assert (article.reviewer, article.review_by) == (reviewer, timezone.localdate() + services.REVIEW_AFTER)
    assert article.ticket.state == TicketState.CLOSED
    text = logged_in(reviewer).get(f"/tickets/{article.ticket.number}/").content.decode()
    assert "published this ticket&#x27;s article" in text


def test_no_article_needed_removes_the_draft_and_closes_the_ticket(facility, reviewer) -> None:
    covering, article = a_published(facility), a_draft(facility)
    assert covering.title in show(article, reviewer)
    ticket = article.ticket
    act(article, reviewer, "discard", covered_by=covering.id)
    ticket.refresh_from_db()
    assert ticket.state == TicketState.CLOSED
    assert not Article.objects.filter(pk=article.pk).exists()
    assert ArticleUse.objects.get(ticket=ticket).article == covering
    act(covering, reviewer, "discard", 422)


def test_marking_stale_needs_a_reason_without_patient_data(facility, reviewer) -> None:
    article = a_published(facility)
    assert "Say why it no longer holds." in act(article, reviewer, "stale", 422, reason="")
    assert "a social security number" in act(article, reviewer, "stale", 422, reason="See 123-45-6789.")
    act(article, reviewer, "stale", reason="The vendor's version 15 signs otherwise.")
    assert article.state == ArticleState.STALE
    assert "version 15 signs otherwise" in show(article, a_person(facility))
    act(article, reviewer, "stale", 422, reason="Again.")


def test_a_text_with_patient_data_is_saved_as_a_draft_but_not_published(facility, reviewer) -> None:
    note = a_note(an_integration(facility), external_id="N-5f21c")
    article = a_draft(facility, note, what_was_done="Wrote N-5f21c again by hand.")
    line = next(n for n, text in enumerate(article.body.splitlines(), 1) if "N-5f21c" in text)
    text = show(article, reviewer)
    assert f"Line {line}</b>: an id of the ticket&#x27;s notes<q>What was done: Wrote N-5f21c again" in text
    assert "This text may hold patient data" in act(article, reviewer, "publish", 422)
    assert article.state == ArticleState.DRAFT
    assert article.text == ""
    client = logged_in(reviewer)
    way = f"/knowledge/{article.id}/edit/"
    refused = client.post(way, edited(article, title="For N-5f21c"))
    assert refused.status_code == 422
    assert "The title</b>: an id of the ticket" in refused.content.decode()
    assert client.post(way, edited(article, body="## Resolution\n\nWritten by hand.")).status_code == 302
    article.refresh_from_db()
    act(article, reviewer, "publish")
    # What everybody reads at once must pass at once.
    answer = client.post(way, edited(article, body="Write to rosa@clinic.example."))
    assert answer.status_code == 422
    assert "an e-mail address" in answer.content.decode()
    article.refresh_from_db()
    assert "rosa" not in article.text


def test_what_is_not_published_is_sealed_in_the_database(facility) -> None:
    article = a_draft(facility, what_was_done="Rosalind Fenwick waited.")
    with connection.cursor() as cursor:
        for table in ("knowledge_article", "knowledge_articleversion"):
            cursor.execute(f"SELECT t::text, encode(t.body, 'escape') FROM {table} t")
            assert "Fenwick" not in str(cursor.fetchall())
    assert "Fenwick" in article.body


# -- writing -------------------------------------------------------------------------------------------------------


def test_the_second_of_two_editors_gets_both_texts_and_nothing_is_lost(facility, reviewer) -> None:
    article = a_draft(facility)
    second = a_reviewer(facility)
    way = f"/knowledge/{article.id}/edit/"
    first_text, second_text = "## Cause\n\nFirst wrote this.\n", "## Cause\n\nSecond wrote that.\n"
    begun = edited(article, body=second_text)
    assert logged_in(reviewer).post(way, edited(article, body=first_text)).status_code == 302
    answer = logged_in(second).post(way, begun)
    text = answer.content.decode()
    assert answer.status_code == 422
    assert "Somebody else saved this article meanwhile." in text
    assert "First wrote this." in text
    assert "Second wrote that." in text
    article.refresh_from_db()
    assert article.body == first_text
    assert f'name="seen" value="{article.version}"' in text
    assert logged_in(second).post(way, begun | {"seen": article.version}).status_code == 302
    assert [v.body for v in article.versions.all()][:2] == [second_text, first_text]
    history = show(article, reviewer, page="versions/")
    assert "<ins>Second wrote that.</ins>" in history
    assert "<del>First wrote this.</del>" in history
    assert str(second) in history


def test_publishing_what_somebody_changed_meanwhile_is_refused(facility, reviewer) -> None:
    article = a_draft(facility)
    seen = article.version
    services.save(article=article, by=reviewer, seen=seen, title="T", body="Other.", about=About("network"))
    assert "Somebody else saved this article meanwhile." in act(article, reviewer, "publish", 422, seen=seen)
    assert article.state == ArticleState.DRAFT


def test_an_article_from_no_ticket_is_written_as_a_draft(facility, reviewer) -> None:
    client = logged_in(reviewer)
    assert "## Symptoms" in client.get("/knowledge/write/").content.decode()
    sent = {"title": "Key rotation", "category": "authentication", "cause": KID, "vendor": "epic", "body": "Rotate."}
    assert client.post("/knowledge/write/", sent | {"title": ""}).status_code == 422
    assert client.post("/knowledge/write/", sent | {"title": "For 123-45-6789"}).status_code == 422
    assert client.post("/knowledge/write/", sent).status_code == 302
    article = Article.objects.get()
    assert (article.state, article.facility, article.ticket, article.vendor) == ("draft", facility, None, "epic")
    act(article, reviewer, "publish")
    assert article.title in logged_in(a_person(a_facility())).get("/knowledge/").content.decode()


def test_carriage_returns_of_browsers_do_not_count_as_changes(facility, reviewer) -> None:
    article = a_draft(facility)
    logged_in(reviewer).post(f"/knowledge/{article.id}/edit/", edited(article, body=article.body.replace("\n", "\r\n")))
    before = article.body
    article.refresh_from_db()
    assert article.body == before
