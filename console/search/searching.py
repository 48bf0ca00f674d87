"""Search everything a person may see for what was typed: exact ones first, then what an error means, then the rest."""

from dataclasses import dataclass

from django.contrib.sessions.backends.base import SessionBase

from console.accounts.models import User
from console.diagnoses.explaining import Answer, answer
from console.search import notes, things, tickets
from console.search.found import Group, Hit
from console.tickets.recognise import recognise
from console.worklist.access import Scope

MOST_TYPED = 20_000
SHORTEST = 2


@dataclass(frozen=True)
class Found:
    """Be everything a search found; `at_once` is where it leads where it can only mean one thing."""

    groups: tuple[Group, ...]
    means: Answer | None
    at_once: str

    @property
    def count(self) -> int:
        """Count the hits."""
        return sum(len(group.hits) for group in self.groups)


def search(user: User, scope: Scope, text: str, session: SessionBase) -> Found:
    """Look everywhere; a fixed number of statements however much there is."""
    text = text.replace("\x00", " ").strip()[:MOST_TYPED]
    pasted = recognise(text)
    means = None
    if pasted.kind == "error":
        told = answer(pasted.error or text, status=pasted.status, protocol="")
        means = told if told.found else None
    line = " ".join(text.split())
    groups = [tickets.group(user, line, means.cause if means else ""), notes.group(user, scope, text, pasted, session)]
    if pasted.kind in ("id", "error"):
        groups += [tickets.causes(line), things.articles(user, text)]
        if len(line) <= 120:
            groups += [things.integrations(user, line), things.alerts(user, line), things.people(user, line)]
    groups = sorted((group for group in groups if group.hits), key=lambda group: group.rank)
    exact: list[Hit] = [hit for group in groups for hit in group.hits if hit.exact]
    return Found(tuple(groups), means, exact[0].url if len(exact) == 1 else "")
