"""Whether a ticket's set of notes is in use: what works through it registers here and says so in words."""

from collections.abc import Callable

from console.tickets.models import Ticket
from console.tickets.moves import TicketError

Question = Callable[[Ticket], str]
_questions: list[Question] = []


def ask(question: Question) -> None:
    """Register who knows whether a ticket's notes are in use: it gives one sentence why, or an empty text."""
    if question not in _questions:
        _questions.append(question)


def why_busy(ticket: Ticket) -> str:
    """Say why the ticket's notes may not change now; empty where they may."""
    return next((says for question in _questions if (says := question(ticket))), "")


def refuse_if_busy(ticket: Ticket) -> None:
    """Raise TicketError while something works through the ticket's notes; call it with the ticket locked."""
    says = why_busy(ticket)
    if says:
        raise TicketError(says)
