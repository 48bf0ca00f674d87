"""Resolved tickets and articles in each state, for tests of knowledge."""

from typing import Any

from console.accounts.models import Facility, User
from console.accounts.roles import Role
from console.knowledge import services
from console.knowledge.models import Article
from console.knowledge.services import About
from console.notes.log_rows import store_rows
from console.notes.models import Note
from console.tickets.models import Ticket, TicketNote
from tests.console.builders import a_person
from tests.console.pages.documents import a_diagnosed_ticket

ERROR = "invalid_client: the key id 2026-05 is not in the key set"
KID = "auth.assertion.kid"


def a_reviewer(facility: Facility) -> User:
    return a_person(facility, Role.INFORMATICS)


def failing(note: Note, error: str = ERROR) -> Note:
    """Let the scribe's log tell of an error for a note."""
    row = {
        "at": "2026-11-22T16:58:14+00:00",
        "event": "error",
        "error": error,
        "status": 401,
        "note_id": note.external_id,
    }
    store_rows(facility_id=note.facility_id, integration=note.integration, log="scribe", rows=[row])
    return note


def ends_of(ticket: Ticket) -> dict[Any, str]:
    return {row.note_id: TicketNote.End.IN_CHART for row in ticket.ticket_notes.all()}


def a_draft(facility: Facility, *notes: Note, by: User | None = None, **fields: Any) -> Article:
    """Resolve a diagnosed ticket; give the article drafted from it."""
    ticket = a_diagnosed_ticket(facility, *notes)
    fields = {"category": "authentication", "cause": KID} | fields
    return services.resolve(ticket=ticket, by=by or a_person(facility), ends=ends_of(ticket), **fields)


def a_published(facility: Facility, *notes: Note, by: User | None = None, **fields: Any) -> Article:
    """Give a published article that comes from a ticket."""
    article = a_draft(facility, *notes, **fields)
    services.publish(article=article, by=by or a_reviewer(facility))
    article.refresh_from_db()
    return article


def a_written(facility: Facility, title: str, body: str = "## Cause\n\nSomething.\n", **about: str) -> Article:
    """Give a published article that comes from no ticket."""
    reviewer = a_reviewer(facility)
    about = {"category": "network", **about}
    article = services.write(facility=facility, by=reviewer, title=title, body=body, about=About(**about))
    services.publish(article=article, by=reviewer)
    article.refresh_from_db()
    return article
