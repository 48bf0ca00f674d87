"""Decide for a ticket, as one of several, that it needs no article."""

from django.db import transaction

from console.accounts.access import require
from console.accounts.models import User
from console.accounts.roles import Right
from console.knowledge.models import UNPUBLISHED, Article
from console.knowledge.services import discard
from console.tickets import services as tickets
from console.tickets.models import Ticket
from console.tickets.moves import TicketError


@transaction.atomic
def close_without_article(ticket: Ticket, by: User) -> None:
    """Remove the draft that was made when the ticket was resolved, and close the ticket."""
    require(by, Right.REVIEW_KNOWLEDGE, ticket.facility_id)
    article = Article.objects.filter(ticket=ticket).first()
    if article is None:
        tickets.close(ticket=ticket, by=by, article="not_needed")
    elif article.state in UNPUBLISHED:
        discard(article=article, by=by)
    else:
        raise TicketError("its article is published")
