"""The queue: which tickets are shown under which filter, with the counts beside the filters."""

import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.utils import timezone

from console.accounts.access import grants
from console.accounts.models import User
from console.accounts.roles import Right
from console.diagnoses import words
from console.diagnoses.pages import mini
from console.integrations.models import Integration
from console.tickets import saved_views
from console.tickets.filters import LABELS, ME, NAMES, NOBODY, ORDERS, VIEWS, Asked, read
from console.tickets.models import Confirmation, SavedView, Severity, Ticket, TicketState
from console.tickets.queue_rows import MOST_COUNTED, Counts, Sight, counts, sight, stretch
from console.tickets.stamps import stamp
from diagnostics import catalog

ALWAYS_SHOWN = ("cause", "integration", "mode")
GRAVE = (Severity.WRONG_PATIENT,)


@dataclass(frozen=True)
class Chip:
    """Be one view with its count; without one where it only grows."""

    slug: str
    name: str
    count: str
    query: str
    current: bool


@dataclass(frozen=True)
class Choice:
    """Be one drop-down filter: (value, words with their count)."""

    name: str
    label: str
    options: tuple[tuple[str, str], ...]
    value: str
    folded: bool


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
    paused: bool
    grave: bool
    may_work: bool
    may_take: bool
    stamp: str


@dataclass(frozen=True)
class QueuePage:
    """Be everything the queue shows."""

    rows: tuple[Row, ...]
    chips: tuple[Chip, ...]
    choices: tuple[Choice, ...]
    orders: tuple[tuple[str, str], ...]
    summary: str
    asked: Asked
    narrowed: bool
    matching: int | None
    shown_matching: str
    after: str
    full: bool
    first: bool
    may_work: bool
    views: tuple[SavedView, ...]
    saved: SavedView | None
    may_change_view: bool

    @property
    def view(self) -> str:
        """Name the view that is shown."""
        return self.asked.view

    @property
    def query(self) -> str:
        """Give what is asked, for addresses and hidden fields."""
        return self.asked.query()

    @property
    def cleared(self) -> str:
        """Give the same view without filters."""
        return Asked(view=self.asked.view, order=self.asked.order).query()

    @property
    def numbers(self) -> list[int]:
        """Give the tickets' numbers in the order shown."""
        return [row.ticket.number for row in self.rows]


def queue_page(
    user: User,
    said: Mapping[str, str],
    places: Collection[uuid.UUID] | None = None,
    saved: SavedView | None = None,
) -> QueuePage:
    """Read one page of the queue, narrowed to `places`; a fixed number of queries, however many rows."""
    mine = sight(user, places)
    integrations = dict(_integrations(mine))
    asked = understood(said, integrations)
    counted = counts(mine, asked)
    found = stretch(mine, asked, said.get("after", ""))
    rows = Ticket.objects.filter(id__in=found.ids).select_related("integration", "owner", "facility").defer("pasted")
    by_id = {row.id: row for row in rows}
    now = timezone.now()
    works_at = grants(user).where(Right.WORK_TICKETS)
    shown = tuple(_row(by_id[id], now, by_id[id].facility_id in works_at) for id in found.ids if id in by_id)
    matching = None if asked.is_done else counted.of["view"].get(asked.view, 0)
    return QueuePage(
        rows=shown,
        chips=_chips(asked, counted),
        choices=tuple(_choices(asked, counted, integrations)),
        orders=tuple(ORDERS.items()),
        summary=_summary(counted) if not asked.is_done else "Resolved and closed, the newest first",
        asked=asked,
        narrowed=bool(asked.kept),
        matching=matching,
        shown_matching=_number(matching or 0, counted.capped),
        after=found.after,
        full=found.more,
        first=not said.get("after"),
        may_work=any(row.may_work for row in shown),
        views=tuple(saved_views.seen_by(user)),
        saved=saved,
        may_change_view=saved is not None and saved_views.may_change(user, saved),
    )


def understood(said: Mapping[str, str], integrations: Collection[str]) -> Asked:
    """Read what is asked; an integration that the person's facilities do not have narrows nothing."""
    asked = read(said, known_causes=frozenset(catalog.causes()))
    return asked if asked.integration in integrations else replace(asked, integration="")


def integrations_of(mine: Sight) -> frozenset[str]:
    """Give the ids of the integrations of the facilities in sight."""
    return frozenset(id for id, _ in _integrations(mine))


def _integrations(mine: Sight) -> Iterable[tuple[str, str]]:
    rows = Integration.objects.filter(facility__in=mine.facilities).order_by("name", "id")
    return [(str(id), name) for id, name in rows.values_list("id", "name")]


# -- filters -----------------------------------------------------------------------------------------------------------


def _chips(asked: Asked, counted: Counts) -> tuple[Chip, ...]:
    chips = []
    for slug, name in VIEWS.items():
        count = "" if slug == "resolved" or asked.is_done else _number(counted.of["view"].get(slug, 0), counted.capped)
        if slug == "late" and count == "0" and asked.view != "late":
            continue  # nothing is overdue: one chip less to read
        state = asked.state if (slug == "resolved") == asked.is_done else ""
        chips.append(Chip(slug, name, count, asked.query(view=slug, state=state), slug == asked.view))
    return tuple(chips)


def _choices(asked: Asked, counted: Counts, integrations: Mapping[str, str]) -> Iterable[Choice]:
    owners = _owners(counted)
    for name, label in LABELS.items():
        held = counted.of[name]
        names: dict[str, str]
        match name:
            case "cause":
                names = {cause.id: cause.title for cause in catalog.causes().values()}
            case "integration":
                names = dict(integrations)
            case "owner":
                names = {NOBODY: "Nobody", ME: "Me"} | owners
            case _:
                names = {value: str(words_) for value, words_ in NAMES[name].choices}
        value = getattr(asked, name)
        if value and value not in names:
            names[value] = "Somebody else"  # who has no such ticket any more: the address still means him
        shown = [key for key in names if held.get(key) or key == value or (name == "owner" and key == ME)]
        if name in ("cause", "integration"):
            shown.sort(key=lambda key: (-held.get(key, 0), names[key]))
        counted_here = not asked.is_done
        options = tuple(
            (key, f"{names[key]} ({held.get(key, 0)})" if counted_here and key != ME else names[key]) for key in shown
        )
        yield Choice(name, label, options, value, name not in ALWAYS_SHOWN)


def _owners(counted: Counts) -> dict[str, str]:
    ids = [key for key in counted.of["owner"] if key != NOBODY]
    return {str(person.pk): str(person) for person in User.objects.filter(pk__in=ids).order_by("name", "id")}


def _number(count: int, capped: bool) -> str:
    return f"{MOST_COUNTED:,}+" if capped and count >= MOST_COUNTED else f"{count:,}{'+' if capped else ''}"


def _summary(counted: Counts) -> str:
    views, capped = counted.of["view"], counted.capped
    parts = [
        f"{_number(views.get('open', 0), capped)} open",
        f"{_number(views.get('untaken', 0), capped)} not yet taken",
    ]
    if views.get("late"):
        parts.append(f"{_number(views['late'], capped)} overdue")
    return " · ".join(parts)


# -- rows --------------------------------------------------------------------------------------------------------------


def _row(ticket: Ticket, now: datetime, works_here: bool) -> Row:
    stops = mini(ticket.journey)
    broken = next((item["stage"] for item in ticket.journey if item.get("state") == "broken"), None)
    paused = ticket.is_open and ticket.paused_left_s is not None
    return Row(
        ticket=ticket,
        stops=stops,
        stops_say=f"stopped at: {words.STAGES[broken].lower()}" if broken in words.STAGES else "no break seen",
        mode=ticket.get_failure_mode_display(),
        tone=words.tone(ticket.failure_mode),
        vendor=words.VENDORS.get(ticket.integration.vendor, ticket.integration.vendor),
        state=state_words(ticket),
        open_for=(ticket.resolved_at or now) - ticket.opened_at,
        left=_left(ticket, now),
        late=ticket.is_open and now > ticket.target_at and not paused,
        paused=paused,
        grave=ticket.severity in GRAVE,
        may_work=works_here,
        may_take=works_here and ticket.is_open and ticket.owner_id is None,
        stamp=stamp(ticket),
    )


def _left(ticket: Ticket, now: datetime) -> timedelta | None:
    if not ticket.is_open:
        return None
    return ticket.target_at - now if ticket.paused_left_s is None else timedelta(seconds=ticket.paused_left_s)


def state_words(ticket: Ticket) -> str:
    """Name a ticket's state; a waiting one says for whom."""
    if ticket.state == TicketState.WAITING and ticket.waiting_for:
        name = str(ticket.get_waiting_for_display())
        return f"Waiting on {name if name.startswith('EHR') else name.lower()}"
    if ticket.state == TicketState.FIXED and ticket.confirmation == Confirmation.RUN:
        return "Fixed, confirmed"
    return str(ticket.get_state_display())
