"""The resolve page: what it proposes, what it asks, and the draft it leaves."""

import pytest

from console.accounts.roles import Role
from console.knowledge.models import Article, ArticleState
from console.tickets.models import Ticket, TicketEvent, TicketNote, TicketState
from console.tickets.services import change_state, end_note
from tests.console.builders import a_facility, a_note, a_person, a_ticket, an_integration
from tests.console.knowledge.builders import KID, a_draft, failing
from tests.console.pages.documents import a_diagnosed_ticket, a_document, a_run, logged_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def facility():
    return a_facility()


@pytest.fixture
def desk(facility):
    return a_person(facility)


@pytest.fixture
def ticket(facility):
    integration = an_integration(facility)
    return a_diagnosed_ticket(facility, *(a_note(integration, external_id=f"N-77{n}") for n in range(3)))


def resolve(ticket, person, status: int = 302, **data: str) -> str:
    answer = logged_in(person).post(
        f"/tickets/{ticket.number}/resolve/", {"cause": KID, "all": "in_chart", "seen": ticket.state} | data
    )
    assert answer.status_code == status, answer.content.decode()[:500]
    return answer.content.decode()


def ask(ticket, person, status: int = 200) -> str:
    answer = logged_in(person).get(f"/tickets/{ticket.number}/resolve/")
    assert answer.status_code == status
    return answer.content.decode()


def test_the_diagnosis_proposes_its_cause_and_what_contributed(ticket, desk) -> None:
    other = a_document()["root_cause"] | {"cause": "net.tls.expired", "category": "network", "title": "Expired"}
    a_run(ticket, document=a_document(contributing=[other]))
    text = ask(ticket, desk)
    assert f'name="cause" value="{KID}" required checked' in text
    assert "Cause, says the diagnosis · Authentication" in text
    assert 'value="net.tls.expired" required>' in text
    assert "How did the 3 waiting notes end?" in text
    assert '<optgroup label="Template conflict">' in text


def test_resolving_says_how_every_note_ended_and_drafts_the_article_in_one_go(ticket, desk) -> None:
    rows = list(ticket.ticket_notes.all())
    resolve(ticket, desk, what_was_done="Put the new key in.", **{f"end-{rows[1].note_id}": "by_hand"})
    ticket.refresh_from_db()
    assert ticket.state == TicketState.RESOLVED
    assert (ticket.confirmed_category, ticket.confirmed_cause) == ("authentication", KID)
    ends = [row.end for row in ticket.ticket_notes.all()]
    assert ends == [TicketNote.End.IN_CHART, TicketNote.End.BY_HAND, TicketNote.End.IN_CHART]
    article = Article.objects.get(ticket=ticket)
    assert article.state == ArticleState.DRAFT
    assert "What was done: Put the new key in." in article.body
    assert article.text == ""
    assert [c.text for c in ticket.comments.all()] == ["Put the new key in."]
    drafted = ticket.events.get(kind=TicketEvent.Kind.ARTICLE)
    assert (drafted.after, drafted.reference) == ("drafted", article.id)


def test_the_ticket_says_so_and_leads_to_the_draft(ticket, desk) -> None:
    client = logged_in(desk)
    answer = client.post(
        f"/tickets/{ticket.number}/resolve/", {"cause": KID, "all": "in_chart", "seen": "diagnosed"}, follow=True
    )
    article = Article.objects.get(ticket=ticket)
    assert f'<a href="/knowledge/{article.id}/">See the draft</a>' in answer.content.decode()


def test_another_cause_takes_its_own_category_and_none_asks_for_one(facility, desk) -> None:
    one, two = a_diagnosed_ticket(facility), a_diagnosed_ticket(facility)
    resolve(one, desk, cause="other", other_cause="net.dns.nxdomain")
    one.refresh_from_db()
    assert (one.confirmed_category, one.confirmed_cause) == ("network", "net.dns.nxdomain")
    assert "Choose the cause." in resolve(two, desk, 422, cause="other")
    assert "Choose at least the category." in resolve(two, desk, 422, cause="none")
    resolve(two, desk, cause="none", category="permissions")
    two.refresh_from_db()
    assert (two.confirmed_category, two.confirmed_cause) == ("permissions", "")
    assert Article.objects.get(ticket=two).title == "Permissions: never sent"


def test_a_note_without_an_end_keeps_the_ticket_open_and_what_was_typed_stays(ticket, desk) -> None:
    text = resolve(ticket, desk, 422, all="", what_was_done="Typed with care.")
    assert "Say how it ended" in text
    assert "Typed with care." in text
    ticket.refresh_from_db()
    assert ticket.is_open
    assert not Article.objects.exists()


def test_somebody_faster_wins_and_nothing_typed_is_lost(ticket, desk) -> None:
    seen = ticket.state
    change_state(ticket=ticket, to="in_progress", by=desk)
    text = resolve(ticket, desk, 409, seen=seen, what_was_done="Typed with care.")
    assert "Meanwhile the ticket became “In progress”" in text
    assert "Typed with care." in text
    assert 'name="seen" value="in_progress"' in text
    assert not Article.objects.exists()
    resolve(ticket, desk, seen="in_progress")
    assert "This ticket is resolved already" in resolve(Ticket.objects.get(pk=ticket.pk), desk, 422, cause="none")


def test_a_ticket_without_a_note_asks_for_one_outcome(facility, desk) -> None:
    ticket = a_ticket(an_integration(facility))
    assert "How did it end?" in ask(ticket, desk)
    because = "The visit was documented by hand."
    resolve(ticket, desk, cause="none", category="network", all="by_hand", unconfirmed_because=because)
    event = ticket.events.get(kind=TicketEvent.Kind.OUTCOME)
    assert event.after == "by_hand"


def test_notes_that_ended_before_are_shown_and_not_asked_again(ticket, desk) -> None:
    first = ticket.ticket_notes.first()
    end_note(ticket=ticket, note=first.note, end="not_needed", by=desk)
    text = ask(ticket, desk)
    assert "Already ended" in text
    assert f"{first.note.external_id}: not needed" in text
    assert f"end-{first.note_id}" not in text
    resolve(ticket, desk)
    first.refresh_from_db()
    assert first.end == "not_needed"


def test_a_made_up_cause_or_end_is_refused(ticket, desk) -> None:
    resolve(ticket, desk, 422, cause="auth.made.up")
    resolve(ticket, desk, 422, all="waiting")


def test_while_a_first_diagnosis_runs_the_page_says_to_wait(facility, desk) -> None:
    ticket = a_ticket(an_integration(facility))
    a_run(ticket, state="running")
    text = ask(ticket, desk)
    assert "A diagnosis is running." in text
    assert '<button class="btn done">' not in text


def test_only_who_works_on_tickets_finds_the_button_and_the_page(facility, ticket, desk) -> None:
    manager = a_person(facility, Role.MANAGER)
    way = f'href="/tickets/{ticket.number}/resolve/"'
    assert way in logged_in(desk).get(f"/tickets/{ticket.number}/").content.decode()
    assert way not in logged_in(manager).get(f"/tickets/{ticket.number}/").content.decode()
    ask(ticket, manager, 403)
    ask(ticket, a_person(a_facility()), 404)


def test_the_draft_is_filled_in_from_the_ticket_without_ids_or_comments(facility, desk) -> None:
    note = failing(a_note(an_integration(facility), external_id="N-5f21c"))
    article = a_draft(facility, note, by=desk)
    assert article.title == "The key that signed the sign-in request is not in the published key set"
    assert article.signature
    for part in ("## Symptoms", "Never sent: the journey broke at “Sent”.", article.signature, "`auth.assertion.kid`"):
        assert part in article.body, part
    for part in ("## Cause", "## Steps taken", "## Resolution", "1. Publish the public half"):
        assert part in article.body, part
    for wrong in ("N-5f21c", "2026-05", "Run the diagnosis again to confirm"):
        assert wrong not in article.body
    assert article.time_to_resolution is not None
    assert (article.vendor, article.protocol, article.failure_mode) == ("generic", "fhir", "never_sent")


def test_failed_checks_ticked_items_and_waiting_become_the_steps_taken(facility, desk) -> None:
    from console.diagnoses.models import FindingRow
    from console.knowledge import services
    from console.tickets.services import comment, tick
    from tests.console.knowledge.builders import ends_of

    ticket = a_diagnosed_ticket(facility)
    FindingRow.objects.create(
        facility=facility, run=ticket.run, step=1, position=1, check_id="auth.assertion.kid", status="failed",
        title="The signing key is published", content={"says": "The key 2026-05 is unknown."},
    )  # fmt: skip
    tick(ticket=ticket, item="TOKEN.5", state="done", by=desk)
    comment(ticket=ticket, text="Rosalind Fenwick called twice.", by=desk)
    change_state(ticket=ticket, to="waiting", by=desk, waiting_for="vendor")
    ticket.refresh_from_db()
    article = services.resolve(ticket=ticket, by=desk, category="authentication", cause=KID, ends=ends_of(ticket))
    assert "- This check failed: The signing key is published\n" in article.body
    assert "- Check that the signing key is published and current\n" in article.body
    assert "- Waited on the vendor\n" in article.body
    assert "Fenwick" not in article.body
    assert "2026-05" not in article.body


def test_a_ticket_that_came_back_makes_its_published_article_stale_with_the_new_text(facility, desk) -> None:
    from console.knowledge import services
    from tests.console.knowledge.builders import a_published, a_reviewer

    article = a_published(facility)
    ticket = article.ticket
    ticket.refresh_from_db()
    assert ticket.state == TicketState.CLOSED
    before = article.text
    change_state(ticket=ticket, to="in_progress", by=desk)
    again = services.resolve(
        ticket=ticket, by=desk, category="network", cause="net.tls.expired", what_was_done="It was the certificate."
    )
    assert again.pk == article.pk
    assert again.state == ArticleState.STALE
    assert f"Ticket {ticket.number} came back" in again.stale_reason
    assert again.text == before
    assert "It was the certificate." in again.body
    assert again.versions.count() == 2
    services.publish(article=again, by=a_reviewer(facility))
    again.refresh_from_db()
    ticket.refresh_from_db()
    assert again.state == ArticleState.PUBLISHED
    assert "It was the certificate." in again.text
    assert ticket.state == TicketState.CLOSED
