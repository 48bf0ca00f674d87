"""What people have typed and not yet sent: sealed, one a form, found again after a lost connection or session."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.urls import ResolverMatch, reverse
from django.utils import timezone

from console.accounts.access import facilities
from console.accounts.models import Facility, User
from console.accounts.roles import Right
from console.tickets.access import visible
from console.tickets.models import Draft, Ticket

KEPT_FOR = timedelta(days=7)
LIMIT = 200_000  # characters; what is longer is no text that somebody types


@dataclass(frozen=True)
class Form:
    """Be a form whose text is kept: its place, the field that holds the text, and the page that shows it again."""

    place: str
    field: str
    page: str


_forms: dict[str, Form] = {}


def remember(url_name: str, *, place: str, field: str, page: str) -> None:
    """Keep what is typed into the form that is sent to an address; called from an app's `ready`."""
    _forms[url_name] = Form(place, field, page)


def places() -> frozenset[str]:
    """Give the places that drafts are kept for."""
    return frozenset(form.place for form in _forms.values())


def page_of(place: str, number: int | None) -> str:
    """Give the address of the page that shows a place's form; the queue for an unknown one."""
    page = next((form.page for form in _forms.values() if form.place == place), "")
    if number is None:
        return reverse(page if place == "open" else "tickets:queue")
    return reverse(page if page and place != "open" else "tickets:ticket", args=[number])


def keep(*, user: User, ticket: Ticket | None, place: str, text: str) -> Draft | None:
    """Keep a text in the stead of the one kept before; an empty one discards it. Give None where nothing is kept."""
    if place not in places():
        return None
    if not text.strip():
        discard(user=user, ticket=ticket, place=place)
        return None
    facility = ticket.facility if ticket else facilities(user, Right.WORK_TICKETS).first()
    if facility is None or len(text) > LIMIT:
        return None
    try:
        with transaction.atomic():
            return _store(user, ticket, place, text, facility)
    except IntegrityError:  # two tabs at once: the second finds the first one's row
        return _store(user, ticket, place, text, facility)


def _store(user: User, ticket: Ticket | None, place: str, text: str, facility: Facility) -> Draft:
    row = Draft.objects.filter(user=user, ticket=ticket, place=place).first()
    if row is not None and row.facility_id != facility.pk:  # a sealed text belongs to one facility
        row.delete()
        row = None
    row = row or Draft(user=user, ticket=ticket, place=place, facility=facility)
    row.text, row.at = text, timezone.now()
    row.save()
    return row


def discard(*, user: User, ticket: Ticket | None, place: str) -> None:
    """Forget a draft: it was sent, or is not wanted."""
    Draft.objects.filter(user=user, ticket=ticket, place=place).delete()


def kept(user: User, ticket: Ticket | None) -> Mapping[str, Draft]:
    """Give a person's own drafts of a ticket by their place."""
    return {row.place: row for row in Draft.objects.filter(user=user, ticket=ticket)}


def forget_old() -> int:
    """Drop drafts that nobody came back for; give how many."""
    return Draft.objects.filter(at__lt=timezone.now() - KEPT_FOR).delete()[0]


def keep_what_was_sent(request: HttpRequest, user: User, match: ResolverMatch) -> str:
    """Keep the text of a form that arrived after its sender's session had ended; give the page to come back to.

    The sender must still see the ticket; what he may do with it is asked once he has logged in again.
    """
    form = _forms.get(match.view_name)
    if form is None:
        return ""
    number = match.kwargs.get("number")
    ticket = None if number is None else visible(user).filter(number=number).first()
    if number is not None and ticket is None:
        return ""
    if keep(user=user, ticket=ticket, place=form.place, text=request.POST.get(form.field, "")):
        messages.info(request, "Your session had ended. What you typed was kept: log in to go on with it.")
    return reverse(form.page, args=[] if number is None else [number])
