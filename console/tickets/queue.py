"""The queue: which tickets are shown under which filter, with the counts beside the filters."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.contrib.auth.models import AnonymousUser
from django.core.paginator import Page, Paginator
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from console.accounts.access import grants
from console.accounts.models import User
from console.accounts.roles import Right
from console.diagnoses import words
from console.diagnoses.pages import mini
from console.notes.models import FailureMode
from console.tickets.access import visible
from console.tickets.models import OPEN_STATES, Ticket, TicketState

PAGE_SIZE = 50
DONE_STATES = (TicketState.RESOLVED, TicketState.CLOSED)


@dataclass(frozen=True)
class Chip:
    """Be one filter with its count."""

    slug: str
    name: str
    count: int
    query: str
    current: bool


@dataclass(frozen=True)
class Choice:
    """Be one drop-down filter."""

    name: str
    label: str
    options: tuple[tuple[str, str], ...]
    value: str


@dataclass(frozen=True)
class Row:
    """Be one ticket of the queue."""

    ticket: Ticket
    stops: tuple[tuple[int, str], ...]
    stops_say: str
    mode: str
    tone: str
    vendor: str
    state: str
    open_for: timedelta
    left: timedelta | None
    late: bool
    may_take: bool


@dataclass(frozen=True)
class QueuePage:
    """Be everything the queue shows."""

    rows: tuple[Row, ...]
    page: Page[Ticket]
    chips: tuple[Chip, ...]
    choices: tuple[Choice, ...]
    summary: str
    view: str
    query: str
    narrowed: bool


def _views(user: User | AnonymousUser) -> dict[str, tuple[str, Q]]:
    is_open = Q(state__in=OPEN_STATES)
    return {
        "open": ("Open", is_open),
        "mine": ("Mine", is_open & Q(owner=user)),
        "untaken": ("Not taken", is_open & Q(owner=None)),
        "waiting": ("Waiting", Q(state=TicketState.WAITING)),
        "resolved": ("Resolved", Q(state__in=DONE_STATES)),
    }


def queue_page(user: User, asked: Mapping[str, str], places: Collection[uuid.UUID] | None = None) -> QueuePage:
    """Read one page of the queue, narrowed to `places`; a fixed number of queries, however many rows."""
    views = _views(user)
    view = asked.get("view", "open")
    view = view if view in views else "open"
    mine = visible(user)
    if places is not None:
        mine = mine.filter(facility__in=places)
    choices = _choices(mine, asked)
    kept = {choice.name: choice.value for choice in choices if choice.value}
    narrowed = _narrow(mine, kept)
    now = timezone.now()
    counts = narrowed.aggregate(
        **{slug: Count("id", filter=condition) for slug, (_, condition) in views.items()},
        late=Count("id", filter=Q(state__in=OPEN_STATES, target_at__lt=now)),
    )
    tickets = narrowed.filter(views[view][1]).select_related("integration", "owner", "facility")
    order = ("-resolved_at", "-id") if view == "resolved" else ("target_at", "id")
    page = Paginator(tickets.order_by(*order), PAGE_SIZE).get_page(asked.get("page"))
    works_at = grants(user).where(Right.WORK_TICKETS)
    chips = tuple(
        Chip(slug, name, counts[slug], urlencode({"view": slug, **kept}), slug == view)
        for slug, (name, _) in views.items()
    )
    return QueuePage(
        rows=tuple(_row(ticket, now, ticket.facility_id in works_at) for ticket in page),
        page=page,
        chips=chips,
        choices=choices,
        summary=_summary(counts),
        view=view,
        query=urlencode({"view": view, **kept}),
        narrowed=bool(kept),
    )


def _narrow(tickets: QuerySet[Ticket], kept: Mapping[str, str]) -> QuerySet[Ticket]:
    fields = {"cause": "cause", "integration": "integration__id", "mode": "failure_mode"}
    return tickets.filter(**{fields[name]: value for name, value in kept.items()})


def _choices(mine: QuerySet[Ticket], asked: Mapping[str, str]) -> tuple[Choice, ...]:
    """Offer only values that some visible ticket has, so that no filter leads nowhere; refuse all others."""
    seen = list(
        mine.order_by()
        .values_list("cause", "verdict", "integration_id", "integration__name", "failure_mode")
        .distinct()
    )
    causes = {cause: verdict or cause for cause, verdict, *_ in seen if cause}
    integrations = {str(id): name for _, _, id, name, _ in seen}
    modes = {mode: FailureMode(mode).label for *_, mode in seen}
    return tuple(
        Choice(
            name,
            label,
            tuple(sorted(options.items(), key=lambda o: o[1])),
            asked.get(name, "") if asked.get(name) in options else "",
        )
        for name, label, options in (
            ("cause", "Root cause", causes),
            ("integration", "Integration", integrations),
            ("mode", "Failure mode", modes),
        )
    )


def _row(ticket: Ticket, now: datetime, works_here: bool) -> Row:
    stops = mini(ticket.journey)
    broken = next((item["stage"] for item in ticket.journey if item.get("state") == "broken"), None)
    return Row(
        ticket=ticket,
        stops=stops,
        stops_say=f"stopped at: {words.STAGES[broken].lower()}" if broken in words.STAGES else "no break seen",
        mode=ticket.get_failure_mode_display(),
        tone=words.tone(ticket.failure_mode),
        vendor=words.VENDORS.get(ticket.integration.vendor, ticket.integration.vendor),
        state=state_words(ticket),
        open_for=(ticket.resolved_at or now) - ticket.opened_at,
        left=ticket.target_at - now if ticket.is_open else None,
        late=ticket.is_open and now > ticket.target_at,
        may_take=works_here and ticket.is_open and ticket.owner_id is None,
    )


def state_words(ticket: Ticket) -> str:
    """Name a ticket's state; a waiting one says for whom."""
    if ticket.state == TicketState.WAITING and ticket.waiting_for:
        name = str(ticket.get_waiting_for_display())
        return f"Waiting on {name if name.startswith('EHR') else name.lower()}"
    return str(ticket.get_state_display())


def _summary(counts: Mapping[str, int]) -> str:
    parts = [f"{counts['open']} open", f"{counts['untaken']} not yet taken"]
    if counts["late"]:
        parts.append(f"{counts['late']} overdue")
    return " · ".join(parts)
