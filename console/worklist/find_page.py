"""What the page that finds notes shows, and how a search is kept without its ids standing in an address.

Addresses are kept by browsers, proxies and access logs, so an id never becomes part of one. What was typed is looked
up at once; the session keeps the internal ids of what it led to, under a random word that the address names. A
provider, a time, an integration and a failure mode tell of no patient and do stand there, so that such a list can be
kept as a bookmark.
"""

import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib.sessions.backends.base import SessionBase
from django.utils import timezone

from console.accounts.models import User
from console.integrations.models import Integration
from console.notes.models import FailureMode, Note, Trace
from console.notes.queries import visible
from console.worklist import finding
from console.worklist.access import Scope
from console.worklist.asking import Asked
from console.worklist.finding import MOST_FOUND, WORDS, Found, Listed
from console.worklist.gaps import gaps_in
from console.worklist.keyset import read_key, write_key
from console.worklist.lines import Line, lines, stand_in, traces
from console.worklist.waiting import in_order

PAGE_SIZE = 50
KEPT_SEARCHES = 5
_SESSION = "found"


@dataclass(frozen=True)
class Led:
    """Be where a search led: an address's parameters, the only note there is, or why there is nothing."""

    query: str = ""
    note: uuid.UUID | None = None
    nothing: str = ""


@dataclass(frozen=True)
class FindPage:
    """Be everything the page shows."""

    lines: tuple[Line, ...]
    says: str
    query: str
    older: str
    first: bool
    asked: Listed
    kept: str
    integrations: tuple[tuple[str, str], ...]
    modes: tuple[tuple[str, str], ...]
    narrowed: bool
    shows_facility: bool


def look_up(scope: Scope, asked: Asked, session: SessionBase) -> Led:
    """Look up what was typed; several words must all fit."""
    said: dict[str, str] = {}
    ids: Found | None = None
    for word in asked.words:
        found = finding.by_id(scope, word)
        if found:
            ids = found if ids is None else _both(ids, found)
        elif finding.knows_provider(scope, word):
            said["provider"] = word
        else:
            return Led(nothing="Nothing is known here under " + ("this." if len(asked.words) == 1 else "one of these."))
    if asked.start is not None and asked.end is not None:
        said |= {"from": asked.start.isoformat(), "to": asked.end.isoformat()}
    if ids is None:
        return Led(query=urlencode(said))
    if not ids:
        return Led(nothing="No note bears all of these.")
    if len(ids.notes) == 1 and not ids.orphans and not said:
        return Led(note=ids.notes[0])
    return Led(query=urlencode({"s": _keep(session, ids), **said}))


def _both(one: Found, other: Found) -> Found:
    return Found(
        tuple(note for note in one.notes if note in other.notes),
        tuple(row for row in one.orphans if row in other.orphans),
        one.kind,
    )


def _keep(session: SessionBase, found: Found) -> str:
    kept = dict(list(dict(session.get(_SESSION, {})).items())[-(KEPT_SEARCHES - 1) :])
    key = secrets.token_urlsafe(6)
    kept[key] = {
        "notes": [note.hex for note in found.notes[:MOST_FOUND]],
        "orphans": [row.hex for row in found.orphans[:MOST_FOUND]],
        "kind": found.kind,
        "more": len(found.notes) > MOST_FOUND,
    }
    session[_SESSION] = kept
    return key


def find_page(user: User, scope: Scope, said: Mapping[str, str], session: SessionBase) -> FindPage:
    """Read one page of what was found, or the newest notes; a fixed number of statements."""
    asked, kept = _listed(said)
    key = said.get("s", "")
    search = dict(session.get(_SESSION, {})).get(key)
    after = read_key(said.get("after"))
    older = ""
    found: Sequence[Trace]
    if search is not None:
        found = _kept_notes(user, scope, search, asked)
        kept = {"s": key, **kept}
        says = _says(search, len(found))
    else:
        ids = finding.newest(scope, asked, after, PAGE_SIZE + 1)
        more, ids = len(ids) > PAGE_SIZE, ids[:PAGE_SIZE]
        found = in_order(ids, traces(ids))
        older = write_key(found[-1].born_at, found[-1].id) if more and found else ""
        says = "This search is over; ids are kept for a short time only. Look again." if key else _listing(asked)
    integrations = Integration.objects.filter(facility__in=scope.facilities).order_by("name", "id")
    return FindPage(
        lines=tuple(lines(user, found, gaps_in(scope.facilities))),
        says=says,
        query=urlencode(kept),
        older=older,
        first=after is None,
        asked=asked,
        kept=key if search is not None else "",
        integrations=tuple((str(one.id), one.name) for one in integrations),
        modes=tuple((mode.value, str(mode.label)) for mode in FailureMode),
        narrowed=asked != Listed() or search is not None,
        shows_facility=len(scope.facilities) > 1,
    )


def _kept_notes(user: User, scope: Scope, search: Mapping[str, Any], asked: Listed) -> list[Trace]:
    """Read what a search led to, as far as the person may see it now."""
    ids = [uuid.UUID(one) for one in search["notes"]]
    rows = visible(user).filter(id__in=ids, facility__in=scope.facilities)
    notes: list[Note] = list(rows.select_related("department", "integration", "facility", "trace"))
    found = [_trace_of(note) for note in notes]
    orphans = [uuid.UUID(one) for one in search["orphans"]]
    found += [one for one in traces(orphans).values() if one.facility_id in scope.facilities] if orphans else []
    fits = [trace for trace in found if _fits(trace, asked)]
    return sorted(fits, key=lambda trace: (trace.born_at, trace.id), reverse=True)


def _trace_of(note: Note) -> Trace:
    trace: Trace = note.trace if hasattr(note, "trace") else stand_in(note)
    trace.note, trace.integration, trace.facility = note, note.integration, note.facility
    return trace


def _fits(trace: Trace, asked: Listed) -> bool:
    return (
        (not asked.provider or trace.provider == asked.provider)
        and (asked.start is None or trace.born_at >= asked.start)
        and (asked.end is None or trace.born_at < asked.end)
        and (asked.integration is None or trace.integration_id == asked.integration)
        and (not asked.mode or trace.failure_mode == asked.mode)
    )


def _listed(said: Mapping[str, str]) -> tuple[Listed, dict[str, str]]:
    try:
        integration = uuid.UUID(said.get("integration", ""))
    except ValueError:
        integration = None
    mode = said.get("mode", "")
    asked = Listed(
        provider=said.get("provider", "").strip()[:80],
        start=_moment(said.get("from", "")),
        end=_moment(said.get("to", "")),
        integration=integration,
        mode=mode if mode in FailureMode.values else "",
    )
    if asked.start and asked.end and asked.end <= asked.start:
        asked = replace(asked, start=None, end=None)
    kept = {
        "provider": asked.provider,
        "from": asked.start.isoformat() if asked.start else "",
        "to": asked.end.isoformat() if asked.end else "",
        "integration": str(asked.integration or ""),
        "mode": asked.mode,
    }
    return asked, {name: value for name, value in kept.items() if value}


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else timezone.make_aware(found)


def _says(search: Mapping[str, Any], count: int) -> str:
    kind = WORDS.get(search["kind"], "id")
    if search["more"]:
        return f"More than {MOST_FOUND} notes lead from this {kind}; these are {count} of them. Add a time."
    return f"{count} found by this {kind}" if count != 1 else f"One found by this {kind}"


def _listing(asked: Listed) -> str:
    parts = [f"provider {asked.provider}"] if asked.provider else []
    if asked.start and asked.end:
        first, last = timezone.localtime(asked.start), timezone.localtime(asked.end)
        until = f"{last:%H:%M}" if first.date() == last.date() else f"{last.day} {last:%b %H:%M}"
        parts.append(f"{first.day} {first:%b %H:%M} to {until}")
    return "Notes of " + ", ".join(parts) if parts else "Newest notes"
