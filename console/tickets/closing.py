"""Closing a resolved ticket without an article: what that means for a draft is the knowledge base's to say."""

from collections.abc import Callable

from console.accounts.models import User
from console.tickets.models import Ticket
from console.tickets.moves import TicketError

_deciders: list[Callable[[Ticket, User], None]] = []


def decide_with(decider: Callable[[Ticket, User], None]) -> None:
    """Register what decides that a ticket needs no article; called from the `ready` of the app that keeps them."""
    if decider not in _deciders:
        _deciders.append(decider)


def close_without_article(ticket: Ticket, by: User) -> None:
    """Decide that a resolved ticket needs no article, and close it."""
    if not _deciders:
        raise TicketError("Nothing here decides about articles.")
    for decide in _deciders:
        decide(ticket, by)
