"""Find tickets: by number, by the number another system gave, by words of the title, by what an error text means."""

import re
from collections.abc import Sequence
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.db.models.functions import Upper
from django.urls import reverse

from console.accounts.models import User
from console.diagnoses import words
from console.search.found import Group, Hit
from console.tickets.access import visible
from console.tickets.models import OPEN_STATES, Ticket
from console.tickets.queue import state_words
from diagnostics import catalog

MOST = 6
MOST_WORDS = 6
NUMBER = re.compile(r"(?:ticket\s*)?#?\s*(\d{1,9})", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]{3,40}")


def named(user: User, text: str) -> list[Ticket]:
    """Give the tickets whose number, or whose number in another system, is exactly what was typed."""
    found = list(_rows(visible(user).alias(upper=Upper("reference")).exclude(reference="").filter(upper=text.upper())))
    number = NUMBER.fullmatch(text)
    if number is not None and int(number[1]) < 2**31:
        found += [ticket for ticket in _rows(visible(user).filter(number=int(number[1]))) if ticket not in found]
    return found[:MOST]


def with_words(user: User, text: str) -> list[Ticket]:
    """Give the newest tickets whose title holds every word."""
    typed = list(dict.fromkeys(_WORD.findall(text)))
    if not typed or len(typed) > MOST_WORDS:
        return []
    match = Q()
    for word in typed:
        match &= Q(title__icontains=word)
    return list(_rows(visible(user).filter(match).order_by("-number"))[:MOST])


def with_cause(user: User, cause: str) -> list[Ticket]:
    """Give the newest open tickets with a cause."""
    rows = visible(user).filter(state__in=OPEN_STATES, cause=cause).order_by("-opened_at", "-id")
    return list(_rows(rows)[:MOST])


def _rows(rows: QuerySet[Ticket]) -> QuerySet[Ticket]:
    return rows.select_related("integration", "owner").defer("pasted", "journey")


def group(user: User, text: str, cause: str) -> Group:
    """Find tickets by all these ways, those named exactly first."""
    exact = named(user, text)
    alike = with_cause(user, cause) if cause else []
    hits = {ticket.pk: hit(ticket, exact=True) for ticket in exact}
    for ticket in (*alike, *with_words(user, text)):
        why = "the same cause" if ticket in alike else ""
        hits.setdefault(ticket.pk, hit(ticket, why))
    more = f"{reverse('tickets:queue')}?{urlencode({'cause': cause})}" if len(alike) == MOST else ""
    return Group("Tickets", "checklist", tuple(hits.values())[: 2 * MOST], more, "All open tickets with this cause")


def hit(ticket: Ticket, why: str = "", *, exact: bool = False) -> Hit:
    """Say a ticket in a line."""
    owner = f"taken by {ticket.owner}" if ticket.owner else "not taken"
    says = (why, ticket.verdict, ticket.integration.name, owner)
    return Hit(
        url=reverse("tickets:ticket", args=[ticket.number]),
        name=f"#{ticket.number} {ticket.title}",
        says=" · ".join(part for part in says if part),
        pill=state_words(ticket),
        tone="run" if ticket.is_open else "",
        exact=exact,
    )


def causes(text: str) -> Group:
    """Find causes of the catalogue by words of their titles; each leads to its open tickets."""
    typed = [word.lower() for word in _WORD.findall(text)]
    hits: Sequence[Hit] = ()
    if 0 < len(typed) <= MOST_WORDS:
        hits = [
            Hit(
                url=f"{reverse('tickets:queue')}?{urlencode({'cause': cause.id})}",
                name=cause.title,
                says=words.CATEGORIES.get(str(cause.category), ""),
            )
            for cause in sorted(catalog.causes().values(), key=lambda one: one.title)
            if all(word in cause.title.lower() for word in typed)
        ]
    return Group("Causes, with their open tickets", "stethoscope", tuple(hits[:MOST]))
