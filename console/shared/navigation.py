"""What the top bar shows. Each app registers its own entry and notices when it starts: none knows those above it.

A page that somebody may not open has no entry for him; the server refuses it all the same.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.http import HttpRequest


@dataclass(frozen=True)
class Badge:
    """Stand beside an entry: a count, or a dot where `count` is None. `says` is read aloud."""

    says: str
    count: int | str | None = None
    tone: str = ""


@dataclass(frozen=True)
class Entry:
    """Lead to a page. `here` are the URL namespaces or names that count as being there; `more` folds it away."""

    order: int
    name: str
    url_name: str
    here: tuple[str, ...]
    shown: Callable[[HttpRequest], bool]
    badge: Callable[[HttpRequest], Badge | None] | None = None
    more: bool = False


@dataclass(frozen=True)
class Notice:
    """Say something above every page: one line, with an icon and, where there is something to do, a link."""

    tone: str  # "warn", "bad" or ""
    icon: str
    text: str
    link: str = ""
    link_text: str = ""


_entries: dict[str, Entry] = {}
_notices: list[Callable[[HttpRequest], Iterable[Notice]]] = []


def add_entry(entry: Entry) -> None:
    """Register an entry; called from an app's `ready`."""
    _entries[entry.url_name] = entry


def add_notices(source: Callable[[HttpRequest], Iterable[Notice]]) -> None:
    """Register a source of notices; it is asked on every page, so it must be cheap."""
    if source not in _notices:
        _notices.append(source)


def entries(request: HttpRequest) -> list[Entry]:
    """Give the entries that this person sees, in their order."""
    return [entry for entry in sorted(_entries.values(), key=lambda e: e.order) if entry.shown(request)]


def notices(request: HttpRequest) -> list[Notice]:
    """Give what is to be said above every page now."""
    return [notice for source in _notices for notice in source(request)]
