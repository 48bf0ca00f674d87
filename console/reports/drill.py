"""The tickets behind a number: the very ones that were counted."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.http import Http404

from console.reports import words
from console.reports.figures import Counted, Facet, Only
from console.reports.pages import CLOCKS, TABLES, Chip, kept_of
from console.reports.report import Report
from console.tickets.models import Severity

_E = TypeVar("_E", bound=StrEnum)

PAGE_SIZE = 50
SHOWN = {"open": "Open tickets", "overdue": "Overdue tickets"}
_NARROWED = {
    Only.ON_TARGET: "Within target",
    Only.LATE: "Target missed",
    Only.REOPENED: "Reopened",
    Only.DIAGNOSED: "Diagnosed",
    Only.TAKEN: "Taken",
}
_SORTS = {"resolved": "Last resolved", "wall": "Longest wall time", "active": "Longest active time"}


@dataclass(frozen=True)
class Row:
    """Be one ticket of the list."""

    number: int
    title: str
    cause: str
    facility: str
    severity: str
    opened_at: datetime
    resolved_at: datetime | None
    wall: str
    active: str
    open_for: str
    on_target: bool
    target: str
    overdue: str
    reopened: int


@dataclass(frozen=True)
class TicketsPage:
    """Be everything the list shows."""

    title: str
    meta: str
    n: int
    rows: tuple[Row, ...]
    page: Page[Counted]
    chips: tuple[Chip, ...]
    sorts: tuple[Chip, ...]
    counts: tuple[int, ...]
    query: str
    back: str
    open: bool

    @property
    def narrowing(self) -> list[tuple[Chip, int]]:
        """Give the chips with their counts."""
        return list(zip(self.chips, self.counts, strict=True))


def tickets_page(report: Report, asked: dict[str, str], facility: str = "") -> TicketsPage:
    """List the tickets of one number: `by` and `is` name a group, `only` narrows it, `show` asks for open ones."""
    kept = kept_of(report.asked, facility)
    show = asked.get("show", "")
    if show:
        return _open_tickets(report, asked, kept, show)
    facet, only = _one_of(Facet, asked.get("by", "")), _one_of(Only, asked.get("only", ""))
    key = asked.get("is", "") if facet else ""
    sort = asked.get("sort", "")
    sort = sort if sort in _SORTS else "resolved"
    group = {"by": facet, "is": key} if facet else {}
    tickets = report.pick(facet, key, only)
    ordered = sorted(tickets, key=_order(sort), reverse=True)
    page = Paginator(ordered, PAGE_SIZE).get_page(asked.get("page"))
    narrowed = {"only": only} if only else {}
    names = _facility_names(report)
    choices: list[Only | None] = [None, *_NARROWED]
    return TicketsPage(
        title=_title(report, facet, key),
        meta=_meta(report),
        n=len(tickets),
        rows=tuple(_row(ticket, report, names) for ticket in page),
        page=page,
        chips=tuple(
            Chip(
                _NARROWED[each] if each else "All",
                urlencode(kept | group | ({"only": each} if each else {}) | {"sort": sort}),
                each is only,
            )
            for each in choices
        ),
        counts=tuple(len(report.pick(facet, key, each)) for each in choices),
        sorts=tuple(
            Chip(name, urlencode(kept | group | narrowed | {"sort": slug}), slug == sort)
            for slug, name in _SORTS.items()
        ),
        query=urlencode(kept | group | narrowed | {"sort": sort}),
        back=urlencode(kept),
        open=False,
    )


def _open_tickets(report: Report, asked: dict[str, str], kept: dict[str, str], show: str) -> TicketsPage:
    if show not in SHOWN:
        raise Http404("There is no such list.")
    lists = {"open": report.open.tickets, "overdue": report.open.overdue}
    page = Paginator(lists[show], PAGE_SIZE).get_page(asked.get("page"))
    names = _facility_names(report)
    return TicketsPage(
        title=SHOWN[show],
        meta=f"{report.asked.where} · as of now, oldest first",
        n=len(lists[show]),
        rows=tuple(_row(ticket, report, names) for ticket in page),
        page=page,
        chips=tuple(
            Chip(name.removesuffix(" tickets"), urlencode(kept | {"show": slug}), slug == show)
            for slug, name in SHOWN.items()
        ),
        counts=tuple(len(lists[slug]) for slug in SHOWN),
        sorts=(),
        query=urlencode(kept | {"show": show}),
        back=urlencode(kept),
        open=True,
    )


def _one_of(kind: type[_E], value: str) -> _E | None:
    if not value:
        return None
    try:
        return kind(value)
    except ValueError:
        raise Http404("There is no such list.") from None


def _order(sort: str) -> Callable[[Counted], Any]:
    keys: dict[str, Callable[[Counted], Any]] = {
        "resolved": lambda ticket: (ticket.life.resolved_at, ticket.number),
        "wall": lambda ticket: (ticket.life.wall, ticket.number),
        "active": lambda ticket: (ticket.life.active, ticket.number),
    }
    return keys[sort]


def _facility_names(report: Report) -> dict[str, str]:
    return {str(one.id): one.name for one in report.asked.facilities}


def _title(report: Report, facet: Facet | None, key: str) -> str:
    if facet is None:
        return "Resolved tickets"
    group = next((group for group in report.groups[facet] if group.key == key), None)
    if group is None:
        raise Http404("There is no such group.")
    return f"{TABLES[facet]}: {group.name}"


def _meta(report: Report) -> str:
    asked = report.asked
    return f"{asked.where} · resolved {asked.period.words} · {CLOCKS[asked.clock].lower()}"


def _row(ticket: Counted, report: Report, names: dict[str, str]) -> Row:
    life, now = ticket.life, report.asked.now
    causes = {group.key: group for group in report.groups[Facet.CAUSE]}
    group = causes.get(ticket.keys[Facet.CAUSE])
    over = life.resolved_at is not None
    return Row(
        number=ticket.number,
        title=ticket.title,
        cause=group.name if group and over else "",
        facility=names.get(ticket.keys[Facet.FACILITY], ""),
        severity=str(dict(Severity.choices).get(life.severity, life.severity)),
        opened_at=life.opened_at,
        resolved_at=life.resolved_at,
        wall=_says(life.wall) if over else "",
        active=_says(life.active) if over else "",
        open_for="" if over else _says(now - life.opened_at),
        on_target=ticket.on_target,
        target=_says(ticket.target_at - life.opened_at),
        overdue=_says(now - ticket.target_at) if not over and ticket.target_at < now else "",
        reopened=life.reopened,
    )


def _says(length: timedelta) -> str:
    return words.length(int(length.total_seconds()))
