"""What the worklist shows: encounters that wait, orphans at the EHR, and what was ended."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.utils import timezone

from console.accounts.access import grants
from console.accounts.models import User
from console.accounts.roles import Right
from console.integrations.models import Integration
from console.notes.models import End, FailureMode, NoteEnd
from console.worklist import waiting
from console.worklist.access import Scope
from console.worklist.gaps import gaps_in
from console.worklist.keyset import read_key, write_key
from console.worklist.lines import Line, lines, traces
from console.worklist.waiting import GROUPS, MOST_COUNTED, PAGE_SIZE, Key, Narrowed

NAMES = {
    "all": "All waiting",
    "absent": "Not in the chart",
    "wrong": "Wrong place or incomplete",
    "check": "Please check",
    "orphans": "Only at the EHR",
    "ended": "Ended",
}
ENDS = [(how.value, how.label) for how in End if how != End.OPEN]


@dataclass(frozen=True)
class Chip:
    """Be one view of the list with its count, as far as it is counted."""

    name: str
    query: str
    count: str
    current: bool


@dataclass(frozen=True)
class Choice:
    """Be one drop-down filter."""

    name: str
    label: str
    options: tuple[tuple[str, str], ...]
    value: str


@dataclass(frozen=True)
class Encounter:
    """Be one line of the worklist: the oldest waiting note, its further notes, and how many are in the chart."""

    lead: Line
    more: tuple[Line, ...]
    in_chart: int


@dataclass(frozen=True)
class Ended:
    """Be a note that somebody ended."""

    row: NoteEnd
    line: Line | None
    reason: str


@dataclass(frozen=True)
class WaitingPage:
    """Be everything the worklist shows."""

    show: str
    encounters: tuple[Encounter, ...]
    orphans: tuple[Line, ...]
    ended: tuple[Ended, ...]
    chips: tuple[Chip, ...]
    choices: tuple[Choice, ...]
    provider: str
    query: str
    older: str
    first: bool
    narrowed: bool
    may_work: bool
    may_open: frozenset[uuid.UUID]
    shows_facility: bool
    ends: tuple[tuple[str, str], ...] = tuple(ENDS)


def asked_of(scope: Scope, said: Mapping[str, str], now: datetime) -> tuple[str, Narrowed, dict[str, str]]:
    """Read the address: the view, what it is narrowed to, and what of it is kept in links; the unknown is ignored."""
    show = said.get("show", "all")
    show = show if show in NAMES else "all"
    mode = said.get("mode", "")
    modes = GROUPS.get(show, ())
    if mode in FailureMode.values and (not modes or mode in modes):
        modes = (mode,)
    else:
        mode = ""
    try:
        integration = uuid.UUID(said.get("integration", ""))
    except ValueError:
        integration = None
    provider = said.get("provider", "").strip()[:80]
    kept = {"mode": mode, "integration": str(integration or ""), "provider": provider}
    narrowed = Narrowed(scope, now - waiting.GRACE, modes, integration, provider)
    return show, narrowed, {name: value for name, value in kept.items() if value}


def waiting_page(user: User, scope: Scope, said: Mapping[str, str]) -> WaitingPage:
    """Read one page of the worklist; a fixed number of statements, however many notes wait."""
    show, asked, kept = asked_of(scope, said, timezone.now())
    after = read_key(said.get("after"))
    found = waiting.counts(scope, asked.due)
    held = grants(user)
    encounters: tuple[Encounter, ...] = ()
    orphans: tuple[Line, ...] = ()
    ended: tuple[Ended, ...] = ()
    older = ""
    if show == "orphans":
        orphans, older = _orphans(user, scope, after)
    elif show == "ended":
        ended, older = _ended(user, scope, after)
    else:
        encounters, older = encounters_of(user, asked, after, PAGE_SIZE)
    chips = tuple(
        Chip(name, urlencode({"show": slug, **kept}), _count(found.get(slug)), slug == show)
        for slug, name in NAMES.items()
    )
    return WaitingPage(
        show=show,
        encounters=encounters,
        orphans=orphans,
        ended=ended,
        chips=chips,
        choices=_choices(scope, show, kept),
        provider=kept.get("provider", ""),
        query=urlencode({"show": show, **kept}),
        older=older,
        first=after is None,
        narrowed=bool(kept),
        may_work=bool(held.where(Right.WORK_TICKETS) & set(scope.facilities)),
        may_open=held.where(Right.OPEN_PAYLOAD),
        shows_facility=len(scope.facilities) > 1,
    )


def encounters_of(user: User, asked: Narrowed, after: Key | None, limit: int) -> tuple[tuple[Encounter, ...], str]:
    """Give the next encounters and the place from which the page after them begins."""
    ids = waiting.leads(asked, after, limit + 1)
    more, ids = len(ids) > limit, ids[:limit]
    told = waiting.alike(asked, ids)
    held = traces([*ids, *(trace for _, trace, waits in told if waits)])
    order = [held[one] for one in dict.fromkeys([*ids, *(t for _, t, waits in told if waits)]) if one in held]
    made = dict(zip([trace.id for trace in order], lines(user, order, gaps_in(asked.scope.facilities)), strict=True))
    found = []
    for lead in ids:
        if lead not in made:
            continue  # removed between the statements
        others = [(trace, waits) for one, trace, waits in told if one == lead]
        further = tuple(made[trace] for trace, waits in others if waits and trace in made)
        found.append(Encounter(made[lead], further, sum(not waits for _, waits in others)))
    older = write_key(held[ids[-1]].born_at, ids[-1]) if more and ids[-1] in held else ""
    return tuple(found), older


def _orphans(user: User, scope: Scope, after: Key | None) -> tuple[tuple[Line, ...], str]:
    ids = waiting.orphans(scope, after, PAGE_SIZE + 1)
    more, ids = len(ids) > PAGE_SIZE, ids[:PAGE_SIZE]
    found = waiting.in_order(ids, traces(ids))
    older = write_key(found[-1].born_at, found[-1].id) if more and found else ""
    return tuple(lines(user, found, {})), older


def _ended(user: User, scope: Scope, after: Key | None) -> tuple[tuple[Ended, ...], str]:
    ids = waiting.ended(scope, after, PAGE_SIZE + 1)
    more, ids = len(ids) > PAGE_SIZE, ids[:PAGE_SIZE]
    rows = NoteEnd.objects.filter(id__in=ids).select_related("by", "note__trace", "note__integration")
    ends = waiting.in_order(ids, {row.id: row for row in rows})
    held = traces([row.note.trace.id for row in ends if hasattr(row.note, "trace")])
    made = {line.note.id: line for line in lines(user, list(held.values()), {}) if line.note is not None}
    opens = grants(user).where(Right.OPEN_PAYLOAD)
    found = tuple(
        Ended(row, made.get(row.note_id), (row.reason or "") if row.facility_id in opens else "") for row in ends
    )
    return found, write_key(ends[-1].at, ends[-1].id) if more and ends else ""


def _choices(scope: Scope, show: str, kept: Mapping[str, str]) -> tuple[Choice, ...]:
    if show in ("orphans", "ended"):
        return ()
    integrations = Integration.objects.filter(facility__in=scope.facilities).order_by("name", "id")
    modes = [(mode.value, mode.label) for mode in FailureMode if not GROUPS[show] or mode in GROUPS[show]]
    return (
        Choice(
            "integration",
            "Integration",
            tuple((str(one.id), one.name) for one in integrations),
            kept.get("integration", ""),
        ),
        Choice("mode", "Failure mode", tuple(modes) if len(modes) > 1 else (), kept.get("mode", "")),
    )


def _count(count: int | None) -> str:
    if count is None:
        return ""
    return f"{MOST_COUNTED - 1}+" if count >= MOST_COUNTED else str(count)
