"""A ticket whose notes something works through, as a resend does."""

import contextlib
from collections.abc import Iterator

from console.tickets import busy
from console.tickets.models import Ticket


@contextlib.contextmanager
def in_use(ticket: Ticket) -> Iterator[None]:
    def question(asked: Ticket) -> str:
        return "A resend is under way." if asked.pk == ticket.pk else ""

    busy.ask(question)
    try:
        yield
    finally:
        busy._questions.remove(question)
