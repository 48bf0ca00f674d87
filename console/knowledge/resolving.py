"""The page on which a ticket is resolved: what it proposes, and the one act behind it."""

from dataclasses import dataclass
from functools import cached_property

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from console.accounts.roles import Right
from console.diagnoses import words
from console.knowledge import services
from console.knowledge.causes import category_of, title_of
from console.knowledge.forms import NONE, OTHER, ResolveForm
from console.tickets import drafts
from console.tickets.access import ticket_or_404
from console.tickets.models import Ticket, TicketNote, TicketState
from console.tickets.moves import Collision, TicketError
from console.tickets.queue import state_words
from console.tickets.states import NEXT


@dataclass(frozen=True)
class Proposal:
    """Be one cause to confirm."""

    cause: str
    title: str
    category: str
    says: str

    @property
    def category_name(self) -> str:
        """Name its category."""
        return words.CATEGORIES.get(self.category, self.category)


class ResolvePage:
    """Read once for a request: the ticket, what may be confirmed, and the form."""

    def __init__(self, ticket: Ticket, data: object = None) -> None:
        self.ticket = ticket
        first = self.proposals[0].cause if self.ticket.cause else ""
        initial = {"cause": first, "seen": ticket.state}
        known = {proposal.cause: proposal.category for proposal in self.proposals}
        self.form = ResolveForm(data, ticket=ticket, proposed=known, waiting=self.waiting, initial=initial)

    @property
    def may(self) -> bool:
        """Tell whether the ticket can be resolved from the state it is in."""
        return TicketState.RESOLVED in NEXT[self.ticket.state]

    @property
    def state(self) -> str:
        """Name the ticket's state."""
        return state_words(self.ticket)

    @cached_property
    def proposals(self) -> tuple[Proposal, ...]:
        """Give the diagnosis's cause and what contributed, each once."""
        document = self.ticket.run.document if self.ticket.run else None
        found: dict[str, Proposal] = {}
        root = (document or {}).get("root_cause")
        if self.ticket.cause:
            certainty = self.ticket.certainty or (root or {}).get("certainty", "")
            says = words.CERTAINTIES.get(certainty, "Cause")
            found[self.ticket.cause] = self._proposal(
                self.ticket.cause, self.ticket.verdict, self.ticket.category, f"{says}, says the diagnosis"
            )
        for item in (document or {}).get("contributing", ()):
            if item["cause"] not in found and title_of(item["cause"]):
                found[item["cause"]] = self._proposal(item["cause"], item["title"], item["category"], "Contributing")
        return tuple(found.values())

    @staticmethod
    def _proposal(cause: str, title: str, category: str, says: str) -> Proposal:
        return Proposal(cause, title or title_of(cause), category or category_of(cause), says)

    @cached_property
    def rows(self) -> list[TicketNote]:
        """Give the ticket's notes in the order they were added."""
        return list(
            self.ticket.ticket_notes.select_related("note", "department", "ended_by").order_by("added_at", "id")
        )

    @property
    def waiting(self) -> list[TicketNote]:
        """Give the notes that have no end yet."""
        return [row for row in self.rows if row.end == TicketNote.End.WAITING]

    @property
    def ended(self) -> list[TicketNote]:
        """Give the notes that have one."""
        return [row for row in self.rows if row.end != TicketNote.End.WAITING]

    @property
    def other(self) -> str:
        """Give the value that stands for another cause."""
        return OTHER

    @property
    def none(self) -> str:
        """Give the value that stands for no cause of the catalogue."""
        return NONE


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def resolve(request: HttpRequest, number: int) -> HttpResponse:
    """Ask for cause and outcome, then resolve the ticket and draft its article."""
    ticket = ticket_or_404(request.user, number, Right.WORK_TICKETS)
    page = ResolvePage(ticket, request.POST if request.method == "POST" else None)
    if request.method == "GET":
        draft = drafts.kept(request.user, ticket).get("resolve")
        return render(request, "knowledge/resolve.html", {"page": page, "draft": draft})
    form, status = page.form, 422
    if form.is_valid():
        category, cause = form.confirmed
        data = form.cleaned_data
        try:
            article = services.resolve(
                ticket=ticket, by=request.user, category=category, cause=cause, ends=form.ends,
                outcome=data["all"] if form.asks_outcome else "", what_was_done=data["what_was_done"],
                unconfirmed_because=data["unconfirmed_because"],
                expected=data["seen"],
            )  # fmt: skip
        except TicketError as refusal:
            status = 409 if isinstance(refusal, Collision) else 422
            ticket.refresh_from_db()
            # What was typed stays; sent once more, it is meant for the state that the page shows now.
            page = ResolvePage(ticket, {**request.POST.dict(), "seen": ticket.state})
            page.form.is_valid()
            page.form.add_error(None, str(refusal))
        else:
            drafts.discard(user=request.user, ticket=ticket, place="resolve")
            messages.success(
                request,
                format_html(
                    'Ticket {} is resolved. An article was drafted from it. <a href="{}">See the draft</a>',
                    number, reverse("knowledge:article", args=[article.id]),
                ),
            )  # fmt: skip
            return redirect("tickets:ticket", number)
    return render(request, "knowledge/resolve.html", {"page": page}, status=status)
