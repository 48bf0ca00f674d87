"""The demo's knowledge: an article in every state, and something for the newest tickets."""

import pytest

from console.demo.people import make_people
from console.demo.sample_knowledge import make_knowledge
from console.integrations.models import Integration
from console.knowledge.models import Article, ArticleState
from console.knowledge.queries import count_waiting
from console.knowledge.similar import seen_before
from console.tickets.models import Ticket, TicketEvent
from console.tickets.services import close, resolve
from tests.console.builders import a_note
from tests.console.knowledge.builders import ends_of
from tests.console.pages.documents import a_diagnosed_ticket

pytestmark = pytest.mark.django_db

CAUSES = (
    ("authentication", "auth.token.expired"),
    ("network", "net.tls.expired"),
    ("permissions", "perm.scope.write_missing"),
)


def test_every_state_is_there_and_the_newest_tickets_find_something() -> None:
    people = make_people()
    desk, facility = people.users["helpdesk@northcampus.example"], people.facilities["northcampus"]
    epic = Integration.objects.create(facility=facility, name="Clinics", vendor="epic", protocol="fhir")
    done = []
    for number, (category, cause) in enumerate(CAUSES * 2):
        ticket = a_diagnosed_ticket(facility, a_note(epic))
        Ticket.objects.filter(pk=ticket.pk).update(owner=desk)
        resolve(ticket=ticket, by=desk, category=category, cause="" if number > 2 else cause, ends=ends_of(ticket))
        if number < 3:
            close(ticket=ticket, by=desk, article="not_needed")
        done.append(ticket)
    assert make_knowledge(people.users) == Article.objects.count() == 11
    states = list(Article.objects.values_list("state", flat=True))
    assert {state: states.count(state) for state in ArticleState} == {
        ArticleState.DRAFT: 2, ArticleState.IN_REVIEW: 1, ArticleState.PUBLISHED: 7, ArticleState.STALE: 1,
    }  # fmt: skip
    reviewer = people.users["informatics@northcampus.example"]
    assert count_waiting(reviewer, {facility.id}) == 4
    said = TicketEvent.objects.filter(ticket=done[0], kind=TicketEvent.Kind.ARTICLE).values_list("after", flat=True)
    assert sorted(said) == ["drafted", "published"]
    new = a_diagnosed_ticket(facility, a_note(epic))
    first = seen_before(desk, new)[0]
    assert "same cause" in first.why
